//! Rows of outages: when a target was away, and until when.

use jiff::Timestamp;
use rusqlite::{Row, params};

use super::{
    codec,
    db::{Db, Sql, Tx},
};
use crate::{error::Result, fallback::Outage};

impl Db {
    /// The outage of a target that lasts.
    pub(crate) fn outage_now(&self, target: &str) -> Result<Option<Outage>> {
        let sql = Sql::seeks(
            "SELECT target, began, class, said, last, last_class, last_said, reads, tries, waiting,
                pack_of, ended
             FROM outage WHERE target = ?1 AND ended IS NULL",
        );
        self.find(sql, [target], outage)
    }

    /// Whether an outage of a target ended at `since` or later.
    pub(crate) fn outage_ended_since(&self, target: &str, since: Timestamp) -> Result<bool> {
        let sql = Sql::walks(
            "SELECT 1 FROM outage WHERE target = ?1 AND ended >= ?2 LIMIT 1",
            "one row an outage that is over, and only after a person fed the target by hand",
        );
        Ok(self.find(sql, params![target, codec::micros(since)], |_| Ok(()))?.is_some())
    }

    /// Every outage that lasts.
    pub(crate) fn outages_now(&self) -> Result<Vec<Outage>> {
        let sql = Sql::walks(
            "SELECT target, began, class, said, last, last_class, last_said, reads, tries, waiting,
                pack_of, ended
             FROM outage WHERE ended IS NULL ORDER BY target",
            "the list that was asked for: one a target at most",
        );
        self.all(sql, [], outage)
    }

    /// The last `most` outages that are over, the newest first.
    pub(crate) fn past_outages(&self, most: u64) -> Result<Vec<Outage>> {
        let sql = Sql::walks(
            "SELECT target, began, class, said, last, last_class, last_said, reads, tries, waiting,
                pack_of, ended
             FROM outage WHERE ended IS NOT NULL ORDER BY id DESC LIMIT ?1",
            "as many rows as were asked for, and one a target that lasts, from the end of the tree",
        );
        self.all(sql, [most], outage)
    }
}

fn outage(row: &Row<'_>) -> Result<Outage> {
    Ok(Outage {
        target: row.get(0)?,
        began: codec::at(row, 1)?,
        class: row.get(2)?,
        said: row.get(3)?,
        last: codec::at(row, 4)?,
        last_class: row.get(5)?,
        last_said: row.get(6)?,
        reads: row.get(7)?,
        tries: row.get(8)?,
        waiting: row.get(9)?,
        pack_of: codec::maybe_at(row, 10)?,
        ended: codec::maybe_at(row, 11)?,
    })
}

impl Tx<'_> {
    /// Notes a try that failed: the outage begins, or goes on.
    pub(crate) fn put_outage(&self, outage: &Outage) -> Result<()> {
        let sql = Sql::seeks(
            "INSERT INTO outage (target, began, class, said, last, last_class, last_said, reads,
                tries, waiting, pack_of)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
             ON CONFLICT (target) WHERE ended IS NULL DO UPDATE SET last = excluded.last,
                last_class = excluded.last_class, last_said = excluded.last_said,
                reads = excluded.reads, tries = excluded.tries, waiting = excluded.waiting, pack_of = excluded.pack_of",
        );
        let row = params![
            outage.target,
            codec::micros(outage.began),
            outage.class,
            outage.said,
            codec::micros(outage.last),
            outage.last_class,
            outage.last_said,
            outage.reads,
            outage.tries,
            outage.waiting,
            outage.pack_of.map(codec::micros),
        ];
        self.run(sql, row)?;
        Ok(())
    }

    /// Notes that a target is back.
    pub(crate) fn end_outage(&self, target: &str, at: Timestamp) -> Result<()> {
        let sql = Sql::seeks("UPDATE outage SET ended = ?2 WHERE target = ?1 AND ended IS NULL");
        self.run(sql, params![target, codec::micros(at)])?;
        Ok(())
    }
}
