//! Stored values, who wrote them, what was there before, and how they add up.

use std::{collections::BTreeMap, sync::Arc};

use jiff::Timestamp;
use planthread_contracts::{Aggregation, Period};
use rust_decimal::Decimal;

use super::model::{Model, Part, Wiring};
use crate::sdk::simulator::{Change, StoredCell, Writer};

/// Key of a stored row: scope (empty is base), resource, location, period.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RowKey {
    /// Scope; empty is base.
    pub scope: String,
    /// Resource.
    pub resource: String,
    /// Location.
    pub location: String,
    /// Period, at the level of storage.
    pub period: Period,
}

impl RowKey {
    /// A row of base.
    #[must_use]
    pub fn base(resource: &str, location: &str, period: Period) -> Self {
        Self::new("", resource, location, period)
    }

    /// A row of a scope.
    #[must_use]
    pub fn new(scope: &str, resource: &str, location: &str, period: Period) -> Self {
        let [scope, resource, location] = [scope, resource, location].map(str::to_owned);
        Self { scope, resource, location, period }
    }
}

/// One value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    /// The value.
    pub value: Decimal,
    /// Who wrote it.
    pub writer: Arc<Writer>,
    /// When.
    pub at: Timestamp,
}

/// The values of one resource, location and period, by measure.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Row {
    cells: Vec<Option<Cell>>,
}

impl Row {
    /// The cell of a measure.
    #[must_use]
    pub fn cell(&self, measure: usize) -> Option<&Cell> {
        self.cells.get(measure)?.as_ref()
    }

    /// The value of a measure.
    #[must_use]
    pub fn value(&self, measure: usize) -> Option<Decimal> {
        self.cell(measure).map(|cell| cell.value)
    }

    /// The latest change of any of its values.
    #[must_use]
    pub fn modified(&self) -> Option<Timestamp> {
        self.cells.iter().flatten().map(|cell| cell.at).max()
    }

    /// Takes over a cell of another row.
    pub fn take(&mut self, measure: usize, from: &Self) {
        *self.slot(measure) = from.cell(measure).cloned();
    }

    fn slot(&mut self, measure: usize) -> &mut Option<Cell> {
        if self.cells.len() <= measure {
            self.cells.resize(measure + 1, None);
        }
        &mut self.cells[measure]
    }
}

/// One change, as it is kept.
#[derive(Debug)]
struct Event {
    at: Timestamp,
    key: RowKey,
    measure: usize,
    value: Option<Decimal>,
    before: Option<Decimal>,
    writer: Arc<Writer>,
}

/// All rows, and every change of them.
#[derive(Debug, Default)]
pub struct CellStore {
    /// The rows.
    pub rows: BTreeMap<RowKey, Row>,
    told: BTreeMap<RowKey, String>,
    names: Vec<Arc<str>>,
    events: Vec<Event>,
}

impl CellStore {
    /// An empty store for the measures of a model.
    #[must_use]
    pub fn new(model: &Model) -> Self {
        let names = model.measures.iter().map(|measure| Arc::clone(&measure.id)).collect();
        Self { names, ..Self::default() }
    }

    /// Writes or clears one value and keeps the change.
    pub fn set(
        &mut self,
        at: Timestamp,
        key: RowKey,
        measure: usize,
        value: Option<Decimal>,
        writer: &Arc<Writer>,
    ) {
        let slot = self.rows.entry(key.clone()).or_default().slot(measure);
        let before = slot.as_ref().map(|cell| cell.value);
        *slot = value.map(|value| Cell { value, writer: Arc::clone(writer), at });
        let writer = Arc::clone(writer);
        self.events.push(Event { at, key, measure, value, before, writer });
    }

    /// Loads one value of the start-up state; no change is kept.
    pub fn seed(
        &mut self,
        at: Timestamp,
        key: RowKey,
        measure: usize,
        value: Decimal,
        writer: &Arc<Writer>,
    ) {
        let cell = Cell { value, writer: Arc::clone(writer), at };
        *self.rows.entry(key).or_default().slot(measure) = Some(cell);
    }

    /// Keeps a text beside the values of a row: why they are what they are. An empty
    /// one says nothing.
    pub fn tell(&mut self, key: RowKey, text: &str) {
        match text {
            "" => self.told.remove(&key),
            text => self.told.insert(key, text.to_owned()),
        };
    }

    /// The text beside the values of a row.
    #[must_use]
    pub fn told(&self, key: &RowKey) -> Option<&str> {
        self.told.get(key).map(String::as_str)
    }

    /// The value of a cell.
    #[must_use]
    pub fn value(&self, key: &RowKey, measure: usize) -> Option<Decimal> {
        self.rows.get(key)?.value(measure)
    }

    /// Everything stored, ordered by row and measure.
    #[must_use]
    pub fn stored(&self) -> Vec<StoredCell> {
        let mut found = Vec::new();
        for (key, row) in &self.rows {
            for (measure, cell) in row.cells.iter().enumerate() {
                if let Some(cell) = cell {
                    found.push(self.cell(key, measure, cell.value, &cell.writer));
                }
            }
        }
        found
    }

    /// How many changes there were.
    #[must_use]
    pub const fn changes(&self) -> usize {
        self.events.len()
    }

    /// Every change, oldest first.
    pub fn history(&self) -> impl DoubleEndedIterator<Item = Change> + '_ {
        self.events.iter().map(|event| {
            let value = event.value.unwrap_or_default();
            let cell = self.cell(&event.key, event.measure, value, &event.writer);
            Change { at: event.at, cell, before: event.before }
        })
    }

    fn cell(&self, key: &RowKey, measure: usize, value: Decimal, writer: &Writer) -> StoredCell {
        StoredCell {
            scope: key.scope.clone(),
            resource: key.resource.clone(),
            location: key.location.clone(),
            period: key.period,
            measure: self.names.get(measure).map(|name| (**name).to_owned()).unwrap_or_default(),
            value,
            writer: writer.clone(),
        }
    }
}

/// Adds rows up, each measure by its own aggregation.
#[derive(Debug, Clone, Default)]
pub struct Totals {
    values: Vec<Option<Decimal>>,
}

impl Totals {
    /// Adds one row, as the plan sees it.
    pub fn add(&mut self, model: &Model, row: &Row, wiring: Wiring) {
        self.values.resize(model.measures.len(), None);
        for (n, (declared, slot)) in model.measures.iter().zip(&mut self.values).enumerate() {
            let seen = model.seen(row, n, wiring).map(|cell| cell.value);
            *slot = match (*slot, seen, declared.aggregation) {
                (before, None, _) => before,
                (None, seen, _) => seen,
                (Some(total), Some(value), Aggregation::Sum) => Some(total + value),
                (Some(total), Some(value), Aggregation::Max) => Some(total.max(value)),
                (Some(total), Some(value), Aggregation::Min) => Some(total.min(value)),
                (Some(total), Some(_), Aggregation::None) => Some(total),
            };
        }
    }

    /// The total; utilisation is calculated from the totals, never summed.
    #[must_use]
    pub fn value(&self, model: &Model, measure: usize) -> Option<Decimal> {
        if model.measures[measure].part == Part::Utilisation {
            let of = |part| self.values.get(model.part(part)?).copied().flatten();
            return of(Part::Load)?.checked_div(of(Part::Assumed)?);
        }
        self.values.get(measure).copied().flatten()
    }
}
