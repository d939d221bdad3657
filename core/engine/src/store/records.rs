//! Rows of the journal: records, what stands beside them, how far was read.

use jiff::Timestamp;
use planthread_contracts::{Origin, RawRecord, RejectedRecord};
use rusqlite::{Connection, Row, params};
use schemars::JsonSchema;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::{
    codec,
    db::{Db, Sql, Tx},
};
use crate::{
    error::Result,
    journal::{FILE_REFUSED, Verdict},
};

/// A rejected record, and when it was rejected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RejectedEntry {
    /// Number of the rejection.
    pub id: u64,
    /// When.
    pub at: Timestamp,
    /// The record with its reason and cure.
    pub record: RejectedRecord,
    /// Who dismissed it; `None` while it waits.
    pub dismissed: Option<Dismissal>,
}

/// That nothing is to come of a refused record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dismissal {
    /// Who answers for it.
    pub who: String,
    /// Why.
    pub why: String,
    /// When.
    pub at: Timestamp,
}

/// A record that must wait for a person: an event from the future, say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quarantined {
    /// The record.
    pub record: RawRecord,
    /// Why it may not be used yet, with the cure.
    pub reason: String,
}

/// The same source and id arrived with another body; both are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// CloudEvents `source`.
    pub source: String,
    /// CloudEvents `id`.
    pub id: String,
    /// Position of the record that was there first, and that counts.
    pub position: u64,
    /// Where the other one came from: place and line.
    pub origin: (String, u64),
}

/// A second row of a name, beside the first one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repeat {
    /// Its number.
    pub id: u64,
    /// Position of the first record of the name.
    pub first: u64,
    /// What it says.
    pub record: RawRecord,
    /// What was decided; `None` while it waits for a person.
    pub verdict: Option<Verdict>,
    /// When that was.
    pub decided_at: Option<Timestamp>,
}

/// How much the journal holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct JournalCounts {
    /// Records.
    pub records: u64,
    /// Position of the last one.
    pub last_position: u64,
    /// Rejected records.
    pub rejected: u64,
    /// Second rows of a name that wait for a person.
    pub conflicts: u64,
    /// Quarantined records.
    pub quarantined: u64,
}

/// A record as it lies there: its position, the digest that was kept with it.
#[derive(Debug)]
pub(crate) struct Kept {
    pub(crate) position: u64,
    pub(crate) digest: Vec<u8>,
    pub(crate) record: RawRecord,
}

impl Db {
    /// Gives the records at positions in `(after, to]` to `each`, in order.
    pub(crate) fn records(
        &self,
        after: u64,
        to: u64,
        mut each: impl FnMut(Kept) -> Result<()>,
    ) -> Result<()> {
        let sql = Sql::seeks(
            "SELECT source, id, media_type, body, received_at, place, line, position, digest
             FROM record WHERE position > ?1 AND position <= ?2 ORDER BY position",
        );
        self.each(sql, [after, to], |row| {
            each(Kept { position: row.get(7)?, digest: row.get(8)?, record: raw(row)? })
        })
    }

    /// How many records lie at positions from `first` to `last`.
    pub(crate) fn records_between(&self, first: u64, last: u64) -> Result<u64> {
        let sql = Sql::seeks("SELECT COUNT(*) FROM record WHERE position BETWEEN ?1 AND ?2");
        self.number(sql, [first, last])
    }

    /// The position in `(after, to]` at which the bodies reach so many bytes; `to`
    /// when they don't.
    pub(crate) fn position_of_bytes(&self, after: u64, to: u64, bytes: u64) -> Result<u64> {
        let sql = Sql::walks(
            "SELECT position FROM
                (SELECT position, SUM(LENGTH(body)) OVER (ORDER BY position) AS bytes
                 FROM record WHERE position > ?1 AND position <= ?2)
             WHERE bytes >= ?3 ORDER BY position LIMIT 1",
            "the records of one segment",
        );
        Ok(self.find(sql, [after, to, bytes], |row| Ok(row.get(0)?))?.unwrap_or(to))
    }

    /// Position of the last record; 0 when there is none.
    pub(crate) fn last_position(&self) -> Result<u64> {
        let sql = Sql::walks(
            "SELECT COALESCE(MAX(position), 0) FROM record",
            "one row: the greatest key is the last of the tree",
        );
        self.number(sql, [])
    }

