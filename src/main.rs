//! The program: reads the arguments, runs the verb, ends with its exit code.

use std::{panic, process::ExitCode};

fn main() -> ExitCode {
    // A panic has told its story on standard error; what is left is to end with
    // the code that stands for a fault of ours.
    panic::catch_unwind(|| planthread::cli::main(std::env::args_os()))
        .unwrap_or_else(|_| ExitCode::from(planthread::failure::Exit::Internal.code()))
}
