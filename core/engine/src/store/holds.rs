//! Rows of what people hold: locks of cells, and cases that ask about many.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use rusqlite::{Row, params};

use super::{
    codec, codes,
    db::{Db, Sql, Tx},
    names::{self, CellId},
};
use crate::{
    error::Result,
    ledger::{Case, CaseKind, Lock, LockKind},
};

/// Who holds a cell, why, and until when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Hold {
    pub(crate) owner: String,
    pub(crate) reason: String,
    pub(crate) since: Timestamp,
    pub(crate) until: Timestamp,
}

/// What a sweep found, before it has a number.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    pub(crate) kind: CaseKind,
    pub(crate) owner: String,
    pub(crate) text: String,
    pub(crate) example: String,
    pub(crate) cells: u64,
}

impl Db {
    /// Every lock that has not ended by `now`.
    pub(crate) fn locks(&self, now: Timestamp) -> Result<Vec<Lock>> {
        let sql = Sql::walks(
            "SELECT g.id, g.scope, s.target, s.name, p.resource, p.location, p.product, g.period,
                m.name, l.kind, l.owner, l.reason, l.since, l.until
             FROM cell_lock l JOIN cell_group g ON g.id = l.grp JOIN scope s ON s.id = g.scope
             JOIN place p ON p.id = g.place JOIN measure m ON m.id = l.measure
             WHERE l.until > ?1 ORDER BY l.grp, m.name",
            "the list that was asked for: locks are made by people, one at a time",
        );
        self.all(sql, [codec::micros(now)], |row| {
            let measure: String = row.get(8)?;
            Ok(Lock {
                key: names::group(row, 0)?.cell(&measure),
                kind: codes::lock_kind(&row.get::<_, String>(9)?)?,
                owner: row.get(10)?,
                reason: row.get(11)?,
                since: codec::at(row, 12)?,
                until: codec::at(row, 13)?,
            })
        })
    }

    /// All locks that keep cells from being sent at `now`, by cell.
    pub(crate) fn sending_locks(&self, now: Timestamp) -> Result<HashMap<CellId, Hold>> {
        let sql = Sql::walks(
            "SELECT grp, measure, owner, reason, since, until FROM cell_lock
             WHERE kind = 'send' AND until > ?1",
            "locks are made by people, one at a time",
        );
        self.all(sql, [codec::micros(now)], |row| Ok((cell_id(row)?, hold(row, 2)?)))
    }

    /// All cells whose wanted value is pinned at `now`.
    pub(crate) fn pinned(&self, now: Timestamp) -> Result<HashSet<CellId>> {
        let sql = Sql::walks(
            "SELECT grp, measure FROM cell_lock WHERE kind = 'pin' AND until > ?1",
            "locks are made by people, one at a time",
        );
        self.all(sql, [codec::micros(now)], cell_id)
    }

    /// The lock of one cell, of either kind.
    pub(crate) fn lock_of(&self, id: CellId) -> Result<Option<(LockKind, Hold)>> {
        let sql = Sql::seeks(
            "SELECT kind, owner, reason, since, until FROM cell_lock
             WHERE grp = ?1 AND measure = ?2",
        );
        self.find(sql, [id.grp, id.measure], |row| {
            Ok((codes::lock_kind(&row.get::<_, String>(0)?)?, hold(row, 1)?))
        })
    }

    /// How many locks of a scope have not ended.
    pub(crate) fn lock_count(&self, scope: i64, now: Timestamp) -> Result<u64> {
        let sql = Sql::walks(
            "SELECT COUNT(*) FROM cell_lock l JOIN cell_group g ON g.id = l.grp
             WHERE g.scope = ?1 AND l.until > ?2",
            "locks are made by people, one at a time",
        );
        self.number(sql, params![scope, codec::micros(now)])
    }

    /// The cells of a scope that people have taken, by owner: how many, and until when.
    pub(crate) fn taken(
        &self,
        scope: i64,
        now: Timestamp,
    ) -> Result<Vec<(String, u64, Timestamp)>> {
        let sql = Sql::walks(
            "SELECT l.owner, COUNT(*), MAX(l.until) FROM cell_lock l
             JOIN cell_group g ON g.id = l.grp
             WHERE g.scope = ?1 AND l.until > ?2 AND l.kind = 'send' GROUP BY l.owner",
            "locks are made by people, one at a time",
        );
        self.all(sql, params![scope, codec::micros(now)], |row| {
            Ok((row.get(0)?, row.get(1)?, codec::at(row, 2)?))
        })
    }

    /// Every case, the open ones first, then by number.
    pub(crate) fn cases(&self) -> Result<Vec<Case>> {
        let sql = Sql::walks(
            "SELECT c.id, s.target, s.name, c.kind, c.owner, c.text, c.example, c.cells,
                c.opened_at, c.last_at, c.closed_at, c.closed_by
             FROM case_file c JOIN scope s ON s.id = c.scope
             ORDER BY c.closed_at IS NOT NULL, c.id",
            "the list that was asked for: one case a kind and scope is open",
        );
        self.all(sql, [], case)
    }

    /// The cases that are open, by number.
    pub(crate) fn open_cases(&self) -> Result<Vec<Case>> {
        let sql = Sql::walks(
            "SELECT c.id, s.target, s.name, c.kind, c.owner, c.text, c.example, c.cells,
                c.opened_at, c.last_at, c.closed_at, c.closed_by
             FROM scope s CROSS JOIN case_file c INDEXED BY case_open
             ON c.scope = s.id AND c.closed_at IS NULL ORDER BY c.id",
            "the scopes, and by the index of each its open cases: one for each kind, owner and scope",
        );
        self.all(sql, [], case)
    }

