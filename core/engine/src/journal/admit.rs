//! Admit: segments from a folder into this journal, exactly once, in order.

use std::path::Path;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::{
    Append, append,
    load::{Segment, broken, load, numbers},
    set_aside::{self, Other, SetAside},
};
use crate::{State, error::Result, store::records::Conflict};

/// Gaps that are named: a file's name can say any number.
const NAMED: usize = 100;
const UNSIGNED: &str = "ask the collecting side for the file as it was sealed, and compare the key in \
                        its `segments.sign_with` with `segments.trusted` here; where it was sealed before \
                        there was a key, `planthread collect` signs it there now";

const SIGNED: &str = "the trusted key has signed it";
const FOLLOWS: &str = "the segment that was admitted is not the one that the collecting side sealed, or \
                       that side was put back to an older state: `planthread explain segments`";

/// What `admit` did with a folder.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Admitted {
    /// Numbers of the segments that were taken now.
    pub segments: Vec<u64>,
    /// New records.
    pub records: usize,
    /// Records that were there already.
    pub duplicates: usize,
    /// Records whose id is taken by another body.
    #[serde(skip)]
    pub conflicts: Vec<Conflict>,
    /// Numbers that are missing before one that is there: nothing after the
    /// first gap was taken. The first hundred are named.
    pub gaps: Vec<u64>,
    /// Segments whose number was admitted before with another hash: they stand in
    /// `rejects`, and what follows the admitted ones was taken.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub set_aside: Vec<SetAside>,
}

/// Takes every complete segment of `in_dir` that follows the last one taken.
///
/// Number, hash and chain, and the signature where a key is `trusted` (its public
/// half, 64 hex digits), are checked before anything is appended; the records
/// and the fact that the segment was taken commit together.
///
/// # Errors
/// When a segment that was not taken before is damaged, forged, or does not follow its
/// predecessor, with file and line; segments before it stay admitted.
pub fn admit(
    state: &State,
    in_dir: &Path,
    trusted: Option<&str>,
    now: Timestamp,
) -> Result<Admitted> {
    let mut done = Admitted::default();
    let numbers = numbers(in_dir)?;
    let Some(&highest) = numbers.last() else { return Ok(done) };
    let mut stream = None;
    for &number in &numbers {
        let segment = load(in_dir, number, trusted)?;
        let expected = stream.get_or_insert_with(|| segment.header.stream.clone());
        if *expected != segment.header.stream {
            let reason = format!("stream `{}` in a folder of `{expected}`", segment.header.stream);
            return Err(broken(number, 1, reason, "give each collector a folder of its own"));
        }
        let (header, sha256) = (segment.header.clone(), segment.sha256.clone());
        let signature = trusted.map(|_| segment.doubt.map_or(SIGNED, |(_, doubt)| doubt));
        match take(state, segment, now)? {
            Took::Now(appended) => {
                done.segments.push(number);
                done.records += appended.appended;
                done.duplicates += appended.duplicates;
                done.conflicts.extend(appended.conflicts);
            }
            Took::Before => {}
            Took::Other(admitted) => {
                let (header, sha256, admitted) = (&header, &sha256, &admitted);
                let other = Other { dir: in_dir, header, sha256, admitted, signature };
                done.set_aside.push(other.set_aside(state, now)?);
            }
            Took::Gap(next) => {
                let missing = |n: &u64| numbers.binary_search(n).is_err();
                done.gaps = (next..highest).filter(missing).take(NAMED).collect();
                return Ok(done);
            }
        }
    }
    Ok(done)
}

enum Took {
    Now(append::Appended),
    Before,
    /// The number was admitted with this hash, which is another one.
    Other(String),
    Gap(u64),
}

