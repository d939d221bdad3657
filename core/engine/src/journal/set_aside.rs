//! Set aside: a segment whose number was admitted with another hash. What was admitted
//! counts on; the other one is kept whole, beside the journal, and stands with the refused
//! records until a person dismisses it. What follows the admitted one goes on.
//!
//! It is never taken in place of the first: the records of the first have their ids, and
//! what was derived of them may have landed.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use planthread_contracts::{Origin, RejectedRecord};
use schemars::JsonSchema;
use serde::Serialize;

use super::{
    append::{self, Append},
    segment::{Header, file_name},
};
use crate::{
    EngineError, State,
    error::Result,
    store::{make_folder, new_file, sync_dir},
};

/// The folder of the state in which segments are kept that were set aside.
const FOLDER: &str = "segments-set-aside";
/// What a refusal of a segment calls its field.
pub(super) const FIELD: &str = "segment";
/// Segments that may wait for somebody at once. Who writes into the folder must not fill
/// the disk here.
const WAITING_MAX: usize = 100;

/// A segment that was set aside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SetAside {
    /// Its number, which another one has that was admitted.
    pub number: u64,
    /// What stands in `rejects`.
    pub reason: String,
    /// Whether it was so before.
    pub known: bool,
}

/// A segment that is not the one that was admitted under its number.
pub(super) struct Other<'a> {
    pub(super) dir: &'a Path,
    pub(super) header: &'a Header,
    pub(super) sha256: &'a str,
    /// The hash of the one that was admitted.
    pub(super) admitted: &'a str,
    /// What its signature says, where a key is trusted.
    pub(super) signature: Option<&'static str>,
}

impl Other<'_> {
    fn refusal(&self, kept: &Path) -> RejectedRecord {
        let Header { stream, number, .. } = self.header;
        let signed = self.signature.map_or_else(String::new, |said| format!("; {said}"));
        RejectedRecord {
            origin: Origin {
                place: self.dir.join(file_name(*number)).display().to_string(),
                line: 0,
            },
            field: FIELD.to_owned(),
            reason: format!(
                "number {number} of `{stream}` was admitted before with another hash \
                 ({}), and counts on; this one ({}) is set aside whole{signed}",
                short(self.admitted),
                short(self.sha256)
            ),
            cure: "ask the collecting side which of the two it sealed: where it is the first, dismiss \
                   this one and put the first back; else see `planthread explain segments`"
                .to_owned(),
            body: body(stream, *number, self.sha256, kept).into_bytes(),
        }
    }

    /// Keeps it, and what is refused of it.
    ///
    /// # Errors
    /// When it can't be kept, or too many wait already.
    pub(super) fn set_aside(&self, state: &State, now: Timestamp) -> Result<SetAside> {
        let number = self.header.number;
        let folder = state.dir().join(FOLDER);
        let kept = folder.join(kept_name(number, self.sha256));
        let known = kept.exists();
        if !known {
            self.has_room(state)?;
            self.keep(&folder, &kept)?;
        }
        let refused = self.refusal(&kept);
        let reason = refused.reason.clone();
        let batch = Append { rejected: vec![refused], ..Append::default() };
        state.change(move |tx| append::write(tx, &batch, now))?;
        Ok(SetAside { number, reason, known })
    }

    fn has_room(&self, state: &State) -> Result<()> {
        let reader = state.reader()?;
        let waiting = reader.db().rejected(false, 0, u32::MAX)?;
        if waiting.iter().filter(|entry| entry.record.field == FIELD).count() < WAITING_MAX {
            return Ok(());
        }
        Err(EngineError::Segment {
            file: file_name(self.header.number),
            line: 0,
            reason: format!(
                "it was admitted before with another hash, and {WAITING_MAX} such segments wait"
            ),
            cure: "decide of those first: `planthread rejects`, then `rejects dismiss`".into(),
        })
    }

    /// Copies it: written beside, synced, renamed.
    fn keep(&self, folder: &Path, to: &Path) -> Result<()> {
        make_folder(folder)?;
        let from = self.dir.join(file_name(self.header.number));
        let part: PathBuf = to.with_extension("part");
        let copy = || -> io::Result<()> {
            if part.exists() {
                fs::remove_file(&part)?;
            }
            let mut out = new_file(&part)?;
            io::copy(&mut File::open(&from)?, &mut out)?;
            out.flush()?;
            out.sync_all()?;
            fs::rename(&part, to)
        };
        copy().map_err(EngineError::io(to))?;
        sync_dir(folder)
    }
}

