//! Rows of sealed and admitted segments.

use jiff::Timestamp;
use rusqlite::{Row, params};

use super::{
    codec,
    db::{Db, Sql, Tx},
};
use crate::error::Result;

/// A segment and the range of its records.
#[derive(Debug)]
pub(crate) struct Announced {
    pub(crate) number: u64,
    pub(crate) first: u64,
    pub(crate) last: u64,
    /// Hash of the one before it.
    pub(crate) previous: String,
    /// Its own hash, when it was complete before.
    pub(crate) sealed: Option<String>,
}

impl Db {
    /// Every segment that was sealed, in order.
    pub(crate) fn sealed_segments(&self) -> Result<Vec<Announced>> {
        let sql = Sql::walks(
            "SELECT s.number, s.first, s.last, COALESCE(b.sha256, ''), s.sha256
             FROM sealed s LEFT JOIN sealed b ON b.number = s.number - 1
             WHERE s.sha256 IS NOT NULL ORDER BY s.number",
            "the list that was asked for: a segment for ten thousand records",
        );
        self.all(sql, [], announced)
    }

    /// The segment that was announced and not finished, if any.
    pub(crate) fn unfinished_segment(&self) -> Result<Option<Announced>> {
        let sql = Sql::walks(
            "SELECT s.number, s.first, s.last, COALESCE(b.sha256, ''), s.sha256
             FROM sealed s LEFT JOIN sealed b ON b.number = s.number - 1
             WHERE s.sha256 IS NULL ORDER BY s.number LIMIT 1",
            "a segment for ten thousand records, once a segment",
        );
        self.find(sql, [], announced)
    }

    /// The last segment that was sealed or announced: number and last record;
    /// zeros before the first.
    pub(crate) fn last_segment(&self) -> Result<(u64, u64)> {
        let sql = Sql::walks(
            "SELECT number, last FROM sealed ORDER BY number DESC LIMIT 1",
            "one row: the greatest key is the last of the tree",
        );
        let last = self.find(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(last.unwrap_or_default())
    }

    /// Hash of a sealed segment; empty when there is none.
    pub(crate) fn segment_hash(&self, number: u64) -> Result<String> {
        let sql = Sql::seeks("SELECT COALESCE(sha256, '') FROM sealed WHERE number = ?1");
        Ok(self.find(sql, [number], |row| Ok(row.get(0)?))?.unwrap_or_default())
    }

    /// The stream that this state seals, once it has sealed.
    pub(crate) fn sealed_stream(&self) -> Result<Option<String>> {
        let sql = Sql::walks("SELECT stream FROM sealed LIMIT 1", "one row");
        self.find(sql, [], |row| Ok(row.get(0)?))
    }

    /// Hash of an admitted segment.
    pub(crate) fn admitted_hash(&self, stream: &str, number: u64) -> Result<Option<String>> {
        let sql = Sql::seeks("SELECT sha256 FROM admitted WHERE stream = ?1 AND number = ?2");
        self.find(sql, params![stream, number], |row| Ok(row.get(0)?))
    }

    /// Number of the last admitted segment of a stream; 0 before the first.
    pub(crate) fn last_admitted(&self, stream: &str) -> Result<u64> {
        let sql = Sql::seeks(
            "SELECT number FROM admitted WHERE stream = ?1 ORDER BY number DESC LIMIT 1",
        );
        Ok(self.find(sql, [stream], |row| Ok(row.get(0)?))?.unwrap_or_default())
    }
}

impl Tx<'_> {
    /// Notes which records the next segment holds.
    pub(crate) fn announce_segment(&self, stream: &str, segment: &Announced) -> Result<()> {
        let sql =
            Sql::seeks("INSERT INTO sealed (number, stream, first, last) VALUES (?1, ?2, ?3, ?4)");
        self.run(sql, params![segment.number, stream, segment.first, segment.last])?;
        Ok(())
    }

    /// Notes that a segment is complete.
    pub(crate) fn finish_segment(&self, number: u64, sha256: &str) -> Result<()> {
        let sql = Sql::seeks("UPDATE sealed SET sha256 = ?2 WHERE number = ?1");
        self.run(sql, params![number, sha256])?;
        Ok(())
    }

    /// Notes that a segment was taken.
    pub(crate) fn admit_segment(
        &self,
        stream: &str,
        number: u64,
        sha256: &str,
        now: Timestamp,
    ) -> Result<()> {
        let sql = Sql::seeks("INSERT INTO admitted VALUES (?1, ?2, ?3, ?4)");
        self.run(sql, params![stream, number, sha256, codec::micros(now)])?;
        Ok(())
    }
}

fn announced(row: &Row<'_>) -> Result<Announced> {
    Ok(Announced {
        number: row.get(0)?,
        first: row.get(1)?,
        last: row.get(2)?,
        previous: row.get(3)?,
        sealed: row.get(4)?,
    })
}
