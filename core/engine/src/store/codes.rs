//! How members of enums are spelt in columns: small integers, and words.
//!
//! Every code is written out. A code on the disk never follows the order of an
//! enum, its word in reports, or what lands at a target: those may change, and a
//! state outlives the program that wrote it. The tests compare with literals; a
//! new member gets a new code, an old code is never used again.

use std::fmt::Display;

use planthread_contracts::{PeriodKind, RevisionState, Status};
use planthread_kit::Operation;

use crate::{
    EngineError,
    error::Result,
    ledger::{CaseKind, LockKind, RejectState, Why},
    plan::HoldReason,
};

/// The member that `is` spelt so.
fn read<T: Copy>(
    all: impl IntoIterator<Item = T>,
    is: impl Fn(T) -> bool,
    what: &str,
    spelt: impl Display,
) -> Result<T> {
    let known = all.into_iter().find(|member| is(*member));
    known.ok_or_else(|| EngineError::Stored(format!("`{spelt}` as a {what}")))
}

/// The kind of a period.
pub(super) const fn kind_code(kind: PeriodKind) -> i64 {
    match kind {
        PeriodKind::Day => 0,
        PeriodKind::Week => 1,
        PeriodKind::TechnicalWeek => 2,
        PeriodKind::Month => 3,
    }
}

/// Reads [`kind_code`] back.
pub(super) fn kind(code: i64) -> Result<PeriodKind> {
    let all = [PeriodKind::Day, PeriodKind::Week, PeriodKind::TechnicalWeek, PeriodKind::Month];
    read(all, |member| kind_code(member) == code, "period kind", code)
}

/// A revision's state.
pub(super) const fn state_code(state: RevisionState) -> i64 {
    match state {
        RevisionState::Pending => 0,
        RevisionState::Held => 1,
        RevisionState::InFlight => 2,
        RevisionState::Unproven => 3,
        RevisionState::Seen => 4,
        RevisionState::Rejected => 5,
        RevisionState::Superseded => 6,
        RevisionState::Overtaken => 7,
        RevisionState::Withdrawn => 8,
    }
}

/// Reads [`state_code`] back.
pub(super) fn state(code: i64) -> Result<RevisionState> {
    let all = RevisionState::ALL;
    read(all, |member| state_code(member) == code, "state", code)
}

/// The status of the truth behind a value. It is not the code that lands.
pub(super) const fn status_code(status: Status) -> i64 {
    match status {
        Status::Unknown => 0,
        Status::Live => 1,
        Status::Held => 2,
        Status::Assumed => 3,
        Status::Conflicting => 4,
        Status::Planner => 5,
    }
}

/// Reads [`status_code`] back.
pub(super) fn status(code: i64) -> Result<Status> {
    let all = Status::ALL;
    read(all, |member| status_code(member) == code, "status", code)
}

/// Why a revision is wanted.
pub(super) const fn why_code(why: Why) -> i64 {
    match why {
        Why::New => 0,
        Why::Changed => 1,
        Why::Refresh => 2,
        Why::Lost => 3,
        Why::StaleOwn => 4,
        Why::Overwritten => 5,
        Why::Undo => 6,
        Why::Retried => 7,
        Why::Ended => 8,
        Why::Doubled => 9,
        Why::Mapping => 10,
    }
}

/// Reads [`why_code`] back.
pub(super) fn why(code: i64) -> Result<Why> {
    let all = [
        Why::New,
        Why::Changed,
        Why::Refresh,
        Why::Lost,
        Why::StaleOwn,
        Why::Overwritten,
        Why::Undo,
        Why::Retried,
        Why::Ended,
        Why::Doubled,
        Why::Mapping,
    ];
    read(all, |member| why_code(member) == code, "reason to want a cell", code)
}

/// Why a cell is held.
pub(super) const fn hold_word(reason: HoldReason) -> &'static str {
    match reason {
        HoldReason::Paused => "paused",
        HoldReason::Clock => "clock",
        HoldReason::SecondWriter => "second_writer",
        HoldReason::Blackout => "blackout",
        HoldReason::NotPromoted => "not_promoted",
        HoldReason::NotAdopted => "not_adopted",
        HoldReason::OpenAttempt => "open_attempt",
        HoldReason::Settling => "settling",
        HoldReason::Unproven => "unproven",
        HoldReason::RejectedNotCured => "rejected_not_cured",
        HoldReason::Lock => "lock",
        HoldReason::InQuestion => "in_question",
        HoldReason::PastPeriodClosed => "past_period_closed",
        HoldReason::FrozenHorizon => "frozen_horizon",
        HoldReason::UnknownStatus => "unknown_status",
        HoldReason::Conflicting => "conflicting",
        HoldReason::NotSignificant => "not_significant",
        HoldReason::Implausible => "implausible",
    }
}

