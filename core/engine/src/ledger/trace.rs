//! Trace: everything behind one cell (law 14).

use jiff::Timestamp;
use planthread_contracts::{CellKey, Receipt, Rejection, RevisionState, Status};
use planthread_kit::AttemptId;
use rusqlite::Connection;
use rust_decimal::Decimal;
use serde::Serialize;

use super::{attempts, locks, names, receipts, rows::Cell, view};
use crate::{EngineError, Reader, error::Result, store::codec};

/// One revision of a cell, with the recipe that made it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RevisionTrace {
    /// Number, growing.
    pub revision: u64,
    /// Its state.
    pub state: RevisionState,
    /// The value as the target stores it.
    pub value: Decimal,
    /// The value before rounding.
    pub unrounded: Decimal,
    /// Status.
    pub status: Status,
    /// Instant of the truth behind it.
    pub as_of: Timestamp,
    /// Its declared end.
    pub valid_until: Timestamp,
    /// Digest of input window, rules, mapping and tzdb.
    pub recipe: String,
    /// When the ledger took it in.
    pub made_at: Timestamp,
}

/// One attempt that carried the cell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AttemptTrace {
    /// The attempt's id.
    pub id: String,
    /// The revision that it carried.
    pub revision: u64,
    /// Digest of the plan that it served.
    pub plan: String,
    /// Whether it only travelled with its group.
    pub carried: bool,
    /// What was read before it; `None` when nothing had been.
    pub before: Option<Option<Decimal>>,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// When it was closed; `None` while it is open.
    pub closed_at: Option<Timestamp>,
    /// How the attempt ended: `done`, `failed`, `not_taken`, `unknown`.
    pub end: Option<String>,
    /// What became of this cell.
    pub outcome: Option<String>,
    /// Why the target refused it.
    pub rejection: Option<Rejection>,
    /// The vendor's receipt.
    pub receipt: Option<Receipt>,
    /// Why it did not end well.
    pub error: Option<String>,
    /// Vendor handles, noted on the way.
    pub notes: Vec<(String, String)>,
}

/// Everything behind one cell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Trace {
    /// The cell as it stands.
    pub cell: view::CellView,
    /// Its lock, also one that pins the wanted value: owner, reason, until.
    pub lock: Option<(String, String, Timestamp)>,
    /// Its revisions, oldest first.
    pub revisions: Vec<RevisionTrace>,
    /// Its attempts, oldest first.
    pub attempts: Vec<AttemptTrace>,
}

/// Traces one cell.
///
/// # Errors
/// When the ledger does not know it.
pub fn trace(reader: &Reader, key: &CellKey, now: Timestamp) -> Result<Trace> {
    let cell = view::cell(reader, key, now)?;
    reader.snapshot(|conn| {
        let (grp, measure) = names::find_cell(conn, key)?
            .ok_or_else(|| EngineError::UnknownCell(Box::new(key.clone())))?;
        let lock = locks::of_cell(conn, grp, measure)?
            .filter(|(_, hold)| hold.until > now)
            .map(|(_, hold)| (hold.owner, hold.reason, hold.until));
        let mut revisions = past(conn, grp, measure)?;
        if let Some(current) = Cell::load(conn, grp, measure)? {
            revisions.push(current_revision(conn, &current)?);
        }
        Ok(Trace { cell, lock, revisions, attempts: carried_by(conn, grp, measure)? })
    })
}

fn current_revision(conn: &Connection, cell: &Cell) -> Result<RevisionTrace> {
    Ok(RevisionTrace {
        revision: cell.rev,
        state: cell.state,
        value: cell.value,
        unrounded: cell.unrounded,
        status: cell.status,
        as_of: codec::timestamp(cell.as_of)?,
        valid_until: codec::timestamp(cell.valid_until)?,
        recipe: recipe(conn, cell.recipe)?,
        made_at: codec::timestamp(cell.made_at)?,
    })
}

/// The digest of a recipe by its number.
pub(crate) fn recipe(conn: &Connection, id: i64) -> Result<String> {
    let query = "SELECT digest FROM recipe WHERE id = ?1";
    Ok(conn.prepare_cached(query)?.query_row([id], |row| row.get(0))?)
}

fn past(conn: &Connection, grp: i64, measure: i64) -> Result<Vec<RevisionTrace>> {
    let query = "SELECT p.rev, p.state, p.value, p.unrounded, p.status, p.as_of, p.valid_until,
         r.digest, p.made_at FROM past_revision p JOIN recipe r ON r.id = p.recipe
         WHERE p.grp = ?1 AND p.measure = ?2 ORDER BY p.rev";
    let mut statement = conn.prepare_cached(query)?;
    let mut rows = statement.query([grp, measure])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        let (value, unrounded): (String, String) = (row.get(2)?, row.get(3)?);
        all.push(RevisionTrace {
            revision: row.get(0)?,
            state: codec::state(row.get(1)?)?,
            value: codec::decimal(&value)?,
            unrounded: codec::decimal(&unrounded)?,
            status: codec::status(row.get(4)?)?,
            as_of: codec::timestamp(row.get(5)?)?,
            valid_until: codec::timestamp(row.get(6)?)?,
            recipe: row.get(7)?,
            made_at: codec::timestamp(row.get(8)?)?,
        });
    }
    Ok(all)
}

fn carried_by(conn: &Connection, grp: i64, measure: i64) -> Result<Vec<AttemptTrace>> {
    let query = "SELECT a.hex, c.rev, a.plan, c.carried, c.before_known, c.before, a.opened_at,
         a.closed_at, a.end, c.outcome, c.reason, c.vendor_code, c.cure, a.handle, a.verdict,
         a.receipt_at, a.error
         FROM attempt_cell c JOIN attempt a ON a.id = c.attempt
         WHERE c.grp = ?1 AND c.measure = ?2 ORDER BY a.id";
    let mut statement = conn.prepare_cached(query)?;
    let mut rows = statement.query([grp, measure])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        all.push(attempt(conn, row)?);
    }
    Ok(all)
}

fn attempt(conn: &Connection, row: &rusqlite::Row<'_>) -> Result<AttemptTrace> {
    let id: String = row.get(0)?;
    let before: Option<String> = row.get(5)?;
    let before = before.as_deref().map(codec::decimal).transpose()?;
    let known: bool = row.get(4)?;
    let closed_at: Option<i64> = row.get(7)?;
    let reason: Option<String> = row.get(10)?;
    let vendor_code = row.get(11)?;
    let cure: Option<String> = row.get(12)?;
    let receipt = receipts::receipt(row.get(13)?, row.get(14)?, row.get(15)?)?;
    let notes = AttemptId::parse(&id).map(|id| attempts::notes(conn, &id)).transpose()?;
    Ok(AttemptTrace {
        id,
        revision: row.get(1)?,
        plan: row.get(2)?,
        carried: row.get(3)?,
        before: known.then_some(before),
        opened_at: codec::timestamp(row.get(6)?)?,
        closed_at: closed_at.map(codec::timestamp).transpose()?,
        end: row.get(8)?,
        outcome: row.get(9)?,
        rejection: reason.map(|reason| Rejection {
            reason,
            vendor_code,
            cure: cure.unwrap_or_default(),
        }),
        receipt,
        error: row.get(16)?,
        notes: notes.unwrap_or_default().into_iter().collect(),
    })
}
