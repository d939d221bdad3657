//! Append: one transaction for records, rejections and the checkpoint.

use jiff::Timestamp;
use planthread_contracts::{RawRecord, RejectedRecord};
use sha2::{Digest as _, Sha256};

use super::{decision, heard};
use crate::{
    State,
    error::Result,
    store::{
        Tx,
        records::{Conflict, Quarantined},
    },
};

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

/// What became of an append. Everything in it is on the disk.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Appended {
    /// New records.
    pub appended: usize,
    /// Records that were there already, byte for byte.
    pub duplicates: usize,
    /// Records whose id is taken by another body.
    pub conflicts: Vec<Conflict>,
    /// Rejections that are new, or have another reason than before.
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
    state.change(move |tx| write(tx, &batch, now))
}

/// The checkpoint that was committed last for `source`.
///
/// # Errors
/// When the state can't be read.
pub fn checkpoint(reader: &crate::Reader, source: &str) -> Result<Option<String>> {
    reader.db().checkpoint(source)
}

/// The append inside a transaction that others may share.
pub(super) fn write(tx: &Tx<'_>, batch: &Append, now: Timestamp) -> Result<Appended> {
    let mut done = Appended::default();
    for record in &batch.records {
        write_record(tx, record, &mut done)?;
    }
    for row in &batch.rejected {
        done.rejected += usize::from(tx.insert_rejected(row, &of_refused(row), now)?);
    }
    for waiting in &batch.quarantined {
        let digest = digest(&waiting.record.body);
        done.quarantined += usize::from(tx.insert_quarantined(waiting, &digest)?);
    }
    heard::note(tx, &batch.records)?;
    if let Some((source, value)) = &batch.checkpoint {
        tx.put_checkpoint(source, value)?;
    }
    done.last_position = tx.last_position()?;
    Ok(done)
}

/// What a body is compared by.
pub(super) fn digest(body: &[u8]) -> [u8; 32] {
    Sha256::digest(body).into()
}

/// What a refused record is compared by. One that was too long to be kept is
/// compared by its reason, which tells how long it was, and its digest.
fn of_refused(row: &RejectedRecord) -> [u8; 32] {
    digest(if row.body.is_empty() { row.reason.as_bytes() } else { &row.body })
}

fn write_record(tx: &Tx<'_>, record: &RawRecord, done: &mut Appended) -> Result<()> {
    let digest = digest(&record.body);
    let (position, first) = match tx.insert_record(record, &digest)? {
        Ok(position) => {
            done.appended += 1;
            return decision::note(tx, record, position);
        }
        Err(known) => known,
    };
    if !says_otherwise(tx, record, &digest, (position, &first))? {
        done.duplicates += 1;
        return Ok(());
    }
    tx.insert_conflict(position, record, &digest)?;
    done.conflicts.push(Conflict {
        source: record.source.clone(),
        id: record.id.clone(),
        position,
        origin: (record.origin.place.clone(), record.origin.line),
    });
    Ok(())
}

/// Whether a record says what nobody has decided of yet, under a name that the
/// record at `position` had first.
fn says_otherwise(
    tx: &Tx<'_>,
    record: &RawRecord,
    digest: &[u8],
    (position, first): (u64, &[u8]),
) -> Result<bool> {
    let decision = tx.counts_by(position)?;
    let (since, counts) = match &decision {
        None => (position, Some(first)),
        Some((decision, counts)) => (*decision, counts.as_deref()),
    };
    if counts == Some(digest) {
        return Ok(false);
    }
    let counted_once = digest == first || tx.decision_for(position, digest)?.is_some();
    if counted_once {
        // An older file that is read again says nothing new; the place that told
        // what counts now, and says the old again, does.
        let told = tx.record_at_position(since)?.map(|told| told.origin.place);
        return Ok(told.is_some_and(|place| place == record.origin.place));
    }
    Ok(tx.holds_conflict(position, digest)?.is_none_or(|waits| waits))
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
        let kept = journal::repeats(&reader).unwrap();
        assert_eq!((kept.len(), kept[0].record.body.as_slice()), (1, b"b".as_slice()));
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
