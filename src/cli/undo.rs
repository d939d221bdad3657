//! `planthread undo RECEIPT --who WHO --why WHY`

use jiff::{SignedDuration, Timestamp};
use planthread_engine::undo::UndoRequest;

use super::Context;
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
    /// The configured target; may be left out when there is only one
    #[arg(long, value_name = "NAME")]
    target: Option<String>,
    /// Who answers for it
    #[arg(long)]
    who: String,
    /// Why
    #[arg(long)]
    why: String,
    /// From when new truth is wanted again; in two weeks by default
    #[arg(long, value_name = "INSTANT")]
    until: Option<Timestamp>,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let bridge = context.bridge()?;
    let target = context.open_offline(&bridge.loaded, args.target.as_deref())?;
    let now = context.clock.now();
    let end = || now.saturating_add(HOLDS).unwrap_or(Timestamp::MAX);
    let undone = bridge.undo(UndoRequest {
        target: target.name.clone(),
        receipt: args.receipt.clone(),
        who: args.who.clone(),
        why: args.why.clone(),
        until: args.until.unwrap_or_else(end),
        measures: target.config.measures.clone(),
    })?;
    context.screen.show(&UndoneView { receipt: args.receipt.clone(), undone })
}
