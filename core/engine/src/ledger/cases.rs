//! Cases: one question for one owner, however many cells it is about.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{EngineError, Reader, State, error::Result, store::Tx};

/// What a case is about.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, JsonSchema, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum CaseKind {
    /// Another load wrote over many cells: they are repaired, its owner asked.
    Job,
    /// A large part of a scope changed in one sweep: held until answered.
    Mass,
    /// The target stores fewer decimals than declared: held.
    Rounding,
    /// What is read is an aggregate, not the stored value: held.
    Level,
    /// Many cells changed, and it can't be told by whom: held.
    Unknown,
    /// Rows were accepted and then not there: they are sent again.
    Dropped,
    /// Rows took effect more than once: they are sent again.
    Doubled,
    /// Sent again, they took effect more than once again: held, because to send
    /// them once more would only repeat it.
    Redoubled,
    /// Somebody else writes our heartbeat: the scope is held.
    SecondWriter,
    /// Our clock is in doubt: everything is held.
    Clock,
    /// The state was put back from a copy: everything is read anew.
    Restored,
    /// A person took back truth of a later instant: kept as a record.
    TakenBack,
}

impl CaseKind {
    /// Every one.
    pub const ALL: [Self; 12] = [
        Self::Job,
        Self::Mass,
        Self::Rounding,
        Self::Level,
        Self::Unknown,
        Self::Dropped,
        Self::Doubled,
        Self::Redoubled,
        Self::SecondWriter,
        Self::Clock,
        Self::Restored,
        Self::TakenBack,
    ];

    /// The word in reports.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Job => "job",
            Self::Mass => "mass",
            Self::Rounding => "rounding",
            Self::Level => "level",
            Self::Unknown => "unknown",
            Self::Dropped => "dropped",
            Self::Doubled => "doubled",
            Self::Redoubled => "redoubled",
            Self::SecondWriter => "second_writer",
            Self::Clock => "clock",
            Self::Restored => "restored",
            Self::TakenBack => "taken_back",
        }
    }

    /// Whether its cells wait until somebody answers.
    #[must_use]
    pub const fn holds(self) -> bool {
        !matches!(
            self,
            Self::Job | Self::Dropped | Self::Doubled | Self::Restored | Self::TakenBack
        )
    }
}

/// One case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Case {
    /// Number.
    pub id: i64,
    /// The configured target.
    pub target: String,
    /// The scope; empty for base.
    pub scope: String,
    /// What it is about.
    pub kind: CaseKind,
    /// Who is asked.
    pub owner: String,
    /// The question, in a sentence.
    pub text: String,
    /// One cell of it, with what was wanted and what was read.
    pub example: String,
    /// Cells, over all the sweeps that found it.
    pub cells: u64,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// When it was last met.
    pub last_at: Timestamp,
    /// When and by whom it was answered.
    pub closed: Option<(Timestamp, String)>,
}

/// Every case, the open ones first, then by number.
///
/// # Errors
/// When the state can't be read.
pub fn cases(reader: &Reader) -> Result<Vec<Case>> {
    reader.db().cases()
}

/// The cases that are open, by number: it costs what is open, however many were closed.
///
/// # Errors
/// When the state can't be read.
pub fn open_cases(reader: &Reader) -> Result<Vec<Case>> {
    reader.db().open_cases()
}

/// Answers a case: what it held may be sent again. Whether it was open.
///
/// # Errors
/// When nobody answers for it.
pub fn close_case(state: &State, id: i64, by: &str, now: Timestamp) -> Result<bool> {
    if by.trim().is_empty() {
        return Err(EngineError::Refused("a case is closed by somebody: name them".into()));
    }
    let by = by.to_owned();
    state.change(move |tx| close(tx, id, &by, now))
}

/// Answers a case; whether it was open.
pub(super) fn close(tx: &Tx<'_>, id: i64, by: &str, now: Timestamp) -> Result<bool> {
    if !tx.is_open_case(id, CaseKind::Clock)? {
        return tx.close_case(id, by, now);
    }
    // One clock: who says that it is right says so for all targets.
    tx.believe_clock(now)?;
    Ok(tx.close_cases(CaseKind::Clock, by, now)? > 0)
}