    /// Position and digest of the record with this name.
    pub(crate) fn record_named(&self, source: &str, id: &str) -> Result<Option<(u64, Vec<u8>)>> {
        self.record_at(key(source, id), source, id)
    }

    fn record_at(&self, key: i64, source: &str, id: &str) -> Result<Option<(u64, Vec<u8>)>> {
        let of_key = Sql::seeks("SELECT position FROM record_key WHERE key = ?1");
        let confirmed = Sql::walks(
            "SELECT digest FROM record WHERE position = ?1 AND source = ?2 AND id = ?3",
            "one row, by its position",
        );
        let positions: Vec<u64> = self.all(of_key, [key], |row| Ok(row.get::<_, u64>(0)?))?;
        for position in positions {
            let found = params![position, source, id];
            if let Some(digest) = self.find(confirmed, found, |row| Ok(row.get(0)?))? {
                return Ok(Some((position, digest)));
            }
        }
        Ok(None)
    }

    /// Whether the record waits in quarantine.
    pub(crate) fn holds_quarantined(&self, source: &str, id: &str, digest: &[u8]) -> Result<bool> {
        let sql = Sql::seeks(
            "SELECT 1 FROM record_quarantine
             WHERE source = ?1 AND record_id = ?2 AND digest = ?3",
        );
        Ok(self.find(sql, params![source, id, digest], |_| Ok(()))?.is_some())
    }

    /// How far a source was read.
    pub(crate) fn checkpoint(&self, source: &str) -> Result<Option<String>> {
        let sql = Sql::seeks("SELECT value FROM checkpoint WHERE source = ?1");
        self.find(sql, [source], |row| Ok(row.get(0)?))
    }

    /// The first `most` rejected records with a number beyond `after`, oldest first:
    /// those that wait, or those that somebody has dismissed.
    pub(crate) fn rejected(
        &self,
        dismissed: bool,
        after: u64,
        most: u32,
    ) -> Result<Vec<RejectedEntry>> {
        let sql = Sql::walks(
            "SELECT id, at, place, line, field, reason, cure, body, dismissed_by, dismissed_why,
                dismissed_at
             FROM record_rejected WHERE id > ?2 AND (dismissed_at IS NOT NULL) = ?1
             ORDER BY id LIMIT ?3",
            "the list that was asked for",
        );
        self.all(sql, params![dismissed, after, most], rejected)
    }

    /// Every quarantined record, oldest first.
    pub(crate) fn quarantined(&self) -> Result<Vec<Quarantined>> {
        let sql = Sql::walks(
            "SELECT source, record_id, media_type, body, received_at, place, line, reason
             FROM record_quarantine ORDER BY id",
            "the list that was asked for",
        );
        self.all(sql, [], |row| Ok(Quarantined { record: raw(row)?, reason: row.get(7)? }))
    }

    /// Counts of everything in and beside the journal.
    pub(crate) fn journal_counts(&self) -> Result<JournalCounts> {
        let sql = Sql::walks(
            "SELECT (SELECT COUNT(*) FROM record),
                (SELECT COALESCE(MAX(position), 0) FROM record),
                (SELECT COUNT(*) FROM record_rejected WHERE dismissed_at IS NULL),
                (SELECT COUNT(*) FROM record_conflict WHERE verdict IS NULL),
                (SELECT COUNT(*) FROM record_quarantine)",
            "a count walks an index, for a person who asked",
        );
        self.one(sql, [], |row| {
            Ok(JournalCounts {
                records: row.get(0)?,
                last_position: row.get(1)?,
                rejected: row.get(2)?,
                conflicts: row.get(3)?,
                quarantined: row.get(4)?,
            })
        })
    }
}

