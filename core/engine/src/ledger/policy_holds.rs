//! Screen: writes down which pending cells a policy holds, and lets go others.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use planthread_contracts::RevisionState;
use schemars::JsonSchema;
use serde::Serialize;

use super::{rejections, revision_tally::RevisionTally};
use crate::{
    State,
    error::Result,
    plan::{Policy, waiting},
};

/// What a screen found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PolicyHolds {
    /// Cells that may go.
    pub pending: u64,
    /// Cells that are held, by the reason's word.
    pub held: BTreeMap<String, u64>,
    /// Until when the last of those that were sent may still come, by
    /// `policy.settle_minutes` and the target's own word; a read-back after it decides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub settles: Option<Timestamp>,
    /// Cells that the target refused and that wait for somebody: `rejects` names them.
    #[serde(skip_serializing_if = "is_zero")]
    pub refused: u64,
    /// Cells that people have taken: `locks` names them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub taken: Option<TakenCells>,
    /// Questions that wait for an answer: `locks` names them, too.
    #[serde(skip_serializing_if = "is_zero")]
    pub questions: u64,
}

/// Cells that people have taken: they keep the person's value, and wait for nobody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct TakenCells {
    /// How many.
    pub cells: u64,
    /// Whose they are.
    pub owners: BTreeSet<String>,
    /// When the last of their locks ends.
    pub until: Timestamp,
}

impl TakenCells {
    /// The cells of all `owners`: how many, whose and until when; `None` where there are none.
    pub fn of(owners: impl IntoIterator<Item = (String, u64, Timestamp)>) -> Option<Self> {
        owners.into_iter().fold(None, |all: Option<Self>, (owner, cells, until)| {
            let mut all = all.unwrap_or(Self { cells: 0, owners: BTreeSet::new(), until });
            all.cells += cells;
            all.owners.insert(owner);
            all.until = all.until.max(until);
            Some(all)
        })
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature is serde's")]
const fn is_zero(n: &u64) -> bool {
    *n == 0
}

/// Writes what a plan would decide on every pending or held cell of the policy's
/// scope into the ledger, where its books are counted. A plan does not need it:
/// it decides itself.
///
/// # Errors
/// When the state can't be read or written.
pub fn hold_by_policy(state: &State, policy: &Policy) -> Result<PolicyHolds> {
    let policy = policy.clone();
    state.change(move |tx| {
        let (mut done, mut tally) = (PolicyHolds::default(), RevisionTally::default());
        waiting::each_group(tx, &policy, |group, policy| {
            for place in &group.decision.due {
                done.pending += 1;
                let mut cell = group.cells[*place].clone();
                if cell.state == RevisionState::Held {
                    cell.step(&mut tally, group.scope, RevisionState::Pending)?;
                    tx.put_cell(&cell)?;
                }
            }
            for cell in &group.cells {
                done.refused += u64::from(rejections::waits(tx, cell)?);
            }
            for (place, reason) in &group.decision.held {
                if reason.settles() {
                    let until = group.views[*place].settles(policy.settle_window, policy.now);
                    done.settles = done.settles.max(until);
                }
                let mut cell = group.cells[*place].clone();
                // What was refused is held by its own state.
                if !matches!(cell.state, RevisionState::Pending | RevisionState::Held) {
                    continue;
                }
                *done.held.entry(reason.word().to_owned()).or_default() += 1;
                if cell.state == RevisionState::Pending {
                    cell.step(&mut tally, group.scope, RevisionState::Held)?;
                } else if cell.hold == Some(*reason) {
                    continue;
                }
                cell.hold = Some(*reason);
                tx.put_cell(&cell)?;
            }
            Ok(())
        })?;
        tally.flush(tx)?;
        if let Some(scope) = tx.scope(&policy.target, policy.scope.name())? {
            done.taken = TakenCells::of(tx.taken(scope, policy.now)?);
            done.questions = tx.case_count(scope)?;
        }
        Ok(done)
    })
}
