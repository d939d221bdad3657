//! The books of one job: every step of a revision, added up before the commit.

use std::collections::BTreeMap;

use planthread_contracts::RevisionState;
use rusqlite::{Connection, params};

use super::states;
use crate::{error::Result, store::codec};

/// Collects the steps of one job and writes their sums once.
///
/// Each step goes through the transition table. Whoever changes a state
/// without these books breaks the sum that the writer checks at every commit.
#[derive(Debug, Default)]
pub(crate) struct Books {
    tally: BTreeMap<(i64, i64), i64>,
    made: i64,
}

impl Books {
    /// A new revision begins in `to`.
    pub(crate) fn make(&mut self, scope: i64, to: RevisionState) -> Result<()> {
        states::check(None, to)?;
        self.made += 1;
        *self.tally.entry((scope, codec::state_code(to))).or_default() += 1;
        Ok(())
    }

    /// A revision goes from `from` to `to`.
    pub(crate) fn step(
        &mut self,
        scope: i64,
        from: RevisionState,
        to: RevisionState,
    ) -> Result<()> {
        states::check(Some(from), to)?;
        *self.tally.entry((scope, codec::state_code(from))).or_default() -= 1;
        *self.tally.entry((scope, codec::state_code(to))).or_default() += 1;
        Ok(())
    }

    /// Writes the sums, moves the ledger's counter on, and returns it.
    pub(crate) fn flush(self, conn: &Connection) -> Result<u64> {
        let add = "INSERT INTO tally VALUES (?1, ?2, ?3)
             ON CONFLICT (scope, state) DO UPDATE SET n = n + excluded.n";
        let mut add = conn.prepare_cached(add)?;
        for ((scope, state), n) in self.tally {
            if n != 0 {
                add.execute(params![scope, state, n])?;
            }
        }
        let made = "UPDATE counter SET value = value + ?1 WHERE name = 'revisions'";
        conn.prepare_cached(made)?.execute([self.made])?;
        let next = "UPDATE counter SET value = value + 1 WHERE name = 'ledger' RETURNING value";
        Ok(conn.prepare_cached(next)?.query_row([], |row| row.get(0))?)
    }
}

/// The ledger's counter: the order of everything that changed in it.
pub(crate) fn counter(conn: &Connection) -> Result<u64> {
    let query = "SELECT value FROM counter WHERE name = 'ledger'";
    Ok(conn.prepare_cached(query)?.query_row([], |row| row.get(0))?)
}
