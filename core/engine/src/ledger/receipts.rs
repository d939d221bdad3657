//! Receipts: what was sent lately, and what the target said.

use jiff::Timestamp;
use planthread_contracts::Receipt;
use schemars::JsonSchema;
use serde::Serialize;

use crate::{Reader, error::Result};

/// One attempt and its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct AttemptSummary {
    /// The attempt's id: 32 hex digits.
    pub id: String,
    /// The configured target.
    pub target: String,
    /// The scope; empty for base.
    pub scope: String,
    /// Digest of the plan that it served.
    pub plan: String,
    /// Cells in it.
    pub cells: u64,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// When it was closed; `None` while it is open.
    pub closed_at: Option<Timestamp>,
    /// How it ended: `done`, `failed`, `not_taken`, `unknown`.
    pub end: Option<String>,
    /// The vendor's receipt; its handle is what `undo` takes.
    pub receipt: Option<Receipt>,
    /// Why it did not end well.
    pub error: Option<String>,
}

/// The last `most` attempts, the newest first.
///
/// # Errors
/// When the state can't be read.
pub fn receipts(reader: &Reader, most: u64) -> Result<Vec<AttemptSummary>> {
    reader.db().receipts(most)
}

/// When something landed in a scope for the first time: the end of the first push that the
/// target answered.
///
/// # Errors
/// When the state can't be read.
pub fn first_landing(reader: &Reader, target: &str, scope: &str) -> Result<Option<Timestamp>> {
    let db = reader.db();
    db.scope(target, scope)?.map_or(Ok(None), |id| db.first_landing(id))
}
