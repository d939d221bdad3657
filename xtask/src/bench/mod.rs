//! What the way of a number costs: CPU and memory of the program's own process.
//!
//! `cargo xtask bench grow` runs every verb over a plant of n, 2n and 4n
//! resources, against the sandbox in a process of its own, and prints how much
//! more twice the work costs. `cargo xtask bench landing` runs one large plant.
//! The wall clock is not measured: a machine that is shared has none.

pub(crate) mod derive;
mod plant;
mod process;

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use self::{
    plant::Plant,
    process::{Cost, Sandbox},
};
use crate::dist::AS_SHIPPED;

/// Most that a step may cost for twice the work, with room for what a machine
/// that is shared adds.
const MOST: f64 = 2.3;
/// Below this a step is mostly the start of the program, in seconds.
const GRAIN_S: f64 = 0.10;
const STEPS: [&str; 10] = [
    "ingest", "derive", "plan", "apply", "verify", "status", "asof", "replay", "backup", "restore",
];

/// Options of both benches.
#[derive(Debug)]
struct Options {
    /// The program; built for release when none is named.
    program: PathBuf,
    resources: u32,
    weeks: u32,
}

impl Options {
    fn parse(words: &[&str], resources: u32) -> Result<Self, String> {
        let (mut program, mut resources, mut weeks) = (None, resources, 104);
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let value = words.next().ok_or_else(|| format!("{word} needs a value"))?;
            let number = || value.parse::<u32>().map_err(|_| format!("{word}: `{value}`"));
            match *word {
                "--program" => program = Some(PathBuf::from(value)),
                "--resources" => resources = number()?.max(1),
                "--weeks" => weeks = number()?.max(1),
                _ => return Err(format!("no option is called {word}")),
            }
        }
        let program = program.map_or_else(release, Ok)?;
        let program = program.canonicalize().map_err(|e| format!("{}: {e}", program.display()))?;
        Ok(Self { program, resources, weeks })
    }
}

/// Builds the program as a release has it. Its libraries are those of the README's
/// first build; only the command line is compiled once more.
fn release() -> Result<PathBuf, String> {
    let build = ["build", "--release", "--locked", "--bin", "planthread"];
    let mut cargo = Command::new("cargo");
    let status = cargo.args(build).args(AS_SHIPPED).status().map_err(|e| e.to_string())?;
    let folder = std::env::var("CARGO_TARGET_DIR").unwrap_or_else(|_| "target".to_owned());
    let program = Path::new(&folder).join("release").join("planthread");
    if status.success() { Ok(program) } else { Err("the program could not be built".to_owned()) }
}

/// CPU of every verb at n, 2n and 4n resources.
///
/// # Errors
/// When a verb fails, or costs more than 2.3 times as much for twice the work.
pub(crate) fn grow(words: &[&str]) -> Result<String, String> {
    let options = Options::parse(words, 20)?;
    let sizes = [1, 2, 4].map(|times| options.resources * times);
    let mut all = Vec::new();
    for resources in sizes {
        eprintln!("{resources} resources x {} weeks", options.weeks);
        all.push(walk(&options, resources)?);
    }
    let mut report =
        format!("CPU seconds of the program (user + system), {} weeks\n", options.weeks);
    report.push_str(&format!("{:<8}", "step"));
    for (resources, walked) in sizes.iter().zip(&all) {
        report.push_str(&format!("{:>20}", format!("{resources} ({} cells)", walked.cells)));
    }
    report.push_str("    2n/n   4n/2n\n");
    let mut findings = Vec::new();
    for (at, step) in STEPS.iter().enumerate() {
        let cpu: Vec<f64> = all.iter().map(|walked| walked.costs[at].cpu_s).collect();
        report.push_str(&format!("{step:<8}"));
        cpu.iter().for_each(|cpu| report.push_str(&format!("{cpu:>20.2}")));
        for pair in cpu.windows(2) {
            let ratio = pair[1] / pair[0].max(0.01);
            report.push_str(&format!("{ratio:>8.2}"));
            if ratio > MOST && pair[0] > GRAIN_S {
                findings.push(format!("{step}: {ratio:.2} x for twice the work, at most {MOST}"));
            }
        }
        report.push('\n');
    }
    if findings.is_empty() { Ok(report) } else { Err(format!("{report}{}", findings.join("\n"))) }
}

