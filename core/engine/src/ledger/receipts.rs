//! Receipts: what was sent lately, and what the target said.

use jiff::Timestamp;
use planthread_contracts::Receipt;
use serde::Serialize;

use crate::{Reader, error::Result, store::codec};

/// One attempt and its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
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
    let query = "SELECT a.hex, s.target, s.name, a.plan, a.cells, a.opened_at, a.closed_at, a.end,
         a.handle, a.verdict, a.receipt_at, a.error
         FROM attempt a JOIN scope s ON s.id = a.scope ORDER BY a.id DESC LIMIT ?1";
    let mut statement = reader.conn().prepare_cached(query)?;
    let mut rows = statement.query([most])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        let closed_at: Option<i64> = row.get(6)?;
        let (handle, verdict): (Option<String>, Option<String>) = (row.get(8)?, row.get(9)?);
        let receipt_at: Option<i64> = row.get(10)?;
        all.push(AttemptSummary {
            id: row.get(0)?,
            target: row.get(1)?,
            scope: row.get(2)?,
            plan: row.get(3)?,
            cells: row.get(4)?,
            opened_at: codec::timestamp(row.get(5)?)?,
            closed_at: closed_at.map(codec::timestamp).transpose()?,
            end: row.get(7)?,
            receipt: receipt(handle, verdict, receipt_at)?,
            error: row.get(11)?,
        });
    }
    Ok(all)
}

/// A receipt from its three columns.
pub(super) fn receipt(
    handle: Option<String>,
    verdict: Option<String>,
    at: Option<i64>,
) -> Result<Option<Receipt>> {
    let Some(((handle, verdict), at)) = handle.zip(verdict).zip(at) else { return Ok(None) };
    Ok(Some(Receipt { handle, verdict, at: codec::timestamp(at)? }))
}