/// Reads [`hold_word`] back.
pub(super) fn hold(word: &str) -> Result<HoldReason> {
    let all = HoldReason::ALL;
    read(all, |member| hold_word(member) == word, "reason to hold a cell", word)
}

/// What has become of a revision that was refused.
pub(super) const fn reject_code(state: RejectState) -> i64 {
    match state {
        RejectState::Open => 0,
        RejectState::Retried => 1,
        RejectState::Dismissed => 2,
        RejectState::Expired => 3,
        RejectState::Landed => 4,
    }
}

/// Reads [`reject_code`] back.
pub(super) fn reject(code: i64) -> Result<RejectState> {
    let all = RejectState::ALL;
    read(all, |member| reject_code(member) == code, "end of a rejection", code)
}

/// What a lock keeps from happening.
pub(super) const fn lock_word(kind: LockKind) -> &'static str {
    match kind {
        LockKind::Send => "send",
        LockKind::Pin => "pin",
    }
}

/// Reads [`lock_word`] back.
pub(super) fn lock_kind(word: &str) -> Result<LockKind> {
    let all = [LockKind::Send, LockKind::Pin];
    read(all, |member| lock_word(member) == word, "lock", word)
}

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AttemptWord {
    Done,
    Failed,
    NotTaken,
    Unknown,
}

pub(super) const fn attempt_word(word: AttemptWord) -> &'static str {
    match word {
        AttemptWord::Done => "done",
        AttemptWord::Failed => "failed",
        AttemptWord::NotTaken => "not_taken",
        AttemptWord::Unknown => "unknown",
    }
}

/// What became of one cell of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PartWord {
    Accepted,
    Rejected,
    Unproven,
    Unnamed,
    Failed,
    NotTaken,
    Unclear,
}

pub(super) const fn part_word(word: PartWord) -> &'static str {
    match word {
        PartWord::Accepted => "accepted",
        PartWord::Rejected => "rejected",
        PartWord::Unproven => "unproven",
        PartWord::Unnamed => "unnamed",
        PartWord::Failed => "failed",
        PartWord::NotTaken => "not_taken",
        PartWord::Unclear => "unclear",
    }
}

/// Reads [`part_word`] back.
pub(super) fn part(word: &str) -> Result<PartWord> {
    let all = [
        PartWord::Accepted,
        PartWord::Rejected,
        PartWord::Unproven,
        PartWord::Unnamed,
        PartWord::Failed,
        PartWord::NotTaken,
        PartWord::Unclear,
    ];
    read(all, |member| part_word(member) == word, "end of a cell", word)
}

/// What a case is about.
pub(super) const fn case_word(kind: CaseKind) -> &'static str {
    match kind {
        CaseKind::Job => "job",
        CaseKind::Mass => "mass",
        CaseKind::Rounding => "rounding",
        CaseKind::Level => "level",
        CaseKind::Unknown => "unknown",
        CaseKind::Dropped => "dropped",
        CaseKind::Doubled => "doubled",
        CaseKind::Redoubled => "redoubled",
        CaseKind::SecondWriter => "second_writer",
        CaseKind::Clock => "clock",
        CaseKind::Restored => "restored",
        CaseKind::TakenBack => "taken_back",
    }
}

/// Reads [`case_word`] back.
pub(super) fn case_kind(word: &str) -> Result<CaseKind> {
    read(CaseKind::ALL, |member| case_word(member) == word, "case", word)
}

/// What is asked of a target.
pub(super) const fn operation_word(operation: Operation) -> &'static str {
    match operation {
        Operation::Read => "read",
        Operation::Write => "write",
        Operation::Poll => "poll",
    }
}

/// Reads [`operation_word`] back.
pub(super) fn operation(word: &str) -> Result<Operation> {
    read(Operation::ALL, |member| operation_word(member) == word, "operation", word)
}

#[cfg(test)]
mod tests {
    use std::fmt::Debug;

    use super::*;

    /// A state of last year is read by next year's program: a line of these
    /// tests is only ever added.
    fn frozen<T: Copy + Debug + PartialEq, C: Copy + Debug + PartialEq>(
        all: &[(T, C)],
        code: fn(T) -> C,
        read: fn(C) -> Result<T>,
        unknown: C,
    ) {
        for (member, spelt) in all {
            assert_eq!((code(*member), read(*spelt).unwrap()), (*spelt, *member));
        }
        assert!(read(unknown).is_err());
    }

