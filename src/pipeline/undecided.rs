//! What was sent and is not decided yet: no read-back has found it, and it may still come.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use planthread_contracts::RevisionState;
use planthread_engine::{
    Reader,
    ledger::{self, CellView},
};
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    config::{Loaded, Target},
    failure::Failure,
};

/// Cells of one scope that were sent, and of which a read-back decides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Undecided {
    /// The configured target.
    pub target: String,
    /// The scope; empty for base.
    pub scope: String,
    /// How many.
    pub cells: u64,
    /// When the first of them was sent.
    pub since: Timestamp,
    /// Until when the last of them may still come, by `policy.settle_minutes` and the
    /// target's own word; left out when that is over: then the next read-back decides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// `policy.settle_minutes` of the target.
    pub settle_minutes: u32,
}

/// Until when what was sent of `cell` may still come, where it was sent and not read back.
pub(super) fn until(cell: &CellView, target: Option<&Target>, now: Timestamp) -> Option<Timestamp> {
    let window = SignedDuration::from_mins(i64::from(target?.policy.settle_minutes));
    is_out(cell).then(|| cell.settles(window, now)).flatten()
}

const fn is_out(cell: &CellView) -> bool {
    matches!(cell.state, RevisionState::InFlight | RevisionState::Unproven)
}

/// What is not decided at `now` at each configured target; works beside a writer.
///
/// # Errors
/// When the state can't be read.
pub fn undecided(
    loaded: &Loaded,
    reader: &Reader,
    now: Timestamp,
) -> Result<Vec<Undecided>, Failure> {
    let mut all = BTreeMap::new();
    ledger::cells_sent(reader, now, |cell| {
        let target = loaded.config.targets.get(cell.key.target.as_str());
        let Some(of) = target else { return Ok(()) };
        let sent = cell.sent_at.unwrap_or(now);
        let name = (cell.key.target.clone(), cell.key.scope.clone());
        let one = all.entry(name).or_insert_with(|| Undecided {
            target: cell.key.target.to_string(),
            scope: cell.key.scope.to_string(),
            cells: 0,
            since: sent,
            until: None,
            settle_minutes: of.policy.settle_minutes,
        });
        one.cells += 1;
        one.since = one.since.min(sent);
        one.until = one.until.max(until(&cell, target, now));
        Ok(())
    })?;
    Ok(all.into_values().collect())
}
