//! Transactions: staged, committed, imported, with messages.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use jiff::{Timestamp, civil::Date};
use planthread_contracts::{Aggregation, Period, PeriodKind};
use rust_decimal::{Decimal, prelude::ToPrimitive as _};

use super::{
    SapIbp,
    behaviours::Switch,
    model::{Span, coarseness},
    session::USER,
    wire::iso,
};
use crate::sdk::{
    jobs::{Job, Stage},
    plan::{Model, Places as _, RowKey},
    simulator::Writer,
};

/// One staged row of key figure values.
#[derive(Debug, Clone)]
pub(super) struct StagedRow {
    /// `RESID`, or `None` when written above its level.
    pub(super) resource: Option<String>,
    /// `LOCID`, or `None`.
    pub(super) location: Option<String>,
    /// The time level and a day inside the period.
    pub(super) level: PeriodKind,
    pub(super) day: Date,
    /// Key figure index and value.
    pub(super) values: Vec<(usize, Decimal)>,
}

/// A message of the import.
#[derive(Debug, Clone)]
pub(super) struct Message {
    /// `E` an error, `I` a remark.
    pub(super) severity: &'static str,
    pub(super) text: String,
    pub(super) at: Timestamp,
    pub(super) row: Option<StagedRow>,
}

/// How far a transaction is, and how it ended.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Progress {
    pub(super) job: Job,
    outcome: Option<Outcome>,
}

/// The end of an import.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Processed,
    WithErrors,
    Error,
}

impl Progress {
    /// Commits: the import starts and ends after these times.
    pub(super) fn commit(&mut self, at: Timestamp, starts: Duration, ends: Duration) {
        self.job.queue(at, starts, ends);
    }

    pub(super) const fn is_committed(&self) -> bool {
        self.job.is_queued()
    }

    pub(super) const fn settle(&mut self, outcome: Outcome) {
        self.job.end();
        self.outcome = Some(outcome);
    }

    /// What `getExportResult` says.
    pub(super) fn status(&self, at: Timestamp) -> &'static str {
        match (self.outcome, self.job.stage(at)) {
            (Some(Outcome::Processed), _) => "PROCESSED",
            (Some(Outcome::WithErrors), _) => "PROCESSED_WITH_ERRORS",
            (Some(Outcome::Error), _) => "ERROR",
            (None, Stage::Running | Stage::Ended) => "PROCESSING",
            (None, Stage::Open | Stage::Queued) => "INITIAL",
        }
    }
}

/// One transaction of the planning service.
#[derive(Debug, Default)]
pub(super) struct Transaction {
    /// Empty is the base version. Set by the first POST.
    pub(super) version: Option<String>,
    /// Columns, as the first POST names them.
    pub(super) fields: Option<String>,
    pub(super) staged: Vec<StagedRow>,
    pub(super) progress: Progress,
    pub(super) messages: Vec<Message>,
}

impl SapIbp {
    /// Carries out one import that is due.
    pub(super) fn import_key_figures(&mut self, ends: Timestamp, id: &str) {
        if let Some(mut transaction) = self.transactions.remove(id) {
            self.import(ends, &mut transaction);
            self.transactions.insert(id.to_owned(), transaction);
        }
    }

    fn import(&mut self, at: Timestamp, transaction: &mut Transaction) {
        let rows = std::mem::take(&mut transaction.staged);
        if self.options.switches.on(Switch::ImportFails) {
            let text = "Import failed; no data was changed".to_owned();
            transaction.messages.push(Message { severity: "E", text, at, row: None });
            transaction.progress.settle(Outcome::Error);
            return;
        }
        let version = transaction.version.clone().unwrap_or_default();
        let adds = self.options.switches.on(Switch::StagingAdds);
        let mut cells: BTreeMap<(RowKey, usize), Decimal> = BTreeMap::new();
        let mut rejected = 0usize;
        for row in rows {
            match self.expand(&version, &row) {
                Ok(parts) => {
                    for (figure, value) in &row.values {
                        let shares = shares(&self.plan.model, *figure, *value, parts.len());
                        for (key, value) in parts.iter().zip(shares) {
                            let cell = cells.entry((key.clone(), *figure)).or_default();
                            *cell = if adds { *cell + value } else { value };
                        }
                    }
                }
                Err(text) => {
                    rejected += 1;
                    if self.options.switches.on(Switch::UnknownRowOnlyInMessages) {
                        transaction.messages.push(Message {
                            severity: "E",
                            text,
                            at,
                            row: Some(row),
                        });
                    }
                }
            }
        }
        let writer = Arc::new(Writer::Integration(USER.to_owned()));
        for ((key, figure), value) in cells {
            if self.plan.assigned(&version, figure) {
                self.plan.store.set(at, key, figure, Some(value), &writer);
            }
        }
        if rejected > 0 && self.options.switches.on(Switch::MessageSeverity) {
            let text = format!("Import ended; {rejected} rows rejected");
            transaction.messages.push(Message { severity: "I", text, at, row: None });
        }
        let outcome = if rejected == 0 || transaction.messages.is_empty() {
            Outcome::Processed
        } else {
            Outcome::WithErrors
        };
        transaction.progress.settle(outcome);
    }

