//! What was released of the plant's figures, kept for the next decision.
//!
//! The engine keeps it and does not read it: what a release says is told by
//! whoever decides it.

use jiff::civil::Date;
use planthread_contracts::{Name, Period};

use crate::{Reader, State, error::Result};

/// What was released of one resource in one period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReleasedRow {
    /// The plant's resource or line.
    pub resource: Name,
    /// The period.
    pub period: Period,
    /// What was released, in the words of whoever decides it.
    pub told: String,
}

/// What is released of one resource in one period, in the words of whoever decided
/// it.
///
/// # Errors
/// When the state can't be read.
pub fn released(reader: &Reader, resource: &str, period: Period) -> Result<Option<String>> {
    reader.db().released(resource, period)
}

/// Keeps what was released anew, durably, and forgets the periods that begin
/// before `first`.
///
/// # Errors
/// When the disk refuses.
pub fn release(state: &State, rows: Vec<ReleasedRow>, first: Date) -> Result<()> {
    state.change(move |tx| {
        tx.delete_released(first)?;
        rows.iter().try_for_each(|row| tx.put_released(row))
    })
}
