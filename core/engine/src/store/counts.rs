//! Counters and the tally of revisions by state.

use planthread_contracts::RevisionState;
use rusqlite::params;

use super::{
    codes,
    db::{Db, Sql, Tx},
};
use crate::error::Result;

impl Db {
    /// The ledger's counter: the order of everything that changed in it.
    pub(crate) fn counter(&self) -> Result<u64> {
        self.number(Sql::seeks("SELECT value FROM counter WHERE name = 'ledger'"), [])
    }

    /// Revisions that were made, and the sum of the tally.
    pub(crate) fn revisions(&self) -> Result<(i64, i64)> {
        let sql = Sql::walks(
            "SELECT (SELECT value FROM counter WHERE name = 'revisions'),
                (SELECT COALESCE(SUM(n), 0) FROM tally)",
            "nine rows a scope",
        );
        self.one(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))
    }

    /// Revisions of a scope by state.
    pub(crate) fn tally<C: Default + Extend<(RevisionState, u64)>>(&self, scope: i64) -> Result<C> {
        let sql = Sql::seeks("SELECT state, n FROM tally WHERE scope = ?1");
        self.all(sql, [scope], |row| Ok((codes::state(row.get(0)?)?, row.get(1)?)))
    }
}

impl Tx<'_> {
    /// Adds to the tally of a scope.
    pub(crate) fn add_tally(&self, scope: i64, state: RevisionState, n: i64) -> Result<()> {
        let sql = Sql::seeks(
            "INSERT INTO tally VALUES (?1, ?2, ?3)
             ON CONFLICT (scope, state) DO UPDATE SET n = n + excluded.n",
        );
        self.run(sql, params![scope, codes::state_code(state), n])?;
        Ok(())
    }

    /// Counts revisions that were made, moves the ledger's counter on, and
    /// returns it.
    pub(crate) fn advance(&self, made: i64) -> Result<u64> {
        let sql = Sql::seeks("UPDATE counter SET value = value + ?1 WHERE name = 'revisions'");
        self.run(sql, [made])?;
        let sql = Sql::seeks(
            "UPDATE counter SET value = value + 1 WHERE name = 'ledger' RETURNING value",
        );
        self.number(sql, [])
    }
}
