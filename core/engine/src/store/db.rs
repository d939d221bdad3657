//! The one door to SQL: statements are literals, reads hand out typed rows.
//!
//! A statement is written as [`Sql::seeks`] or [`Sql::walks`] with its text in
//! place. The test `plans` finds every one of them in these sources, and asks
//! the SQLite that ships how it would run it.

use std::{ops::Deref, path::Path};

use rusqlite::{Connection, Params, Row};

use crate::{EngineError, error::Result};

/// A statement.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sql(&'static str);

impl Sql {
    /// Every equality term of it is answered by an index: what it costs grows
    /// with the rows under its key.
    pub(super) const fn seeks(text: &'static str) -> Self {
        Self(text)
    }

    /// It looks at more rows than it gives; `_why` says what bounds that.
    pub(super) const fn walks(text: &'static str, _why: &'static str) -> Self {
        Self(text)
    }
}

/// A connection that reads. Each room's operations stand in a file of this
/// folder.
#[derive(Debug)]
pub(crate) struct Db {
    conn: Connection,
    /// Steps of SQLite's machine since they were last asked for.
    #[cfg(test)]
    steps: std::cell::Cell<u64>,
}

impl Db {
    /// Takes a connection that is set up.
    pub(super) const fn new(conn: Connection) -> Self {
        Self {
            conn,
            #[cfg(test)]
            steps: std::cell::Cell::new(0),
        }
    }

    /// Counts what a statement has cost: work without a clock.
    #[cfg(test)]
    fn count(&self, statement: &rusqlite::Statement<'_>) {
        let steps = statement.reset_status(rusqlite::StatementStatus::VmStep);
        self.steps.set(self.steps.get() + u64::try_from(steps).unwrap_or_default());
    }

    #[cfg(not(test))]
    #[expect(clippy::unused_self, reason = "only tests count")]
    const fn count(&self, _: &rusqlite::Statement<'_>) {}

    /// Steps of SQLite's machine since this was last asked.
    #[cfg(test)]
    pub(crate) fn take_steps(&self) -> u64 {
        self.steps.take()
    }

    /// The same error; damage names the file of this connection.
    pub(super) fn named(&self, error: EngineError) -> EngineError {
        error.of_file(Path::new(self.conn.path().unwrap_or_default()))
    }

    /// Runs `work` on one snapshot: what a writer commits meanwhile is not seen.
    pub(super) fn snapshot<T>(&self, work: impl FnOnce(&Self) -> Result<T>) -> Result<T> {
        let transaction = self.conn.unchecked_transaction().map_err(|e| self.named(e.into()))?;
        let result = work(self)?;
        transaction.finish()?;
        Ok(result)
    }

    /// Gives each row to `each`.
    pub(super) fn each(
        &self,
        sql: Sql,
        params: impl Params,
        mut each: impl FnMut(&Row<'_>) -> Result<()>,
    ) -> Result<()> {
        let run = || {
            let mut statement = self.conn.prepare_cached(sql.0)?;
            let mut rows = statement.query(params)?;
            while let Some(row) = rows.next()? {
                each(row)?;
            }
            drop(rows);
            self.count(&statement);
            Ok(())
        };
        run().map_err(|error| self.named(error))
    }

    /// All rows.
    pub(super) fn all<T, C: Default + Extend<T>>(
        &self,
        sql: Sql,
        params: impl Params,
        mut read: impl FnMut(&Row<'_>) -> Result<T>,
    ) -> Result<C> {
        let mut all = C::default();
        self.each(sql, params, |row| {
            all.extend([read(row)?]);
            Ok(())
        })?;
        Ok(all)
    }

    /// The first row, when there is one.
    pub(super) fn find<T>(
        &self,
        sql: Sql,
        params: impl Params,
        read: impl FnOnce(&Row<'_>) -> Result<T>,
    ) -> Result<Option<T>> {
        let run = || {
            let mut statement = self.conn.prepare_cached(sql.0)?;
            let mut rows = statement.query(params)?;
            let found = rows.next()?.map(read).transpose()?;
            drop(rows);
            self.count(&statement);
            Ok(found)
        };
        run().map_err(|error| self.named(error))
    }

    /// The one row of a statement that always has one.
    pub(super) fn one<T>(
        &self,
        sql: Sql,
        params: impl Params,
        read: impl FnOnce(&Row<'_>) -> Result<T>,
    ) -> Result<T> {
        self.find(sql, params, read)?.ok_or_else(|| rusqlite::Error::QueryReturnedNoRows.into())
    }

    /// The one number of a statement that always has one.
    pub(super) fn number<T: rusqlite::types::FromSql>(
        &self,
        sql: Sql,
        params: impl Params,
    ) -> Result<T> {
        self.one(sql, params, |row| Ok(row.get(0)?))
    }

    /// The connection itself, for the writer's transactions and for tests.
    pub(super) const fn conn(&self) -> &Connection {
        &self.conn
    }
}

/// A connection inside a transaction of the writer: it reads and writes.
#[derive(Debug)]
pub(crate) struct Tx<'a>(&'a Db);

impl<'a> Tx<'a> {
    /// Only the writer makes one, around an open transaction.
    pub(super) const fn new(db: &'a Db) -> Self {
        Self(db)
    }

    /// Runs a statement that changes rows; how many it changed.
    pub(super) fn run(&self, sql: Sql, params: impl Params) -> Result<usize> {
        let run = || {
            let mut statement = self.conn().prepare_cached(sql.0)?;
            let changed = statement.execute(params)?;
            self.count(&statement);
            Ok(changed)
        };
        run().map_err(|error| self.named(error))
    }

    /// Runs an insert; the number of the new row.
    pub(super) fn insert(&self, sql: Sql, params: impl Params) -> Result<i64> {
        let run = || {
            let mut statement = self.conn().prepare_cached(sql.0)?;
            let number = statement.insert(params)?;
            self.count(&statement);
            Ok(number)
        };
        run().map_err(|error| self.named(error))
    }
}

impl Deref for Tx<'_> {
    type Target = Db;

    fn deref(&self) -> &Db {
        self.0
    }
}
