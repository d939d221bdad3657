//! The manual route: import of a key figure CSV, in two stages.
//!
//! Stage one parses the file into staging; stage two moves rows on and rejects
//! those that master data doesn't know. Separator, date format and header are
//! those of section 9.5 of the fact sheet; what is unconfirmed there (delete
//! and replace options, several levels in one file) is absent.

use std::collections::BTreeMap;

use jiff::{Timestamp, civil::Date};
use planthread_contracts::Period;
use rust_decimal::Decimal;
use serde::Serialize;

use super::{
    SapIbp,
    model::{KEY_FIGURES, TWIN_VERSION, key_figure},
    store::RowKey,
};
use crate::simulator::Writer;

/// Name of the import job; the person who ran it stands behind it.
pub const IMPORT_JOB: &str = "Data Integration Jobs";

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
    pub fn import_csv(
        &mut self,
        at: Timestamp,
        file: &str,
        separator: u8,
        version: &str,
    ) -> Result<PackReport, String> {
        self.advance(at);
        if !version.is_empty() && version != TWIN_VERSION {
            return Err(format!("version '{version}' does not exist"));
        }
        let mut reader =
            csv::ReaderBuilder::new().delimiter(separator).from_reader(file.as_bytes());
        let header = reader.headers().map_err(|error| error.to_string())?.clone();
        let columns = columns(&header)?;
        let (mut report, mut staged) = (PackReport::default(), BTreeMap::new());
        for (n, record) in reader.records().enumerate() {
            let line = n as u64 + 2;
            let parsed = record.map_err(|error| error.to_string());
            match parsed.and_then(|record| parse(&record, &columns)) {
                Ok(row) => {
                    report.staged += 1;
                    staged.insert(line, row);
                }
                Err(reason) => report.rejects.push(PackReject { line, stage: "parse", reason }),
            }
        }
        let job = Writer::Job(IMPORT_JOB.to_owned());
        for (line, row) in staged {
            if !self.master.has_pair(version, &row.resource, &row.location) {
                let reason =
                    format!("RESID {} LOCID {}: not in master data", row.resource, row.location);
                report.rejects.push(PackReject { line, stage: "record", reason });
                continue;
            }
            let period = Period::containing(self.options.storage, row.day);
            let mut key = RowKey::base(&row.resource, &row.location, period);
            version.clone_into(&mut key.version);
            for (figure, value) in row.values {
                if self.assigned(version, figure) {
                    self.store.set(at, key.clone(), figure, Some(value), &job);
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
    day: Date,
    values: Vec<(usize, Decimal)>,
}

fn columns(header: &csv::StringRecord) -> Result<Columns, String> {
    let at = |name: &str| {
        let found = header.iter().position(|column| column == name);
        found.ok_or_else(|| format!("the header has no column {name}"))
    };
    let (resource, location, date) = (at("RESID")?, at("LOCID")?, at("KEYFIGUREDATE")?);
    let mut figures = Vec::new();
    for (column, name) in header.iter().enumerate() {
        if [resource, location, date].contains(&column) {
            continue;
        }
        let figure = key_figure(name).filter(|figure| KEY_FIGURES[*figure].stored);
        let figure = figure.ok_or_else(|| format!("column {name} is no stored key figure"))?;
        figures.push((column, figure));
    }
    if figures.is_empty() {
        return Err("the header names no key figure".into());
    }
    Ok(Columns { resource, location, date, figures })
}

fn parse(record: &csv::StringRecord, columns: &Columns) -> Result<Parsed, String> {
    let field = |column: usize| record.get(column).unwrap_or_default();
    let day = field(columns.date);
    let day = day.parse().map_err(|_| format!("KEYFIGUREDATE '{day}' is no date YYYY-MM-DD"))?;
    let mut values = Vec::new();
    for (column, figure) in &columns.figures {
        let text = field(*column);
        if text.is_empty() {
            continue;
        }
        let value: Decimal = text
            .parse()
            .map_err(|_| format!("{} '{text}' is no decimal", KEY_FIGURES[*figure].id))?;
        values.push((*figure, value));
    }
    let (resource, location) =
        (field(columns.resource).to_owned(), field(columns.location).to_owned());
    Ok(Parsed { resource, location, day, values })
}
