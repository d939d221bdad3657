//! A batch: cells of one target and scope that go out together.
//!
//! A [`Batch`] may be sent, because grants stand behind it. A [`RecordedBatch`]
//! is what an attempt carried: it can be asked about, also after its grants
//! have ended, and there is no way to send it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use planthread_contracts::{CellKey, Scope, WriteGrant};
use rust_decimal::Decimal;

use crate::rows::RowKey;

/// One cell on its way: from the plan into a batch, an attempt, or a pack. The
/// value is exactly what the target shall hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CellWrite {
    /// The cell.
    pub key: CellKey,
    /// The revision that is sent.
    pub revision: u64,
    /// The value, at the declared unit and scale.
    pub value: Decimal,
}

/// Cells of one target and scope, each covered by a grant, in key order; and what is
/// told of their groups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    recorded: Arc<RecordedBatch>,
    told: Arc<BTreeMap<RowKey, String>>,
}

/// The cells of an attempt as they were submitted, in the order of its batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedBatch {
    scope: Scope,
    cells: Vec<CellWrite>,
}

impl RecordedBatch {
    /// What an attempt carried in `scope`: `cells` in the order of its batch.
    #[must_use]
    pub const fn new(scope: Scope, cells: Vec<CellWrite>) -> Self {
        Self { scope, cells }
    }

    /// The scope.
    #[must_use]
    pub const fn scope(&self) -> &Scope {
        &self.scope
    }

    /// The cells, in the order of the batch.
    #[must_use]
    pub fn cells(&self) -> &[CellWrite] {
        &self.cells
    }
}

/// A text in one line of plain signs, at most `most` of them: others broke imports of
/// real clients. A sign that is not plain becomes `?`.
#[must_use]
pub fn plain(text: &str, most: usize) -> String {
    let sign = |sign: char| if sign.is_ascii_graphic() || sign == ' ' { sign } else { '?' };
    text.chars().map(sign).take(most).collect()
}

/// The batch may not be built.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BatchError {
    /// No grant covers the cell's measure in the batch's scope.
    #[error("{0}: no grant to write this measure in this scope")]
    NotGranted(Box<CellKey>),
    /// The cell stands in the batch twice.
    #[error("{0} stands in the batch twice")]
    Twice(Box<CellKey>),
}

impl Batch {
    /// Builds a batch; the order becomes that of the keys (group by group).
    ///
    /// # Errors
    /// When a cell is not covered by a grant, or stands there twice.
    pub fn new(
        scope: Scope,
        grants: &[WriteGrant],
        mut cells: Vec<CellWrite>,
    ) -> Result<Self, BatchError> {
        let measures: BTreeSet<&str> = grants
            .iter()
            .filter(|grant| *grant.scope() == scope)
            .map(WriteGrant::measure)
            .collect();
        for cell in &cells {
            let granted = cell.key.scope == scope.name();
            if !granted || !measures.contains(cell.key.measure.as_str()) {
                return Err(BatchError::NotGranted(Box::new(cell.key.clone())));
            }
        }
        cells.sort_by(|a, b| a.key.cmp(&b.key));
        if let Some(pair) = cells.windows(2).find(|pair| pair[0].key == pair[1].key) {
            return Err(BatchError::Twice(Box::new(pair[0].key.clone())));
        }
        Ok(Self { recorded: Arc::new(RecordedBatch { scope, cells }), told: Arc::default() })
    }

    /// The same batch, with a text for its cell groups: why their values are what they
    /// are, whose, and how old. A text is no value: it travels with the values that it
    /// tells of, is kept in no ledger, and proves no landing.
    #[must_use]
    pub fn telling(self, told: BTreeMap<RowKey, String>) -> Self {
        Self { told: Arc::new(told), ..self }
    }

    /// What is told of a cell group.
    #[must_use]
    pub fn told(&self, group: &RowKey) -> Option<&str> {
        self.told.get(group).map(String::as_str)
    }

    /// The scope.
    #[must_use]
    pub fn scope(&self) -> &Scope {
        &self.recorded.scope
    }

    /// The cells, sorted by key: cells of one group stand side by side.
    #[must_use]
    pub fn cells(&self) -> &[CellWrite] {
        &self.recorded.cells
    }

    /// What an attempt with this batch is remembered by.
    #[must_use]
    pub fn recorded(&self) -> &RecordedBatch {
        &self.recorded
    }

    /// The same, for whoever keeps it beside the batch: nothing is copied.
    #[must_use]
    pub fn shared(&self) -> Arc<RecordedBatch> {
        Arc::clone(&self.recorded)
    }
}
