//! Transactions: staged, committed, imported, with messages.

use std::{collections::BTreeMap, time::Duration};

use jiff::{SignedDuration, Timestamp, civil::Date};
use planthread_contracts::{Aggregation, Period, PeriodKind};
use rust_decimal::{Decimal, prelude::ToPrimitive as _};

use super::{
    SapIbp, behaviours::Switch, model::KEY_FIGURES, session::USER, store::RowKey, wire::iso,
};
use crate::simulator::Writer;

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

/// How far a transaction is.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Progress {
    /// When the import starts and ends, once committed.
    committed: Option<(Timestamp, Timestamp)>,
    /// Its end, once it is there.
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
        self.committed.get_or_insert((later(at, starts), later(at, ends.max(starts))));
    }

    pub(super) const fn is_committed(&self) -> bool {
        self.committed.is_some()
    }

    /// The end of an import that is due and has not been carried out.
    pub(super) fn due(&self, at: Timestamp) -> Option<Timestamp> {
        let (_, ends) = self.committed?;
        (self.outcome.is_none() && ends <= at).then_some(ends)
    }

    pub(super) const fn settle(&mut self, outcome: Outcome) {
        self.outcome = Some(outcome);
    }

    /// What `getExportResult` says.
    pub(super) fn status(&self, at: Timestamp) -> &'static str {
        match (self.outcome, self.committed) {
            (Some(Outcome::Processed), _) => "PROCESSED",
            (Some(Outcome::WithErrors), _) => "PROCESSED_WITH_ERRORS",
            (Some(Outcome::Error), _) => "ERROR",
            (None, Some((starts, _))) if at >= starts => "PROCESSING",
            (None, _) => "INITIAL",
        }
    }
}

fn later(at: Timestamp, more: Duration) -> Timestamp {
    let more = SignedDuration::try_from(more).unwrap_or(SignedDuration::MAX);
    at.checked_add(more).unwrap_or(Timestamp::MAX)
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
    /// Carries out the imports that are due by `at`, in the order of their ends.
    pub(super) fn import_due(&mut self, at: Timestamp) {
        let mut due: Vec<_> = self
            .transactions
            .iter()
            .filter_map(|(id, transaction)| Some((transaction.progress.due(at)?, id.clone())))
            .collect();
        due.sort();
        for (ends, id) in due {
            if let Some(mut transaction) = self.transactions.remove(&id) {
                self.import(ends, &mut transaction);
                self.transactions.insert(id, transaction);
            }
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
                        let shares = shares(*figure, *value, parts.len());
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
        let writer = Writer::Integration(USER.to_owned());
        for ((key, figure), value) in cells {
            if self.assigned(&version, figure) {
                self.store.set(at, key, figure, Some(value), &writer);
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

    /// Whether values of a key figure can be written in a version.
    pub(super) fn assigned(&self, version: &str, figure: usize) -> bool {
        version.is_empty()
            || KEY_FIGURES[figure].in_twin
            || !self.options.switches.on(Switch::VersionAssignment)
    }

    /// The stored rows that a staged row stands for, or why there are none.
    fn expand(&self, version: &str, row: &StagedRow) -> Result<Vec<RowKey>, String> {
        let storage = self.options.storage;
        let written = Period::containing(row.level, row.day);
        let name = row.name();
        let pairs: Vec<(&str, &str)> = match (&row.resource, &row.location) {
            (Some(resource), Some(location)) => {
                let known = self.master.has_pair(version, resource, location);
                known.then_some((resource.as_str(), location.as_str())).into_iter().collect()
            }
            (resource, location) => self
                .master
                .pairs(version)
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
        let mut periods = Vec::new();
        let mut period = Period::containing(storage, written.start());
        if period.start() < written.start() {
            period = period.next();
        }
        while period.start() < written.end() {
            periods.push(period);
            period = period.next();
        }
        if periods.is_empty() || finer(row.level, storage) {
            return Err(format!("{name}: below the base planning level; row rejected"));
        }
        let keys = pairs.into_iter().flat_map(|(resource, location)| {
            periods.iter().map(move |period| RowKey {
                version: version.to_owned(),
                resource: resource.to_owned(),
                location: location.to_owned(),
                period: *period,
            })
        });
        Ok(keys.collect())
    }
}

/// Whether `level` is below the storage level.
const fn finer(level: PeriodKind, storage: PeriodKind) -> bool {
    const fn rank(kind: PeriodKind) -> u8 {
        match kind {
            PeriodKind::Day => 0,
            PeriodKind::TechnicalWeek => 1,
            PeriodKind::Week => 2,
            PeriodKind::Month => 3,
        }
    }
    rank(level) < rank(storage)
}

/// What each of `count` cells gets of a value that was written above them.
///
/// Only figures that add up are split: equally, and what six decimals leave over
/// goes to the first cells, so that the parts add up to the value (largest
/// remainder; all remainders are equal). A highest, a lowest or a date holds for
/// each part as it is. How a tenant does it is set per key figure: our choice.
fn shares(figure: usize, value: Decimal, count: usize) -> impl Iterator<Item = Decimal> {
    let smallest = Decimal::new(if value.is_sign_negative() { -1 } else { 1 }, 6);
    let (share, left) = if KEY_FIGURES[figure].aggregation == Aggregation::Sum {
        let cells = Decimal::from(count.max(1));
        let share = (value / cells).trunc_with_scale(6);
        (share, value - share * cells)
    } else {
        (value, Decimal::ZERO)
    };
    let larger = (left / smallest).to_usize().unwrap_or(0);
    (0..count).map(move |n| if n < larger { share + smallest } else { share })
}

impl StagedRow {
    /// The row's attributes in words, as messages name it.
    fn name(&self) -> String {
        let part = |name: &str, value: &Option<String>| {
            value.as_ref().map_or_else(String::new, |value| format!("{name} {value}, "))
        };
        let (resource, location) = (part("RESID", &self.resource), part("LOCID", &self.location));
        format!("{resource}{location}period {}", iso(self.day.at(0, 0, 0, 0)))
    }
}
