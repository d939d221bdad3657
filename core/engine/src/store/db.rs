//! The one door to SQL: statements are literals, reads hand out typed rows.
//!
//! A statement is written as [`Sql::seeks`] or [`Sql::walks`] with its text in
//! place. The test `plans` finds every one of them in these sources, and asks
//! the SQLite that ships how it would run it.

use std::{ops::Deref, path::Path};

use rusqlite::{CachedStatement, Connection, Params, Row, Rows};

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

/// Whether a walk through rows goes on.
enum Next {
    Row,
    Enough,
}

/// What is done with each row, without its type: a walk is compiled once, not once for
/// each of the hundreds of places that read.
type Each<'a> = dyn FnMut(&Row<'_>) -> Result<Next> + 'a;

fn walk(rows: rusqlite::Result<Rows<'_>>, each: &mut Each<'_>) -> Result<()> {
    let mut rows = rows?;
    while let Some(row) = rows.next()? {
        if matches!(each(row)?, Next::Enough) {
            break;
        }
    }
    Ok(())
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

    /// The statement, prepared once for each connection.
    fn prepared(&self, sql: Sql) -> Result<CachedStatement<'_>> {
        self.conn.prepare_cached(sql.0).map_err(|error| self.named(error.into()))
    }

    /// Ends a statement: counts what it cost, and names the file in its error.
    fn ended<T>(&self, statement: &CachedStatement<'_>, done: Result<T>) -> Result<T> {
        self.count(statement);
        done.map_err(|error| self.named(error))
    }

    /// Gives each row to `each`.
    pub(super) fn each(
        &self,
        sql: Sql,
        params: impl Params,
        mut each: impl FnMut(&Row<'_>) -> Result<()>,
    ) -> Result<()> {
        self.walk(sql, params, &mut |row| each(row).map(|()| Next::Row))
    }

    /// Gives rows to `each` until it asks for no more.
    fn walk(&self, sql: Sql, params: impl Params, each: &mut Each<'_>) -> Result<()> {
        let mut statement = self.prepared(sql)?;
        let done = walk(statement.query(params), each);
        self.ended(&statement, done)
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
        mut read: impl FnMut(&Row<'_>) -> Result<T>,
    ) -> Result<Option<T>> {
        let mut found = None;
        self.walk(sql, params, &mut |row| {
            found = Some(read(row)?);
            Ok(Next::Enough)
        })?;
        Ok(found)
    }

    /// The one row of a statement that always has one.
    pub(super) fn one<T>(
        &self,
        sql: Sql,
        params: impl Params,
        read: impl FnMut(&Row<'_>) -> Result<T>,
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
        let mut statement = self.prepared(sql)?;
        let done = statement.execute(params).map_err(EngineError::from);
        self.ended(&statement, done)
    }

    /// Runs an insert; the number of the new row.
    pub(super) fn insert(&self, sql: Sql, params: impl Params) -> Result<i64> {
        let mut statement = self.prepared(sql)?;
        let done = statement.insert(params).map_err(EngineError::from);
        self.ended(&statement, done)
    }
}

impl Deref for Tx<'_> {
    type Target = Db;

    fn deref(&self) -> &Db {
        self.0
    }
}
