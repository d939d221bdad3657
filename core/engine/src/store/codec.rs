//! How nouns are spelt in columns: small integers, words, exact decimals as text.
//!
//! Every code is written out here. A code on the disk never follows the order
//! of an enum, its word in reports, or what lands at a target: those may change,
//! and a state outlives the program that wrote it. The test `codes_are_frozen`
//! compares with literals; a new member gets a new code, an old code is never
//! used again.

use jiff::{
    Timestamp, ToSpan as _,
    civil::{Date, date},
};
use planthread_contracts::{Period, PeriodKind, RevisionState, Status};
use rusqlite::Row;
use rust_decimal::Decimal;

use crate::{
    EngineError,
    error::Result,
    ledger::{CaseKind, LockKind, Why},
    plan::HoldReason,
};

const EPOCH: Date = date(1970, 1, 1);

/// Days since 1970 × 4 + kind: sorts by first day, then by kind.
pub(crate) fn period_code(period: Period) -> i64 {
    let days = EPOCH.until(period.start()).map_or(0, |span| i64::from(span.get_days()));
    days * 4 + kind_code(period.kind())
}

/// Reads [`period_code`] back.
pub(crate) fn period(code: i64) -> Result<Period> {
    let days = code.div_euclid(4).days();
    let start = EPOCH.checked_add(days).map_err(|_| stored("period", code))?;
    Ok(Period::containing(kind(code.rem_euclid(4))?, start))
}

const fn kind_code(kind: PeriodKind) -> i64 {
    match kind {
        PeriodKind::Day => 0,
        PeriodKind::Week => 1,
        PeriodKind::TechnicalWeek => 2,
        PeriodKind::Month => 3,
    }
}

fn kind(code: i64) -> Result<PeriodKind> {
    Ok(match code {
        0 => PeriodKind::Day,
        1 => PeriodKind::Week,
        2 => PeriodKind::TechnicalWeek,
        3 => PeriodKind::Month,
        _ => return Err(stored("period kind", code)),
    })
}

/// Microseconds since 1970.
pub(crate) fn micros(at: Timestamp) -> i64 {
    at.as_microsecond()
}

/// Reads [`micros`] back.
pub(crate) fn timestamp(micros: i64) -> Result<Timestamp> {
    Timestamp::from_microsecond(micros).map_err(|_| stored("instant", micros))
}

/// Reads an instant from a row.
pub(super) fn at(row: &Row<'_>, column: usize) -> Result<Timestamp> {
    timestamp(row.get(column)?)
}

/// Reads an instant from a row, where there is one.
pub(super) fn maybe_at(row: &Row<'_>, column: usize) -> Result<Option<Timestamp>> {
    row.get::<_, Option<i64>>(column)?.map(timestamp).transpose()
}

/// A decimal as text, without needless zeros: equal decimals are equal texts.
pub(crate) fn decimal_text(value: Decimal) -> String {
    value.normalize().to_string()
}

/// Reads [`decimal_text`] back.
fn decimal(text: &str) -> Result<Decimal> {
    text.parse().map_err(|_| EngineError::Stored(format!("`{text}` as a number")))
}

/// Reads a decimal from a row.
pub(super) fn number(row: &Row<'_>, column: usize) -> Result<Decimal> {
    decimal(row.get_ref(column)?.as_str().map_err(rusqlite::Error::from)?)
}

/// Reads a decimal from a row, where there is one.
pub(super) fn maybe_number(row: &Row<'_>, column: usize) -> Result<Option<Decimal>> {
    maybe_text(row, column)?.map(decimal).transpose()
}

