//! Lets a driver look for bytes over which a parser of outside bytes stumbles.
//!
//! The parsers are functions in `tests/fuzz/`; the driver is libFuzzer, built with the
//! coverage of LLVM by the stable toolchain and a C++ compiler. What it finds lies in
//! `target/fuzz/found/`: put the file into `tests/fuzz/found/PARSER/`, and the tests
//! hold it from then on.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

const TRIPLE: &str = "x86_64-unknown-linux-gnu";
/// Coverage for the driver, and every assertion of a debug build.
const RUSTFLAGS: &str = "--cfg fuzzing -Cdebug-assertions -Coverflow-checks \
                         -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
                         -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
                         -Cllvm-args=-sanitizer-coverage-pc-table \
                         -Cllvm-args=-sanitizer-coverage-trace-compares";
/// Longest input, and the seconds and mebibytes that one may take.
const LIMITS: [&str; 3] = ["-max_len=8192", "-timeout=20", "-rss_limit_mb=2048"];
/// Lines of the driver that are shown when something was found.
const SHOWN: usize = 40;

/// What was asked for.
struct Asked<'a> {
    seconds: u64,
    parser: Option<&'a str>,
}

impl<'a> Asked<'a> {
    fn of(words: &[&'a str]) -> Result<Self, String> {
        let mut asked = Self { seconds: 60, parser: None };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let value = words.next().ok_or_else(|| format!("{word} needs a value"))?;
            match *word {
                "--seconds" => {
                    asked.seconds = value.parse().map_err(|_| format!("{word}: `{value}`"))?;
                }
                "--parser" => asked.parser = Some(value),
                _ => return Err(format!("no option is called {word}")),
            }
        }
        Ok(asked)
    }
}

/// Feeds each parser for so many seconds.
///
/// # Errors
/// When one stumbles: the text names the file with the bytes. Also when the driver
/// can't be built, or no parser has that name.
pub(crate) fn run(words: &[&str]) -> Result<String, String> {
    let asked = Asked::of(words)?;
    let home = PathBuf::from("target/fuzz");
    let driver = build(&home)?;
    let seeds = home.join("seeds");
    let _ = fs::remove_dir_all(&seeds);
    called(Command::new(&driver).env("PLANTHREAD_SEEDS", &seeds))?;
    let mut names: Vec<String> = fs::read_dir(&seeds)
        .map_err(|error| format!("{}: {error}", seeds.display()))?
        .filter_map(|folder| folder.ok()?.file_name().into_string().ok())
        .filter(|name| asked.parser.is_none_or(|parser| parser == name))
        .collect();
    names.sort();
    if names.is_empty() {
        return Err(format!("no parser is called {}", asked.parser.unwrap_or_default()));
    }
    let mut report = format!("{} s for each parser of bytes from outside\n", asked.seconds);
    for name in &names {
        let line = fuzzed(&driver, &home, name, asked.seconds)?;
        eprintln!("{line}");
        report.push_str(&line);
        report.push('\n');
    }
    Ok(report + "nothing was found")
}

/// The driver, built with coverage.
fn build(home: &Path) -> Result<PathBuf, String> {
    let mut command = Command::new("cargo");
    command
        .args(["build", "--release", "--locked", "--package", "planthread-fuzz"])
        .args(["--features", "driver", "--target", TRIPLE, "--target-dir"])
        .arg(home)
        .env("RUSTFLAGS", RUSTFLAGS);
    let status = command.status().map_err(|error| format!("cargo: {error}"))?;
    let driver = home.join(TRIPLE).join("release/fuzz");
    if status.success() {
        return Ok(driver);
    }
    Err("the driver was not built: it needs a C++ compiler (g++ or clang++)".to_owned())
}

fn called(command: &mut Command) -> Result<Output, String> {
    command.output().map_err(|error| format!("{}: {error}", command.get_program().display()))
}

/// Feeds one parser, and says in a line what that came to.
fn fuzzed(driver: &Path, home: &Path, name: &str, seconds: u64) -> Result<String, String> {
    let (corpus, found) = (home.join("corpus").join(name), home.join("found").join(name));
    for folder in [&corpus, &found] {
        fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    }
    let output = called(
        Command::new(driver)
            .args(LIMITS)
            .args(["-print_final_stats=1", &format!("-max_total_time={seconds}")])
            .arg(format!("-artifact_prefix={}/", found.display()))
            .args([&corpus, &home.join("seeds").join(name)])
            .env("PLANTHREAD_FUZZ", name),
    )?;
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        let lines: Vec<&str> = said.lines().collect();
        let last = lines[lines.len().saturating_sub(SHOWN)..].join("\n");
        return Err(format!("{last}\n{name}: the bytes lie in {}", found.display()));
    }
    let words = |line: &'static str| {
        let line = said.lines().rev().find(move |said| said.contains(line));
        line.unwrap_or_default().split_whitespace().collect::<Vec<_>>()
    };
    let inputs = words("number_of_executed_units").last().map_or("0", |number| *number).to_owned();
    let covered = words(" cov: ");
    let edges =
        covered.iter().skip_while(|word| **word != "cov:").nth(1).map_or("0", |edges| *edges);
    Ok(format!("{name:<28} {inputs:>10} inputs, {edges:>6} edges reached"))
}
