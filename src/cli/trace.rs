//! `planthread trace CELL`

use super::Context;
use crate::{
    failure::{Exit, Failure},
    pipeline,
};

/// What the verb takes.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The cell, as `plan` prints it: ibp/base/LINE-1@1010/2026-W48/live
    cell: String,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let key = pipeline::parse_cell(&args.cell)?;
    let (loaded, reader) = context.reader()?;
    context.screen.show(&pipeline::trace(&loaded, &reader, &key, context.clock.now())?)
}