    #[test]
    fn codes_of_nouns_are_frozen() {
        use {PeriodKind as P, RevisionState as S, Status as T};
        let kinds = [(P::Day, 0), (P::Week, 1), (P::TechnicalWeek, 2), (P::Month, 3)];
        frozen(&kinds, kind_code, kind, 4);
        let states = [
            (S::Pending, 0),
            (S::Held, 1),
            (S::InFlight, 2),
            (S::Unproven, 3),
            (S::Seen, 4),
            (S::Rejected, 5),
            (S::Superseded, 6),
            (S::Overtaken, 7),
            (S::Withdrawn, 8),
        ];
        frozen(&states, state_code, state, 9);
        let statuses = [
            (T::Unknown, 0),
            (T::Live, 1),
            (T::Held, 2),
            (T::Assumed, 3),
            (T::Conflicting, 4),
            (T::Planner, 5),
        ];
        frozen(&statuses, status_code, status, -1);
        use RejectState as R;
        let rejections =
            [(R::Open, 0), (R::Retried, 1), (R::Dismissed, 2), (R::Expired, 3), (R::Landed, 4)];
        frozen(&rejections, reject_code, reject, 5);
    }

    #[test]
    fn codes_of_reasons_are_frozen() {
        use {HoldReason as H, Why as W};
        let reasons = [
            (W::New, 0),
            (W::Changed, 1),
            (W::Refresh, 2),
            (W::Lost, 3),
            (W::StaleOwn, 4),
            (W::Overwritten, 5),
            (W::Undo, 6),
            (W::Retried, 7),
            (W::Ended, 8),
            (W::Doubled, 9),
            (W::Mapping, 10),
        ];
        frozen(&reasons, why_code, why, 11);
        let holds = [
            (H::Paused, "paused"),
            (H::Clock, "clock"),
            (H::SecondWriter, "second_writer"),
            (H::Blackout, "blackout"),
            (H::NotPromoted, "not_promoted"),
            (H::NotAdopted, "not_adopted"),
            (H::OpenAttempt, "open_attempt"),
            (H::Settling, "settling"),
            (H::Unproven, "unproven"),
            (H::RejectedNotCured, "rejected_not_cured"),
            (H::Lock, "lock"),
            (H::InQuestion, "in_question"),
            (H::PastPeriodClosed, "past_period_closed"),
            (H::FrozenHorizon, "frozen_horizon"),
            (H::UnknownStatus, "unknown_status"),
            (H::Conflicting, "conflicting"),
            (H::NotSignificant, "not_significant"),
            (H::Implausible, "implausible"),
        ];
        frozen(&holds, hold_word, hold, "");
        assert_eq!(holds.len(), H::ALL.len());
    }

    #[test]
    fn words_of_people_are_frozen() {
        use CaseKind as C;
        let locks = [(LockKind::Send, "send"), (LockKind::Pin, "pin")];
        frozen(&locks, lock_word, lock_kind, "");
        let cases = [
            (C::Job, "job"),
            (C::Mass, "mass"),
            (C::Rounding, "rounding"),
            (C::Level, "level"),
            (C::Unknown, "unknown"),
            (C::Dropped, "dropped"),
            (C::Doubled, "doubled"),
            (C::Redoubled, "redoubled"),
            (C::SecondWriter, "second_writer"),
            (C::Clock, "clock"),
            (C::Restored, "restored"),
            (C::TakenBack, "taken_back"),
        ];
        frozen(&cases, case_word, case_kind, "");
    }

    #[test]
    fn words_of_attempts_are_frozen() {
        let operations =
            [(Operation::Read, "read"), (Operation::Write, "write"), (Operation::Poll, "poll")];
        frozen(&operations, operation_word, operation, "");
        use {AttemptWord as A, PartWord as P};
        let ends = [
            (A::Done, "done"),
            (A::Failed, "failed"),
            (A::NotTaken, "not_taken"),
            (A::Unknown, "unknown"),
        ];
        for (end, word) in ends {
            assert_eq!(attempt_word(end), word);
        }
        let parts = [
            (P::Accepted, "accepted"),
            (P::Rejected, "rejected"),
            (P::Unproven, "unproven"),
            (P::Unnamed, "unnamed"),
            (P::Failed, "failed"),
            (P::NotTaken, "not_taken"),
            (P::Unclear, "unclear"),
        ];
        frozen(&parts, part_word, part, "");
    }
}
