//! Waiting: which cells are not where they should be, and what each waits for.
//! The same decision as a plan's, so that status and plan say one thing.

use std::collections::BTreeMap;

use jiff::Timestamp;
use planthread_contracts::{CellKey, Name, RevisionState};
use schemars::JsonSchema;
use serde::Serialize;

use super::{GroupDecision, HoldReason, Policy, decide, scan};
use crate::{
    Reader,
    error::Result,
    ledger::{CellView, view::Holds},
    store::{Db, cells::Cell},
};

/// Cells that wait for the same thing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Waiting {
    /// What for: a hold's word, or `due` when nothing stands in their way.
    #[serde(rename = "for", serialize_with = "word")]
    #[schemars(with = "String")]
    pub reason: Option<HoldReason>,
    /// How many.
    pub cells: u64,
    /// Since when the first of them is wanted, or under way.
    pub since: Timestamp,
    /// Until when the last of those that were sent may still come, by the target's
    /// `policy.settle_minutes` and its own word; a read-back after it decides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// The first of them in plan order.
    pub example: CellKey,
}

#[expect(clippy::ref_option, reason = "the signature is serde's")]
fn word<S: serde::Serializer>(
    reason: &Option<HoldReason>,
    serializer: S,
) -> std::result::Result<S::Ok, S::Error> {
    serializer.serialize_str(reason.map_or("due", HoldReason::word))
}

/// What waits in the policy's scope at the policy's instant, what is due first,
/// then in the order in which the guard asks. Costs only reads.
///
/// # Errors
/// When the state can't be read.
pub fn waiting(reader: &Reader, policy: &Policy) -> Result<Vec<Waiting>> {
    reader.at_once(|db| {
        let mut found = Found::new();
        each_group(db, policy, |group, policy| {
            of_group(group, policy, &mut found);
            Ok(())
        })?;
        Ok(found.into_values().collect())
    })
}

type Found = BTreeMap<Option<HoldReason>, Waiting>;

/// A group in which something waits, and what is decided about it.
pub(crate) struct WaitingGroup {
    /// Number of the scope.
    pub(crate) scope: i64,
    /// The cells as the ledger has them.
    pub(crate) cells: Vec<Cell>,
    /// The same as everybody reads them, in the same order.
    pub(crate) views: Vec<CellView>,
    /// What a plan would decide.
    pub(crate) decision: GroupDecision,
}

/// Gives every group of the policy's scope in which something waits to `each`,
/// with the policy that knows of a second writer.
pub(crate) fn each_group(
    db: &Db,
    policy: &Policy,
    mut each: impl FnMut(&WaitingGroup, &Policy) -> Result<()>,
) -> Result<()> {
    let Some(scope) = db.scope(&policy.target, policy.scope.name())? else { return Ok(()) };
    let policy = policy.with_questions(db, scope)?;
    let holds = Holds::load(db, policy.now)?;
    let measures = db.measures()?;
    for group in db.waiting_groups(scope)? {
        let group = db.group(group)?;
        let cells = scan::cells(db, group.id, &measures)?;
        let view = |(measure, cell): &(&Name, Cell)| CellView::new(&group, measure, cell, &holds);
        let views: Vec<CellView> = cells.iter().map(view).collect();
        let cells = cells.into_iter().map(|(_, cell)| cell).collect();
        let decision = decide(&views, &policy);
        each(&WaitingGroup { scope, cells, views, decision }, &policy)?;
    }
    Ok(())
}

fn of_group(group: &WaitingGroup, policy: &Policy, found: &mut Found) {
    let WaitingGroup { cells, views, decision, .. } = group;
    let held = decision.held.iter().map(|(place, reason)| (*place, Some(*reason)));
    let due = decision.due.iter().map(|place| (*place, None));
    let was_sent =
        |view: &CellView| matches!(view.state, RevisionState::InFlight | RevisionState::Unproven);
    for (place, reason) in held.chain(due) {
        let sent = views[place].sent_at.filter(|_| was_sent(&views[place]));
        let since = sent.unwrap_or(cells[place].made_at);
        let example = || views[place].key.clone();
        let entry = found.entry(reason).or_insert_with(|| Waiting {
            reason,
            cells: 0,
            since,
            until: None,
            example: example(),
        });
        entry.cells += 1;
        entry.since = entry.since.min(since);
        if reason.is_some_and(HoldReason::settles) {
            let until = views[place].settles(policy.settle_window, policy.now);
            entry.until = entry.until.max(until);
        }
    }
}
