//! One cell group at a time: who travels, who is carried along, who waits.

use planthread_contracts::{MeasureDecl, RevisionState, Role, Status};

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
/// - While somebody else's number stands in the group (a person's, a disputed
///   one, one that replaced a refused value, one that a doubtful value would
///   replace), what tells of it stays as it is,
///   also when another value travels: we never vouch for that number. Beside a
///   person's number, a status that says so may land.
/// - A measure that is not declared or not ours any more holds nobody back:
///   nothing reads it, so its end would never come.
#[must_use]
pub fn decide(cells: &[CellView], policy: &Policy) -> GroupDecision {
    let mut decision = GroupDecision::default();
    let (mut waits, mut value_held, mut foreign) = (false, None, None);
    for (place, cell) in cells.iter().enumerate() {
        let verdict = guard(cell, policy);
        let decl = policy.decl(&cell.key.measure);
        let Some(stamp) =
            decl.filter(|_| policy.granted(&cell.key.measure)).map(MeasureDecl::is_stamp)
        else {
            if let (true, Verdict::Hold(reason)) = (is_wanted(cell.state), verdict) {
                decision.held.push((place, reason));
            }
            continue;
        };
        match (cell.state, verdict) {
            (RevisionState::Withdrawn, _) => {}
            // What became of it nobody knows yet: a plan that says nothing of it reads as
            // if all was well.
            (RevisionState::InFlight | RevisionState::Unproven, verdict) => {
                waits = true;
                if let Verdict::Hold(reason) = verdict {
                    decision.held.push((place, reason));
                }
            }
            (RevisionState::Seen, Verdict::Send) => decision.carried.push(place),
            (RevisionState::Seen, Verdict::Hold(_)) => {}
            (_, Verdict::Send) => decision.due.push(place),
            (_, Verdict::Hold(reason)) => {
                let stays =
                    matches!(reason, HoldReason::FrozenHorizon | HoldReason::NotSignificant);
                if !stamp && !stays {
                    value_held.get_or_insert(reason);
                }
                decision.held.push((place, reason));
            }
        }
        if let Some(reason) = of_somebody_else(cell, decl, policy) {
            foreign.get_or_insert(reason);
        }
    }
    if let Some(reason) = foreign {
        let vouched = |place: &usize| vouches_for_foreign(&cells[*place], reason, policy);
        decision.carried.retain(|place| !vouched(place));
        let told = decision.due.extract_if(.., |place| vouched(place));
        decision.held.extend(told.map(|place| (place, reason)));
    }
    let is_value = |place: &usize| {
        policy.decl(&cells[*place].key.measure).is_some_and(|decl| !decl.is_stamp())
    };
    let value_due = decision.due.iter().any(is_value);
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

/// Why the number that stands in a cell is none of ours.
fn of_somebody_else(
    cell: &CellView,
    decl: Option<&MeasureDecl>,
    policy: &Policy,
) -> Option<HoldReason> {
    if accompanies(decl) {
        return None;
    }
    match guard(cell, policy) {
        Verdict::Hold(
            reason @ (HoldReason::Lock
            | HoldReason::InQuestion
            | HoldReason::NotAdopted
            | HoldReason::Implausible
            | HoldReason::RejectedNotCured),
        ) => Some(reason),
        Verdict::Hold(_) | Verdict::Send => None,
    }
}

/// Whether `cell` would speak for a number that is none of ours, for `reason`.
fn vouches_for_foreign(cell: &CellView, reason: HoldReason, policy: &Policy) -> bool {
    let decl = policy.decl(&cell.key.measure);
    let says_so = reason == HoldReason::Lock
        && cell.status != Status::Live
        && decl.is_some_and(|decl| decl.carries.vouches());
    accompanies(decl) && !says_so
}

/// Whether a measure tells how the values beside it stand, and nothing itself.
fn accompanies(decl: Option<&MeasureDecl>) -> bool {
    decl.is_none_or(|decl| decl.role == Role::Stamp || decl.carries.accompanies())
}

/// It would be sent, were nothing in its way.
const fn is_wanted(state: RevisionState) -> bool {
    matches!(state, RevisionState::Pending | RevisionState::Held | RevisionState::Rejected)
}
