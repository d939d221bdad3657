//! What a value that was read back means for one cell. Pure.

use jiff::{SignedDuration, Timestamp};
use planthread_contracts::RevisionState;
use rust_decimal::Decimal;

use crate::ledger::{doubt::Doubt, rows::same, settles};

/// What is known about a cell when its read-back is judged.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Known<'a> {
    pub(crate) state: RevisionState,
    pub(crate) value: Decimal,
    pub(crate) sent_at: Option<Timestamp>,
    /// Before this instant an attempt of unknown end may still take effect.
    pub(crate) unclear_until: Option<Timestamp>,
    /// What its last attempt left in doubt.
    pub(crate) doubt: Doubt,
    /// The value before our last write, when it had been read.
    pub(crate) before: Option<Option<Decimal>>,
    /// Whether it is sent again because it took effect more than once.
    pub(crate) doubled: bool,
    /// What was read the last time.
    pub(crate) seen: Option<Option<Decimal>>,
    /// Whether anything was ever sent to the cell.
    pub(crate) sent: bool,
    /// Whether somebody else brought what stands at its place: of the cells that were read
    /// there with it, one that we never sent holds the figure that is wanted, and no zero.
    pub(crate) brought: bool,
    /// Values of earlier revisions of ours, whether sent or only in a pack.
    pub(crate) older: &'a [Decimal],
    /// Whether the state was put back from a copy and has not read the cell since, while
    /// all that we wrote there meanwhile is among `older`.
    pub(crate) forgotten: bool,
    /// Whether a person has taken the cell: nothing of ours goes there meanwhile.
    pub(crate) taken: bool,
    pub(crate) absent_is_zero: bool,
}

impl Known<'_> {
    /// Whether `read` is `value`. Nothing is zero where the measure says so. A
    /// zero that was never sent is found nowhere: a target shows zero where
    /// nothing is, too, and an absent value is no landing of ours. Unless what
    /// stands at its place was brought, as by a person who loads a pack, and as long as it
    /// stands since.
    fn same(&self, value: Decimal, read: Option<Decimal>) -> bool {
        let stands = self.state == RevisionState::Seen && self.seen == Some(read);
        let told = self.sent || !value.is_zero() || self.brought || stands;
        told && same(value, read, self.absent_is_zero)
    }
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
    /// Its job failed as a whole, and left what was there before.
    Failed,
    /// It is one of the rows that were refused without a name.
    Refused,
    /// An older value of ours stands there.
    StaleOwn,
    /// What we sent took effect more than once: somebody on the way sent it
    /// again.
    Doubled,
    /// The same again, after it was sent again for that.
    Redoubled,
    /// Nothing of ours is expected there yet, and nothing changed.
    Waiting,
    /// Nothing was ever sent there, and a value stands there that is none of ours.
    Unlanded,
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
    if known.same(known.value, read) {
        return Meaning::Landed;
    }
    match known.state {
        RevisionState::Unproven => of_unproven(known, read, now, settle_window),
        RevisionState::Seen => of_seen(known, read),
        RevisionState::Pending
        | RevisionState::Held
        | RevisionState::InFlight
        | RevisionState::Rejected
        | RevisionState::Superseded
        | RevisionState::Overtaken
        | RevisionState::Withdrawn => of_waiting(known, read),
    }
}

/// Whether the heartbeat that was read is another live writer's: a number that
/// was never ours, also where we have not written yet; and one that was ours
/// before, where the present one had landed already. Once told of, it is known. One
/// that was cleared is nobody's.
pub(crate) fn another_writer(known: &Known<'_>, read: Option<Decimal>) -> bool {
    let Some(beat) = read.filter(|beat| !beat.is_zero() && *beat != known.value) else {
        return false;
    };
    let told = known.seen == Some(Some(beat)) && known.state != RevisionState::Seen;
    !told && (known.state == RevisionState::Seen || !is_older(known, read))
}

fn is_older(known: &Known<'_>, read: Option<Decimal>) -> bool {
    known.older.iter().any(|older| known.same(*older, read))
}

/// It was sent, and is to be found.
fn of_unproven(
    known: &Known<'_>,
    read: Option<Decimal>,
    now: Timestamp,
    settle_window: SignedDuration,
) -> Meaning {
    // Never read before: nothing there is what was there before us.
    // A target that pads a row shows zero where nothing is.
    let nothing = read.is_none_or(|value| value.is_zero());
    let as_before = match known.before {
        Some(Some(before)) => read == Some(before) || known.same(before, read),
        Some(None) | None => nothing,
    };
    let busy = settles((known.sent_at, known.unclear_until), settle_window, now).is_some();
    match () {
        // Nothing more comes of a job that has ended.
        () if as_before && known.doubt == Doubt::Failed => Meaning::Failed,
        () if (as_before || is_older(known, read)) && busy => Meaning::NotYet,
        () if as_before && known.doubt == Doubt::Unnamed => Meaning::Refused,
        // What stands there looks like what stood there before, because it was
        // doubled then, too.
        () if known.doubled && is_multiple(known.value, read) => Meaning::Redoubled,
        () if as_before || read.is_none() => Meaning::Lost,
        () if is_older(known, read) => Meaning::StaleOwn,
        () if is_multiple(known.value, read) => Meaning::Doubled,
        () => Meaning::Foreign,
    }
}

