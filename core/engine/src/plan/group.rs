//! One cell group at a time: who travels, who is carried along, who waits.

use planthread_contracts::{RevisionState, Role};

use super::{HoldReason, Policy, Verdict, guard};
use crate::ledger::CellView;

/// What happens to the cells of one group; places in the list that was given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GroupDecision {
    /// Cells that have something to send.
    pub due: Vec<usize>,
    /// Cells that hold already what is wanted, and travel because some targets
    /// need the same columns for every row of a request.
    pub carried: Vec<usize>,
    /// Cells that are held, with the reason.
    pub held: Vec<(usize, HoldReason)>,
}

/// Decides for the cells of one group together. Pure.
///
/// - A held cell never travels, not even carried.
/// - While one cell of the group is under way or unproven, the group waits.
/// - Stamps never travel because of themselves while a value of the group is
///   held: they would make an old number look young. A value that is meant to
///   stay as it stands (frozen, or not worth sending) does not hold them.
/// - A measure that is not declared or not ours any more holds nobody back:
///   nothing reads it, so its end would never come.
#[must_use]
pub fn decide(cells: &[CellView], policy: &Policy) -> GroupDecision {
    let mut decision = GroupDecision::default();
    let (mut waits, mut value_due, mut value_held) = (false, false, None);
    for (place, cell) in cells.iter().enumerate() {
        let verdict = guard(cell, policy);
        let decl = policy.decl(&cell.key.measure);
        let Some(role) = decl.filter(|_| policy.granted(&cell.key.measure)).map(|d| d.role) else {
            if let (true, Verdict::Hold(reason)) = (is_wanted(cell.state), verdict) {
                decision.held.push((place, reason));
            }
            continue;
        };
        match (cell.state, verdict) {
            (RevisionState::Withdrawn, _) => {}
            (RevisionState::InFlight | RevisionState::Unproven, _) => waits = true,
            (RevisionState::Seen, Verdict::Send) => decision.carried.push(place),
            (RevisionState::Seen, Verdict::Hold(_)) => {}
            (_, Verdict::Send) => {
                value_due |= role == Role::Value;
                decision.due.push(place);
            }
            (_, Verdict::Hold(reason)) => {
                let stays =
                    matches!(reason, HoldReason::FrozenHorizon | HoldReason::NotSignificant);
                if role == Role::Value && !stays {
                    value_held.get_or_insert(reason);
                }
                decision.held.push((place, reason));
            }
        }
    }
    let held_back = if waits {
        Some(HoldReason::Unproven)
    } else if value_due {
        None
    } else {
        value_held
    };
    if let Some(reason) = held_back {
        decision.held.extend(decision.due.drain(..).map(|place| (place, reason)));
    }
    if decision.due.is_empty() {
        decision.carried.clear();
    }
    decision
}

/// It would be sent, were nothing in its way.
const fn is_wanted(state: RevisionState) -> bool {
    matches!(state, RevisionState::Pending | RevisionState::Held | RevisionState::Rejected)
}