fn take(state: &State, segment: Segment, now: Timestamp) -> Result<Took> {
    let dir = state.dir().to_owned();
    state.change(move |tx| {
        let Segment { header, sha256, records, doubt } = segment;
        let ask = "ask the collecting side for the file as it was sealed";
        if let Some(known) = tx.admitted_hash(&header.stream, header.number)? {
            return Ok(if known == sha256 { Took::Before } else { Took::Other(known) });
        }
        // What was taken before there was a key stays taken.
        if let Some((line, doubt)) = doubt {
            return Err(broken(header.number, line, doubt.to_owned(), UNSIGNED));
        }
        let before = header.number.saturating_sub(1);
        let previous = match before {
            0 => Some(String::new()),
            before => tx.admitted_hash(&header.stream, before)?,
        };
        let Some(previous) = previous else {
            return Ok(Took::Gap(tx.last_admitted(&header.stream)? + 1));
        };
        if previous != header.previous {
            if set_aside::holds(&dir, before, &header.previous) {
                let reason = format!("it follows a segment {before} that was set aside");
                return Err(broken(header.number, 1, reason, FOLLOWS));
            }
            let reason = format!("it does not follow the segment {before} that was admitted");
            return Err(broken(header.number, 1, reason, ask));
        }
        let appended = append::write(tx, &Append { records, ..Append::default() }, now)?;
        tx.admit_segment(&header.stream, header.number, &sha256, now)?;
        Ok(Took::Now(appended))
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use planthread_contracts::{Origin, RawRecord};
    use planthread_kit::agreement::SigningKey;
    use sha2::{Digest as _, Sha256};

    use super::*;
    use crate::{
        journal::{SealLimits, append, counts, seal, segment::file_name},
        store::{codec, segments::Announced},
        testing::{TempDir, now},
    };

    fn fill(state: &State, ids: std::ops::Range<u32>) {
        let records = ids
            .map(|id| RawRecord {
                source: "s".into(),
                id: id.to_string(),
                media_type: "text/csv".into(),
                body: if id % 2 == 0 { vec![0xff, 0, 10] } else { b"a\nb,\"c\"".to_vec() },
                received_at: now(),
                origin: Origin { place: "f.csv".into(), line: 1 },
            })
            .collect();
        append(state, Append { records, ..Append::default() }, now()).unwrap();
    }

    #[test]
    fn collect_and_deliver_meet_in_a_folder_exactly_once() {
        let (plant, planning, folder) =
            (TempDir::new("plant"), TempDir::new("planning"), TempDir::new("folder"));
        let collector = State::open(plant.path(), now()).unwrap();
        fill(&collector, 0..5);
        let limits = SealLimits { records: 2, ..SealLimits::default() };
        let sealed = seal(&collector, folder.path(), "plant-a", limits, None).unwrap();
        assert_eq!(
            sealed.iter().map(|s| (s.number, s.records)).collect::<Vec<_>>(),
            [(1, 2), (2, 2), (3, 1)]
        );
        assert!(seal(&collector, folder.path(), "plant-a", limits, None).unwrap().is_empty());
        assert!(seal(&collector, folder.path(), "plant-b", limits, None).is_err());
        let deliverer = State::open(planning.path(), now()).unwrap();
        let first = admit(&deliverer, folder.path(), None, now()).unwrap();
        assert_eq!((first.segments, first.records), (vec![1, 2, 3], 5));
        fill(&collector, 5..7);
        seal(&collector, folder.path(), "plant-a", limits, None).unwrap();
        let second = admit(&deliverer, folder.path(), None, now()).unwrap();
        assert_eq!((second.segments, second.records, second.duplicates), (vec![4], 2, 0));
        let (ours, theirs) = (collector.reader().unwrap(), deliverer.reader().unwrap());
        let read = |reader| {
            let mut all = Vec::new();
            crate::journal::read(reader, 0, |entry| {
                all.push(entry);
                Ok(())
            })
            .unwrap();
            all
        };
        assert_eq!(read(&ours), read(&theirs), "same order, same bytes");
    }

    #[test]
    fn a_segment_ends_where_its_records_are_long() {
        let (plant, folder) = (TempDir::new("plant"), TempDir::new("folder"));
        let collector = State::open(plant.path(), now()).unwrap();
        // Bodies of 3 and 7 bytes in turn.
        fill(&collector, 0..7);
        let sealed = |bytes| {
            let limits = SealLimits { records: 3, bytes };
            let all = seal(&collector, folder.path(), "plant-a", limits, None).unwrap();
            all.into_iter().map(|segment| segment.records).collect::<Vec<_>>()
        };
        assert_eq!(sealed(10), [2, 2, 2, 1]);
        fill(&collector, 7..12);
        assert_eq!(sealed(1), [1; 5], "each has one record at least");
        fill(&collector, 12..16);
        assert_eq!(sealed(1_000), [3, 1]);
    }

    #[test]
    fn a_lost_segment_is_sealed_again_with_the_same_bytes() {
        let (plant, planning, folder) =
            (TempDir::new("plant"), TempDir::new("planning"), TempDir::new("folder"));
        let collector = State::open(plant.path(), now()).unwrap();
        fill(&collector, 0..5);
        let limits = SealLimits { records: 2, ..SealLimits::default() };
        let sealed = seal(&collector, folder.path(), "a", limits, None).unwrap();
        let paths = [1, 2, 3].map(|n| folder.path().join(file_name(n)));
        let before = paths.each_ref().map(|path| fs::read(path).unwrap());
        fs::remove_file(&paths[0]).unwrap();
        fs::remove_file(&paths[1]).unwrap();
        fill(&collector, 5..6);
        let again = seal(&collector, folder.path(), "a", limits, None).unwrap();
        let told = |one: &crate::journal::Sealed| (one.number, one.again);
        assert_eq!(again.iter().map(told).collect::<Vec<_>>(), [(1, true), (2, true), (4, false)]);
        assert_eq!(paths.each_ref().map(|path| fs::read(path).unwrap()), before);
        assert_eq!((&again[0].sha256, again[0].records), (&sealed[0].sha256, 2));
        let deliverer = State::open(planning.path(), now()).unwrap();
        let done = admit(&deliverer, folder.path(), None, now()).unwrap();
        assert_eq!((done.segments, done.records), (vec![1, 2, 3, 4], 6));
        // What can't be made as it was is not made at all.
        fs::remove_file(&paths[0]).unwrap();
        collector.change(|tx| tx.forge_place(1, "elsewhere")).unwrap();
        let error = seal(&collector, folder.path(), "a", limits, None).unwrap_err().to_string();
        assert!(error.contains("segment-00000001") && error.contains("copy"), "{error}");
        assert!(!paths[0].exists());
    }

    #[test]
    fn gaps_are_named_and_damage_is_found_with_file_and_line() {
        let (plant, planning, folder) =
            (TempDir::new("plant"), TempDir::new("planning"), TempDir::new("folder"));
        let collector = State::open(plant.path(), now()).unwrap();
        fill(&collector, 0..8);
        seal(
            &collector,
            folder.path(),
            "a",
            SealLimits { records: 2, ..SealLimits::default() },
            None,
        )
        .unwrap();
        let path = |n| folder.path().join(file_name(n));
        let second = fs::read(path(2)).unwrap();
        fs::remove_file(path(2)).unwrap();
        fs::write(folder.path().join(".segment-00000009.ndjson.part"), "half").unwrap();
        let deliverer = State::open(planning.path(), now()).unwrap();
        let done = admit(&deliverer, folder.path(), None, now()).unwrap();
        assert_eq!((done.segments, done.gaps), (vec![1], vec![2]));
        let mut damaged = second.clone();
        damaged[200] ^= 1;
        fs::write(path(2), &damaged).unwrap();
        let error = admit(&deliverer, folder.path(), None, now()).unwrap_err().to_string();
        assert!(error.contains("segment-00000002.ndjson line"), "{error}");
        fs::write(path(2), &second[..second.len() - 9]).unwrap();
        assert!(admit(&deliverer, folder.path(), None, now()).is_err(), "cut off");
        fs::write(path(2), &second).unwrap();
        let done = admit(&deliverer, folder.path(), None, now()).unwrap();
        assert_eq!((done.segments, done.records), (vec![2, 3, 4], 6));
        assert_eq!(counts(&deliverer.reader().unwrap()).unwrap().records, 8);
    }

    #[test]
    fn a_number_out_of_this_world_is_a_gap_and_not_a_hang() {
        let (plant, planning, folder) =
            (TempDir::new("plant"), TempDir::new("planning"), TempDir::new("folder"));
        let collector = State::open(plant.path(), now()).unwrap();
        fill(&collector, 0..2);
        seal(&collector, folder.path(), "a", SealLimits::default(), None).unwrap();
        let text = fs::read_to_string(folder.path().join(file_name(1))).unwrap();
        let far = 1 << 60;
        let body = text.replacen("\"number\":1", &format!("\"number\":{far}"), 1);
        let body = &body[..=body.trim_end().rfind('\n').unwrap()];
        let sha256 = codec::hex(&Sha256::digest(body));
        let forged = format!("{body}{{\"sha256\":\"{sha256}\"}}\n");
        fs::write(folder.path().join(file_name(far)), forged).unwrap();
        let deliverer = State::open(planning.path(), now()).unwrap();
        let done = admit(&deliverer, folder.path(), None, now()).unwrap();
        assert_eq!((done.segments, done.gaps.len(), done.gaps[0]), (vec![1], NAMED, 2));
    }

    #[test]
    fn a_segment_from_another_chain_is_refused() {
        let (one, two, folder, planning) =
            (TempDir::new("one"), TempDir::new("two"), TempDir::new("f"), TempDir::new("p"));
        let (a, b) =
            (State::open(one.path(), now()).unwrap(), State::open(two.path(), now()).unwrap());
        fill(&a, 0..2);
        seal(&a, folder.path(), "a", SealLimits::default(), None).unwrap();
        let deliverer = State::open(planning.path(), now()).unwrap();
        admit(&deliverer, folder.path(), None, now()).unwrap();
        fill(&b, 10..12);
        // It would not write over the file: somebody has taken it away.
        fs::remove_file(folder.path().join(file_name(1))).unwrap();
        seal(&b, folder.path(), "a", SealLimits { records: 1, ..SealLimits::default() }, None)
            .unwrap();
        let done = admit(&deliverer, folder.path(), None, now());
        // Its first one is another than the one that was taken, and its second follows it.
        assert!(done.unwrap_err().to_string().contains("set aside"));
    }

    #[test]
    fn an_announced_segment_is_finished_with_the_same_records_after_a_crash() {
        let (plant, folder) = (TempDir::new("plant"), TempDir::new("folder"));
        let collector = State::open(plant.path(), now()).unwrap();
        fill(&collector, 0..3);
        // The crash came after the announcement, and more records after it.
        let (previous, sealed) = (String::new(), None);
        let announced = Announced { number: 1, first: 1, last: 3, previous, sealed };
        collector.change(move |tx| tx.announce_segment("a", &announced)).unwrap();
        fill(&collector, 3..6);
        let sealed = seal(&collector, folder.path(), "a", SealLimits::default(), None).unwrap();
        assert_eq!(sealed.iter().map(|s| s.records).collect::<Vec<_>>(), [3, 3]);
    }

    #[test]
    fn a_segment_that_was_changed_is_named_also_when_its_hash_was_made_right_again() {
        let (plant, folder) = (TempDir::new("plant"), TempDir::new("folder"));
        let collector = State::open(plant.path(), now()).unwrap();
        fill(&collector, 0..4);
        let (key, other) =
            (SigningKey::read(&"1f".repeat(32)).unwrap(), SigningKey::demo().unwrap());
        let limits = SealLimits { records: 2, ..SealLimits::default() };
        seal(&collector, folder.path(), "a", limits, Some(&key)).unwrap();
        let admitted = |trusted: &str| {
            let planning = TempDir::new("planning");
            let deliverer = State::open(planning.path(), now()).unwrap();
            admit(&deliverer, folder.path(), Some(trusted), now()).map_err(|e| e.to_string())
        };
        assert_eq!(admitted(&key.public()).unwrap().segments, [1, 2]);
        assert!(admitted(&other.public()).unwrap_err().contains("another key"));
        let last = folder.path().join(file_name(2));
        let whole = fs::read_to_string(&last).unwrap();
        let (body, trailer) = whole.trim_end().rsplit_once('\n').unwrap();
        let body = format!("{}\n", body.replacen("f.csv", "g.csv", 1));
        let mut forged: serde_json::Value = serde_json::from_str(trailer).unwrap();
        forged["sha256"] = codec::hex(&Sha256::digest(&body)).into();
        fs::write(&last, format!("{body}{forged}\n")).unwrap();
        let error = admitted(&key.public()).unwrap_err();
        assert!(error.contains("segment-00000002") && error.contains("changed after"), "{error}");
        forged.as_object_mut().unwrap().remove("signed");
        fs::write(&last, format!("{body}{forged}\n")).unwrap();
        assert!(admitted(&key.public()).unwrap_err().contains("nobody signed it"));
    }

    #[test]
    fn a_state_that_is_older_than_its_folder_overwrites_no_segment() {
        let (plant, old, folder) =
            (TempDir::new("plant"), TempDir::new("old"), TempDir::new("folder"));
        let limits = SealLimits { records: 1, ..SealLimits::default() };
        let (ahead, behind) =
            (State::open(plant.path(), now()).unwrap(), State::open(old.path(), now()).unwrap());
        fill(&ahead, 0..3);
        seal(&ahead, folder.path(), "a", limits, None).unwrap();
        let before = fs::read(folder.path().join(file_name(2))).unwrap();
        // It knows the first record, and then another one than the second.
        fill(&behind, 0..1);
        fill(&behind, 7..8);
        let error = seal(&behind, folder.path(), "a", limits, None).unwrap_err().to_string();
        assert!(error.contains("segment-00000002") && error.contains("another state"), "{error}");
        assert_eq!(fs::read(folder.path().join(file_name(2))).unwrap(), before);
    }

    #[test]
    fn what_was_sealed_before_there_was_a_key_is_signed_when_there_is_one() {
        let (plant, planning, folder) =
            (TempDir::new("plant"), TempDir::new("planning"), TempDir::new("folder"));
        let collector = State::open(plant.path(), now()).unwrap();
        let key = SigningKey::read(&"1f".repeat(32)).unwrap();
        let limits = SealLimits { records: 1, ..SealLimits::default() };
        fill(&collector, 0..2);
        let before = seal(&collector, folder.path(), "a", limits, None).unwrap();
        let deliverer = State::open(planning.path(), now()).unwrap();
        let take = || admit(&deliverer, folder.path(), Some(&key.public()), now());
        let error = take().unwrap_err().to_string();
        assert!(error.contains("nobody signed it") && error.contains("signs it there"), "{error}");
        // Another hand's segment is not signed: its hash is not the one that was kept.
        let second = folder.path().join(file_name(2));
        let whole = fs::read_to_string(&second).unwrap();
        fs::write(&second, whole.replace(&before[1].sha256, &"0".repeat(64))).unwrap();
        let again = |one: &crate::journal::Sealed| (one.number, one.again, one.sha256.clone());
        let signed = seal(&collector, folder.path(), "a", limits, Some(&key)).unwrap();
        let told: Vec<_> = signed.iter().map(again).collect();
        assert_eq!(told, [(1, true, before[0].sha256.clone())]);
        assert!(take().is_err());
        fs::write(&second, whole).unwrap();
        assert_eq!(seal(&collector, folder.path(), "a", limits, Some(&key)).unwrap()[0].number, 2);
        assert_eq!(take().unwrap().segments, [2]);
        assert!(seal(&collector, folder.path(), "a", limits, Some(&key)).unwrap().is_empty());
    }

    #[test]
    fn a_key_that_comes_later_asks_nothing_of_what_was_taken() {
        let (plant, planning, folder) =
            (TempDir::new("plant"), TempDir::new("planning"), TempDir::new("folder"));
        let collector = State::open(plant.path(), now()).unwrap();
        let key = SigningKey::read(&"1f".repeat(32)).unwrap();
        let limits = SealLimits { records: 1, ..SealLimits::default() };
        fill(&collector, 0..1);
        seal(&collector, folder.path(), "a", limits, None).unwrap();
        let deliverer = State::open(planning.path(), now()).unwrap();
        admit(&deliverer, folder.path(), None, now()).unwrap();
        fill(&collector, 1..2);
        seal(&collector, folder.path(), "a", limits, Some(&key)).unwrap();
        let done = admit(&deliverer, folder.path(), Some(&key.public()), now()).unwrap();
        assert_eq!(done.segments, [2]);
        fill(&collector, 2..3);
        seal(&collector, folder.path(), "a", limits, None).unwrap();
        assert!(admit(&deliverer, folder.path(), Some(&key.public()), now()).is_err());
    }
}
