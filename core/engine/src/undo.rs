//! Undo: what was seen before a receipt becomes wanted again.
//!
//! An undo is no write of its own: it gives the cells of the receipt new
//! revisions with their earlier values and pins them, so that new truth does
//! not replace them until the pin ends. The ordinary plan then carries it
//! ([`crate::plan::PlanRequest::only`] with [`Why::Undo`] plans nothing else).

use std::collections::BTreeMap;

use jiff::Timestamp;
use planthread_contracts::{CellKey, MeasureDecl, Owner};
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    EngineError, State,
    error::Result,
    ledger::{Lock, LockKind, Why, revision_tally::RevisionTally, rows::same},
    store::Tx,
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
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
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
    state.change(move |tx| run(tx, &request, now))
}

fn run(tx: &Tx<'_>, request: &UndoRequest, now: Timestamp) -> Result<Undone> {
    let parts = tx.parts_of_receipt(&request.target, &request.receipt)?;
    if parts.is_empty() {
        return Err(EngineError::Refused(format!(
            "no attempt of target `{}` that may have taken effect has the receipt or id `{}`; \
             `trace` names them",
            request.target, request.receipt
        )));
    }
    let measures = tx.measures()?;
    let mut tally = RevisionTally::default();
    let mut done = Undone::default();
    for part in parts {
        let name = measures.get(&part.id.measure).cloned().unwrap_or_default();
        let group = tx.group(part.id.grp)?;
        let key = group.cell(&name);
        let decl = request.measures.iter().find(|decl| decl.name == name);
        let zero = decl.is_some_and(|decl| decl.absent_is_zero);
        let Some(mut cell) = tx.cell(part.id)? else { continue };
        if part.carried || part.before.is_some_and(|before| same(cell.value, before, zero)) {
            done.unchanged += 1;
            continue;
        }
        if cell.last_attempt != part.attempt || cell.rev != part.rev || cell.open_attempt != 0 {
            done.moved += 1;
            continue;
        }
        if let Some((LockKind::Send, hold)) = tx.lock_of(part.id)?
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
                cell.next_revision(tx, &mut tally, group.scope, value, zero)?;
                cell.why = Why::Undo;
                cell.made_at = now;
                tx.put_cell(&cell)?;
                tx.put_lock(part.id, &pin(request, key, now))?;
                done.cells += 1;
            }
            Err(reason) => done.leave(key, reason),
        }
    }
    tally.flush(tx)?;
    Ok(done)
}

/// New truth does not replace the value until the pin ends.
fn pin(request: &UndoRequest, key: CellKey, now: Timestamp) -> Lock {
    Lock {
        key,
        kind: LockKind::Pin,
        owner: request.who.clone(),
        reason: format!("undo of {}: {}", request.receipt, request.why),
        since: now,
        until: request.until,
    }
}
