//! How a walk ends by what it leaves behind: one rule for `apply`, `run` and `verify`, which
//! `status` follows by what it shows. The page of exit codes lists it.

use std::collections::BTreeMap;

use planthread_engine::{
    ledger::PolicyHolds, plan::HoldReason, push::Applied, verify::SweepReport,
};
use planthread_kit::agreement::{AgreementStatus, State};

use crate::failure::Exit;

/// How cells that are held for `reason` end a walk.
pub(super) const fn of_hold(reason: HoldReason) -> Exit {
    use HoldReason as R;
    match reason {
        // Nothing of it goes out before a person acts, or a window is over.
        R::Paused
        | R::Clock
        | R::SecondWriter
        | R::Blackout
        | R::NotPromoted
        | R::NotAdopted
        | R::Implausible => Exit::Held,
        // An answer is waited for; everything else goes on.
        R::InQuestion => Exit::Findings,
        // The person has decided: nothing is to be done before the lock's end.
        R::Lock => Exit::Ok,
        // What was sent is counted as not there yet, and what was refused as refused.
        R::OpenAttempt | R::Settling | R::Unproven | R::RejectedNotCured => Exit::Ok,
        R::PastPeriodClosed
        | R::FrozenHorizon
        | R::UnknownStatus
        | R::Conflicting
        | R::NotSignificant => Exit::Ok,
    }
}

/// How cells that are held end a walk, by the reasons' words.
pub(super) fn of_holds(held: &BTreeMap<String, u64>) -> Exit {
    let held = |reason: &&HoldReason| held.get(reason.word()).is_some_and(|cells| *cells > 0);
    let all = HoldReason::ALL.iter().filter(held).map(|reason| of_hold(*reason));
    all.max().unwrap_or(Exit::Ok)
}

/// How what a policy and people hold ends a walk: also what was asked earlier.
pub(super) fn of_screen(screened: &PolicyHolds) -> Exit {
    let asked = if screened.questions > 0 { Exit::Findings } else { Exit::Ok };
    of_holds(&screened.held).max(asked)
}

/// The ending of a walk that left something to look at, something that is not there yet, or
/// something that is held.
pub(super) fn ending(findings: bool, not_yet: bool, held: Exit) -> Exit {
    // What was sent and can't be read back yet is no landing: a script comes again. What
    // waits for a person does so then, too.
    let proof = match (findings || held == Exit::Findings, not_yet) {
        (true, _) => Exit::Findings,
        (false, true) => Exit::Transient,
        (false, false) => Exit::Ok,
    };
    proof.max(held)
}

/// Whether a target that was written may not be any more: somebody has to look at its
/// agreement, also while nothing is to be sent.
pub(super) fn suspended(agreement: Option<&AgreementStatus>) -> bool {
    agreement.is_some_and(|agreement| agreement.state == State::Suspended)
}

/// Whether cells that the target refused wait for somebody: refused now, or before and
/// not cured. What a person dismissed waits for nobody.
pub(super) fn refused<'a>(
    applied: Option<&Applied>,
    holds: Option<&PolicyHolds>,
    read: impl IntoIterator<Item = &'a SweepReport>,
) -> bool {
    applied.is_some_and(|applied| applied.rejected > 0)
        || holds.is_some_and(|holds| holds.refused > 0)
        || read.into_iter().any(|read| read.refused + read.refused_before > 0)
}

#[cfg(test)]
mod tests;
