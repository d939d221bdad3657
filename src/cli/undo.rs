//! `planthread undo RECEIPT --who WHO --why WHY`: new truth is wanted again from
//! `--until` on.

use jiff::SignedDuration;
use planthread_engine::undo::UndoRequest;

use super::{
    Context,
    answer::{Answer, OneTarget, Until},
};
use crate::{
    failure::{Exit, Failure},
    report::applied::UndoneView,
};

/// How long an undo holds when nobody says: two weeks, long enough for the
/// people involved to agree.
const HOLDS: SignedDuration = SignedDuration::from_hours(14 * 24);

/// What the verb takes.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The receipt's handle, or the attempt's id; `trace` names them
    receipt: String,
    #[command(flatten)]
    target: OneTarget,
    #[command(flatten)]
    answer: Answer,
    #[command(flatten)]
    until: Until,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let bridge = context.bridge()?;
    let target = context.open_offline(&bridge.loaded, args.target.name())?;
    let now = context.clock.now();
    let undone = bridge.undo(UndoRequest {
        target: target.name.clone(),
        receipt: args.receipt.clone(),
        who: args.answer.who(&bridge.loaded.config)?,
        why: args.answer.why.clone(),
        until: args.until.or(now, HOLDS),
        measures: target.config.measures.clone(),
    })?;
    context.screen.show(&UndoneView { receipt: args.receipt.clone(), undone })
}
