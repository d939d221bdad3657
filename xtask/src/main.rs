//! Repository chores: `cargo xtask deps | seed`.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a tool for people at a terminal")]

mod deps;

use std::process::ExitCode;

const USAGE: &str = "usage: cargo xtask deps    licences, duplicate versions and banned crates";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let end = match words.as_slice() {
        ["deps"] => deps::check(),
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
