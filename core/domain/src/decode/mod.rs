//! Raw records to facts: a pure step that can be repeated with newer rules.
//!
//! A record that can't be understood is not dropped: it comes back with file,
//! line, field, reason and cure.

mod cloud;
mod counted_output;
mod csv_row;
mod decided;
pub mod fact;
mod feeds;
mod plausible;
mod repeated;
mod rows;
mod shape;
mod time;
mod verdict;
mod version;

use std::collections::HashMap;

use planthread_contracts::{RawRecord, RejectedRecord};

pub use decided::{
    COLUMNS as SHEET_COLUMNS, DecidedHours, DecisionSheet, HoursKind, OtherEnd, SHEET_ID,
    SheetCell, SheetFault, SheetRow, sheet_rows,
};
pub use fact::{
    CountFact, Facts, Forecast, Foretold, Made, MadeFact, SourceIndex, StateFact, StateSet,
    Subject, VerdictFact,
};
pub use feeds::Feeds;
pub use repeated::{FileOrder, Passes, ROWS_MAX, RepeatedHour};
pub use rows::{HEADER, corrected, row, rows, wrong_header};
pub(crate) use shape::scaled;
pub use time::TimeReader;
pub use verdict::Verdict;
pub use version::{modified, newer};

use crate::{
    calendar::LocalTimeError,
    model::{Plant, SourceFormat},
};
use csv_row::RowReader;

/// Why a record is refused, before it is known where it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) field: String,
    pub(crate) reason: String,
    pub(crate) cure: String,
    pub(crate) cause: Cause,
}

/// Why a record is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cause {
    /// It can't be used.
    Wrong,
    /// It tells of the future, and nothing else is wrong with it.
    Early,
    /// Its local time is two instants, and nobody told which.
    Undecided,
}

/// What becomes of a record that is taken in.
#[derive(Debug)]
pub enum Taken {
    /// It is understood, and feeds these figures.
    Now(Feeds),
    /// It tells of the future: it waits for a person, because its clock is
    /// wrong, or ours.
    Early(Box<RejectedRecord>),
    /// Its local time is two instants, and its file does not tell which: it can't
    /// be used, unless it is kept already since the file did.
    Undecided(Box<RejectedRecord>),
    /// It can't be used.
    Never(Box<RejectedRecord>),
}

impl Refusal {
    pub(crate) fn new(
        field: impl Into<String>,
        reason: impl Into<String>,
        cure: impl Into<String>,
    ) -> Self {
        Self { field: field.into(), reason: reason.into(), cure: cure.into(), cause: Cause::Wrong }
    }
}

/// Decodes the records of one plant.
#[derive(Debug)]
pub struct Decoder<'a> {
    plant: &'a Plant,
    sources: HashMap<&'a str, SourceIndex>,
    readers: Vec<Option<RowReader<'a>>>,
    subjects: HashMap<&'a str, Subject>,
}

impl<'a> Decoder<'a> {
    /// Prepares the sources that `plant` declares.
    ///
    /// # Errors
    /// When a source's zone is unknown.
    pub fn new(plant: &'a Plant) -> Result<Self, LocalTimeError> {
        let names = plant.resources.iter().map(|r| r.id.as_str());
        let names = names.chain(plant.lines.iter().map(|l| l.id.as_str()));
        let subjects = (0..).map(Subject);
        let sources = plant.sources.iter().map(|s| s.name.as_str());
        Ok(Self {
            plant,
            sources: sources.zip((0..).map(SourceIndex)).collect(),
            readers: plant.sources.iter().map(RowReader::of).collect::<Result<_, _>>()?,
            subjects: names.zip(subjects).collect(),
        })
    }

    /// Adds the facts of one record to `facts`.
    ///
    /// # Errors
    /// The record with the field, the reason and the cure, when it can't be
    /// understood or its time can't be.
    pub fn decode(&self, record: &RawRecord, facts: &mut Facts) -> Result<(), Box<RejectedRecord>> {
        match self.take(record, facts) {
            Taken::Now(_) => Ok(()),
            Taken::Early(rejected) | Taken::Undecided(rejected) | Taken::Never(rejected) => {
                Err(rejected)
            }
        }
    }

    /// As [`Decoder::decode`], and says which figures the record feeds, or
    /// whether it may be used later.
    pub fn take(&self, record: &RawRecord, facts: &mut Facts) -> Taken {
        match self.read(record, facts) {
            Ok(feeds) => Taken::Now(feeds),
            Err(refusal) => match refusal.cause {
                Cause::Wrong => Taken::Never(reject(record, refusal)),
                Cause::Early => Taken::Early(reject(record, refusal)),
                Cause::Undecided => Taken::Undecided(reject(record, refusal)),
            },
        }
    }

    fn read(&self, record: &RawRecord, facts: &mut Facts) -> Result<Feeds, Refusal> {
        if Verdict::is_in(record) {
            return verdict::decode(self, record, facts);
        }
        let Some(&index) = self.sources.get(record.source.as_str()) else {
            return Err(Refusal::new(
                "source",
                format!("`{}` is no source of the plant", record.source),
                "declare it under `sources`, or correct the sender",
            ));
        };
        let position = usize::from(index.0);
        match (&self.plant.sources[position].reader, &self.readers[position]) {
            (SourceFormat::Cloudevents(_), _) => cloud::decode(self, index, record, facts),
            (SourceFormat::Decisions(_), _) => decided::decode(record, facts),
            (rows, Some(reader)) => {
                reader.decode(self, index, record, facts).map(|()| Feeds::rows(rows))
            }
            (_, None) => Err(Refusal::new("source", "has no reader", "declare its `reader`")),
        }
    }

    /// Until when a forecast that was made at `issued` is fresh.
    pub(crate) fn valid_until(&self, issued: i64) -> i64 {
        issued + i64::from(self.plant.rules.valid_hours) * 3_600_000
    }

    /// The resource or line that a source means by `name`.
    pub(crate) fn subject(
        &self,
        source: SourceIndex,
        name: &str,
        field: &str,
    ) -> Result<Subject, Refusal> {
        let machines = self.plant.sources[usize::from(source.0)].reader.machines();
        let id = machines.get(name).map_or(name, String::as_str);
        self.subjects.get(id).copied().ok_or_else(|| {
            Refusal::new(
                field,
                format!("`{name}` is no resource or line of the plant"),
                "declare it under `resources`, or map the name in the source's `machines`",
            )
        })
    }
}

/// Decodes one record by itself; [`Decoder`] is the way for many.
///
/// # Errors
/// As [`Decoder::decode`]; a plant whose sources can't be prepared refuses
/// every record.
pub fn decode(record: &RawRecord, plant: &Plant) -> Result<Facts, Box<RejectedRecord>> {
    let mut facts = Facts::default();
    let decoder = Decoder::new(plant).map_err(|error| {
        let cure = "correct the plant's `sources`";
        reject(record, Refusal::new("source", error.to_string(), cure))
    })?;
    decoder.decode(record, &mut facts)?;
    Ok(facts)
}

fn reject(record: &RawRecord, refusal: Refusal) -> Box<RejectedRecord> {
    Box::new(RejectedRecord {
        origin: record.origin.clone(),
        field: refusal.field,
        reason: refusal.reason,
        cure: refusal.cure,
        body: record.body.clone(),
    })
}
