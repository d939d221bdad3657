//! Reading the journal: streaming from a position, and what stands beside it.

use planthread_contracts::RawRecord;

use super::append::digest;
use crate::{
    EngineError, Reader,
    error::Result,
    store::{
        Db, codec,
        records::{JournalCounts, Kept, Quarantined, RejectedEntry},
    },
};

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

/// Streams every record after position `after`, in order, to `each`; returns
/// the last position that it gave. A record whose bytes are not those that were
/// kept is given to nobody.
///
/// # Errors
/// When the state can't be read, a record is damaged, or `each` refuses.
pub fn read(reader: &Reader, after: u64, each: impl FnMut(Entry) -> Result<()>) -> Result<u64> {
    read_range(reader.db(), after, u64::try_from(i64::MAX).unwrap_or(0), each)
}

/// Streams the records in `(after, to]`.
pub(super) fn read_range(
    db: &Db,
    after: u64,
    to: u64,
    mut each: impl FnMut(Entry) -> Result<()>,
) -> Result<u64> {
    let mut last = after;
    db.records(after, to, |Kept { position, digest: kept, record }| {
        last = position;
        if digest(&record.body).as_slice() != kept {
            let RawRecord { source: source_name, id, .. } = record;
            return Err(EngineError::Damaged { position, source_name, id });
        }
        each(Entry { position, digest: codec::hex(&kept), record })
    })?;
    Ok(last)
}

/// Every rejected record, oldest first.
///
/// # Errors
/// When the state can't be read.
pub fn rejected(reader: &Reader) -> Result<Vec<RejectedEntry>> {
    reader.db().rejected(false, 0, u32::MAX)
}

/// The first `most` rejected records that wait, with a number beyond `after`, oldest
/// first: whoever goes through them all has never all in memory.
///
/// # Errors
/// When the state can't be read.
pub fn rejected_after(reader: &Reader, after: u64, most: u32) -> Result<Vec<RejectedEntry>> {
    reader.db().rejected(false, after, most)
}

/// Every quarantined record, oldest first.
///
/// # Errors
/// When the state can't be read.
pub fn quarantined(reader: &Reader) -> Result<Vec<Quarantined>> {
    reader.db().quarantined()
}

/// Counts of everything in and beside the journal.
///
/// # Errors
/// When the state can't be read.
pub fn counts(reader: &Reader) -> Result<JournalCounts> {
    reader.db().journal_counts()
}

#[cfg(test)]
mod tests {
    use planthread_contracts::Origin;

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
        state.change(|tx| tx.forge_bodies(2, b"10,M1,90")).unwrap();
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
