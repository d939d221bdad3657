//! The program: reads the arguments, runs the verb, ends with its exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    planthread::cli::main(std::env::args_os())
}
