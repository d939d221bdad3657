//! What a value that was read back means for one cell. Pure.

use jiff::{SignedDuration, Timestamp};
use planthread_contracts::RevisionState;
use rust_decimal::Decimal;

use crate::ledger::rows::same;

/// What is known about a cell when its read-back is judged.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Known<'a> {
    pub(crate) state: RevisionState,
    pub(crate) value: Decimal,
    /// The current revision has been sent at least once.
    pub(crate) sent: bool,
    pub(crate) sent_at: Option<Timestamp>,
    /// The value before our last write, when it had been read.
    pub(crate) before: Option<Option<Decimal>>,
    /// What was read the last time.
    pub(crate) seen: Option<Option<Decimal>>,
    /// Values of earlier revisions of ours, whether sent or only in a pack.
    pub(crate) older: &'a [Decimal],
    pub(crate) absent_is_zero: bool,
}

/// What a difference means (or that there is none).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// The target holds what is wanted.
    Landed,
    /// Not there yet, and the target may still be busy.
    NotYet,
    /// It was sent, and is not there.
    Lost,
    /// An older value of ours stands there.
    StaleOwn,
    /// Nothing of ours is expected there yet, and nothing changed.
    Waiting,
    /// Somebody else wrote it.
    Foreign,
}

/// Classifies one read-back, design order: current, before, older, else.
pub(crate) fn classify(
    known: &Known<'_>,
    read: Option<Decimal>,
    now: Timestamp,
    settle_window: SignedDuration,
) -> Meaning {
    let same = |value: Decimal| same(value, read, known.absent_is_zero);
    if same(known.value) {
        return Meaning::Landed;
    }
    let unproven = known.state == RevisionState::Unproven;
    // Never read before: nothing there is what was there before us.
    let as_before = match known.before {
        Some(before) => read == before || before.is_some_and(same),
        None => read.is_none(),
    };
    let busy = known
        .sent_at
        .and_then(|at| at.checked_add(settle_window).ok())
        .is_some_and(|end| now < end);
    if unproven && as_before {
        return if busy { Meaning::NotYet } else { Meaning::Lost };
    }
    let unchanged = known.seen == Some(read);
    if !unproven && known.state != RevisionState::Seen && unchanged {
        return Meaning::Waiting;
    }
    if known.older.iter().any(|older| same(*older)) {
        let newest_there = known.state != RevisionState::Seen && !unproven;
        return match () {
            () if unproven && busy => Meaning::NotYet,
            // The newest value is not sent yet: an older one is expected there.
            () if newest_there => Meaning::Waiting,
            () => Meaning::StaleOwn,
        };
    }
    if read.is_none() && (known.state == RevisionState::Seen || unproven) {
        return Meaning::Lost;
    }
    // A cell into which nothing of ours was ever sent may hold anything.
    let ours = known.sent || !known.older.is_empty() && known.before.is_some();
    if ours { Meaning::Foreign } else { Meaning::Waiting }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::now;

    const WINDOW: SignedDuration = SignedDuration::from_mins(15);

    fn d(n: i64) -> Decimal {
        n.into()
    }

    fn known(state: RevisionState, older: &[Decimal]) -> Known<'_> {
        Known {
            state,
            value: d(12),
            sent: true,
            sent_at: Some(now()),
            before: Some(Some(d(11))),
            seen: Some(Some(d(11))),
            older,
            absent_is_zero: false,
        }
    }

    #[test]
    fn law_2_every_meaning_of_a_difference() {
        let (early, late) = (now(), now() + WINDOW);
        let older = [d(10)];
        let unproven = known(RevisionState::Unproven, &older);
        let meaning = |known: &Known<'_>, read, at| classify(known, read, at, WINDOW);
        assert_eq!(meaning(&unproven, Some(d(12)), early), Meaning::Landed);
        assert_eq!(meaning(&unproven, Some("12.00".parse().unwrap()), early), Meaning::Landed);
        assert_eq!(meaning(&unproven, Some(d(11)), early), Meaning::NotYet);
        assert_eq!(meaning(&unproven, Some(d(11)), late), Meaning::Lost);
        assert_eq!(meaning(&unproven, Some(d(10)), late), Meaning::StaleOwn);
        assert_eq!(meaning(&unproven, Some(d(42)), early), Meaning::Foreign);
        let first = Known { before: None, seen: None, older: &[], ..unproven };
        assert_eq!(meaning(&first, None, early), Meaning::NotYet);
        assert_eq!(meaning(&first, None, late), Meaning::Lost);
        let seen = Known { seen: Some(Some(d(12))), ..known(RevisionState::Seen, &older) };
        assert_eq!(meaning(&seen, Some(d(10)), late), Meaning::StaleOwn);
        assert_eq!(meaning(&seen, Some(d(42)), late), Meaning::Foreign);
        assert_eq!(meaning(&seen, None, late), Meaning::Lost);
    }

    #[test]
    fn a_cell_that_waits_to_be_sent_is_only_observed() {
        let pending = Known { sent: false, ..known(RevisionState::Pending, &[]) };
        let never = Known { before: None, seen: None, sent_at: None, ..pending };
        let meaning = |known: &Known<'_>, read| classify(known, read, now(), WINDOW);
        assert_eq!(meaning(&never, Some(d(99))), Meaning::Waiting);
        assert_eq!(meaning(&never, Some(d(12))), Meaning::Landed, "somebody loaded the pack");
        let older = [d(11)];
        let newer = Known { older: &older, ..pending };
        assert_eq!(meaning(&newer, Some(d(11))), Meaning::Waiting, "our older value, as expected");
        assert_eq!(meaning(&newer, Some(d(42))), Meaning::Foreign, "edited over our older value");
    }

    #[test]
    fn zero_against_absent_follows_the_declaration() {
        let zero = Known { value: d(0), ..known(RevisionState::Unproven, &[]) };
        let late = now() + WINDOW;
        assert_eq!(classify(&zero, None, late, WINDOW), Meaning::Lost);
        let declared = Known { absent_is_zero: true, ..zero };
        assert_eq!(classify(&declared, None, late, WINDOW), Meaning::Landed);
    }
}
