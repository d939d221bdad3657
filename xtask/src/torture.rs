//! Bad luck for as long as somebody asks: random stories in process, then real
//! processes that are really killed. The same seed tells the same stories.

use std::{
    process::Command,
    time::{SystemTime, UNIX_EPOCH},
};

/// Of the time, the part that stories in process take, in hundredths; the rest kills
/// processes.
const IN_PROCESS: u64 = 65;

/// Tells stories for so many minutes.
///
/// # Errors
/// When a story ended badly; what was printed before names its seed.
pub(crate) fn run(words: &[&str]) -> Result<String, String> {
    let (mut minutes, mut seed) = (10, None);
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let value = words.next().ok_or_else(|| format!("{word} needs a value"))?;
        let number = value.parse::<u64>().map_err(|_| format!("{word}: `{value}`"))?;
        match *word {
            "--minutes" => minutes = number,
            "--seed" => seed = Some(number),
            _ => return Err(format!("no option is called {word}")),
        }
    }
    let seed = seed.unwrap_or_else(of_now);
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

fn told(test: &str, seed: u64, seconds: u64) -> Result<(), String> {
    let status = Command::new("cargo")
        .args(["test", "--locked", "--quiet", "--package", "planthread", "--test", test])
        .args(["--", "torture", "--nocapture"])
        .env("PLANTHREAD_TORTURE", format!("{seed},{seconds}"))
        .status()
        .map_err(|error| format!("cargo: {error}"))?;
    let bad = || format!("seed {seed}: a story of `{test}` ended badly; the one above says which");
    if status.success() { Ok(()) } else { Err(bad()) }
}