/// What stands for the bytes of a segment in the list: they are in a file of their own.
fn body(stream: &str, number: u64, sha256: &str, kept: &Path) -> String {
    let kept = kept.display();
    format!("segment {number} of {stream}, sha256 {sha256}, kept as {kept}")
}

/// Whether a segment with this hash was set aside in the state at `dir`, and waits or was
/// dismissed.
pub(super) fn holds(dir: &Path, number: u64, sha256: &str) -> bool {
    // Whoever made the segment wrote it: it must not name another file.
    let is_hash = sha256.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_hash && dir.join(FOLDER).join(kept_name(number, sha256)).exists()
}

fn kept_name(number: u64, sha256: &str) -> String {
    format!("{}-{sha256}.ndjson", file_name(number).trim_end_matches(".ndjson"))
}

fn short(sha256: &str) -> &str {
    sha256.get(..12).unwrap_or(sha256)
}

#[cfg(test)]
mod tests {
    use planthread_contracts::RawRecord;
    use proptest::prelude::*;
    use sha2::{Digest as _, Sha256};

    use super::*;
    use crate::{
        journal::{Admitted, SealLimits, admit, append, counts, dismiss, rejected, seal},
        store::codec,
        testing::{TempDir, now},
    };

    fn fill(state: &State, ids: std::ops::Range<u32>) {
        let record = |id: u32| RawRecord {
            source: "s".into(),
            id: id.to_string(),
            media_type: "text/csv".into(),
            body: b"genuine".to_vec(),
            received_at: now(),
            origin: Origin { place: "f.csv".into(), line: 1 },
        };
        let records = ids.map(record).collect();
        append(state, Append { records, ..Append::default() }, now()).unwrap();
    }

    /// A collector, a deliverer and the folder between them.
    struct Apart {
        _dirs: [TempDir; 2],
        folder: TempDir,
        collector: State,
        deliverer: State,
    }

    impl Apart {
        fn new() -> Self {
            let dirs = [TempDir::new("plant"), TempDir::new("planning")];
            let [collector, deliverer] =
                dirs.each_ref().map(|dir| State::open(dir.path(), now()).unwrap());
            Self { _dirs: dirs, folder: TempDir::new("folder"), collector, deliverer }
        }

        fn seal(&self) {
            let limits = SealLimits { records: 2, ..SealLimits::default() };
            seal(&self.collector, self.folder.path(), "a", limits, None).unwrap();
        }

        fn admit(&self) -> Result<Admitted> {
            admit(&self.deliverer, self.folder.path(), None, now())
        }

        fn file(&self, number: u64) -> PathBuf {
            self.folder.path().join(file_name(number))
        }

        /// Somebody writes another segment of this number, with its hash made right.
        fn forge(&self, number: u64, word: &str) -> Vec<u8> {
            let genuine = fs::read(self.file(number)).unwrap();
            let text = String::from_utf8(genuine.clone()).unwrap();
            let (body, _) = text.trim_end().rsplit_once('\n').unwrap();
            let body = format!("{}\n", body.replace("genuine", word));
            let sha256 = codec::hex(&Sha256::digest(&body));
            fs::write(self.file(number), format!("{body}{{\"sha256\":\"{sha256}\"}}\n")).unwrap();
            genuine
        }

        fn bodies(&self) -> Vec<String> {
            let mut all = Vec::new();
            crate::journal::read(&self.deliverer.reader().unwrap(), 0, |entry| {
                all.push(String::from_utf8(entry.record.body).unwrap());
                Ok(())
            })
            .unwrap();
            all
        }
    }

