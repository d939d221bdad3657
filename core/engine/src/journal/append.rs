//! Append: one transaction for records, rejections and the checkpoint.

use jiff::Timestamp;
use planthread_contracts::{RawRecord, RejectedRecord};
use rusqlite::{Connection, OptionalExtension as _, params};
use sha2::{Digest as _, Sha256};

use crate::{State, error::Result, store::codec};

/// A record that must wait for a person: an event from the future, say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quarantined {
    /// The record.
    pub record: RawRecord,
    /// Why it may not be used yet, with the cure.
    pub reason: String,
}

/// What arrived together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Append {
    /// Records that could be framed.
    pub records: Vec<RawRecord>,
    /// Records that could not.
    pub rejected: Vec<RejectedRecord>,
    /// Records that must wait.
    pub quarantined: Vec<Quarantined>,
    /// Source and position up to which it has been read.
    pub checkpoint: Option<(String, String)>,
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

/// What became of an append. Everything in it is on the disk.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Appended {
    /// New records.
    pub appended: usize,
    /// Records that were there already, byte for byte.
    pub duplicates: usize,
    /// Records whose id is taken by another body.
    pub conflicts: Vec<Conflict>,
    /// New rejections.
    pub rejected: usize,
    /// Newly quarantined.
    pub quarantined: usize,
    /// Position of the journal's last record; 0 when it is empty.
    pub last_position: u64,
}

/// Appends to the journal, durably.
///
/// A duplicate (same source and id, same bytes) is counted, not an error; the
/// same id with another body is kept beside the first and reported.
///
/// # Errors
/// When the state can't be written: then nothing of the append was kept.
pub fn append(state: &State, batch: Append, now: Timestamp) -> Result<Appended> {
    state.write(move |conn| write(conn, &batch, now))
}

/// The checkpoint that was committed last for `source`.
///
/// # Errors
/// When the state can't be read.
pub fn checkpoint(reader: &crate::Reader, source: &str) -> Result<Option<String>> {
    let query = "SELECT value FROM checkpoint WHERE source = ?1";
    let mut statement = reader.conn().prepare_cached(query)?;
    Ok(statement.query_row([source], |row| row.get(0)).optional()?)
}

/// The append inside a transaction that others may share.
pub(super) fn write(conn: &Connection, batch: &Append, now: Timestamp) -> Result<Appended> {
    let mut done = Appended::default();
    for record in &batch.records {
        write_record(conn, record, &mut done)?;
    }
    for rejected in &batch.rejected {
        done.rejected += write_rejected(conn, rejected, now)?;
    }
    for waiting in &batch.quarantined {
        done.quarantined += write_quarantined(conn, waiting)?;
    }
    if let Some((source, value)) = &batch.checkpoint {
        let query = "INSERT INTO checkpoint VALUES (?1, ?2)
                     ON CONFLICT (source) DO UPDATE SET value = excluded.value";
        conn.prepare_cached(query)?.execute([source, value])?;
    }
    let query = "SELECT COALESCE(MAX(position), 0) FROM record";
    done.last_position = conn.prepare_cached(query)?.query_row([], |row| row.get(0))?;
    Ok(done)
}

fn write_record(conn: &Connection, record: &RawRecord, done: &mut Appended) -> Result<()> {
    let digest = Sha256::digest(&record.body);
    let query = "INSERT INTO record
         (source, id, media_type, body, digest, received_at, place, line)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (source, id) DO NOTHING";
    let inserted = conn.prepare_cached(query)?.execute(params![
        record.source,
        record.id,
        record.media_type,
        record.body,
        digest.as_slice(),
        codec::micros(record.received_at),
        record.origin.place,
        record.origin.line,
    ])?;
    if inserted == 1 {
        done.appended += 1;
        return Ok(());
    }
    let query = "SELECT position, digest FROM record WHERE source = ?1 AND id = ?2";
    let (position, first): (u64, Vec<u8>) = conn
        .prepare_cached(query)?
        .query_row([&record.source, &record.id], |row| Ok((row.get(0)?, row.get(1)?)))?;
    if first == digest.as_slice() {
        done.duplicates += 1;
        return Ok(());
    }
    let query = "INSERT INTO record_conflict (position, digest, body, received_at, place, line)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (position, digest) DO NOTHING";
    conn.prepare_cached(query)?.execute(params![
        position,
        digest.as_slice(),
        record.body,
        codec::micros(record.received_at),
        record.origin.place,
        record.origin.line,
    ])?;
    done.conflicts.push(Conflict {
        source: record.source.clone(),
        id: record.id.clone(),
        position,
        origin: (record.origin.place.clone(), record.origin.line),
    });
    Ok(())
}

