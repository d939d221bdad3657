//! When each source was heard last. It is committed with the records, so a program that
//! starts anew does not take a source that is silent for one that has just spoken.
//!
//! What had been kept before counts, too: who says the same again is not silent.

use std::collections::BTreeMap;

use jiff::Timestamp;
use planthread_contracts::RawRecord;

use crate::{
    Reader, State,
    error::Result,
    store::{Db, Tx},
};

/// Under which name the mark of a source is kept.
fn name(source: &str) -> String {
    format!("heard:{source}")
}

fn mark(db: &Db, source: &str) -> Result<Option<Timestamp>> {
    // What can't be understood was not written by us: the records tell it.
    Ok(db.checkpoint(&name(source))?.and_then(|text| text.parse().ok()))
}

/// Notes when each source of `records` was heard.
pub(super) fn note(tx: &Tx<'_>, records: &[RawRecord]) -> Result<()> {
    let mut newest = BTreeMap::<&str, Timestamp>::new();
    for record in records {
        let at = newest.entry(&record.source).or_insert(record.received_at);
        *at = record.received_at.max(*at);
    }
    for (source, at) in newest {
        if mark(tx, source)?.is_none_or(|known| known < at) {
            tx.put_checkpoint(&name(source), &at.to_string())?;
        }
    }
    Ok(())
}

/// When each of `sources` was heard last; one that never spoke is awaited since `now`,
/// and that is kept. A journal that has no mark of a source yet is read once for it.
///
/// # Errors
/// When the state can't be read. One that can't be written tells the same.
pub fn heard(
    state: &State,
    sources: &[&str],
    now: Timestamp,
) -> Result<BTreeMap<String, Timestamp>> {
    let reader: Reader = state.reader()?;
    let (mut all, mut new) = (BTreeMap::new(), Vec::new());
    for &source in sources {
        let at = match mark(reader.db(), source)? {
            Some(at) => at,
            None => {
                let at = reader.db().last_arrival(source)?.unwrap_or(now);
                new.push((source.to_owned(), at));
                at
            }
        };
        all.insert(source.to_owned(), at);
    }
    if !new.is_empty() {
        // A disk that refuses is told elsewhere, and stops nobody who only asks.
        let _ = state.change(move |tx| {
            let keep = |(source, at): (String, Timestamp)| {
                tx.put_checkpoint(&name(&source), &at.to_string())
            };
            new.into_iter().try_for_each(keep)
        });
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan as _;
    use planthread_contracts::Origin;
    use proptest::{collection::vec, prelude::*};

    use super::*;
    use crate::{
        journal::{Append, append},
        testing::{TempDir, now},
    };

    const NAMES: [&str; 3] = ["line-sim", "mes", "never"];

    fn record(source: usize, id: u8, minute: i64) -> RawRecord {
        RawRecord {
            source: NAMES[source].into(),
            id: id.to_string(),
            media_type: "text/csv".into(),
            // The same under the same name: most of them were kept before.
            body: id.to_string().into_bytes(),
            received_at: now() + minute.minutes(),
            origin: Origin { place: "log.csv".into(), line: 1 },
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn a_restart_changes_nothing_about_when_a_source_was_heard(
            steps in vec((0_usize..2, 0_u8..4, 0_i64..10_000), 1..12), restart: bool,
        ) {
            let dir = TempDir::new("heard");
            let mut state = State::open(dir.path(), now()).unwrap();
            let first = heard(&state, &NAMES, now()).unwrap();
            prop_assert!(first.values().all(|at| *at == now()), "awaited from the first start on");
            let mut newest = first;
            for (source, id, minute) in steps {
                let record = record(source, id, minute);
                let (name, at) = (record.source.clone(), record.received_at);
                let records = vec![record];
                append(&state, Append { records, ..Append::default() }, now()).unwrap();
                newest.entry(name).and_modify(|known| *known = at.max(*known));
                if restart {
                    drop(state);
                    state = State::open(dir.path(), now()).unwrap();
                }
                let later = now() + 100_000.minutes();
                prop_assert_eq!(&heard(&state, &NAMES, later).unwrap(), &newest);
            }
        }
    }

    #[test]
    fn a_journal_without_marks_is_read_once_however_long_ago_the_source_spoke() {
        let dir = TempDir::new("heard-old");
        let state = State::open(dir.path(), now()).unwrap();
        let records = (0..=200).map(|id| record(usize::from(id > 0), id, i64::from(id))).collect();
        append(&state, Append { records, ..Append::default() }, now()).unwrap();
        state
            .change(|tx| NAMES.iter().try_for_each(|of| tx.put_checkpoint(&name(of), "")))
            .unwrap();
        let told = heard(&state, &NAMES, now() + 999.minutes()).unwrap();
        let minutes = NAMES.map(|of| told[of].duration_since(now()).as_mins());
        assert_eq!(minutes, [0, 200, 999]);
        let again = heard(&state, &NAMES, now() + 5_000.minutes()).unwrap();
        assert_eq!(again, told, "it was kept");
    }
}
