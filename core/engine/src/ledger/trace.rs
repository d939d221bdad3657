//! Trace: everything behind one cell (law 14).

use jiff::Timestamp;
use planthread_contracts::{CellKey, Receipt, Rejection, RevisionState, Status};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::Serialize;

use super::view;
use crate::{
    EngineError, Reader,
    error::Result,
    store::{
        Db,
        cells::{Cell, PastRevision},
    },
};

/// One revision of a cell, with the recipe that made it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Trace {
    /// The cell as it stands.
    pub cell: view::CellView,
    /// Its lock, also one that pins the wanted value: owner, reason, until.
    pub lock: Option<(String, String, Timestamp)>,
    /// Since when it is locked: each edit that is found starts it anew.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locked_since: Option<Timestamp>,
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
    reader.at_once(|db| {
        let id = db.cell_named(key)?;
        let hold = db.lock_of(id)?.map(|(_, hold)| hold).filter(|hold| hold.until > now);
        Ok(Trace {
            cell,
            locked_since: hold.as_ref().map(|hold| hold.since),
            lock: hold.map(|hold| (hold.owner, hold.reason, hold.until)),
            revisions: revisions_of(db, key)?,
            attempts: db.attempts_of(id)?,
        })
    })
}

/// The revisions of one cell, oldest first.
///
/// # Errors
/// When the ledger does not know it.
pub fn revisions(reader: &Reader, key: &CellKey) -> Result<Vec<RevisionTrace>> {
    reader.at_once(|db| revisions_of(db, key))
}

fn revisions_of(db: &Db, key: &CellKey) -> Result<Vec<RevisionTrace>> {
    let id = db.cell_named(key)?;
    let mut revisions = Vec::new();
    for past in db.past_revisions(id)? {
        revisions.push(revision(db, &past)?);
    }
    let unknown = || EngineError::UnknownCell(Box::new(key.clone()));
    revisions.push(revision(db, &current(&db.cell(id)?.ok_or_else(unknown)?))?);
    Ok(revisions)
}

/// The current revision in the form of a past one.
const fn current(cell: &Cell) -> PastRevision {
    PastRevision {
        rev: cell.rev,
        state: cell.state,
        value: cell.value,
        unrounded: cell.unrounded,
        status: cell.status,
        as_of: cell.as_of,
        valid_until: cell.valid_until,
        recipe: cell.recipe,
        made_at: cell.made_at,
    }
}

fn revision(db: &Db, past: &PastRevision) -> Result<RevisionTrace> {
    Ok(RevisionTrace {
        revision: past.rev,
        state: past.state,
        value: past.value,
        unrounded: past.unrounded,
        status: past.status,
        as_of: past.as_of,
        valid_until: past.valid_until,
        recipe: db.recipe(past.recipe)?,
        made_at: past.made_at,
    })
}
