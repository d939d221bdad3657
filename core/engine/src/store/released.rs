//! What was released of each resource and period, and how it moved.

use jiff::civil::Date;
use planthread_contracts::{Period, PeriodKind};
use rusqlite::params;

use super::{
    codec,
    db::{Db, Sql, Tx},
};
use crate::{
    error::Result,
    ledger::{MovedRow, ReleasedRow},
};

/// Moves that are kept of one resource and period, the newest.
const MOVES: i64 = 64;

impl Db {
    /// What is released of one resource in one period.
    pub(crate) fn released(&self, resource: &str, period: Period) -> Result<Option<String>> {
        let sql = Sql::seeks("SELECT told FROM released WHERE period = ?1 AND resource = ?2");
        let period = codec::period_code(period);
        self.find(sql, params![period, resource], |row| Ok(row.get(0)?))
    }

    /// How what was released of one resource in one period moved, the oldest first.
    pub(crate) fn moved(&self, resource: &str, period: Period) -> Result<Vec<MovedRow>> {
        let sql = Sql::seeks(
            "SELECT counter, told FROM moved WHERE period = ?1 AND resource = ?2 ORDER BY nth",
        );
        self.all(sql, params![codec::period_code(period), resource], |row| {
            Ok(MovedRow { counter: row.get(0)?, told: row.get(1)? })
        })
    }
}

impl Tx<'_> {
    /// Keeps what was released; it replaces what was before.
    pub(crate) fn put_released(&self, one: &ReleasedRow) -> Result<()> {
        let sql = Sql::seeks("INSERT OR REPLACE INTO released VALUES (?1, ?2, ?3)");
        let period = codec::period_code(one.period);
        self.run(sql, params![period, one.resource.as_str(), one.told])?;
        match &one.moved {
            Some(told) => self.put_moved(period, &one.resource, told),
            None => Ok(()),
        }
    }

    /// Keeps how it moved, and forgets the oldest moves beyond so many.
    fn put_moved(&self, period: i64, resource: &str, told: &str) -> Result<()> {
        let last = Sql::seeks(
            "SELECT COALESCE(MAX(nth), 0) FROM moved WHERE period = ?1 AND resource = ?2",
        );
        let nth: i64 = self.number(last, params![period, resource])?;
        let sql = Sql::seeks("INSERT INTO moved VALUES (?1, ?2, ?3, ?4, ?5)");
        self.run(sql, params![period, resource, nth + 1, self.counter()?, told])?;
        let sql = Sql::seeks("DELETE FROM moved WHERE period = ?1 AND resource = ?2 AND nth <= ?3");
        self.run(sql, params![period, resource, nth + 1 - MOVES])?;
        Ok(())
    }

    /// Forgets what was released of periods that begin before `day`.
    pub(crate) fn delete_released(&self, day: Date) -> Result<()> {
        let first = Period::containing(PeriodKind::Day, day);
        let first = codec::period_code(first);
        self.run(Sql::seeks("DELETE FROM released WHERE period < ?1"), [first])?;
        self.run(Sql::seeks("DELETE FROM moved WHERE period < ?1"), [first])?;
        Ok(())
    }
}
