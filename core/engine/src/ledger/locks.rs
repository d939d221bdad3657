//! Locks: cells that a person has taken into their own hands, for a time.

use jiff::Timestamp;
use planthread_contracts::CellKey;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::view::Seen;
use crate::{EngineError, Reader, State, error::Result};

/// What a lock keeps from happening.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LockKind {
    /// Nothing is sent to the cell; wanted keeps moving.
    Send,
    /// The wanted value stays (an undo): new truth does not replace it.
    Pin,
}

/// One lock. A cell has at most one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Lock {
    /// The cell.
    pub key: CellKey,
    /// What it keeps from happening.
    pub kind: LockKind,
    /// Who answers for it.
    pub owner: String,
    /// Why.
    pub reason: String,
    /// Since when.
    pub since: Timestamp,
    /// It ends by itself.
    pub until: Timestamp,
}

/// Locks a cell; an older lock of the cell is replaced.
///
/// # Errors
/// When the ledger does not know the cell, or owner or reason is empty.
pub fn lock(state: &State, lock: Lock) -> Result<()> {
    if lock.owner.trim().is_empty() || lock.reason.trim().is_empty() {
        return Err(EngineError::Refused("a lock needs an owner and a reason".into()));
    }
    state.change(move |tx| tx.put_lock(tx.cell_named(&lock.key)?, &lock))
}

/// Removes a cell's lock; whether there was one.
///
/// # Errors
/// When the ledger does not know the cell.
pub fn unlock(state: &State, key: CellKey) -> Result<bool> {
    state.change(move |tx| tx.delete_lock(tx.cell_named(&key)?))
}

/// What a person answers about cells and cases, all of it or nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PersonsAnswers {
    /// Who answers for it.
    pub who: String,
    /// Locks that stay, each as it is from now on.
    pub keep: Vec<Lock>,
    /// Cells that are let go.
    pub let_go: Vec<CellKey>,
    /// Cases that are answered.
    pub close: Vec<i64>,
}

/// Takes what a person answered, in one transaction.
///
/// # Errors
/// When the ledger does not know a cell, or nobody answers for a lock.
pub fn answer(state: &State, answers: PersonsAnswers, now: Timestamp) -> Result<()> {
    let mute = |lock: &Lock| lock.owner.trim().is_empty() || lock.reason.trim().is_empty();
    if answers.who.trim().is_empty() || answers.keep.iter().any(mute) {
        return Err(EngineError::Refused("an answer needs an owner and a reason".into()));
    }
    state.change(move |tx| {
        for lock in &answers.keep {
            tx.put_lock(tx.cell_named(&lock.key)?, lock)?;
        }
        for key in &answers.let_go {
            tx.delete_lock(tx.cell_named(key)?)?;
        }
        for id in &answers.close {
            super::cases::close(tx, *id, &answers.who, now)?;
        }
        Ok(())
    })
}

/// A lock with what stands in its cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockedCell {
    /// The lock.
    pub lock: Lock,
    /// What we would have there.
    pub wanted: Decimal,
    /// What was read back of the cell last.
    pub seen: Option<Seen>,
}

/// Every lock that has not ended by `now`, with what stands in its cell.
///
/// # Errors
/// When the state can't be read.
pub fn locked_cells(reader: &Reader, now: Timestamp) -> Result<Vec<LockedCell>> {
    reader.at_once(|db| {
        let seen = |lock: Lock| {
            let unknown = || EngineError::UnknownCell(Box::new(lock.key.clone()));
            let cell = db.cell(db.cell_named(&lock.key)?)?.ok_or_else(unknown)?;
            Ok(LockedCell { wanted: cell.value, seen: Seen::of(&cell), lock })
        };
        db.locks(now)?.into_iter().map(seen).collect()
    })
}

/// Every lock that has not ended by `now`.
///
/// # Errors
/// When the state can't be read.
pub fn locks(reader: &Reader, now: Timestamp) -> Result<Vec<Lock>> {
    reader.db().locks(now)
}
