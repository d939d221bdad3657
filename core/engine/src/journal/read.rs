//! Reading the journal: streaming from a position, and what stands beside it.

use jiff::Timestamp;
use planthread_contracts::{Origin, RawRecord, RejectedRecord};
use rusqlite::Row;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::{Conflict, Quarantined};
use crate::{EngineError, Reader, error::Result, store::codec};

/// One journal record with its place in the order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Position from 1, growing; the journal's own order.
    pub position: u64,
    /// SHA-256 of the body, lower-case hex.
    pub digest: String,
    /// The record.
    pub record: RawRecord,
}

/// A rejected record, and when it was rejected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RejectedEntry {
    /// Number of the rejection.
    pub id: u64,
    /// When.
    pub at: Timestamp,
    /// The record with its reason and cure.
    pub record: RejectedRecord,
}

/// How much the journal holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct JournalCounts {
    /// Records.
    pub records: u64,
    /// Position of the last one.
    pub last_position: u64,
    /// Rejected records.
    pub rejected: u64,
    /// Conflicting bodies.
    pub conflicts: u64,
    /// Quarantined records.
    pub quarantined: u64,
}

/// Streams every record after position `after`, in order, to `each`; returns
/// the last position that it gave. A record whose bytes are not those that were
/// kept is given to nobody.
///
/// # Errors
/// When the state can't be read, a record is damaged, or `each` refuses.
pub fn read(reader: &Reader, after: u64, each: impl FnMut(Entry) -> Result<()>) -> Result<u64> {
    read_range(reader.conn(), after, u64::try_from(i64::MAX).unwrap_or(0), each)
}

/// Streams the records in `(after, to]`.
pub(super) fn read_range(
    conn: &rusqlite::Connection,
    after: u64,
    to: u64,
    mut each: impl FnMut(Entry) -> Result<()>,
) -> Result<u64> {
    let query = "SELECT source, id, media_type, body, received_at, place, line, position, digest
         FROM record WHERE position > ?1 AND position <= ?2 ORDER BY position";
    let mut statement = conn.prepare_cached(query)?;
    let mut rows = statement.query([after, to])?;
    let mut last = after;
    while let Some(row) = rows.next()? {
        let digest: Vec<u8> = row.get(8)?;
        last = row.get(7)?;
        let record = raw(row)?;
        if Sha256::digest(&record.body).as_slice() != digest {
            let RawRecord { source: source_name, id, .. } = record;
            return Err(EngineError::Damaged { position: last, source_name, id });
        }
        each(Entry { position: last, digest: codec::hex(&digest), record })?;
    }
    Ok(last)
}

fn raw(row: &Row<'_>) -> Result<RawRecord> {
    Ok(RawRecord {
        source: row.get(0)?,
        id: row.get(1)?,
        media_type: row.get(2)?,
        body: row.get(3)?,
        received_at: codec::timestamp(row.get(4)?)?,
        origin: Origin { place: row.get(5)?, line: row.get(6)? },
    })
}

/// Every rejected record, oldest first.
///
/// # Errors
/// When the state can't be read.
pub fn rejected(reader: &Reader) -> Result<Vec<RejectedEntry>> {
    let query = "SELECT id, at, place, line, field, reason, cure, body
         FROM record_rejected ORDER BY id";
    let mut statement = reader.conn().prepare_cached(query)?;
    let mut rows = statement.query([])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        let record = RejectedRecord {
            origin: Origin { place: row.get(2)?, line: row.get(3)? },
            field: row.get(4)?,
            reason: row.get(5)?,
            cure: row.get(6)?,
            body: row.get(7)?,
        };
        all.push(RejectedEntry { id: row.get(0)?, at: codec::timestamp(row.get(1)?)?, record });
    }
    Ok(all)
}

/// Every conflict with the body that came second, oldest first.
///
/// # Errors
/// When the state can't be read.
pub fn conflicts(reader: &Reader) -> Result<Vec<(Conflict, Vec<u8>)>> {
    let query = "SELECT r.source, r.id, c.position, c.place, c.line, c.body
         FROM record_conflict c JOIN record r USING (position) ORDER BY c.id";
    let mut statement = reader.conn().prepare_cached(query)?;
    let rows = statement.query_map([], |row| {
        let conflict = Conflict {
            source: row.get(0)?,
            id: row.get(1)?,
            position: row.get(2)?,
            origin: (row.get(3)?, row.get(4)?),
        };
        Ok((conflict, row.get(5)?))
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Every quarantined record, oldest first.
///
/// # Errors
/// When the state can't be read.
pub fn quarantined(reader: &Reader) -> Result<Vec<Quarantined>> {
    let query = "SELECT source, record_id, media_type, body, received_at, place, line, reason
         FROM record_quarantine ORDER BY id";
    let mut statement = reader.conn().prepare_cached(query)?;
    let mut rows = statement.query([])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        all.push(Quarantined { record: raw(row)?, reason: row.get(7)? });
    }
    Ok(all)
}

/// Counts of everything in and beside the journal.
///
/// # Errors
/// When the state can't be read.
pub fn counts(reader: &Reader) -> Result<JournalCounts> {
    let query = "SELECT (SELECT COUNT(*) FROM record),
        (SELECT COALESCE(MAX(position), 0) FROM record),
        (SELECT COUNT(*) FROM record_rejected), (SELECT COUNT(*) FROM record_conflict),
        (SELECT COUNT(*) FROM record_quarantine)";
    Ok(reader.conn().query_row(query, [], |row| {
        Ok(JournalCounts {
            records: row.get(0)?,
            last_position: row.get(1)?,
            rejected: row.get(2)?,
            conflicts: row.get(3)?,
            quarantined: row.get(4)?,
        })
    })?)
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

    #[test]
    fn law_14_a_record_that_was_changed_on_the_disk_is_named_and_never_used() {
        let dir = TempDir::new("damaged");
        let state = State::open(dir.path(), now()).unwrap();
        let record = |id: &str| RawRecord {
            source: "line-sim".into(),
            id: id.into(),
            media_type: "text/csv".into(),
            body: b"10,M1,60".to_vec(),
            received_at: now(),
            origin: Origin { place: "counts.csv".into(), line: 2 },
        };
        let records = vec![record("1"), record("2"), record("3")];
        append(&state, Append { records, ..Append::default() }, now()).unwrap();
        let sound = ledger::audit(&state.reader().unwrap()).unwrap();
        assert_eq!((sound.records, sound.findings.len()), (3, 0), "{sound:?}");
        assert!(sound.database, "{sound:?}");
        let forge = "UPDATE record SET body = CAST('10,M1,90' AS BLOB) WHERE id <> '1'";
        state.write(move |conn| Ok(conn.execute(forge, [])?)).unwrap();
        let reader = state.reader().unwrap();
        let mut given = Vec::new();
        let error = read(&reader, 0, |entry| {
            given.push(entry.record.id);
            Ok(())
        })
        .unwrap_err();
        assert_eq!(given, ["1"]);
        let text = error.to_string();
        for part in ["record 2", "line-sim", "id 2", "backup", "audit verify"] {
            assert!(text.contains(part), "{part}: {text}");
        }
        let found = ledger::audit(&reader).unwrap().findings;
        assert_eq!(found.len(), 2, "each damaged record is named: {found:?}");
        assert!(found[1].contains("record 3") && found[1].contains("id 3"), "{found:?}");
    }
}
