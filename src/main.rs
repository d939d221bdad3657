//! The program: reads the arguments, runs the verb, ends with its exit code.

use std::{io::Write as _, panic, process::ExitCode};

use planthread::cli::screen;

fn main() -> ExitCode {
    // What a panic says may hold anything, so it goes the way of all text.
    panic::set_hook(Box::new(|panic| {
        let _ = screen::errors().write_all(format!("{panic}\n").as_bytes());
    }));
    // A panic has told its story on standard error; what is left is to end with
    // the code that stands for a fault of ours.
    panic::catch_unwind(|| planthread::cli::main(std::env::args_os()))
        .unwrap_or_else(|_| ExitCode::from(planthread::failure::Exit::Internal.code()))
}