fn write_rejected(conn: &Connection, row: &RejectedRecord, now: Timestamp) -> Result<usize> {
    let query = "INSERT INTO record_rejected
         (place, line, field, reason, cure, body, digest, at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
         ON CONFLICT (place, line, field, digest) DO NOTHING";
    Ok(conn.prepare_cached(query)?.execute(params![
        row.origin.place,
        row.origin.line,
        row.field,
        row.reason,
        row.cure,
        row.body,
        Sha256::digest(&row.body).as_slice(),
        codec::micros(now),
    ])?)
}

fn write_quarantined(conn: &Connection, waiting: &Quarantined) -> Result<usize> {
    let record = &waiting.record;
    let query = "INSERT INTO record_quarantine
         (source, record_id, media_type, body, digest, received_at, place, line, reason)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
         ON CONFLICT (source, record_id, digest) DO NOTHING";
    Ok(conn.prepare_cached(query)?.execute(params![
        record.source,
        record.id,
        record.media_type,
        record.body,
        Sha256::digest(&record.body).as_slice(),
        codec::micros(record.received_at),
        record.origin.place,
        record.origin.line,
        waiting.reason,
    ])?)
}

#[cfg(test)]
mod tests {
    use planthread_contracts::Origin;

    use super::*;
    use crate::{
        journal,
        testing::{TempDir, now},
    };

    pub(crate) fn record(id: &str, body: &str) -> RawRecord {
        RawRecord {
            source: "line-sim".into(),
            id: id.into(),
            media_type: "text/csv".into(),
            body: body.into(),
            received_at: now(),
            origin: Origin { place: "events.csv".into(), line: 2 },
        }
    }

    #[test]
    fn law_12_the_checkpoint_commits_with_the_records_and_a_crash_repeats_nothing() {
        let dir = TempDir::new("append");
        let batch = Append {
            records: vec![record("1", "a"), record("2", "b")],
            rejected: vec![RejectedRecord {
                origin: Origin { place: "events.csv".into(), line: 4 },
                field: "state".into(),
                reason: "unknown state `Zzz`".into(),
                cure: "map it in `states`".into(),
                body: b"x,Zzz".to_vec(),
            }],
            checkpoint: Some(("line-sim".into(), "4".into())),
            ..Append::default()
        };
        let first = append(&State::open(dir.path(), now()).unwrap(), batch.clone(), now()).unwrap();
        assert_eq!((first.appended, first.rejected, first.last_position), (2, 1, 2));
        // The process died after the commit; it reads the file once more.
        let state = State::open(dir.path(), now()).unwrap();
        let again = append(&state, batch, now()).unwrap();
        assert_eq!((again.appended, again.duplicates, again.rejected), (0, 2, 0));
        let reader = state.reader().unwrap();
        assert_eq!(checkpoint(&reader, "line-sim").unwrap().as_deref(), Some("4"));
        let kept = journal::rejected(&reader).unwrap();
        assert_eq!((kept[0].record.origin.line, kept[0].record.field.as_str()), (4, "state"));
    }

    #[test]
    fn the_same_id_with_another_body_is_a_conflict_that_keeps_both() {
        let dir = TempDir::new("conflict");
        let state = State::open(dir.path(), now()).unwrap();
        let records = vec![record("1", "a"), record("1", "b"), record("1", "b")];
        let done = append(&state, Append { records, ..Append::default() }, now()).unwrap();
        assert_eq!((done.appended, done.duplicates, done.conflicts.len()), (1, 0, 2));
        assert_eq!(done.conflicts[0].position, 1);
        let reader = state.reader().unwrap();
        let kept = journal::conflicts(&reader).unwrap();
        assert_eq!((kept.len(), kept[0].1.as_slice()), (1, b"b".as_slice()));
        let mut bodies = Vec::new();
        journal::read(&reader, 0, |entry| {
            bodies.push(entry.record.body);
            Ok(())
        })
        .unwrap();
        assert_eq!(bodies, [b"a".to_vec()], "the first one counts");
    }

    #[test]
    fn what_comes_from_the_future_waits_beside_the_journal() {
        let dir = TempDir::new("quarantine");
        let state = State::open(dir.path(), now()).unwrap();
        let waiting = Quarantined { record: record("9", "z"), reason: "6 minutes ahead".into() };
        let batch = Append { quarantined: vec![waiting.clone(), waiting], ..Append::default() };
        assert_eq!(append(&state, batch, now()).unwrap().quarantined, 1);
        let reader = state.reader().unwrap();
        assert_eq!(journal::quarantined(&reader).unwrap()[0].reason, "6 minutes ahead");
        assert_eq!(journal::counts(&reader).unwrap().records, 0);
    }
}
