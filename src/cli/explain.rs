//! `planthread explain CODE`

use super::Context;
use crate::{
    failure::{Exit, Failure},
    report::explain,
};

/// What the verb takes.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A word from a message (`throttled`, `unproven`, ...) or an exit code
    code: String,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    context.screen.show(&explain::page(&args.code)?)
}