    #[test]
    fn a_second_segment_of_a_number_is_set_aside_and_the_next_one_goes_on() {
        let apart = Apart::new();
        fill(&apart.collector, 0..4);
        apart.seal();
        assert_eq!(apart.admit().unwrap().segments, [1, 2]);
        apart.forge(2, "forged");
        let forged = fs::read(apart.file(2)).unwrap();
        fill(&apart.collector, 4..6);
        apart.seal();
        let done = apart.admit().unwrap();
        assert_eq!((done.segments, done.records, done.set_aside.len()), (vec![3], 2, 1));
        assert_eq!(apart.bodies(), ["genuine"; 6]);
        let reader = apart.deliverer.reader().unwrap();
        let [refused] = &rejected(&reader).unwrap()[..] else { panic!("one is refused") };
        assert!(refused.record.reason.contains("another hash"), "{}", refused.record.reason);
        let folder = apart.deliverer.dir().join(FOLDER);
        let kept = fs::read_dir(folder).unwrap().next().unwrap().unwrap().path();
        assert_eq!(fs::read(kept).unwrap(), forged, "whole");
        // Who has decided is asked no more, and it says who.
        let (who, why) = ("mara".to_owned(), "the first is right".to_owned());
        dismiss(&apart.deliverer, vec![refused.id], who, why, now()).unwrap();
        let again = apart.admit().unwrap();
        assert!(again.set_aside.iter().all(|one| one.known) && again.segments.is_empty());
        assert_eq!(counts(&apart.deliverer.reader().unwrap()).unwrap().rejected, 0);
    }

    #[test]
    fn what_follows_a_segment_that_was_set_aside_says_so() {
        let apart = Apart::new();
        fill(&apart.collector, 0..4);
        apart.seal();
        let genuine = apart.forge(2, "forged");
        assert_eq!(apart.admit().unwrap().segments, [1, 2], "nobody signs here");
        fs::write(apart.file(2), genuine).unwrap();
        fill(&apart.collector, 4..6);
        apart.seal();
        let error = apart.admit().unwrap_err().to_string();
        assert!(error.contains("set aside") && error.contains("explain segments"), "{error}");
        assert_eq!(rejected(&apart.deliverer.reader().unwrap()).unwrap().len(), 1);
    }

    #[test]
    fn whoever_writes_into_the_folder_fills_no_disk() {
        let apart = Apart::new();
        fill(&apart.collector, 0..2);
        apart.seal();
        apart.admit().unwrap();
        let mut word = "genuine".to_owned();
        let mut write = |n: usize| {
            let next = format!("forged {n}");
            let text = fs::read_to_string(apart.file(1)).unwrap().replace(&word, "genuine");
            fs::write(apart.file(1), text).unwrap();
            apart.forge(1, &next);
            word = next;
            apart.admit()
        };
        for n in 0..WAITING_MAX {
            assert_eq!(write(n).unwrap().set_aside.len(), 1);
        }
        let error = write(WAITING_MAX).unwrap_err().to_string();
        assert!(error.contains("100 such segments wait"), "{error}");
        let folder = apart.deliverer.dir().join(FOLDER);
        assert_eq!(fs::read_dir(folder).unwrap().count(), WAITING_MAX);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn nothing_is_lost_or_doubled_whatever_is_written_over_segments_that_were_taken(
            steps in prop::collection::vec((0..4_u8, 0..9_u64), 1..14),
        ) {
            let apart = Apart::new();
            let (mut records, mut sealed, mut forged) = (0, 0, 0);
            let mut waits = std::collections::BTreeSet::new();
            for (step, n) in steps {
                match step {
                    // Two records make a segment, and it is taken.
                    0 => {
                        fill(&apart.collector, records..records + 2);
                        records += 2;
                        sealed += 1;
                        apart.seal();
                    }
                    1 if sealed > 0 => {
                        // The collecting side never writes over a file that is there.
                        let number = 1 + n % sealed;
                        fs::remove_file(apart.file(number)).unwrap();
                        apart.seal();
                        forged += 1;
                        apart.forge(number, &format!("forged {forged}"));
                        waits.insert(forged);
                    }
                    // The collecting side puts it right.
                    2 if sealed > 0 => {
                        fs::remove_file(apart.file(1 + n % sealed)).unwrap();
                        apart.seal();
                    }
                    3 => {
                        let reader = apart.deliverer.reader().unwrap();
                        if let Some(first) = rejected(&reader).unwrap().first() {
                            let (who, why) = ("mara".to_owned(), "a test".to_owned());
                            dismiss(&apart.deliverer, vec![first.id], who, why, now()).unwrap();
                            waits.pop_first();
                        }
                    }
                    _ => {}
                }
                prop_assert!(apart.admit().unwrap().gaps.is_empty());
                prop_assert_eq!(apart.bodies(), vec!["genuine"; records as usize]);
                let left = counts(&apart.deliverer.reader().unwrap()).unwrap().rejected;
                prop_assert_eq!(left, waits.len() as u64, "each is told once, until it is dismissed");
            }
        }
    }
}
