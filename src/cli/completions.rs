//! `planthread completions SHELL`

use clap_complete::Shell;

use super::Context;
use crate::failure::{Exit, Failure};

/// What the verb takes.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The shell to complete in
    shell: Shell,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut super::command(), "planthread", &mut script);
    context.screen.raw(&script)?;
    Ok(Exit::Ok)
}
