//! Undo: what was seen before a receipt becomes wanted again.
//!
//! An undo is no write of its own: it gives the cells of the receipt new
//! revisions with their earlier values and pins them, so that new truth does
//! not replace them until the pin ends. The ordinary plan then carries it
//! ([`crate::plan::PlanRequest::only`] with [`Why::Undo`] plans nothing else).

use std::collections::BTreeMap;

use jiff::Timestamp;
use planthread_contracts::{CellKey, MeasureDecl, Owner};
use rusqlite::{Connection, params};
use serde::Serialize;

use crate::{
    EngineError, State,
    error::Result,
    ledger::{
        Lock, LockKind, Why,
        books::Books,
        locks, names,
        rows::{Cell, same},
        want::next_revision,
    },
    store::codec,
};

/// Who undoes which receipt, and for how long.
#[derive(Debug, Clone)]
pub struct UndoRequest {
    /// The configured target.
    pub target: String,
    /// The receipt's handle, or the attempt's id.
    pub receipt: String,
    /// Who answers for it.
    pub who: String,
    /// Why.
    pub why: String,
    /// New truth is wanted again from here on.
    pub until: Timestamp,
    /// The target's measures: only those that we own are undone.
    pub measures: Vec<MeasureDecl>,
}

/// What an undo changed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Undone {
    /// Cells that want their earlier value again.
    pub cells: u64,
    /// Cells that held the same value before.
    pub unchanged: u64,
    /// Cells that a later attempt has changed since: left alone.
    pub moved: u64,
    /// Cells that can't be undone, by reason.
    pub left: BTreeMap<String, Left>,
}

/// Cells that can't be undone for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Left {
    /// How many.
    pub cells: u64,
    /// One of them.
    pub example: CellKey,
}

impl Undone {
    fn leave(&mut self, key: CellKey, reason: &str) {
        match self.left.get_mut(reason) {
            Some(left) => left.cells += 1,
            None => {
                self.left.insert(reason.to_owned(), Left { cells: 1, example: key });
            }
        }
    }
}

/// Makes the values that were seen before a receipt wanted again.
///
/// # Errors
/// When the receipt is not known, or nobody answers for the undo.
pub fn undo(state: &State, request: UndoRequest, now: Timestamp) -> Result<Undone> {
    if request.who.trim().is_empty() || request.why.trim().is_empty() {
        return Err(EngineError::Refused("an undo needs who and why".into()));
    }
    state.write(move |conn| run(conn, &request, now))
}

struct Part {
    attempt: i64,
    grp: i64,
    measure: i64,
    rev: u64,
    carried: bool,
    before: Option<Option<rust_decimal::Decimal>>,
}

fn run(conn: &Connection, request: &UndoRequest, now: Timestamp) -> Result<Undone> {
    let parts = parts(conn, request)?;
    if parts.is_empty() {
        return Err(EngineError::Refused(format!(
            "no attempt of target `{}` that may have taken effect has the receipt or id `{}`; \
             `trace` names them",
            request.target, request.receipt
        )));
    }
    let measures = names::measures(conn)?;
    let mut books = Books::default();
    let mut done = Undone::default();
    for part in parts {
        let name = measures.get(&part.measure).map_or("", String::as_str);
        let group = names::group_by_id(conn, part.grp)?;
        let key = group.cell(name);
        let decl = request.measures.iter().find(|decl| decl.name == name);
        let zero = decl.is_some_and(|decl| decl.absent_is_zero);
        let Some(mut cell) = Cell::load(conn, part.grp, part.measure)? else { continue };
        if part.carried || part.before.is_some_and(|before| same(cell.value, before, zero)) {
            done.unchanged += 1;
            continue;
        }
        if cell.last_attempt != part.attempt || cell.rev != part.rev || cell.open_attempt != 0 {
            done.moved += 1;
            continue;
        }
        if let Some((LockKind::Send, hold)) = locks::of_cell(conn, part.grp, part.measure)?
            && hold.until > now
        {
            done.leave(key, &format!("locked by {}", hold.owner));
            continue;
        }
        let value = match (decl.map(|decl| &decl.owner), part.before) {
            (Some(Owner::Bridge), Some(Some(value))) => Ok(value),
            (Some(Owner::Bridge), Some(None)) if zero => Ok(rust_decimal::Decimal::ZERO),
            (Some(Owner::Bridge), Some(None)) => Err("it was empty before; clear it by hand"),
            (Some(Owner::Bridge), None) => Err("nobody had read it before this receipt"),
            (Some(Owner::Other(_)) | None, _) => Err("the measure is not ours"),
        };
        match value {
            Ok(value) => {
                next_revision(conn, &mut books, group.scope, &mut cell, value, zero)?;
                cell.why = Why::Undo;
                cell.made_at = codec::micros(now);
                cell.save(conn)?;
                pin(conn, request, &cell, key, now)?;
                done.cells += 1;
            }
            Err(reason) => done.leave(key, reason),
        }
    }
    books.flush(conn)?;
    Ok(done)
}

fn pin(
    conn: &Connection,
    request: &UndoRequest,
    cell: &Cell,
    key: CellKey,
    now: Timestamp,
) -> Result<()> {
    let lock = Lock {
        key,
        kind: LockKind::Pin,
        owner: request.who.clone(),
        reason: format!("undo of {}: {}", request.receipt, request.why),
        since: now,
        until: request.until,
    };
    locks::put(conn, cell.grp, cell.measure, &lock)
}

fn parts(conn: &Connection, request: &UndoRequest) -> Result<Vec<Part>> {
    let query = "SELECT c.attempt, c.grp, c.measure, c.rev, c.carried, c.before_known, c.before
         FROM attempt a JOIN attempt_cell c ON c.attempt = a.id JOIN scope s ON s.id = a.scope
         WHERE (a.handle = ?1 OR a.hex = ?1) AND s.target = ?2 AND a.closed_at IS NOT NULL
         AND a.end <> 'not_taken'
         ORDER BY c.attempt, c.place";
    let mut statement = conn.prepare(query)?;
    let mut rows = statement.query(params![request.receipt, request.target])?;
    let mut parts = Vec::new();
    while let Some(row) = rows.next()? {
        let before: Option<String> = row.get(6)?;
        let before = before.as_deref().map(codec::decimal).transpose()?;
        let known: bool = row.get(5)?;
        parts.push(Part {
            attempt: row.get(0)?,
            grp: row.get(1)?,
            measure: row.get(2)?,
            rev: row.get(3)?,
            carried: row.get(4)?,
            before: known.then_some(before),
        });
    }
    Ok(parts)
}