/// A revision's state.
pub(crate) const fn state_code(state: RevisionState) -> i64 {
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
pub(crate) fn state(code: i64) -> Result<RevisionState> {
    Ok(match code {
        0 => RevisionState::Pending,
        1 => RevisionState::Held,
        2 => RevisionState::InFlight,
        3 => RevisionState::Unproven,
        4 => RevisionState::Seen,
        5 => RevisionState::Rejected,
        6 => RevisionState::Superseded,
        7 => RevisionState::Overtaken,
        8 => RevisionState::Withdrawn,
        _ => return Err(stored("state", code)),
    })
}

/// The status of the truth behind a value. It is not the code that lands.
pub(crate) const fn status_code(status: Status) -> i64 {
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
pub(crate) fn status(code: i64) -> Result<Status> {
    Ok(match code {
        0 => Status::Unknown,
        1 => Status::Live,
        2 => Status::Held,
        3 => Status::Assumed,
        4 => Status::Conflicting,
        5 => Status::Planner,
        _ => return Err(stored("status", code)),
    })
}

/// Why a revision is wanted.
pub(crate) const fn why_code(why: Why) -> i64 {
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
    }
}

/// Reads [`why_code`] back.
pub(crate) fn why(code: i64) -> Result<Why> {
    Ok(match code {
        0 => Why::New,
        1 => Why::Changed,
        2 => Why::Refresh,
        3 => Why::Lost,
        4 => Why::StaleOwn,
        5 => Why::Overwritten,
        6 => Why::Undo,
        7 => Why::Retried,
        8 => Why::Ended,
        9 => Why::Doubled,
        _ => return Err(stored("reason to want a cell", code)),
    })
}

/// Why a cell is held.
pub(crate) const fn hold_word(reason: HoldReason) -> &'static str {
    match reason {
        HoldReason::Paused => "paused",
        HoldReason::SecondWriter => "second_writer",
        HoldReason::Blackout => "blackout",
        HoldReason::NotPromoted => "not_promoted",
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
    }
}

/// Reads [`hold_word`] back.
pub(crate) fn hold(word: &str) -> Result<HoldReason> {
    let known = HoldReason::ALL.into_iter().find(|reason| hold_word(*reason) == word);
    known.ok_or_else(|| EngineError::Stored(format!("`{word}` as a reason to hold a cell")))
}

/// What a lock keeps from happening.
pub(crate) const fn lock_word(kind: LockKind) -> &'static str {
    match kind {
        LockKind::Send => "send",
        LockKind::Pin => "pin",
    }
}

/// Reads [`lock_word`] back.
pub(crate) fn lock_kind(word: &str) -> Result<LockKind> {
    match word {
        "send" => Ok(LockKind::Send),
        "pin" => Ok(LockKind::Pin),
        _ => Err(EngineError::Stored(format!("`{word}` as a lock"))),
    }
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
    Ok(match word {
        "accepted" => PartWord::Accepted,
        "rejected" => PartWord::Rejected,
        "unproven" => PartWord::Unproven,
        "unnamed" => PartWord::Unnamed,
        "failed" => PartWord::Failed,
        "not_taken" => PartWord::NotTaken,
        "unclear" => PartWord::Unclear,
        _ => return Err(EngineError::Stored(format!("`{word}` as what became of a cell"))),
    })
}

/// What a case is about.
pub(crate) const fn case_word(kind: CaseKind) -> &'static str {
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
    }
}

/// Reads [`case_word`] back.
pub(crate) fn case_kind(word: &str) -> Result<CaseKind> {
    Ok(match word {
        "job" => CaseKind::Job,
        "mass" => CaseKind::Mass,
        "rounding" => CaseKind::Rounding,
        "level" => CaseKind::Level,
        "unknown" => CaseKind::Unknown,
        "dropped" => CaseKind::Dropped,
        "doubled" => CaseKind::Doubled,
        "redoubled" => CaseKind::Redoubled,
        "second_writer" => CaseKind::SecondWriter,
        _ => return Err(EngineError::Stored(format!("`{word}` as a case"))),
    })
}

fn stored(what: &str, code: i64) -> EngineError {
    EngineError::Stored(format!("{code} as a {what}"))
}

/// Reads a text from a row, where there is one.
pub(super) fn maybe_text<'r>(row: &'r Row<'_>, column: usize) -> Result<Option<&'r str>> {
    Ok(row.get_ref(column)?.as_str_or_null().map_err(rusqlite::Error::from)?)
}

