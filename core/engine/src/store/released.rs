//! What was released of each resource and period.

use jiff::civil::Date;
use planthread_contracts::{Period, PeriodKind};
use rusqlite::params;

use super::{
    codec,
    db::{Db, Sql, Tx},
};
use crate::{error::Result, ledger::ReleasedRow};

impl Db {
    /// What is released of one resource in one period.
    pub(crate) fn released(&self, resource: &str, period: Period) -> Result<Option<String>> {
        let sql = Sql::seeks("SELECT told FROM released WHERE period = ?1 AND resource = ?2");
        let period = codec::period_code(period);
        self.find(sql, params![period, resource], |row| Ok(row.get(0)?))
    }
}

impl Tx<'_> {
    /// Keeps what was released; it replaces what was before.
    pub(crate) fn put_released(&self, one: &ReleasedRow) -> Result<()> {
        let sql = Sql::seeks("INSERT OR REPLACE INTO released VALUES (?1, ?2, ?3)");
        let period = codec::period_code(one.period);
        self.run(sql, params![period, one.resource.as_str(), one.told])?;
        Ok(())
    }

    /// Forgets what was released of periods that begin before `day`.
    pub(crate) fn delete_released(&self, day: Date) -> Result<()> {
        let first = Period::containing(PeriodKind::Day, day);
        let sql = Sql::seeks("DELETE FROM released WHERE period < ?1");
        self.run(sql, [codec::period_code(first)])?;
        Ok(())
    }
}
