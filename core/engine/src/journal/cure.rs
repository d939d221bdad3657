//! Cure: what could not be used has come in after all.
//!
//! A cured rejection leaves the list of rejections, because its record stands
//! in the journal now, with its bytes.

use planthread_contracts::RawRecord;

use super::append::digest;
use crate::{Reader, State, error::Result};

/// What has come in meanwhile.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cured {
    /// Numbers of rejections.
    pub rejected: Vec<u64>,
    /// Records that waited in quarantine.
    pub quarantined: Vec<RawRecord>,
}

/// Takes cured records off the lists of what could not be used; returns how
/// many were on them.
///
/// # Errors
/// When the state can't be written: then nothing was taken off.
pub fn cure(state: &State, cured: Cured) -> Result<usize> {
    state.change(move |tx| {
        let mut gone = 0;
        for id in &cured.rejected {
            gone += usize::from(tx.delete_rejected(*id)?);
        }
        for record in &cured.quarantined {
            let digest = digest(&record.body);
            gone += usize::from(tx.delete_quarantined(&record.source, &record.id, &digest)?);
        }
        Ok(gone)
    })
}

/// Whether the bytes of `record` are kept under its name: in the journal, or
/// beside it as a conflict or in quarantine.
///
/// # Errors
/// When the state can't be read.
pub fn holds(reader: &Reader, record: &RawRecord) -> Result<bool> {
    let (db, digest) = (reader.db(), digest(&record.body));
    if let Some((position, first)) = db.record_named(&record.source, &record.id)?
        && (first == digest || db.holds_conflict(position, &digest)?.is_some())
    {
        return Ok(true);
    }
    db.holds_quarantined(&record.source, &record.id, &digest)
}

#[cfg(test)]
mod tests {
    use planthread_contracts::{Origin, RejectedRecord};

    use super::*;
    use crate::{
        journal::{self, Append, Quarantined},
        testing::{TempDir, now},
    };

    #[test]
    fn what_is_cured_leaves_the_lists_and_the_rest_stays() {
        let dir = TempDir::new("cure");
        let state = State::open(dir.path(), now()).unwrap();
        let origin = |line| Origin { place: "f.csv".into(), line };
        let refused = |line| RejectedRecord {
            origin: origin(line),
            field: "machine".into(),
            reason: "unknown".into(),
            cure: "declare it".into(),
            body: b"x".to_vec(),
        };
        let early = RawRecord {
            source: "s".into(),
            id: "1".into(),
            media_type: "text/csv".into(),
            body: b"y".to_vec(),
            received_at: now(),
            origin: origin(3),
        };
        let waiting = Quarantined { record: early.clone(), reason: "ahead".into() };
        let append = Append {
            rejected: vec![refused(1), refused(2)],
            quarantined: vec![waiting],
            ..Append::default()
        };
        journal::append(&state, append, now()).unwrap();
        let reader = state.reader().unwrap();
        assert!(holds(&reader, &early).unwrap());
        assert!(!holds(&reader, &RawRecord { body: b"z".to_vec(), ..early.clone() }).unwrap());
        let first = journal::rejected(&state.reader().unwrap()).unwrap()[0].id;
        let cured = Cured { rejected: vec![first], quarantined: vec![early] };
        assert_eq!(cure(&state, cured.clone()).unwrap(), 2);
        assert_eq!(cure(&state, cured).unwrap(), 0);
        let left = journal::counts(&state.reader().unwrap()).unwrap();
        assert_eq!((left.rejected, left.quarantined), (1, 0));
    }
}
