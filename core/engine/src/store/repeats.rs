//! Second rows of a name, and what was decided of them.

use jiff::Timestamp;
use planthread_contracts::RawRecord;
use rusqlite::{Row, params};

use super::{
    codec,
    db::{Db, Sql, Tx},
    records::{Repeat, raw},
};
use crate::{error::Result, journal::Verdict};

impl Db {
    /// The record at a position.
    pub(crate) fn record_at_position(&self, position: u64) -> Result<Option<RawRecord>> {
        let sql = Sql::seeks(
            "SELECT source, id, media_type, body, received_at, place, line FROM record
             WHERE position = ?1",
        );
        self.find(sql, [position], raw)
    }

    /// The decision that holds for the record at `first`: its position, and the
    /// digest of what counts; `None` when none was ever made.
    pub(crate) fn counts_by(&self, first: u64) -> Result<Option<(u64, Option<Vec<u8>>)>> {
        let sql = Sql::seeks(
            "SELECT decision, digest FROM record_decision WHERE record = ?1
             ORDER BY decision DESC LIMIT 1",
        );
        self.find(sql, [first], |row| Ok((row.get(0)?, row.get(1)?)))
    }

    /// Positions of the decisions of the name whose first record is `first`, the last
    /// one first.
    pub(crate) fn decisions_of(&self, first: u64) -> Result<Vec<u64>> {
        let sql = Sql::seeks(
            "SELECT decision FROM record_decision WHERE record = ?1 ORDER BY decision DESC",
        );
        self.all(sql, [first], |row| Ok(row.get::<_, u64>(0)?))
    }

    /// Position of the last decision by which `digest` came to count.
    pub(crate) fn decision_for(&self, first: u64, digest: &[u8]) -> Result<Option<u64>> {
        let sql = Sql::walks(
            "SELECT decision FROM record_decision WHERE record = ?1 AND digest = ?2
             ORDER BY decision DESC LIMIT 1",
            "the decisions of one name",
        );
        self.find(sql, params![first, digest], |row| Ok(row.get(0)?))
    }

    /// Whether another body of the record at `position` is kept; and if so,
    /// whether it waits for a person.
    pub(crate) fn holds_conflict(&self, position: u64, digest: &[u8]) -> Result<Option<bool>> {
        let sql = Sql::seeks(
            "SELECT verdict IS NULL FROM record_conflict WHERE position = ?1 AND digest = ?2",
        );
        self.find(sql, params![position, digest], |row| Ok(row.get(0)?))
    }

    /// Second rows of a name that wait, oldest first.
    pub(crate) fn repeats_waiting(&self) -> Result<Vec<Repeat>> {
        let sql = Sql::walks(
            "SELECT r.source, r.id, c.media_type, c.body, c.received_at, c.place, c.line,
                c.id, c.position, c.verdict, c.decided_by, c.decided_why, c.decided_at
             FROM record_conflict c JOIN record r ON r.position = c.position
             WHERE c.verdict IS NULL ORDER BY c.id",
            "the list that was asked for",
        );
        self.all(sql, [], repeat)
    }

    /// Second rows of a name of which somebody has decided, oldest first.
    pub(crate) fn repeats_decided(&self) -> Result<Vec<Repeat>> {
        let sql = Sql::walks(
            "SELECT r.source, r.id, c.media_type, c.body, c.received_at, c.place, c.line,
                c.id, c.position, c.verdict, c.decided_by, c.decided_why, c.decided_at
             FROM record_conflict c JOIN record r ON r.position = c.position
             WHERE c.verdict IS NOT NULL ORDER BY c.id",
            "the list that was asked for",
        );
        self.all(sql, [], repeat)
    }

    /// The second row with this number.
    pub(crate) fn repeat(&self, id: u64) -> Result<Option<Repeat>> {
        let sql = Sql::seeks(
            "SELECT r.source, r.id, c.media_type, c.body, c.received_at, c.place, c.line,
                c.id, c.position, c.verdict, c.decided_by, c.decided_why, c.decided_at
             FROM record_conflict c JOIN record r ON r.position = c.position WHERE c.id = ?1",
        );
        self.find(sql, [id], repeat)
    }
}

impl Tx<'_> {
    /// Keeps another body of the record at `position`; one that is kept already
    /// waits again.
    pub(crate) fn insert_conflict(
        &self,
        position: u64,
        record: &RawRecord,
        digest: &[u8],
    ) -> Result<()> {
        let sql = Sql::seeks(
            "INSERT INTO record_conflict
             (position, digest, body, received_at, place, line, media_type)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
             ON CONFLICT (position, digest) DO UPDATE SET verdict = NULL, decided_by = NULL,
                decided_why = NULL, decided_at = NULL, received_at = excluded.received_at,
                place = excluded.place, line = excluded.line, media_type = excluded.media_type",
        );
        let at = codec::micros(record.received_at);
        let origin = &record.origin;
        let row = params![
            position,
            digest,
            record.body,
            at,
            origin.place,
            origin.line,
            record.media_type
        ];
        self.run(sql, row)?;
        Ok(())
    }

    /// Notes what was decided of the second row with this number.
    pub(crate) fn put_verdict(&self, id: u64, verdict: &Verdict, at: Timestamp) -> Result<()> {
        let sql = Sql::seeks(
            "UPDATE record_conflict
             SET verdict = ?2, decided_by = ?3, decided_why = ?4, decided_at = ?5 WHERE id = ?1",
        );
        let Verdict { accepted, who, why } = verdict;
        self.run(sql, params![id, accepted, who, why, codec::micros(at)])?;
        Ok(())
    }

    /// Notes which body counts by a decision: that with `digest`, or none.
    pub(crate) fn put_decision(
        &self,
        first: u64,
        decision: u64,
        digest: Option<&[u8]>,
    ) -> Result<()> {
        let sql = Sql::seeks("INSERT INTO record_decision VALUES (?1, ?2, ?3)");
        self.run(sql, params![first, decision, digest])?;
        Ok(())
    }
}

fn repeat(row: &Row<'_>) -> Result<Repeat> {
    let verdict = match row.get::<_, Option<bool>>(9)? {
        Some(accepted) => Some(Verdict { accepted, who: row.get(10)?, why: row.get(11)? }),
        None => None,
    };
    Ok(Repeat {
        id: row.get(7)?,
        first: row.get(8)?,
        record: raw(row)?,
        verdict,
        decided_at: codec::maybe_at(row, 12)?,
    })
}