    /// The stored rows that a staged row stands for, or why there are none.
    fn expand(&self, version: &str, row: &StagedRow) -> Result<Vec<RowKey>, String> {
        let storage = self.plan.storage;
        let written = Period::containing(row.level, row.day);
        let name = self.row_name(row);
        let pairs: Vec<(String, String)> = match (&row.resource, &row.location) {
            (Some(resource), Some(location)) => {
                let known = self.master.has_pair(version, resource, location);
                known.then(|| (resource.clone(), location.clone())).into_iter().collect()
            }
            (resource, location) => self
                .master
                .pairs(version)
                .into_iter()
                .filter(|(r, l)| {
                    resource.as_ref().is_none_or(|wanted| wanted == r)
                        && location.as_ref().is_none_or(|wanted| wanted == l)
                })
                .collect(),
        };
        if pairs.is_empty() {
            return Err(format!("{name}: no valid combination in master data; row rejected"));
        }
        let whole = row.level == storage && row.resource.is_some() && row.location.is_some();
        if !whole && !self.options.switches.on(Switch::Disaggregation) {
            return Err(format!("{name}: not at the base planning level; row rejected"));
        }
        let (stored, of) = (Span::Of(storage), Span::Of(row.level));
        let [from, to] = [written.start(), written.end()].map(|day| self.shown_day(of, day));
        let mut periods = Vec::new();
        let mut period = Period::containing(storage, self.calendar_day(stored, from));
        if self.shown_day(stored, period.start()) < from {
            period = period.next();
        }
        while self.shown_day(stored, period.start()) < to {
            periods.push(period);
            period = period.next();
        }
        if periods.is_empty() || coarseness(row.level) < coarseness(storage) {
            return Err(format!("{name}: below the base planning level; row rejected"));
        }
        let keys = pairs.iter().flat_map(|(resource, location)| {
            periods.iter().map(move |period| RowKey::new(version, resource, location, *period))
        });
        Ok(keys.collect())
    }

    /// The row's attributes in words, as messages name it.
    fn row_name(&self, row: &StagedRow) -> String {
        let part = |name: &str, value: &Option<String>| {
            value.as_ref().map_or_else(String::new, |value| format!("{name} {value}, "))
        };
        let resource = part(&self.area.resource, &row.resource);
        let location = part(&self.area.location, &row.location);
        let day = self.shown_day(Span::Of(row.level), row.day);
        format!("{resource}{location}period {}", iso(day.at(0, 0, 0, 0)))
    }
}

/// What each of `count` cells gets of a value that was written above them.
///
/// Only figures that add up are split: equally, and what six decimals leave over
/// goes to the first cells, so that the parts add up to the value (largest
/// remainder; all remainders are equal). A highest, a lowest or a date holds for
/// each part as it is. How a tenant does it is set per key figure: our choice.
fn shares(
    model: &Model,
    figure: usize,
    value: Decimal,
    count: usize,
) -> impl Iterator<Item = Decimal> + use<> {
    let smallest = Decimal::new(if value.is_sign_negative() { -1 } else { 1 }, 6);
    let (share, left) = if model.measures[figure].aggregation == Aggregation::Sum {
        let cells = Decimal::from(count.max(1));
        let share = (value / cells).trunc_with_scale(6);
        (share, value - share * cells)
    } else {
        (value, Decimal::ZERO)
    };
    let larger = (left / smallest).to_usize().unwrap_or(0);
    (0..count).map(move |n| if n < larger { share + smallest } else { share })
}