impl Tx<'_> {
    /// Appends a record, and gives its position; else position and digest of the
    /// one that has its name already.
    pub(crate) fn insert_record(
        &self,
        record: &RawRecord,
        digest: &[u8],
    ) -> Result<std::result::Result<u64, (u64, Vec<u8>)>> {
        let key = key(&record.source, &record.id);
        if let Some(known) = self.record_at(key, &record.source, &record.id)? {
            return Ok(Err(known));
        }
        let sql = Sql::seeks(
            "INSERT INTO record (source, id, media_type, body, digest, received_at, place, line)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        );
        let position = self.insert(
            sql,
            params![
                record.source,
                record.id,
                record.media_type,
                record.body,
                digest,
                codec::micros(record.received_at),
                record.origin.place,
                record.origin.line,
            ],
        )?;
        self.run(Sql::seeks("INSERT INTO record_key VALUES (?1, ?2)"), [key, position])?;
        Ok(Ok(u64::try_from(position).unwrap_or(0)))
    }

    /// Keeps a rejected record; false when it is kept already, with the same reason:
    /// another configuration has another one. One that is about a whole file is
    /// refused anew though somebody dismissed it: its rows are lost.
    pub(crate) fn insert_rejected(
        &self,
        row: &RejectedRecord,
        digest: &[u8],
        now: Timestamp,
    ) -> Result<bool> {
        let (place, line) = (&row.origin.place, row.origin.line);
        let RejectedRecord { field, reason, cure, body, .. } = row;
        let at = codec::micros(now);
        let sql = Sql::seeks(
            "INSERT INTO record_rejected (place, line, field, reason, cure, body, digest, at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
             ON CONFLICT (place, line, field, digest)
             DO UPDATE SET reason = ?4, cure = ?5, at = ?8, dismissed_at = NULL
             WHERE CASE WHEN dismissed_at IS NULL THEN reason <> ?4 ELSE field = ?9 END",
        );
        let inserted = self
            .run(sql, params![place, line, field, reason, cure, body, digest, at, FILE_REFUSED])?;
        Ok(inserted == 1)
    }

    /// Keeps a record that must wait; false when it is kept already.
    pub(crate) fn insert_quarantined(&self, waiting: &Quarantined, digest: &[u8]) -> Result<bool> {
        let record = &waiting.record;
        let sql = Sql::seeks(
            "INSERT INTO record_quarantine
             (source, record_id, media_type, body, digest, received_at, place, line, reason)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
             ON CONFLICT (source, record_id, digest) DO NOTHING",
        );
        let inserted = self.run(
            sql,
            params![
                record.source,
                record.id,
                record.media_type,
                record.body,
                digest,
                codec::micros(record.received_at),
                record.origin.place,
                record.origin.line,
                waiting.reason,
            ],
        )?;
        Ok(inserted == 1)
    }

    /// Notes how far a source was read.
    pub(crate) fn put_checkpoint(&self, source: &str, value: &str) -> Result<()> {
        let sql = Sql::seeks(
            "INSERT INTO checkpoint VALUES (?1, ?2)
             ON CONFLICT (source) DO UPDATE SET value = excluded.value",
        );
        self.run(sql, [source, value])?;
        Ok(())
    }

    /// Takes a rejection off the list; whether it was on it.
    pub(crate) fn delete_rejected(&self, id: u64) -> Result<bool> {
        Ok(self.run(Sql::seeks("DELETE FROM record_rejected WHERE id = ?1"), [id])? == 1)
    }

    /// Notes that somebody dismissed a rejection; whether it waited.
    pub(crate) fn dismiss_rejected(&self, id: u64, by: &Dismissal) -> Result<bool> {
        let sql = Sql::seeks(
            "UPDATE record_rejected SET dismissed_by = ?2, dismissed_why = ?3, dismissed_at = ?4
             WHERE id = ?1 AND dismissed_at IS NULL",
        );
        Ok(self.run(sql, params![id, by.who, by.why, codec::micros(by.at)])? == 1)
    }

    /// Takes a record out of quarantine; whether it was in it.
    pub(crate) fn delete_quarantined(&self, source: &str, id: &str, digest: &[u8]) -> Result<bool> {
        let sql = Sql::seeks(
            "DELETE FROM record_quarantine
             WHERE source = ?1 AND record_id = ?2 AND digest = ?3",
        );
        Ok(self.run(sql, params![source, id, digest])? == 1)
    }
}

/// The number under which a record is found: 47 bits of its name's digest, which
/// SQLite keeps in six bytes. Two names may share one; the record itself tells.
fn key(source: &str, id: &str) -> i64 {
    let mut hash = Sha256::new();
    hash.update(u64::try_from(source.len()).unwrap_or(u64::MAX).to_le_bytes());
    hash.update(source);
    hash.update(id);
    hash.finalize().iter().take(6).fold(0, |key, byte| key << 8 | i64::from(*byte)) >> 1
}

/// Keys that are made at a time, in their own order: one run through the table.
const KEYS: usize = 1_000_000;

