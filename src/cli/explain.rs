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
    #[arg(required = true)]
    code: Vec<String>,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let code = args.code.join(" ");
    let page = explain::page(&code).or_else(|unknown| vocabulary::page(&code).ok_or(unknown))?;
    context.screen.show(&page)
}
