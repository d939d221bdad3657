//! Dismissal: a person has looked at refused records, and nothing is to come of
//! them.
//!
//! A dismissed record leaves the list and stays in the state, with its bytes,
//! the name and the reason. It is not refused anew when its file is read again.
//!
//! A wrong header is more than its line: no row of its file counts. It comes back
//! as often as its file is read and has it still, and says who dismissed it.

use jiff::Timestamp;

use crate::{
    Reader, State,
    error::Result,
    store::records::{Dismissal, RejectedEntry},
};

/// The field of a refusal that is about the first line of a file: nothing of the
/// file is kept.
pub(crate) const FILE_REFUSED: &str = "header";

/// Dismisses refused records by their numbers; returns the numbers of those that
/// were on the list.
///
/// # Errors
/// When the state can't be written: then none was dismissed.
pub fn dismiss(
    state: &State,
    ids: Vec<u64>,
    who: String,
    why: String,
    now: Timestamp,
) -> Result<Vec<u64>> {
    state.change(move |tx| {
        let dismissal = Dismissal { who, why, at: now };
        let mut done = Vec::new();
        for id in ids {
            if tx.dismiss_rejected(id, &dismissal)? {
                done.push(id);
            }
        }
        Ok(done)
    })
}

/// Every refused record that somebody has dismissed, oldest first.
///
/// # Errors
/// When the state can't be read.
pub fn dismissed(reader: &Reader) -> Result<Vec<RejectedEntry>> {
    reader.db().rejected(true, 0, u32::MAX)
}

#[cfg(test)]
mod tests {
    use planthread_contracts::{Origin, RejectedRecord};

    use super::*;
    use crate::{
        journal::{Append, append, counts, rejected},
        ledger,
        testing::{TempDir, now},
    };

    fn refused(line: u64) -> RejectedRecord {
        RejectedRecord {
            origin: Origin { place: "f.csv".into(), line },
            field: "machine".into(),
            reason: "unknown".into(),
            cure: "declare it".into(),
            body: b"x".to_vec(),
        }
    }

    #[test]
    fn a_dismissed_record_leaves_the_list_stays_in_the_state_and_does_not_come_back() {
        let dir = TempDir::new("dismiss");
        let state = State::open(dir.path(), now()).unwrap();
        let come = || {
            let append_all = Append { rejected: vec![refused(1), refused(2)], ..Append::default() };
            append(&state, append_all, now()).unwrap();
            rejected(&state.reader().unwrap()).unwrap()
        };
        let first = come()[0].id;
        let say = |ids: Vec<u64>| dismiss(&state, ids, "Eva".into(), "a test".into(), now());
        assert_eq!(say(vec![first, 99]).unwrap(), [first]);
        assert_eq!(say(vec![first]).unwrap(), [] as [u64; 0], "only once");
        // The file is read again.
        let left = come();
        assert_eq!(left.iter().map(|entry| entry.record.origin.line).collect::<Vec<_>>(), [2]);
        let reader = state.reader().unwrap();
        assert_eq!(counts(&reader).unwrap().rejected, 1);
        let gone = dismissed(&reader).unwrap();
        let said = Dismissal { who: "Eva".into(), why: "a test".into(), at: now() };
        assert_eq!((gone.len(), &gone[0].dismissed), (1, &Some(said)));
        assert_eq!(gone[0].record, refused(1));
        let audit = ledger::audit(&reader).unwrap();
        assert_eq!((audit.records, audit.findings.len()), (2, 0), "{audit:?}");
    }

    #[test]
    fn no_dismissal_hides_what_is_refused_later() {
        let dir = TempDir::new("dismiss-later");
        let state = State::open(dir.path(), now()).unwrap();
        let long = |reason: &str| {
            let (reason, body) = (reason.into(), Vec::new());
            RejectedRecord { field: String::new(), reason, body, ..refused(1) }
        };
        let header = RejectedRecord { field: FILE_REFUSED.into(), ..refused(1) };
        // What comes once more, and what is on the list then.
        for (first, later, listed) in [
            (refused(1), refused(1), 0),
            (long("2 MB, ab"), long("2 MB, ab"), 0),
            (long("2 MB, ab"), long("2 MB, cd"), 1),
            (header.clone(), header, 1),
        ] {
            let come = |row: RejectedRecord| {
                let batch = Append { rejected: vec![row], ..Append::default() };
                append(&state, batch, now()).unwrap();
                rejected(&state.reader().unwrap()).unwrap()
            };
            let all = come(first).into_iter().map(|entry| entry.id).collect();
            dismiss(&state, all, "Eva".into(), "a test".into(), now()).unwrap();
            let left = come(later.clone());
            assert_eq!(left.len(), listed, "{later:?}");
            let all = left.iter().map(|entry| entry.id).collect();
            for entry in left.iter().filter(|entry| entry.record.field == FILE_REFUSED) {
                assert!(entry.record.reason.ends_with("dismissed by Eva: a test, and came again"));
            }
            dismiss(&state, all, "Eva".into(), "a test".into(), now()).unwrap();
        }
    }

    #[test]
    fn what_is_refused_anew_tells_the_reason_of_today() {
        let dir = TempDir::new("reason");
        let state = State::open(dir.path(), now()).unwrap();
        let come = |reason: &str| {
            let row = RejectedRecord { reason: reason.into(), ..refused(1) };
            let batch = Append { rejected: vec![row], ..Append::default() };
            let new = append(&state, batch, now()).unwrap().rejected;
            let kept = rejected(&state.reader().unwrap()).unwrap();
            (new, kept.into_iter().map(|entry| entry.record.reason).collect::<Vec<_>>())
        };
        assert_eq!(come("`a` is declared"), (1, vec!["`a` is declared".to_owned()]));
        assert_eq!(come("`a` is declared"), (0, vec!["`a` is declared".to_owned()]));
        assert_eq!(come("`b` is declared"), (1, vec!["`b` is declared".to_owned()]));
        dismiss(&state, vec![1], "Eva".into(), "a test".into(), now()).unwrap();
        assert_eq!(come("`c` is declared"), (0, Vec::new()));
    }
}
