//! `planthread status`

use planthread_engine::{journal, ledger, status};

use super::Context;
use crate::{
    failure::{Exit, Failure},
    pipeline::NotPromoted,
    report::standing::{LockLine, Standing},
};

/// What the verb takes: only the common options.
#[derive(Debug, clap::Args)]
pub(super) struct Args {}

/// Pushes that are shown; `trace` has those of a cell.
const PUSHES_SHOWN: u64 = 3;

pub(super) fn run(context: &Context, _: &Args) -> Result<Exit, Failure> {
    let (loaded, reader) = context.reader()?;
    let now = context.clock.now();
    let locks = ledger::locks(&reader, now)?;
    let mut not_promoted = Vec::new();
    for (name, target) in &loaded.config.targets {
        not_promoted.extend(NotPromoted::of(&loaded, name, target, now)?);
    }
    context.screen.show(&Standing {
        now,
        status: status::status(&reader, now)?,
        journal: journal::counts(&reader)?,
        pushes: ledger::receipts(&reader, PUSHES_SHOWN)?,
        cases: ledger::cases(&reader)?,
        pauses: ledger::pauses(&reader)?.into_iter().filter(|(_, until)| *until > now).collect(),
        locks: locks.iter().map(LockLine::from).collect(),
        not_promoted,
    })
}
