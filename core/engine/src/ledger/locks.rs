//! Locks: cells that a person has taken into their own hands, for a time.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use planthread_contracts::CellKey;
use rusqlite::{Connection, OptionalExtension as _, params};
use serde::{Deserialize, Serialize};

use super::names::{self, GROUP_COLUMNS, GROUP_TABLES};
use crate::{EngineError, Reader, State, error::Result, store::codec};

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
    state.write(move |conn| {
        let (grp, measure) = names::find_cell(conn, &lock.key)?
            .ok_or_else(|| EngineError::UnknownCell(Box::new(lock.key.clone())))?;
        put(conn, grp, measure, &lock)
    })
}

/// Writes a lock.
pub(crate) fn put(conn: &Connection, grp: i64, measure: i64, lock: &Lock) -> Result<()> {
    let query = "INSERT OR REPLACE INTO cell_lock VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    conn.prepare_cached(query)?.execute(params![
        grp,
        measure,
        codec::lock_word(lock.kind),
        lock.owner,
        lock.reason,
        codec::micros(lock.since),
        codec::micros(lock.until),
    ])?;
    Ok(())
}

/// Removes a cell's lock; whether there was one.
///
/// # Errors
/// When the ledger does not know the cell.
pub fn unlock(state: &State, key: CellKey) -> Result<bool> {
    state.write(move |conn| {
        let (grp, measure) = names::find_cell(conn, &key)?
            .ok_or_else(|| EngineError::UnknownCell(Box::new(key.clone())))?;
        let query = "DELETE FROM cell_lock WHERE grp = ?1 AND measure = ?2";
        Ok(conn.execute(query, [grp, measure])? > 0)
    })
}

/// Every lock that has not ended by `now`.
///
/// # Errors
/// When the state can't be read.
pub fn locks(reader: &Reader, now: Timestamp) -> Result<Vec<Lock>> {
    let query = format!(
        "SELECT {GROUP_COLUMNS}, m.name, l.kind, l.owner, l.reason, l.since, l.until
         FROM {GROUP_TABLES} JOIN cell_lock l ON l.grp = g.id JOIN measure m ON m.id = l.measure
         WHERE l.until > ?1 ORDER BY g.id, m.name"
    );
    let mut statement = reader.conn().prepare_cached(&query)?;
    let mut rows = statement.query([codec::micros(now)])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        let measure: String = row.get(8)?;
        let kind: String = row.get(9)?;
        all.push(Lock {
            key: names::group_from(row)?.cell(&measure),
            kind: codec::lock_kind(&kind)?,
            owner: row.get(10)?,
            reason: row.get(11)?,
            since: codec::timestamp(row.get(12)?)?,
            until: codec::timestamp(row.get(13)?)?,
        });
    }
    Ok(all)
}

/// Who keeps a cell from being sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Hold {
    pub(crate) owner: String,
    pub(crate) reason: String,
    pub(crate) until: Timestamp,
}

/// All locks that keep cells from being sent at `now`, by cell.
pub(crate) fn sending(conn: &Connection, now: Timestamp) -> Result<HashMap<(i64, i64), Hold>> {
    let query = "SELECT grp, measure, owner, reason, until FROM cell_lock
         WHERE kind = 'send' AND until > ?1";
    let mut statement = conn.prepare_cached(query)?;
    let mut rows = statement.query([codec::micros(now)])?;
    let mut all = HashMap::new();
    while let Some(row) = rows.next()? {
        let hold =
            Hold { owner: row.get(2)?, reason: row.get(3)?, until: codec::timestamp(row.get(4)?)? };
        all.insert((row.get(0)?, row.get(1)?), hold);
    }
    Ok(all)
}

/// All cells whose wanted value is pinned at `now`.
pub(crate) fn pinned(conn: &Connection, now: Timestamp) -> Result<HashSet<(i64, i64)>> {
    let query = "SELECT grp, measure FROM cell_lock WHERE kind = 'pin' AND until > ?1";
    let mut statement = conn.prepare_cached(query)?;
    let rows = statement.query_map([codec::micros(now)], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// The lock of one cell, of either kind.
pub(crate) fn of_cell(
    conn: &Connection,
    grp: i64,
    measure: i64,
) -> Result<Option<(LockKind, Hold)>> {
    let query = "SELECT kind, owner, reason, until FROM cell_lock WHERE grp = ?1 AND measure = ?2";
    let found = conn
        .prepare_cached(query)?
        .query_row([grp, measure], |row| {
            let kind: String = row.get(0)?;
            Ok((kind, row.get::<_, String>(1)?, row.get::<_, String>(2)?, row.get::<_, i64>(3)?))
        })
        .optional()?;
    let Some((kind, owner, reason, until)) = found else { return Ok(None) };
    let hold = Hold { owner, reason, until: codec::timestamp(until)? };
    Ok(Some((codec::lock_kind(&kind)?, hold)))
}
