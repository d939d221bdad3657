//! Taken in: every `as_of` that the ledger was given, in its own order.

use jiff::Timestamp;
use serde::Serialize;

use crate::{Reader, error::Result};

/// One taking-in of truth.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TakenIn {
    /// The ledger's counter after it.
    pub counter: u64,
    /// The configured target.
    pub target: String,
    /// The instant that the truth was of.
    pub as_of: Timestamp,
    /// When it was taken in.
    pub at: Timestamp,
    /// Cells that were wanted.
    pub cells: u64,
    /// Revisions that it made.
    pub made: u64,
}

/// The last `most` cycles, the newest first.
///
/// # Errors
/// When the state can't be read.
pub fn taken_in(reader: &Reader, most: u64) -> Result<Vec<TakenIn>> {
    reader.db().taken_in(most)
}
