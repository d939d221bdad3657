//! A trail that was changed, cut, put back or written by several at once.

use std::{fs, thread};

use proptest::prelude::*;

use super::*;
use crate::testing::{TempDir, now};

fn act(what: &str) -> Act {
    let about = BTreeMap::from([("target".to_owned(), "plan".to_owned())]);
    let (who, account) = ("Anna".to_owned(), "uid 1000".to_owned());
    Act { at: now(), who, account, act: what.to_owned(), about }
}

fn trail(name: &str, entries: usize) -> (TempDir, Vec<Head>) {
    let dir = TempDir::new(name);
    let heads = (0..entries).map(|_| append(dir.path(), act("pause")).unwrap()).collect();
    (dir, heads)
}

fn checked(dir: &Path, kept: Option<&str>) -> Checked {
    check(dir, kept, |_| Ok(())).unwrap()
}

#[test]
fn a_whole_trail_is_whole_up_to_each_of_its_heads() {
    let (dir, heads) = trail("trail-whole", 5);
    assert_eq!(head(dir.path()).unwrap().as_ref(), heads.last());
    for kept in &heads {
        let checked = checked(dir.path(), Some(&kept.digest));
        assert_eq!((checked.entries, checked.fault), (5, None));
    }
    let empty = TempDir::new("trail-none");
    assert_eq!(head(empty.path()).unwrap(), None);
    assert_eq!(checked(empty.path(), None), Checked::default());
    assert!(checked(empty.path(), Some(&heads[0].digest)).fault.is_some());
}

#[test]
fn an_older_copy_is_told_by_a_head_that_was_kept() {
    let (dir, _) = trail("trail-older", 3);
    let old = fs::read(file(dir.path())).unwrap();
    let kept = append(dir.path(), act("apply")).unwrap();
    fs::write(file(dir.path()), old).unwrap();
    assert_eq!(checked(dir.path(), None).fault, None);
    let fault = checked(dir.path(), Some(&kept.digest)).fault.unwrap();
    assert_eq!(fault.number, 4);
    // Other entries in its place change nothing about that.
    append(dir.path(), act("resume")).unwrap();
    assert!(checked(dir.path(), Some(&kept.digest)).fault.is_some());
}

#[test]
fn processes_that_append_at_once_make_one_chain() {
    let dir = TempDir::new("trail-at-once");
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..25).for_each(|_| drop(append(dir.path(), act("pause")).unwrap())));
        }
    });
    assert_eq!((checked(dir.path(), None).entries, checked(dir.path(), None).fault), (100, None));
}

#[test]
fn what_no_line_can_have_stays_and_is_named() {
    for bytes in [LONGEST, 2 * LONGEST - 1, 5 * LONGEST] {
        let (dir, heads) = trail("trail-long", 3);
        let path = file(dir.path());
        let mut whole = fs::read(&path).unwrap();
        let before = whole.len();
        whole.extend(vec![b'x'; usize::try_from(bytes).unwrap()]);
        fs::write(&path, &whole).unwrap();
        append(dir.path(), act("resume")).unwrap();
        append(dir.path(), act("pause")).unwrap();
        let kept = fs::read(&path).unwrap();
        assert_eq!(kept[..whole.len()], whole, "{bytes}: nothing was taken out");
        let checked = checked(dir.path(), Some(&heads[2].digest));
        assert_eq!((checked.entries, checked.fault.unwrap().number), (3, 4), "{before}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_changed_byte_is_named_at_its_entry(at in any::<prop::sample::Index>(), bit in 0u8..8) {
        let (dir, heads) = trail("trail-flip", 6);
        let kept = &heads.last().unwrap().digest;
        let mut bytes = fs::read(file(dir.path())).unwrap();
        let at = at.index(bytes.len());
        let number = 1 + bytes[..at].iter().filter(|byte| **byte == b'\n').count() as u64;
        bytes[at] ^= 1 << bit;
        fs::write(file(dir.path()), bytes).unwrap();
        let fault = checked(dir.path(), Some(kept)).fault.unwrap();
        // A line that can still be read is found by the one that follows it.
        prop_assert!(fault.number == number || fault.number == number + 1, "{fault:?}, {number}");
    }

    #[test]
    fn a_line_that_was_cut_is_none_and_the_next_one_follows(cut in 1usize..150) {
        let (dir, heads) = trail("trail-cut", 3);
        let path = file(dir.path());
        let bytes = fs::read(&path).unwrap();
        let begin = bytes.iter().rposition(|byte| *byte == b'{').unwrap();
        let begin = bytes[..begin].iter().rposition(|byte| *byte == b'\n').unwrap() + 1;
        fs::write(&path, &bytes[..bytes.len() - cut.min(bytes.len() - begin)]).unwrap();
        prop_assert_eq!(head(dir.path()).unwrap().unwrap(), heads[1].clone());
        let next = append(dir.path(), act("resume")).unwrap();
        let mut acts = Vec::new();
        let checked = check(dir.path(), Some(&next.digest), |entry| {
            acts.push(entry.act.act.clone());
            Ok(())
        });
        prop_assert_eq!(checked.unwrap().fault, None);
        // Only the line break is missing, or it says what was taken out; an entry that
        // is gone without a trace is one that never came.
        let whole = bytes.len() - begin;
        match cut.min(whole) {
            1 => prop_assert_eq!(&acts[2..], ["pause", "resume"]),
            gone if gone == whole => prop_assert_eq!(&acts[2..], ["resume"]),
            _ => prop_assert_eq!(&acts[2..], ["cut line taken out", "resume"]),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn entries_keep_their_places_behind_a_line_that_cannot_be_read(
        bad in 1usize..6,
        last in any::<bool>(),
        more in 1u64..4,
        long in any::<bool>(),
    ) {
        let entries = if last { bad } else { 6 };
        let (dir, _) = trail("trail-places", entries);
        let path = file(dir.path());
        let text = fs::read_to_string(&path).unwrap();
        let broken = if long { "x".repeat(3 * 64 * 1024) } else { "{ not an entry".to_owned() };
        let lines: Vec<&str> = text
            .lines()
            .enumerate()
            .map(|(at, line)| if at + 1 == bad { broken.as_str() } else { line })
            .collect();
        fs::write(&path, lines.join("\n") + "\n").unwrap();
        let before = entries as u64;
        for more in 1..=more {
            prop_assert_eq!(append(dir.path(), act("resume")).unwrap().number, before + more);
        }
        let mut told = Vec::new();
        let checked = check(dir.path(), None, |entry| {
            told.push(entry.number);
            Ok(())
        });
        let checked = checked.unwrap();
        prop_assert_eq!(checked.fault.unwrap().number, bad as u64);
        let places: Vec<u64> = (1..=before + more).filter(|place| *place != bad as u64).collect();
        prop_assert_eq!(told, places);
    }
}