    /// Numbers of the open cases that hold their cells.
    pub(crate) fn holding_cases(&self) -> Result<HashSet<i64>> {
        let sql = Sql::walks(
            "SELECT id FROM case_file INDEXED BY case_open WHERE closed_at IS NULL AND holds",
            "the open cases: one for each kind, owner and scope",
        );
        self.all(sql, [], |row| Ok(row.get::<_, i64>(0)?))
    }

    /// The example of the open case of this kind in a scope.
    pub(crate) fn open_case(&self, scope: i64, kind: CaseKind) -> Result<Option<String>> {
        let sql = Sql::seeks(
            "SELECT example FROM case_file WHERE scope = ?1 AND kind = ?2 AND closed_at IS NULL",
        );
        self.find(sql, params![scope, codes::case_word(kind)], |row| Ok(row.get(0)?))
    }

    /// Whether the case is open and of this kind.
    pub(crate) fn is_open_case(&self, id: i64, kind: CaseKind) -> Result<bool> {
        let sql = Sql::seeks("SELECT kind FROM case_file WHERE id = ?1 AND closed_at IS NULL");
        let found: Option<String> = self.find(sql, [id], |row| Ok(row.get(0)?))?;
        Ok(found.as_deref() == Some(codes::case_word(kind)))
    }

    /// How many cases of a scope are open.
    pub(crate) fn case_count(&self, scope: i64) -> Result<u64> {
        let sql =
            Sql::seeks("SELECT COUNT(*) FROM case_file WHERE scope = ?1 AND closed_at IS NULL");
        self.number(sql, [scope])
    }
}

impl Tx<'_> {
    /// Locks a cell; an older lock of it is replaced.
    pub(crate) fn put_lock(&self, id: CellId, lock: &Lock) -> Result<()> {
        let sql =
            Sql::seeks("INSERT OR REPLACE INTO cell_lock VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)");
        let kind = codes::lock_word(lock.kind);
        let (since, until) = (codec::micros(lock.since), codec::micros(lock.until));
        let row = params![id.grp, id.measure, kind, lock.owner, lock.reason, since, until];
        self.run(sql, row)?;
        Ok(())
    }

    /// Removes a cell's lock; whether there was one.
    pub(crate) fn delete_lock(&self, id: CellId) -> Result<bool> {
        let sql = Sql::seeks("DELETE FROM cell_lock WHERE grp = ?1 AND measure = ?2");
        Ok(self.run(sql, [id.grp, id.measure])? > 0)
    }

    /// Opens a case, or adds to the open one of the same kind, owner and scope.
    pub(crate) fn file_case(&self, scope: i64, found: &Found, now: Timestamp) -> Result<i64> {
        let sql = Sql::seeks(
            "UPDATE case_file SET cells = cells + ?4, last_at = ?5, text = ?6, example = ?7
             WHERE scope = ?1 AND kind = ?2 AND closed_at IS NULL AND owner = ?3 RETURNING id",
        );
        let (kind, at) = (codes::case_word(found.kind), codec::micros(now));
        let Found { owner, text, example, cells, .. } = found;
        let known = params![scope, kind, owner, cells, at, text, example];
        if let Some(id) = self.find(sql, known, |row| Ok(row.get(0)?))? {
            return Ok(id);
        }
        let sql = Sql::seeks(
            "INSERT INTO case_file
             (scope, kind, owner, text, example, cells, holds, opened_at, last_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8)",
        );
        let holds = found.kind.holds();
        self.insert(sql, params![scope, kind, owner, text, example, cells, holds, at])
    }

    /// Closes a case; whether it was open.
    pub(crate) fn close_case(&self, id: i64, by: &str, now: Timestamp) -> Result<bool> {
        let sql = Sql::seeks(
            "UPDATE case_file SET closed_at = ?2, closed_by = ?3
             WHERE id = ?1 AND closed_at IS NULL",
        );
        Ok(self.run(sql, params![id, codec::micros(now), by])? > 0)
    }

    /// Closes all open cases of a kind; how many.
    pub(crate) fn close_cases(&self, kind: CaseKind, by: &str, now: Timestamp) -> Result<usize> {
        let sql = Sql::walks(
            "UPDATE case_file SET closed_at = ?2, closed_by = ?3
             WHERE kind = ?1 AND closed_at IS NULL",
            "the open cases: one for each kind, owner and scope",
        );
        self.run(sql, params![codes::case_word(kind), codec::micros(now), by])
    }
}

fn case(row: &Row<'_>) -> Result<Case> {
    let by: Option<String> = row.get(11)?;
    Ok(Case {
        id: row.get(0)?,
        target: row.get(1)?,
        scope: row.get(2)?,
        kind: codes::case_kind(&row.get::<_, String>(3)?)?,
        owner: row.get(4)?,
        text: row.get(5)?,
        example: row.get(6)?,
        cells: row.get(7)?,
        opened_at: codec::at(row, 8)?,
        last_at: codec::at(row, 9)?,
        closed: codec::maybe_at(row, 10)?.map(|at| (at, by.unwrap_or_default())),
    })
}

fn cell_id(row: &Row<'_>) -> Result<CellId> {
    Ok(CellId { grp: row.get(0)?, measure: row.get(1)? })
}

fn hold(row: &Row<'_>, at: usize) -> Result<Hold> {
    let (owner, reason) = (row.get(at)?, row.get(at + 1)?);
    Ok(Hold { owner, reason, since: codec::at(row, at + 2)?, until: codec::at(row, at + 3)? })
}
