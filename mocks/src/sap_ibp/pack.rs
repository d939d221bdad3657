//! The manual route: import of a key figure CSV, in two stages.
//!
//! Stage one parses the file into staging; stage two moves rows on and rejects
//! those that master data doesn't know. It takes no more than the interface
//! does: values of the same precision, stored key figures only, and one row a
//! period, at its start (a date inside, or a second row, is a mistake of whoever
//! made the file, and no way to choose). Separator, date format and header are
//! those of section 9.5 of the fact sheet; what is unconfirmed there (delete
//! and replace options, several levels in one file) is absent.

use std::{collections::BTreeMap, sync::Arc};

use jiff::Timestamp;
use planthread_contracts::Period;
use rust_decimal::Decimal;
use serde::Serialize;

use super::{
    SapIbp,
    model::{Span, value_of},
};
use crate::sdk::{
    plan::{Places as _, RowKey},
    simulator::Writer,
};

/// Name of the import job; the person who ran it stands behind it.
pub(crate) const IMPORT_JOB: &str = "Data Integration Jobs";

/// A row that was not taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PackReject {
    /// Line in the file; the header is 1.
    pub line: u64,
    /// `parse` (into staging) or `record` (into the application tables).
    pub stage: &'static str,
    /// Why.
    pub reason: String,
}

/// What an import did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct PackReport {
    /// Rows that reached staging.
    pub staged: usize,
    /// Cells written.
    pub written: usize,
    /// Rows that were rejected, with stage and reason.
    pub rejects: Vec<PackReject>,
}

impl SapIbp {
    /// Imports a key figure file into a version (empty is base).
    ///
    /// # Errors
    /// When the header can't be understood: then nothing is staged.
    pub(crate) fn import_csv(
        &mut self,
        at: Timestamp,
        file: &str,
        separator: u8,
        version: &str,
    ) -> Result<PackReport, String> {
        self.advance(at);
        if !self.plan.model.has_scope(version) {
            return Err(format!("version '{version}' does not exist"));
        }
        let mut reader =
            csv::ReaderBuilder::new().delimiter(separator).from_reader(file.as_bytes());
        let header = reader.headers().map_err(|error| error.to_string())?.clone();
        let columns = self.pack_columns(&header)?;
        let (mut report, mut parsed) = (PackReport::default(), BTreeMap::new());
        for (n, record) in reader.records().enumerate() {
            let line = n as u64 + 2;
            let record = record.map_err(|error| error.to_string());
            match record.and_then(|record| self.pack_row(&record, &columns)) {
                Ok(row) => {
                    parsed.insert(line, row);
                }
                Err(reason) => report.rejects.push(PackReject { line, stage: "parse", reason }),
            }
        }
        let staged = self.single(parsed, &mut report.rejects);
        report.staged = staged.len();
        let job = Arc::new(Writer::Job(IMPORT_JOB.to_owned()));
        for (line, row) in staged {
            if !self.master.has_pair(version, &row.resource, &row.location) {
                let reason = format!("{}: not in master data", self.place_of(&row));
                report.rejects.push(PackReject { line, stage: "record", reason });
                continue;
            }
            let key = RowKey::new(version, &row.resource, &row.location, row.period);
            for (figure, value) in row.values {
                if self.plan.assigned(version, figure) {
                    self.plan.store.set(at, key.clone(), figure, Some(value), &job);
                    report.written += 1;
                }
            }
        }
        Ok(report)
    }
}

struct Columns {
    resource: usize,
    location: usize,
    date: usize,
    figures: Vec<(usize, usize)>,
}

struct Parsed {
    resource: String,
    location: String,
    period: Period,
    values: Vec<(usize, Decimal)>,
}

impl SapIbp {
    fn pack_columns(&self, header: &csv::StringRecord) -> Result<Columns, String> {
        let at = |name: &str| {
            let found = header.iter().position(|column| column == name);
            found.ok_or_else(|| format!("the header has no column {name}"))
        };
        let (resource, location, date) =
            (at(&self.area.resource)?, at(&self.area.location)?, at("KEYFIGUREDATE")?);
        let mut figures = Vec::new();
        for (column, name) in header.iter().enumerate() {
            if header.iter().take(column).any(|before| before == name) {
                return Err(format!("column {name} stands twice in the header"));
            }
            if [resource, location, date].contains(&column) {
                continue;
            }
            let figure = self.plan.model.find(name).filter(|figure| !self.plan.calculated(*figure));
            let figure = figure.ok_or_else(|| format!("column {name} is no stored key figure"))?;
            figures.push((column, figure));
        }
        if figures.is_empty() {
            return Err("the header names no key figure".into());
        }
        Ok(Columns { resource, location, date, figures })
    }

    fn pack_row(&self, record: &csv::StringRecord, columns: &Columns) -> Result<Parsed, String> {
        let field = |column: usize| record.get(column).unwrap_or_default();
        let (resource, location) =
            (field(columns.resource).to_owned(), field(columns.location).to_owned());
        let text = field(columns.date);
        let day =
            text.parse().map_err(|_| format!("KEYFIGUREDATE '{text}' is no date YYYY-MM-DD"))?;
        let stored = Span::Of(self.plan.storage);
        let period = Period::containing(self.plan.storage, self.calendar_day(stored, day));
        let starts = self.shown_day(stored, period.start());
        let mut row = Parsed { resource, location, period, values: Vec::new() };
        if starts != day {
            let place = self.place_of(&row);
            return Err(format!(
                "{place}: KEYFIGUREDATE {text} lies inside {period}, which starts on {starts}"
            ));
        }
        for (column, figure) in &columns.figures {
            let text = field(*column);
            if text.is_empty() {
                continue;
            }
            let value = value_of(text).ok_or_else(|| {
                let id = &self.plan.model.measures[*figure].id;
                format!("{id} '{text}' is no decimal of precision 18, scale 6")
            })?;
            row.values.push((*figure, value));
        }
        Ok(row)
    }

    fn place_of(&self, row: &Parsed) -> String {
        let area = &self.area;
        format!("{} {} {} {}", area.resource, row.resource, area.location, row.location)
    }

    /// The rows that no other row speaks of, too; of several, none is taken.
    fn single(
        &self,
        parsed: BTreeMap<u64, Parsed>,
        rejects: &mut Vec<PackReject>,
    ) -> BTreeMap<u64, Parsed> {
        let mut lines: BTreeMap<_, Vec<u64>> = BTreeMap::new();
        let place = |row: &Parsed| (row.resource.clone(), row.location.clone(), row.period);
        for (line, row) in &parsed {
            lines.entry(place(row)).or_default().push(*line);
        }
        let mut staged = BTreeMap::new();
        for (line, row) in parsed {
            let all = lines.get(&place(&row)).filter(|all| all.len() > 1);
            let Some(all) = all else {
                staged.insert(line, row);
                continue;
            };
            let all: Vec<_> = all.iter().map(u64::to_string).collect();
            let (place, all) = (self.place_of(&row), all.join(", "));
            let reason = format!("{place} {} stands in lines {all}", row.period);
            rejects.push(PackReject { line, stage: "parse", reason });
        }
        staged
    }
}