/// One large plant: planned, applied, verified.
///
/// # Errors
/// When a verb fails.
pub(crate) fn landing(words: &[&str]) -> Result<String, String> {
    let options = Options::parse(words, 300)?;
    let walked = walk(&options, options.resources)?;
    let (resources, weeks) = (options.resources, options.weeks);
    let mut report = format!("{resources} resources x {weeks} weeks, {} cells\n", walked.cells);
    for (step, cost) in STEPS.iter().zip(&walked.costs) {
        let (cpu, peak) = (cost.cpu_s, cost.peak_mib);
        report.push_str(&format!("{step:<8}{cpu:>8.2} CPU-s{peak:>8} MiB\n"));
    }
    let landing = &walked.costs[2..5];
    let cpu: f64 = landing.iter().map(|cost| cost.cpu_s).sum();
    let peak = landing.iter().map(|cost| cost.peak_mib).max().unwrap_or_default();
    report.push_str(&format!("planned, applied and verified: {cpu:.2} CPU-s, {peak} MiB at most"));
    Ok(report)
}

/// Records in posts of 500 through the small target of the tests, built as a release
/// has its program: requests, refusals, shares of a quota, records a CPU-second beside
/// a bare client.
///
/// # Errors
/// When something was lost, doubled or sent inside an announced wait.
pub(crate) fn delivery(records: u32) -> Result<String, String> {
    let done = Command::new("cargo")
        .args(["test", "--release", "--locked", "--quiet", "--package", "planthread"])
        .args(["--test", "connectors"])
        .args(AS_SHIPPED)
        .env("PLANTHREAD_DELIVERY", records.to_string())
        .output()
        .map_err(|error| format!("cargo: {error}"))?;
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    if done.status.success() {
        return Ok(said);
    }
    Err(format!("{said}{}", String::from_utf8_lossy(&done.stderr)))
}

/// What one walk through all verbs cost, step by step.
struct Walked {
    costs: Vec<Cost>,
    cells: u64,
}

fn walk(options: &Options, resources: u32) -> Result<Walked, String> {
    let folder = Folder::new(resources)?;
    let sandbox = Sandbox::start(&options.program, resources)?;
    Plant { resources, weeks: options.weeks }.write(&folder.0, sandbox.url())?;
    let verb = |words: &[&str]| process::run(&options.program, words, &folder.0);
    let mut costs = Vec::new();
    for step in STEPS {
        let words: &[&str] = match step {
            "plan" => &["plan", "-o", "plan.ndjson"],
            "apply" => &["apply", "plan.ndjson"],
            // Nothing was known then: each value is one that differs.
            "asof" => &["asof", "2000-01-01T00:00:00Z", "--json"],
            "replay" => &["replay", "--with", "planthread.yaml", "--diff"],
            "backup" => &["backup", "--to", "kept"],
            "restore" => &[
                "--state", "other", "restore", "--from", "kept", "--who", "bench", "--why", "cost",
            ],
            step => &[step],
        };
        costs.push(verb(words)?);
    }
    let status = verb(&["status", "--json"])?;
    let (wanted, seen) = (count(&status.said, "wanted")?, count(&status.said, "seen")?);
    if wanted == 0 || seen != wanted {
        return Err(format!("{seen} of {wanted} cells were landed: {}", status.said));
    }
    Ok(Walked { costs, cells: wanted })
}

/// The first number under this name in what the program said.
fn count(said: &str, name: &str) -> Result<u64, String> {
    let name = format!("\"{name}\":");
    let rest = said.split(&name).nth(1).map(str::trim_start).unwrap_or_default();
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().map_err(|_| format!("no {name} in: {said}"))
}

/// A folder of its own, removed when dropped.
struct Folder(PathBuf);

impl Folder {
    fn new(resources: u32) -> Result<Self, String> {
        let name = format!("planthread-bench-{}-{resources}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
        Ok(Self(folder))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
