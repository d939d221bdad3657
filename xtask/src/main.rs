//! Repository chores: `cargo xtask deps | certificates | dist | bench | torture | fuzz`.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a tool for people at a terminal")]

mod bench;
mod deps;
mod dist;
mod fuzz;
mod torture;

use std::process::ExitCode;

const USAGE: &str = "usage: cargo xtask COMMAND
  deps              licences, duplicate versions and banned crates
  certificates DIR  an authority, a server and a client for `mock --tls DIR`
  dist              the program for machines without a toolchain, with service file,
                    manual, completions, bill of materials and digests
    --target TRIPLE x86_64-unknown-linux-musl by default
    --out DIR       target/dist by default
    --key FILE      signs the digests (`planthread agreement key FILE` makes one)
  torture           random faults, deaths, edits and torn logs in process, then real
                    processes that are killed at random moments
    --minutes N     for how long; 10 by default
    --seed S        from which seed on; one of now by default
    --seeds N       so many seeds of clock, target and ledger beside a model, instead
  fuzz              bytes over which a parser of outside bytes stumbles
    --seconds N     for how long each; 60 by default
    --parser NAME   one parser only
  bench grow        CPU of every verb at n, 2n and 4n resources
  bench landing     one large plant: CPU and peak memory of every verb
    --resources N   how many machines; 20 and 300 by default
    --weeks N       how many weeks of each; 104 by default
    --program FILE  the program; built as a release has it by default
  bench delivery [RECORDS]
                    records through ledger, attempt and read-back: requests, share of a
                    quota, records a CPU-second; 50000 by default
  bench derive [RESOURCES [WEEKS]]
                    figures and cells a second at n, 2n and 4n, and memory at a
                    quarter, a half and all of the weeks; 5000 and 104 by default";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let end = match words.as_slice() {
        ["deps"] => deps::check(),
        ["certificates", dir] => certificates(dir),
        ["dist", options @ ..] => dist::dist(options),
        ["torture", options @ ..] => torture::run(options),
        ["fuzz", options @ ..] => fuzz::run(options),
        ["bench", "grow", options @ ..] => bench::grow(options),
        ["bench", "landing", options @ ..] => bench::landing(options),
        ["bench", "derive", options @ ..] => {
            numbers(options, [5_000, 104]).and_then(|[n, weeks]| bench::derive::derived(n, weeks))
        }
        ["bench", "delivery", options @ ..] => {
            numbers(options, [50_000]).and_then(|[records]| bench::delivery(records))
        }
        // What `bench derive` runs in a process of its own.
        ["bench", "derive-once", options @ ..] => numbers(options, [100, 104, 2])
            .and_then(|[n, weeks, cores]| bench::derive::once(n, weeks, cores)),
        _ => Err(USAGE.to_owned()),
    };
    match end {
        Ok(report) => {
            println!("{report}");
            ExitCode::SUCCESS
        }
        Err(report) => {
            eprintln!("{report}");
            ExitCode::FAILURE
        }
    }
}

/// Numbers in their order, and for those that are not given what they are by default.
fn numbers<const N: usize>(words: &[&str], mut numbers: [u32; N]) -> Result<[u32; N], String> {
    for (number, word) in numbers.iter_mut().zip(words) {
        *number = word.parse().map_err(|_| format!("{word} is no number"))?;
    }
    Ok(numbers)
}

fn certificates(dir: &str) -> Result<String, String> {
    let made = planthread_support::TestAuthority::leave_in(std::path::Path::new(dir));
    made.map(|_| format!("certificates are in {dir}")).map_err(|error| format!("{dir}: {error}"))
}
