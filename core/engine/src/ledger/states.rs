//! The one table of revision states: what may follow what, and nothing else.

use planthread_contracts::RevisionState;

use crate::{EngineError, error::Result};

/// Whether a revision may go from `from` (nothing for a new one) to `to`.
///
/// | from | to |
/// |---|---|
/// | nothing | pending; seen, when the target provably holds the value already |
/// | pending | held, in flight, superseded, withdrawn; seen, when found there |
/// | held | pending, superseded, withdrawn; seen, when found there |
/// | in flight | unproven, rejected; pending or seen, when provably not taken; overtaken or superseded, when replaced meanwhile |
/// | unproven | seen; pending, when lost; rejected, when refused without a name; overtaken, withdrawn |
/// | seen | in flight, when carried with its group; pending, when lost or overwritten; overtaken, withdrawn |
/// | rejected | pending, when cured; seen, when found there; overtaken, withdrawn |
/// | superseded, overtaken, withdrawn | nothing: they are ends |
#[must_use]
pub const fn allowed(from: Option<RevisionState>, to: RevisionState) -> bool {
    use RevisionState as S;
    let Some(from) = from else { return matches!(to, S::Pending | S::Seen) };
    match from {
        S::Pending => {
            matches!(to, S::Held | S::InFlight | S::Superseded | S::Withdrawn | S::Seen)
        }
        S::Held => matches!(to, S::Pending | S::Superseded | S::Withdrawn | S::Seen),
        S::InFlight => matches!(
            to,
            S::Unproven | S::Rejected | S::Pending | S::Seen | S::Overtaken | S::Superseded
        ),
        S::Unproven => {
            matches!(to, S::Seen | S::Pending | S::Rejected | S::Overtaken | S::Withdrawn)
        }
        S::Seen => matches!(to, S::InFlight | S::Pending | S::Overtaken | S::Withdrawn),
        S::Rejected => matches!(to, S::Pending | S::Seen | S::Overtaken | S::Withdrawn),
        S::Superseded | S::Overtaken | S::Withdrawn => false,
    }
}

/// Where a current revision goes when a newer one replaces it; `None` when it
/// keeps its state (an open attempt decides later, or it has ended already).
#[must_use]
pub const fn replaced(state: RevisionState) -> Option<RevisionState> {
    use RevisionState as S;
    match state {
        S::Pending | S::Held => Some(S::Superseded),
        // Rejections keep their own record of what became of them.
        S::Unproven | S::Seen | S::Rejected => Some(S::Overtaken),
        S::InFlight | S::Superseded | S::Overtaken | S::Withdrawn => None,
    }
}

pub(super) fn check(from: Option<RevisionState>, to: RevisionState) -> Result<()> {
    if allowed(from, to) { Ok(()) } else { Err(EngineError::transition(from, to)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn law_4_ends_are_ends_and_nothing_skips_the_attempt() {
        use RevisionState as S;
        for end in [S::Superseded, S::Overtaken, S::Withdrawn] {
            assert!(S::ALL.iter().all(|to| !allowed(Some(end), *to)), "{end:?}");
        }
        for to in [S::Unproven, S::Rejected, S::Overtaken] {
            assert!(!allowed(Some(S::Pending), to), "only an attempt leads to {to:?}");
        }
        assert!(!allowed(Some(S::Unproven), S::InFlight), "undecided is never sent again");
        assert!(!allowed(Some(S::Rejected), S::InFlight), "a rejection needs a cure first");
        assert!(!allowed(Some(S::Held), S::InFlight), "held is not sent");
        for state in S::ALL {
            assert!(!allowed(Some(state), state), "{state:?} to itself is no step");
            if let Some(to) = replaced(state) {
                assert!(allowed(Some(state), to), "{state:?}");
            }
        }
    }
}
