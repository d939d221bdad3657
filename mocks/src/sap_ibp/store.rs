//! Stored key figure values, who wrote them, and how they add up.

use std::collections::BTreeMap;

use jiff::Timestamp;
use planthread_contracts::{Aggregation, Period};
use rust_decimal::Decimal;

use super::{
    model::{CAPADEMAND, CAPASUPPLY, KEY_FIGURE_COUNT, KEY_FIGURES, TWINCAPA, UTILIZATIONPCT},
    options::Wiring,
};
use crate::simulator::{Change, StoredCell, Writer};

/// Key of a stored row: version (empty is base), resource, location, period.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct RowKey {
    pub(super) version: String,
    pub(super) resource: String,
    pub(super) location: String,
    pub(super) period: Period,
}

impl RowKey {
    pub(super) fn base(resource: &str, location: &str, period: Period) -> Self {
        let (resource, location) = (resource.to_owned(), location.to_owned());
        Self { version: String::new(), resource, location, period }
    }

    fn cell(&self, figure: usize, value: Decimal, writer: Writer) -> StoredCell {
        StoredCell {
            scope: self.version.clone(),
            resource: self.resource.clone(),
            location: self.location.clone(),
            period: self.period,
            measure: KEY_FIGURES[figure].id.to_owned(),
            value,
            writer,
        }
    }
}

/// One value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cell {
    pub(super) value: Decimal,
    pub(super) writer: Writer,
    pub(super) at: Timestamp,
}

/// The values of one resource, location and period.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) cells: [Option<Cell>; KEY_FIGURE_COUNT],
}

impl Row {
    pub(super) fn value(&self, figure: usize) -> Option<Decimal> {
        self.cells[figure].as_ref().map(|cell| cell.value)
    }

    /// The value as the plan sees it: `CAPASUPPLY` may be calculated.
    pub(super) fn seen(&self, figure: usize, wiring: Wiring) -> Option<Decimal> {
        self.seen_cell(figure, wiring).map(|cell| cell.value)
    }

    /// The cell behind the value that the plan sees.
    pub(super) fn seen_cell(&self, figure: usize, wiring: Wiring) -> Option<&Cell> {
        let own = self.cells[figure].as_ref();
        if figure == CAPASUPPLY && wiring == Wiring::Calculation {
            return self.cells[TWINCAPA].as_ref().or(own);
        }
        own
    }

    /// The latest change of any of its values.
    pub(super) fn modified(&self) -> Option<Timestamp> {
        self.cells.iter().flatten().map(|cell| cell.at).max()
    }
}

/// All rows, and every change of them.
#[derive(Debug, Default)]
pub(super) struct Store {
    pub(super) rows: BTreeMap<RowKey, Row>,
    pub(super) changes: Vec<Change>,
}

impl Store {
    /// Writes or clears one value and keeps the change.
    pub(super) fn set(
        &mut self,
        at: Timestamp,
        key: RowKey,
        figure: usize,
        value: Option<Decimal>,
        writer: &Writer,
    ) {
        let cell = key.cell(figure, value.unwrap_or_default(), writer.clone());
        let slot = &mut self.rows.entry(key).or_default().cells[figure];
        let before = slot.as_ref().map(|cell| cell.value);
        *slot = value.map(|value| Cell { value, writer: writer.clone(), at });
        self.changes.push(Change { at, cell, before });
    }

    /// Loads one value of the start-up state; no change is kept.
    pub(super) fn seed(
        &mut self,
        at: Timestamp,
        key: RowKey,
        figure: usize,
        value: Decimal,
        writer: &Writer,
    ) {
        let cell = Cell { value, writer: writer.clone(), at };
        self.rows.entry(key).or_default().cells[figure] = Some(cell);
    }

    /// Everything stored, ordered by row and key figure.
    pub(super) fn stored(&self) -> Vec<StoredCell> {
        let mut cells = Vec::new();
        for (key, row) in &self.rows {
            for (figure, cell) in row.cells.iter().enumerate() {
                if let Some(cell) = cell {
                    cells.push(key.cell(figure, cell.value, cell.writer.clone()));
                }
            }
        }
        cells
    }
}

/// Adds rows up, each key figure by its own aggregation.
#[derive(Debug, Clone, Default)]
pub(super) struct Totals {
    values: [Option<Decimal>; KEY_FIGURE_COUNT],
}

impl Totals {
    /// Adds one row, as the plan sees it.
    pub(super) fn add(&mut self, row: &Row, wiring: Wiring) {
        for (figure, declared) in KEY_FIGURES.iter().enumerate() {
            self.add_one(figure, declared.aggregation, row.seen(figure, wiring));
        }
    }

    fn add_one(&mut self, figure: usize, aggregation: Aggregation, value: Option<Decimal>) {
        let Some(value) = value else { return };
        let slot = &mut self.values[figure];
        *slot = Some(match (*slot, aggregation) {
            (None, _) => value,
            (Some(total), Aggregation::Sum) => total + value,
            (Some(total), Aggregation::Max) => total.max(value),
            (Some(total), Aggregation::Min) => total.min(value),
            (Some(total), Aggregation::None) => total,
        });
    }

    /// The total; utilisation is calculated from the totals, never summed.
    pub(super) fn value(&self, figure: usize) -> Option<Decimal> {
        if figure == UTILIZATIONPCT {
            let supply = self.values[CAPASUPPLY]?;
            return self.values[CAPADEMAND]?.checked_div(supply);
        }
        self.values[figure]
    }
}