/// Lower-case hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Reads [`hex`] back; `None` when it is none.
pub(crate) fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    if !digits.len().is_multiple_of(2) {
        return None;
    }
    let nibble = |byte: u8| char::from(byte).to_digit(16).and_then(|n| u8::try_from(n).ok());
    digits.chunks(2).map(|pair| Some(nibble(pair[0])? << 4 | nibble(pair[1])?)).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn periods_round_trip_and_sort(offset in -9_000i64..30_000, code in 0i64..4, step in 1i64..90) {
            let day = EPOCH.checked_add(offset.days()).unwrap();
            let one = Period::containing(kind(code).unwrap(), day);
            prop_assert_eq!(period(period_code(one)).unwrap(), one);
            let later = Period::containing(one.kind(), day.checked_add(step.days()).unwrap());
            prop_assert_eq!(period_code(one) < period_code(later), one.start() < later.start());
        }

        #[test]
        fn bytes_round_trip_as_hex(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            prop_assert_eq!(unhex(&hex(&bytes)), Some(bytes));
        }
    }

    #[test]
    fn equal_decimals_are_equal_texts() {
        assert_eq!(decimal_text("1.50".parse().unwrap()), decimal_text("1.5".parse().unwrap()));
        assert!(decimal("one").is_err());
    }

    /// A state of last year is read by next year's program. A line here is only
    /// ever added.
    #[test]
    fn codes_are_frozen() {
        use {
            CaseKind as C, HoldReason as H, PeriodKind as P, RevisionState as S, Status as T,
            Why as W,
        };
        let kinds = [(P::Day, 0), (P::Week, 1), (P::TechnicalWeek, 2), (P::Month, 3)];
        for (one, code) in kinds {
            assert_eq!((kind_code(one), kind(code).unwrap()), (code, one));
        }
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
        for (one, code) in states {
            assert_eq!((state_code(one), state(code).unwrap()), (code, one));
        }
        let statuses = [
            (T::Unknown, 0),
            (T::Live, 1),
            (T::Held, 2),
            (T::Assumed, 3),
            (T::Conflicting, 4),
            (T::Planner, 5),
        ];
        for (one, code) in statuses {
            assert_eq!((status_code(one), status(code).unwrap()), (code, one));
        }
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
        ];
        for (one, code) in reasons {
            assert_eq!((why_code(one), why(code).unwrap()), (code, one));
        }
        for (one, word) in [(LockKind::Send, "send"), (LockKind::Pin, "pin")] {
            assert_eq!((lock_word(one), lock_kind(word).unwrap()), (word, one));
        }
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
        ];
        for (one, word) in cases {
            assert_eq!((case_word(one), case_kind(word).unwrap()), (word, one));
        }
        let holds = [
            (H::Paused, "paused"),
            (H::SecondWriter, "second_writer"),
            (H::Blackout, "blackout"),
            (H::NotPromoted, "not_promoted"),
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
        ];
        for (one, word) in holds {
            assert_eq!((hold_word(one), hold(word).unwrap()), (word, one));
        }
        let ends = [
            (AttemptWord::Done, "done"),
            (AttemptWord::Failed, "failed"),
            (AttemptWord::NotTaken, "not_taken"),
            (AttemptWord::Unknown, "unknown"),
        ];
        for (one, word) in ends {
            assert_eq!(attempt_word(one), word);
        }
        let parts = [
            (PartWord::Accepted, "accepted"),
            (PartWord::Rejected, "rejected"),
            (PartWord::Unproven, "unproven"),
            (PartWord::Unnamed, "unnamed"),
            (PartWord::Failed, "failed"),
            (PartWord::NotTaken, "not_taken"),
            (PartWord::Unclear, "unclear"),
        ];
        for (one, word) in parts {
            assert_eq!((part_word(one), part(word).unwrap()), (word, one));
        }
        for unknown in [-1, 10] {
            assert!(state(unknown).is_err() && status(unknown).is_err() && why(unknown).is_err());
        }
        assert!(kind(4).is_err() && hold("").is_err());
        assert!(lock_kind("").is_err() && case_kind("").is_err());
    }
}
