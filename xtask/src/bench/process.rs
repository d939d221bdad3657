//! A process and what it cost, as Linux tells it under `/proc`.

use std::{
    fs::{self, File},
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

/// Ticks of the kernel's clock in a second, as `/proc` counts everywhere.
const TICKS_PER_SECOND: f64 = 100.0;
/// How often the peak of memory is looked up; it only grows.
const LOOK: Duration = Duration::from_millis(5);

/// What one run of the program cost.
#[derive(Debug)]
pub(super) struct Cost {
    /// User and system time, in seconds.
    pub(super) cpu_s: f64,
    /// Most memory that was resident, in MiB.
    pub(super) peak_mib: u64,
    /// What it wrote.
    pub(super) said: String,
}

/// Runs a verb in `folder`.
///
/// # Errors
/// When it can't be started or fails, with what it said.
#[expect(clippy::disallowed_methods, reason = "a chore waits for another process, in real time")]
pub(super) fn run(program: &Path, words: &[&str], folder: &Path) -> Result<Cost, String> {
    let io = |error: std::io::Error| format!("{}: {error}", words.join(" "));
    let (out, err) = (folder.join("out"), folder.join("err"));
    let before = children_cpu_s()?;
    let mut child = Command::new(program)
        .args(words)
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(File::create(&out).map_err(io)?)
        .stderr(File::create(&err).map_err(io)?)
        .spawn()
        .map_err(io)?;
    let mut peak_kib = 0;
    let status = loop {
        peak_kib = peak_kib.max(resident_peak_kib(child.id()).unwrap_or(0));
        match child.try_wait().map_err(io)? {
            Some(status) => break status,
            None => std::thread::sleep(LOOK),
        }
    };
    let cpu_s = children_cpu_s()? - before;
    let said = fs::read_to_string(&out).map_err(io)?;
    // 1 says that something wants a look: a figure that is not known, say.
    if !matches!(status.code(), Some(0 | 1)) {
        let why = fs::read_to_string(&err).unwrap_or_default();
        return Err(format!("`{}` ended with {status}: {said}{why}", words.join(" ")));
    }
    Ok(Cost { cpu_s, peak_mib: peak_kib / 1024, said })
}

/// CPU of all children that have ended, in seconds.
fn children_cpu_s() -> Result<f64, String> {
    cpu_s(13)
}

/// CPU of this process so far, in seconds.
///
/// # Errors
/// When the kernel does not tell.
pub(super) fn own_cpu_s() -> Result<f64, String> {
    cpu_s(11)
}

/// User and system time, which stand side by side behind `skipped` fields: after
/// the name in parentheses state is field 3, the own times are 14 and 15, and those
/// of the children 16 and 17.
fn cpu_s(skipped: usize) -> Result<f64, String> {
    let stat = fs::read_to_string("/proc/self/stat").map_err(|e| format!("/proc: {e}"))?;
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    let ticks: Vec<f64> =
        fields.skip(skipped).take(2).filter_map(|word| word.parse().ok()).collect();
    Ok(ticks.iter().sum::<f64>() / TICKS_PER_SECOND)
}

fn resident_peak_kib(process: u32) -> Option<u64> {
    status_kib(&process.to_string(), "VmHWM:")
}

/// Memory of this process that is resident now, in KiB.
pub(super) fn resident_kib() -> u64 {
    status_kib("self", "VmRSS:").unwrap_or_default()
}

fn status_kib(process: &str, field: &str) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with(field))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// The sandbox in a process of its own; dropping it is its end.
#[derive(Debug)]
pub(super) struct Sandbox {
    child: Child,
    url: String,
}

impl Sandbox {
    /// Starts it on any free port of this machine, without latency.
    ///
    /// # Errors
    /// When it does not say where it listens.
    pub(super) fn start(program: &Path, resources: u32) -> Result<Self, String> {
        let listen = ["mock", "sap-ibp", "--listen", "127.0.0.1:0", "--json"];
        let mut child = Command::new(program)
            .args(listen)
            .args(["--resources", &resources.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("{}: {error}", program.display()))?;
        let mut line = String::new();
        if let Some(out) = child.stdout.take() {
            BufReader::new(out).read_line(&mut line).map_err(|error| error.to_string())?;
        }
        let told: serde_json::Value = serde_json::from_str(&line).unwrap_or_default();
        let url = told["url"].as_str().unwrap_or_default().to_owned();
        let sandbox = Self { child, url };
        if sandbox.url.is_empty() { Err(format!("the sandbox said: {line}")) } else { Ok(sandbox) }
    }

    /// Where it listens.
    pub(super) fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
