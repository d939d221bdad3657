//! `planthread explain CODE`

use super::{Context, vocabulary};
use crate::{
    failure::{Exit, Failure},
    report::explain,
};

/// What the verb takes.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A word from a message or an answer (`throttled`, `unproven`, `low_hours`, ...),
    /// or an exit code
    code: String,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let page =
        explain::page(&args.code).or_else(|unknown| vocabulary::page(&args.code).ok_or(unknown))?;
    context.screen.show(&page)
}