/// Makes the keys of all records of a state that had none.
pub(super) fn make_keys(conn: &Connection) -> Result<()> {
    let mut records = conn.prepare("SELECT position, source, id FROM record ORDER BY position")?;
    let mut insert = conn.prepare("INSERT INTO record_key VALUES (?1, ?2)")?;
    let mut rows = records.query([])?;
    let mut keys: Vec<(i64, i64)> = Vec::new();
    loop {
        let row = rows.next()?;
        if row.is_none() || keys.len() == KEYS {
            keys.sort_unstable();
            for (key, position) in keys.drain(..) {
                insert.execute([key, position])?;
            }
        }
        let Some(row) = row else { return Ok(()) };
        keys.push((key(codec::text(row, 1)?, codec::text(row, 2)?), row.get(0)?));
    }
}

fn rejected(row: &Row<'_>) -> Result<RejectedEntry> {
    let mut record = RejectedRecord {
        origin: Origin { place: row.get(2)?, line: row.get(3)? },
        field: row.get(4)?,
        reason: row.get(5)?,
        cure: row.get(6)?,
        body: row.get(7)?,
    };
    let by: Option<(String, String)> = row.get::<_, Option<_>>(8)?.zip(row.get(9)?);
    let at = codec::maybe_at(row, 10)?;
    if let (None, Some((who, why))) = (at, &by) {
        record.reason.push_str(&format!("; it was dismissed by {who}: {why}, and came again"));
    }
    let dismissed = at.zip(by).map(|(at, (who, why))| Dismissal { who, why, at });
    Ok(RejectedEntry { id: row.get(0)?, at: codec::at(row, 1)?, record, dismissed })
}

pub(super) fn raw(row: &Row<'_>) -> Result<RawRecord> {
    Ok(RawRecord {
        source: row.get(0)?,
        id: row.get(1)?,
        media_type: row.get(2)?,
        body: row.get(3)?,
        received_at: codec::at(row, 4)?,
        origin: Origin { place: row.get(5)?, line: row.get(6)? },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        State,
        journal::{Append, append},
        ledger,
        testing::{TempDir, now},
    };

    fn record(id: String) -> RawRecord {
        let origin = Origin { place: "counts.csv".into(), line: 2 };
        let (source, media_type) = ("line-sim".into(), "text/csv".into());
        RawRecord { source, id, media_type, body: b"1".to_vec(), received_at: now(), origin }
    }

    /// What is on the disk is found by it: it never changes.
    #[test]
    fn keys_are_frozen() {
        assert_eq!(key("line-sim", "1"), 87_639_442_255_112);
        assert_ne!(key("line-sim1", ""), key("line-sim", "1"));
    }

    #[test]
    fn names_that_share_a_key_are_two_records() {
        let dir = TempDir::new("same-key");
        let state = State::open(dir.path(), now()).unwrap();
        let records = vec![record("1".into())];
        append(&state, Append { records, ..Append::default() }, now()).unwrap();
        // The key of the next one leads to the first one, too.
        let other = key("line-sim", "2");
        let forged = "INSERT INTO record_key VALUES (?1, 1)";
        state.change(move |tx| tx.forge(forged, [other])).unwrap();
        let records = vec![record("2".into()), record("2".into()), record("1".into())];
        let done = append(&state, Append { records, ..Append::default() }, now()).unwrap();
        assert_eq!((done.appended, done.duplicates, done.conflicts.len()), (1, 2, 0));
        let reader = state.reader().unwrap();
        assert_eq!(reader.db().record_named("line-sim", "2").unwrap().unwrap().0, 2);
        let findings = ledger::audit(&reader).unwrap().findings;
        assert!(findings.len() == 1 && findings[0].contains("found by"), "{findings:?}");
    }

    /// Names that scatter make every commit write the index anew: it is small, or
    /// the cost of an intake grows with what is there already.
    #[test]
    fn law_19_a_name_costs_little_beside_its_record() {
        let dir = TempDir::new("key-weight");
        let state = State::open(dir.path(), now()).unwrap();
        let name = |n: u32| codec::hex(&Sha256::digest(n.to_le_bytes()));
        let pages = |from: u32| {
            let records = (from..from + 4_000).map(|n| record(name(n))).collect();
            append(&state, Append { records, ..Append::default() }, now()).unwrap();
            let count = "PRAGMA page_count";
            let count = |tx: &Tx<'_>| Ok(tx.conn().query_row(count, [], |row| row.get(0))?);
            state.change(count).unwrap()
        };
        let (before, after): (u64, u64) = (pages(0), pages(4_000));
        let bytes = (after - before) * 4_096 / 4_000;
        assert!(bytes < 190, "{bytes} bytes for a record of 145");
    }
}
