//! Repository chores: `cargo xtask deps | certificates | seed | measure`.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a tool for people at a terminal")]

mod deps;
mod scale;

use std::process::ExitCode;

const USAGE: &str = "usage: cargo xtask COMMAND
  deps              licences, duplicate versions and banned crates
  certificates DIR  an authority, a server and a client for `mock --tls DIR`
  seed CELLS DIR    a state directory with so many cells that are due
  measure DIR       open and plan a seeded directory; prints time and peak memory";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let end = match words.as_slice() {
        ["deps"] => deps::check(),
        ["certificates", dir] => certificates(dir),
        ["seed", cells, dir] => scale::seed(cells, dir),
        ["measure", dir] => scale::measure(dir),
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

fn certificates(dir: &str) -> Result<String, String> {
    let made = planthread_support::TestAuthority::leave_in(std::path::Path::new(dir));
    made.map(|_| format!("certificates are in {dir}")).map_err(|error| format!("{dir}: {error}"))
}