/// Twice to four times what we sent, right after we sent it.
fn is_multiple(value: Decimal, read: Option<Decimal>) -> bool {
    let times = |n: i64| value.checked_mul(n.into()).is_some_and(|product| read == Some(product));
    !value.is_zero() && (2..=4).any(times)
}

/// It was there, and is not any more.
fn of_seen(known: &Known<'_>, read: Option<Decimal>) -> Meaning {
    match () {
        () if is_older(known, read) => Meaning::StaleOwn,
        // It was found there, and never sent: nothing of ours is missing.
        () if !known.sent && read.is_none_or(|value| value.is_zero()) => Meaning::Waiting,
        () if read.is_none() => Meaning::Lost,
        () => Meaning::Foreign,
    }
}

/// Whether it was read before, and another value stands there now.
fn seen_another(known: &Known<'_>, read: Option<Decimal>) -> bool {
    read.is_some() && known.seen.is_some_and(|seen| seen != read)
}

/// Nothing of the current revision is expected there: only a change over an
/// older value of ours, or over a person's own, is somebody's doing.
fn of_waiting(known: &Known<'_>, read: Option<Decimal>) -> Meaning {
    let was_ours = known.seen.is_some_and(|seen| is_older(known, seen));
    let changed = known.seen != Some(read) && !is_older(known, read);
    // A target shows zero where nothing is: that is nobody's value.
    let strange = read.is_some_and(|value| !value.is_zero()) && !is_older(known, read);
    match () {
        // It held a value of ours once; also a zero is somebody's then.
        () if known.forgotten && read.is_some() && !is_older(known, read) => Meaning::Foreign,
        // What a person has taken changes by a person's hand alone, whatever stands there now.
        () if known.taken && seen_another(known, read) => Meaning::Foreign,
        () if was_ours && changed && read.is_some() => Meaning::Foreign,
        () if !known.sent && strange => Meaning::Unlanded,
        () => Meaning::Waiting,
    }
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
            sent_at: Some(now()),
            unclear_until: None,
            doubt: Doubt::Effect,
            doubled: false,
            before: Some(Some(d(11))),
            seen: Some(Some(d(11))),
            sent: true,
            brought: false,
            older,
            forgotten: false,
            taken: false,
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
    fn what_a_job_left_in_doubt_decides_what_an_unchanged_row_means() {
        let (early, late) = (now(), now() + WINDOW);
        let left = |doubt| Known { doubt, ..known(RevisionState::Unproven, &[]) };
        let meaning = |doubt, read: i64, at| classify(&left(doubt), Some(d(read)), at, WINDOW);
        // A job that failed has ended: nobody waits for the window.
        assert_eq!(meaning(Doubt::Failed, 11, early), Meaning::Failed);
        assert_eq!(meaning(Doubt::Unnamed, 11, early), Meaning::NotYet);
        assert_eq!(meaning(Doubt::Unnamed, 11, late), Meaning::Refused);
        for doubt in [Doubt::Failed, Doubt::Unnamed] {
            assert_eq!(meaning(doubt, 12, early), Meaning::Landed, "what landed has landed");
            assert_eq!(meaning(doubt, 42, late), Meaning::Foreign);
            assert_eq!(classify(&left(doubt), None, late, WINDOW), Meaning::Lost, "it changed");
        }
    }

    #[test]
    fn what_may_still_take_effect_is_not_lost() {
        let hours = SignedDuration::from_hours(3);
        let unclear =
            Known { unclear_until: Some(now() + hours), ..known(RevisionState::Unproven, &[]) };
        let meaning = |at| classify(&unclear, Some(d(11)), at, WINDOW);
        assert_eq!(meaning(now() + WINDOW), Meaning::NotYet);
        assert_eq!(meaning(now() + hours), Meaning::Lost);
    }

    #[test]
    fn what_was_sent_twice_is_no_person_and_padding_is_no_value() {
        let late = now() + WINDOW;
        let first = Known { before: Some(None), ..known(RevisionState::Unproven, &[]) };
        let meaning = |read: i64| classify(&first, Some(d(read)), late, WINDOW);
        assert_eq!((meaning(24), meaning(36)), (Meaning::Doubled, Meaning::Doubled));
        assert_eq!((meaning(25), meaning(0)), (Meaning::Foreign, Meaning::Lost));
        assert_eq!(classify(&first, Some(d(0)), now(), WINDOW), Meaning::NotYet);
        let seen = Known { seen: Some(Some(d(12))), ..known(RevisionState::Seen, &[]) };
        assert_eq!(
            classify(&seen, Some(d(24)), late, WINDOW),
            Meaning::Foreign,
            "later, it may be"
        );
    }

    #[test]
    fn what_is_doubled_again_is_no_loss_that_is_sent_for_ever() {
        let again = Known {
            doubled: true,
            before: Some(Some(d(24))),
            ..known(RevisionState::Unproven, &[])
        };
        let meaning = |read: i64, at| classify(&again, Some(d(read)), at, WINDOW);
        assert_eq!(meaning(24, now()), Meaning::NotYet, "it may still be on its way");
        let late = now() + WINDOW;
        assert_eq!(
            (meaning(24, late), meaning(36, late)),
            (Meaning::Redoubled, Meaning::Redoubled)
        );
        assert_eq!(meaning(12, late), Meaning::Landed);
        let first = Known { doubled: false, ..again };
        assert_eq!(classify(&first, Some(d(24)), late, WINDOW), Meaning::Lost, "it stood before");
    }

    #[test]
    fn a_cell_that_waits_to_be_sent_is_only_observed() {
        let pending = known(RevisionState::Pending, &[]);
        let never = Known { before: None, seen: None, sent_at: None, sent: false, ..pending };
        let meaning = |known: &Known<'_>, read| classify(known, read, now(), WINDOW);
        assert_eq!(meaning(&never, Some(d(99))), Meaning::Unlanded, "somebody's, from before us");
        for nothing in [None, Some(d(0))] {
            assert_eq!(meaning(&never, nothing), Meaning::Waiting);
        }
        let packed = [d(99)];
        let never_but_packed = Known { older: &packed, ..never };
        assert_eq!(meaning(&never_but_packed, Some(d(99))), Meaning::Waiting, "an older pack");
        assert_eq!(meaning(&never, Some(d(12))), Meaning::Landed, "somebody loaded the pack");
        let older = [d(11)];
        let newer = Known { older: &older, ..pending };
        assert_eq!(meaning(&newer, Some(d(11))), Meaning::Waiting, "our older value, as expected");
        assert_eq!(meaning(&newer, Some(d(42))), Meaning::Foreign, "edited over our older value");
    }

    #[test]
    fn a_clock_that_was_set_back_does_not_keep_a_lost_row_waiting() {
        let cell = known(RevisionState::Unproven, &[]);
        let (day, minute) = (SignedDuration::from_hours(24), SignedDuration::from_mins(1));
        assert_eq!(classify(&cell, Some(d(11)), now() - minute, WINDOW), Meaning::NotYet);
        assert_eq!(classify(&cell, Some(d(11)), now() - day, WINDOW), Meaning::Lost);
    }

    #[test]
    fn law_3_a_heartbeat_that_is_not_ours_is_another_writers() {
        let former = [d(10)];
        let of = |state, seen, read| {
            another_writer(&Known { seen, ..known(state, &former) }, Some(d(read)))
        };
        use RevisionState::{Pending, Seen, Unproven};
        assert!(of(Pending, None, 42), "we come second, and write nothing");
        assert!(!of(Pending, Some(Some(d(42))), 42), "told of, and answered");
        assert!(of(Seen, Some(Some(d(12))), 42) && of(Unproven, None, 42));
        assert!(!of(Pending, None, 10), "our own, of before the state was put back");
        assert!(of(Seen, Some(Some(d(12))), 10), "the one that was put back still writes");
        assert!(!of(Pending, None, 12) && !of(Pending, None, 0));
    }

    #[test]
    fn zero_against_absent_follows_the_declaration() {
        let zero = Known { value: d(0), ..known(RevisionState::Unproven, &[]) };
        let late = now() + WINDOW;
        assert_eq!(classify(&zero, None, late, WINDOW), Meaning::Lost);
        let declared = Known { absent_is_zero: true, ..zero };
        assert_eq!(classify(&declared, None, late, WINDOW), Meaning::Landed);
        // Before anything was sent, neither nothing nor padding is a landing.
        for state in [RevisionState::Pending, RevisionState::Seen] {
            let never = Known { state, sent: false, before: None, seen: None, ..declared };
            for read in [None, Some(d(0))] {
                assert_eq!(classify(&never, read, late, WINDOW), Meaning::Waiting, "{read:?}");
            }
        }
        // Somebody loaded the row, and it stands.
        let brought = Known { brought: true, sent: false, before: None, seen: None, ..zero };
        let brought = Known { state: RevisionState::Pending, ..brought };
        assert_eq!(classify(&brought, Some(d(0)), late, WINDOW), Meaning::Landed);
        assert_eq!(classify(&brought, None, late, WINDOW), Meaning::Waiting, "not there");
        let stands =
            Known { state: RevisionState::Seen, brought: false, seen: Some(Some(d(0))), ..brought };
        assert_eq!(classify(&stands, Some(d(0)), late, WINDOW), Meaning::Landed);
        assert_eq!(classify(&stands, None, late, WINDOW), Meaning::Waiting, "it is gone");
        let found =
            Known { state: RevisionState::Seen, sent: false, ..known(RevisionState::Seen, &[]) };
        assert_eq!(classify(&found, None, late, WINDOW), Meaning::Waiting, "none of ours is lost");
    }
}
