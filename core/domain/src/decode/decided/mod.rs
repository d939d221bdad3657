//! What people decided of the hours of lines and machines: a sheet as one record.
//!
//! The whole sheet is one record of the journal, so that it counts as a whole or not
//! at all, and the next one takes its place as a whole. It was checked when it was
//! read; here nothing is refused that was taken once. A resource that the plant no
//! longer has schedules nothing.

mod sheet;
mod transfer;

#[cfg(test)]
mod tests;

use jiff::Timestamp;
use planthread_contracts::{Origin, RawRecord};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use sheet::{COLUMNS, SheetCell, SheetFault, SheetRow, sheet_rows};

use super::{Facts, Feeds, Refusal};
use crate::{
    calendar::Span,
    model::{Plant, Source},
};

/// Media type of a sheet of decided hours.
const MEDIA_TYPE: &str = "application/vnd.planthread.decided-hours+json";

/// The name that the sheet of a source has in the journal.
pub const SHEET_ID: &str = "sheet";

/// What was decided of the hours of a line or machine.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum HoursKind {
    /// Hours are worked besides the shifts.
    Overtime,
    /// A shift is worked besides the others.
    ExtraShift,
    /// Nothing is worked.
    Closed,
    /// Hours move from one line or machine to another: where one end stops, the other works.
    Transfer,
}

impl HoursKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Overtime, Self::ExtraShift, Self::Closed, Self::Transfer];

    /// As a sheet writes it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Overtime => "overtime",
            Self::ExtraShift => "extra shift",
            Self::Closed => "closed",
            Self::Transfer => "transfer",
        }
    }
}

/// The other end of a transfer.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum OtherEnd {
    /// The hours go there.
    To(String),
    /// The hours come from there.
    From(String),
}

/// One row of a sheet: what people decided of the hours of one line or machine.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct DecidedHours {
    /// The line or machine, as the plant calls it.
    pub resource: String,
    /// The first instant.
    pub from: Timestamp,
    /// The first instant after it.
    pub to: Timestamp,
    /// What was decided.
    pub kind: HoursKind,
    /// Whether it is confirmed; else somebody proposes it.
    pub confirmed: bool,
    /// Whether it is taken as if it were confirmed: for a scope that holds what is
    /// proposed. No sheet says so.
    #[serde(skip)]
    pub supposed: bool,
    /// Why.
    pub reason: String,
    /// Who answers for it.
    pub who: String,
    /// The planning cycle to which it belongs, such as `2026-11`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cycle: Option<String>,
    /// The other end of a transfer, which is a row of its own; absent of every other kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other: Option<OtherEnd>,
}

impl DecidedHours {
    /// What was decided, in words: `overtime`, `transfer to LINE-5`.
    #[must_use]
    pub fn words(&self) -> String {
        match &self.other {
            None => self.kind.word().to_owned(),
            Some(OtherEnd::To(other)) => format!("{} to {other}", self.kind.word()),
            Some(OtherEnd::From(other)) => format!("{} from {other}", self.kind.word()),
        }
    }

    /// Whether `other` speaks of the same hours, whatever its status, reason and owner.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        let hours = |one: &Self| (one.from, one.to, one.kind);
        self.resource == other.resource && hours(self) == hours(other) && self.other == other.other
    }

    /// The time of which it speaks.
    #[must_use]
    pub fn span(&self) -> Span {
        Span { start: self.from.as_millisecond(), end: self.to.as_millisecond() }
    }

    /// Whether it moves hours.
    #[must_use]
    pub const fn counts(&self) -> bool {
        self.confirmed || self.supposed
    }

    /// Takes it as if it were confirmed.
    pub const fn suppose(&mut self) {
        self.supposed = !self.confirmed;
    }

    /// Whether it takes hours away.
    #[must_use]
    pub fn closes(&self) -> bool {
        self.kind == HoursKind::Closed || matches!(self.other, Some(OtherEnd::To(_)))
    }

    /// Whether it holds for `resource`: for the one that it names, and for the machines
    /// of a line that it names. A closed line closes no machine that works in another
    /// line, too.
    #[must_use]
    pub fn holds_for(&self, plant: &Plant, resource: &str) -> bool {
        let of_line = || {
            let line = plant.line(&self.resource).filter(|line| line.has(resource));
            let lines = plant.lines.iter().filter(|line| line.has(resource)).count();
            line.is_some() && (lines == 1 || !self.closes())
        };
        self.resource == resource || of_line()
    }
}

/// A sheet as a source gave it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DecisionSheet {
    /// Name of the file, for people.
    pub file: String,
    /// Its rows, in order.
    pub decided: Vec<DecidedHours>,
}

impl DecisionSheet {
    /// The sheet as a record of `source`. Every sheet of a source has the same name and
    /// the same place, whatever its file is called: so a sheet that goes back to an
    /// older text is a new word, and no old copy.
    #[must_use]
    pub fn record(&self, source: &Source, at: Timestamp) -> RawRecord {
        RawRecord {
            source: source.name.clone(),
            id: SHEET_ID.to_owned(),
            media_type: MEDIA_TYPE.into(),
            body: serde_json::json!(self).to_string().into_bytes(),
            received_at: at,
            origin: Origin { place: format!("the sheet of {}", source.name), line: 0 },
        }
    }

    /// The sheet in `record`; `None` where it holds none.
    #[must_use]
    pub fn of(record: &RawRecord) -> Option<Self> {
        let body = || serde_json::from_slice(&record.body).ok();
        (record.media_type == MEDIA_TYPE).then(body).flatten()
    }
}

/// Decodes a record of a source of decided hours.
pub(super) fn decode(record: &RawRecord, facts: &mut Facts) -> Result<Feeds, Refusal> {
    let Some(mut sheet) = DecisionSheet::of(record) else {
        return Err(Refusal::new(
            "source",
            "a source of decisions takes sheets alone",
            "name the sheet under the source's `files`",
        ));
    };
    facts.decided.append(&mut sheet.decided);
    Ok(Feeds::figures("decision sheet", &["scheduled hours"]))
}
