//! Bad luck for as long as somebody asks: random stories in process, then real
//! processes that are really killed. The same seed tells the same stories.
//!
//! `--seeds N` simulates clock, target and ledger beside a model instead.

use std::{
    process::Command,
    time::{SystemTime, UNIX_EPOCH},
};

/// Of the time, the part that stories in process take, in hundredths; the rest kills
/// processes.
const IN_PROCESS: u64 = 65;

/// What was asked for.
#[derive(Default)]
struct Asked {
    minutes: Option<u64>,
    seed: Option<u64>,
    seeds: Option<u64>,
}

impl Asked {
    fn of(words: &[&str]) -> Result<Self, String> {
        let mut asked = Self::default();
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let value = words.next().ok_or_else(|| format!("{word} needs a value"))?;
            let number = value.parse::<u64>().map_err(|_| format!("{word}: `{value}`"))?;
            let place = match *word {
                "--minutes" => &mut asked.minutes,
                "--seed" => &mut asked.seed,
                "--seeds" => &mut asked.seeds,
                _ => return Err(format!("no option is called {word}")),
            };
            *place = Some(number);
        }
        Ok(asked)
    }
}

/// Tells stories for so many minutes, or does what else was asked for.
///
/// # Errors
/// When a story ended badly; what was printed before names its seed.
pub(crate) fn run(words: &[&str]) -> Result<String, String> {
    let asked = Asked::of(words)?;
    let seed = asked.seed.unwrap_or_else(of_now);
    if let Some(seeds) = asked.seeds {
        return simulated(seed, seeds);
    }
    let minutes = asked.minutes.unwrap_or(10);
    let seconds = minutes * 60 * IN_PROCESS / 100;
    eprintln!("torture from seed {seed}, {minutes} minutes");
    told("suite", seed, seconds)?;
    if minutes > 0 {
        told("crash", seed, minutes * 60 - seconds)?;
    }
    Ok(format!("{minutes} minutes from seed {seed}: nothing was found"))
}

/// A seed that nobody has chosen.
#[expect(clippy::disallowed_methods, reason = "a chore may look at the clock")]
fn of_now() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(1, |now| now.as_secs() % 1_000_000 * 1_000)
}

/// `cargo test` of one test, with a variable of its own.
fn test(options: &[&str], (name, value): (&str, &str)) -> Result<bool, String> {
    let status = Command::new("cargo")
        .args(["test", "--locked", "--quiet"])
        .args(options)
        .env(name, value)
        .status()
        .map_err(|error| format!("cargo: {error}"))?;
    Ok(status.success())
}

fn told(target: &str, seed: u64, seconds: u64) -> Result<(), String> {
    let options = ["--package", "planthread", "--test", target, "--", "torture", "--nocapture"];
    let bad =
        || format!("seed {seed}: a story of `{target}` ended badly; the one above says which");
    let well = test(&options, ("PLANTHREAD_TORTURE", &format!("{seed},{seconds}")))?;
    if well { Ok(()) } else { Err(bad()) }
}

/// So many seeds of the simulation, built for release.
fn simulated(seed: u64, seeds: u64) -> Result<String, String> {
    let options = ["--release", "--package", "planthread-engine", "--test", "laws", "--"];
    let options: Vec<&str> =
        options.into_iter().chain(["model_in_memory", "--nocapture"]).collect();
    if test(&options, ("PLANTHREAD_SEEDS", &format!("{seed},{seeds}")))? {
        return Ok(format!("{seeds} seeds from {seed}: the ledger was its model after each step"));
    }
    Err(format!("from seed {seed}: the one above failed, and says how to tell it again"))
}
