//! Rows that are kept beside the cells: bindings, pauses, rates, breakers, cycles.

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;
use planthread_kit::{KeptRate, Operation, breaker::Kept};
use rusqlite::params;

use super::{
    codec, codes,
    db::{Db, Sql, Tx},
};
use crate::{error::Result, ledger::TakenIn};

impl Db {
    /// What a scope's ledger was last landed in.
    pub(crate) fn binding(&self, scope: i64) -> Result<BTreeMap<String, String>> {
        let sql = Sql::seeks("SELECT what, held FROM binding WHERE scope = ?1");
        self.all(sql, [scope], |row| Ok((row.get(0)?, row.get(1)?)))
    }

    /// Until when each tenant asked us to wait.
    pub(crate) fn pauses(&self) -> Result<BTreeMap<String, Timestamp>> {
        let sql = Sql::walks(
            "SELECT tenant, until FROM pause",
            "the list that was asked for: as long as the configuration",
        );
        self.all(sql, [], |row| Ok((row.get(0)?, codec::at(row, 1)?)))
    }

    /// The rates that tenants taught.
    pub(crate) fn rates(&self) -> Result<BTreeMap<String, KeptRate>> {
        let sql = Sql::walks(
            "SELECT tenant, every_ns, growth_ppm, at FROM rate",
            "the list that was asked for: as long as the configuration",
        );
        self.all(sql, [], |row| {
            let (every, at) = (Duration::from_nanos(row.get(1)?), codec::at(row, 3)?);
            Ok((row.get(0)?, KeptRate { every, growth_ppm: row.get(2)?, at }))
        })
    }

    /// How breakers were kept, by target and operation.
    pub(crate) fn breakers(&self) -> Result<BTreeMap<(String, Operation), Kept>> {
        let sql = Sql::walks(
            "SELECT target, operation, failures, open_until FROM breaker",
            "the list that was asked for: as long as the configuration",
        );
        self.all(sql, [], |row| {
            let operation: String = row.get(1)?;
            let kept = Kept { failures: row.get(2)?, open_until: codec::maybe_at(row, 3)? };
            Ok(((row.get(0)?, codes::operation(&operation)?), kept))
        })
    }

    /// The last `most` cycles, the newest first.
    pub(crate) fn taken_in(&self, most: u64) -> Result<Vec<TakenIn>> {
        let sql = Sql::walks(
            "SELECT counter, target, as_of, at, cells, made FROM cycle
             ORDER BY counter DESC LIMIT ?1",
            "as many rows as were asked for, from the end of the tree",
        );
        self.all(sql, [most], |row| {
            Ok(TakenIn {
                counter: row.get(0)?,
                target: row.get(1)?,
                as_of: codec::at(row, 2)?,
                at: codec::at(row, 3)?,
                cells: row.get(4)?,
                made: row.get(5)?,
            })
        })
    }
}

impl Tx<'_> {
    /// Notes what a scope's ledger is landed in.
    pub(crate) fn put_binding(&self, scope: i64, what: &str, held: &str) -> Result<()> {
        let sql = Sql::seeks(
            "INSERT INTO binding VALUES (?1, ?2, ?3)
             ON CONFLICT (scope, what) DO UPDATE SET held = excluded.held",
        );
        self.run(sql, params![scope, what, held])?;
        Ok(())
    }

    /// Keeps a pause; an older one of the tenant is replaced.
    pub(crate) fn put_pause(&self, tenant: &str, until: Timestamp) -> Result<()> {
        let sql = Sql::seeks(
            "INSERT INTO pause VALUES (?1, ?2)
             ON CONFLICT (tenant) DO UPDATE SET until = excluded.until",
        );
        self.run(sql, params![tenant, codec::micros(until)])?;
        Ok(())
    }

    /// Keeps the rate of a tenant; none takes away what was kept.
    pub(crate) fn put_rate(&self, tenant: &str, rate: Option<&KeptRate>) -> Result<()> {
        let Some(KeptRate { every, growth_ppm, at }) = rate else {
            self.run(Sql::seeks("DELETE FROM rate WHERE tenant = ?1"), [tenant])?;
            return Ok(());
        };
        let every = i64::try_from(every.as_nanos()).unwrap_or(i64::MAX);
        let sql = Sql::seeks("INSERT OR REPLACE INTO rate VALUES (?1, ?2, ?3, ?4)");
        self.run(sql, params![tenant, every, growth_ppm, codec::micros(*at)])?;
        Ok(())
    }

    /// Keeps a breaker; how it stood before is replaced.
    pub(crate) fn put_breaker(&self, target: &str, operation: Operation, kept: Kept) -> Result<()> {
        let sql = Sql::seeks(
            "INSERT INTO breaker VALUES (?1, ?2, ?3, ?4) ON CONFLICT (target, operation)
             DO UPDATE SET failures = excluded.failures, open_until = excluded.open_until",
        );
        let (word, until) = (codes::operation_word(operation), kept.open_until.map(codec::micros));
        self.run(sql, params![target, word, kept.failures, until])?;
        Ok(())
    }

    /// Forgets the pauses that have passed.
    pub(crate) fn delete_pauses(&self, now: Timestamp) -> Result<()> {
        let sql = Sql::walks("DELETE FROM pause WHERE until <= ?1", "as long as the configuration");
        self.run(sql, [codec::micros(now)])?;
        Ok(())
    }

    /// Notes that truth was taken in.
    pub(crate) fn insert_taken_in(&self, cycle: &TakenIn) -> Result<()> {
        let sql = Sql::seeks("INSERT INTO cycle VALUES (?1, ?2, ?3, ?4, ?5, ?6)");
        let (as_of, at) = (codec::micros(cycle.as_of), codec::micros(cycle.at));
        let row = params![cycle.counter, cycle.target, as_of, at, cycle.cells, cycle.made];
        self.run(sql, row)?;
        Ok(())
    }
}
