//! A backup is the state of one moment; a restore is all of it, or nothing.

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
};

use proptest::prelude::*;

use super::{manifest::FILE, restore::decide, *};
use crate::{
    EngineError, Reader, State, audit_trail, ledger,
    store::{self, swap},
    testing::{TempDir, decl, landed, now},
};

/// A state with `cells` that have landed, and a record of a person.
fn state(name: &str, cells: usize) -> TempDir {
    let dir = TempDir::new(name);
    let state = State::open(dir.path(), now()).unwrap();
    landed(&state, &decl("lost", "expected_lost_hours", "value"), cells);
    fs::create_dir_all(dir.path().join("pauses/t")).unwrap();
    fs::write(dir.path().join("pauses/t/1.json"), "{}").unwrap();
    fs::write(dir.path().join("pauses/t/.2.part"), "{").unwrap();
    fs::create_dir_all(dir.path().join("plans")).unwrap();
    fs::write(dir.path().join("plans/t.ndjson"), "a plan").unwrap();
    dir
}

fn cells(dir: &Path) -> i64 {
    ledger::audit(&Reader::open(dir).unwrap()).unwrap().made
}

fn request<'a>(from: &'a Path, state: &'a Path, replace: bool) -> RestoreRequest<'a> {
    RestoreRequest {
        from,
        state,
        replace,
        who: "Ada",
        why: "the disk broke",
        account: "uid 7",
        random: 7,
    }
}

/// Every file of a folder with its digest, but for locks and what SQLite has beside
/// a database that is open.
fn files(dir: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(dir).unwrap().map(Result::unwrap) {
        let name = entry.file_name().into_string().unwrap();
        if entry.path().is_dir() {
            let below = files(&entry.path()).into_iter();
            found.extend(below.map(|(file, bytes)| (format!("{name}/{file}"), bytes)));
        } else if ![swap::LOCK, swap::TRAIL].contains(&name.as_str())
            && !name.starts_with("state.db-")
        {
            let known = manifest::digest(&entry.path(), String::new()).unwrap();
            found.insert(name, known.sha256);
        }
    }
    found
}

#[test]
fn a_backup_is_made_beside_a_writer_and_holds_what_was_acknowledged() {
    let (dir, place) = (state("beside", 4), TempDir::new("beside-to"));
    let state = State::open(dir.path(), now()).unwrap();
    let (to, over) = (place.path().join("b"), AtomicBool::new(false));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for number in 0.. {
                let name = format!("n{number}");
                state.change(move |tx| tx.put_checkpoint(&name, "1")).unwrap();
                if over.load(Ordering::SeqCst) {
                    break;
                }
            }
        });
        let made = backup(dir.path(), &to, "9.9.9", now()).unwrap();
        over.store(true, Ordering::SeqCst);
        let names: Vec<&str> = made.files.iter().map(|file| file.name.as_str()).collect();
        assert_eq!(names, ["state.db", "pauses/t/1.json"]);
        assert_eq!((made.program.as_str(), made.made_at), ("9.9.9", now()));
    });
    assert_eq!(cells(&to), cells(dir.path()));
    let again = backup(dir.path(), &to, "9.9.9", now()).unwrap_err().to_string();
    assert!(again.contains("not empty"), "{again}");
    let inside = backup(dir.path(), &dir.path().join("b"), "9.9.9", now()).unwrap_err();
    assert!(inside.to_string().contains("lies in the state"), "{inside}");
    #[cfg(unix)]
    for name in ["", "state.db", FILE, "pauses", "pauses/t/1.json"] {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = fs::metadata(to.join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{name}");
    }
}

#[test]
fn what_a_killed_backup_left_is_cleared_and_one_under_way_is_left_alone() {
    let (dir, place) = (state("left", 2), TempDir::new("left-to"));
    let (to, part) = (place.path().join("b"), place.path().join(".b.part"));
    fs::create_dir_all(&part).unwrap();
    fs::write(part.join("state.db"), "half").unwrap();
    let held = store::lock_folder(&part).unwrap();
    let refused = backup(dir.path(), &to, "1", now()).unwrap_err().to_string();
    assert!(refused.contains("another backup"), "{refused}");
    assert!(!to.exists() && part.join("state.db").exists());
    drop(held);
    backup(dir.path(), &to, "1", now()).unwrap();
    assert!(!part.exists());
    assert_eq!(cells(&to), 2);
}

#[test]
fn a_restored_state_is_another_writer_that_has_seen_nothing() {
    let (dir, place, new) = (state("anew", 3), TempDir::new("anew-to"), TempDir::new("anew-new"));
    let before = State::open(dir.path(), now()).unwrap().identity(7).unwrap();
    let to = place.path().join("b");
    backup(dir.path(), &to, "1", now()).unwrap();
    let done = restore(&request(&to, new.path(), false), now()).unwrap();
    assert_eq!((done.expired, done.kept, done.unclear), (3, None, 0));
    assert_ne!(done.identity, before);
    let reader = Reader::open(new.path()).unwrap();
    let status = crate::status::status(&reader, now()).unwrap();
    assert_eq!((status.scopes[0].wanted, status.scopes[0].seen), (3, 0));
    let cases = ledger::cases(&reader).unwrap();
    assert!(cases[0].text.contains("by Ada: the disk broke"), "{cases:?}");
    assert!(ledger::audit(&reader).unwrap().findings.is_empty());
    assert!(new.path().join("pauses/t/1.json").exists());
}

#[test]
fn a_state_that_is_held_or_holds_something_is_not_replaced() {
    let (dir, place) = (state("held", 2), TempDir::new("held-to"));
    let to = place.path().join("b");
    backup(dir.path(), &to, "1", now()).unwrap();
    let before = files(dir.path());
    let refused = restore(&request(&to, dir.path(), false), now()).unwrap_err().to_string();
    assert!(refused.contains("--replace"), "{refused}");
    let open = State::open(dir.path(), now()).unwrap();
    let held = restore(&request(&to, dir.path(), true), now());
    assert!(matches!(held, Err(EngineError::WriterHeld { .. })), "{held:?}");
    drop(open);
    assert_eq!(files(dir.path()), before);
    let done = restore(&request(&to, dir.path(), true), now()).unwrap();
    let kept = done.kept.unwrap();
    assert_eq!(files(&kept), before, "what was there is whole");
    assert_eq!(cells(&kept), 2);
    // The way back.
    let back = place.path().join("back");
    backup(&kept, &back, "1", now()).unwrap();
    let again = restore(&request(&back, dir.path(), true), now()).unwrap();
    assert_ne!(again.kept.unwrap(), kept, "one of the same second has another name");
}

/// The acts in the trail of a state, which is whole.
fn trail(dir: &Path) -> Vec<String> {
    let text = fs::read_to_string(audit_trail::file(dir)).unwrap();
    let entries =
        text.lines().map(|line| serde_json::from_str::<audit_trail::Entry>(line).unwrap());
    let checked = audit_trail::check(dir, None, |_| Ok(())).unwrap();
    assert_eq!(checked.fault, None, "{checked:?}");
    entries.map(|entry| entry.act.act).collect()
}

#[test]
fn the_audit_trail_of_the_folder_goes_on_else_the_one_of_the_backup() {
    let (dir, place, new) =
        (state("trail", 2), TempDir::new("trail-to"), TempDir::new("trail-new"));
    let act = |act: &str| audit_trail::Act {
        at: now(),
        who: "Ada".to_owned(),
        account: "uid 7".to_owned(),
        act: act.to_owned(),
        about: BTreeMap::new(),
    };
    let to = place.path().join("b");
    audit_trail::append(dir.path(), act("pause")).unwrap();
    backup(dir.path(), &to, "1", now()).unwrap();
    audit_trail::append(dir.path(), act("resume")).unwrap();
    restore(&request(&to, new.path(), false), now()).unwrap();
    assert_eq!(trail(new.path()), ["pause", "restore"]);
    restore(&request(&to, dir.path(), true), now()).unwrap();
    assert_eq!(trail(dir.path()), ["pause", "resume", "restore"]);
}

#[test]
fn a_backup_of_a_newer_program_is_refused_before_anything_is_replaced() {
    let (dir, place) = (state("newer", 2), TempDir::new("newer-to"));
    let to = place.path().join("b");
    backup(dir.path(), &to, "1", now()).unwrap();
    let database = to.join("state.db");
    store::forge::schema_of(&database, 99);
    let mut manifest = BackupManifest::read(&to).unwrap();
    manifest.files[0] = manifest::digest(&database, "state.db".to_owned()).unwrap();
    let text = serde_json::to_vec(&manifest.sealed().unwrap()).unwrap();
    fs::write(to.join(FILE), &text).unwrap();
    let before = files(dir.path());
    let refused = restore(&request(&to, dir.path(), true), now());
    assert!(matches!(refused, Err(EngineError::NewerSchema { found: 99, .. })), "{refused:?}");
    assert_eq!(files(dir.path()), before);
}

#[test]
fn a_restore_that_ends_at_any_step_is_carried_on_by_whoever_opens_the_state() {
    let (old, new, place) = (state("old", 2), state("new", 5), TempDir::new("steps-to"));
    let to = place.path().join("b");
    backup(new.path(), &to, "1", now()).unwrap();
    let before = files(old.path());
    for steps in 0.. {
        let dir = TempDir::new("steps");
        for name in before.keys() {
            let file = dir.path().join(name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::copy(old.path().join(name), file).unwrap();
        }
        let decided = decide(&request(&to, dir.path(), true), now()).unwrap();
        let went = (0..steps).take_while(|_| swap::step(dir.path()).unwrap()).count();
        let (ended, under_way) = (went < steps, swap::is_under_way(dir.path()));
        assert!(!(ended && under_way), "{steps}");
        let read = Reader::open(dir.path());
        assert_eq!(matches!(read, Err(EngineError::Restoring(_))), under_way, "{steps}: {read:?}");
        drop(State::open(dir.path(), now()).unwrap());
        assert_eq!(cells(dir.path()), 5, "{steps}");
        assert_eq!(files(&decided.kept.unwrap()), before, "{steps}");
        let left = fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name());
        assert!(!left.into_iter().any(|name| name.to_string_lossy().starts_with('.')), "{steps}");
        if ended {
            assert!(steps > 5, "every file was a step");
            break;
        }
    }
}

#[test]
fn a_restore_that_ends_before_it_is_decided_has_changed_nothing() {
    let (dir, place) = (state("undecided", 2), TempDir::new("undecided-to"));
    let to = place.path().join("b");
    backup(dir.path(), &to, "1", now()).unwrap();
    let part = dir.path().join(swap::MAKING);
    fs::create_dir_all(&part).unwrap();
    fs::write(part.join("state.db"), "half").unwrap();
    let kept = State::open(dir.path(), now()).unwrap();
    assert_eq!(cells(dir.path()), 2);
    drop(kept);
    restore(&request(&to, dir.path(), true), now()).unwrap();
    assert!(!part.exists());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    /// Whatever byte of a backup changes, and whatever file of it is gone, it is
    /// named, and the state is what it was.
    #[test]
    fn a_backup_that_changed_is_refused_by_name(
        file in any::<prop::sample::Index>(), at in any::<prop::sample::Index>(), gone: bool,
    ) {
        let (dir, place) = (state("flip", 2), TempDir::new("flip-to"));
        let to = place.path().join("b");
        let made = backup(dir.path(), &to, "1", now()).unwrap();
        let name = &made.files[file.index(made.files.len())].name;
        let path = to.join(name);
        if gone {
            fs::remove_file(&path).unwrap();
        } else {
            let mut bytes = fs::read(&path).unwrap();
            let at = at.index(bytes.len());
            bytes[at] ^= 1;
            fs::write(&path, bytes).unwrap();
        }
        let before = files(dir.path());
        let refused = restore(&request(&to, dir.path(), true), now()).unwrap_err().to_string();
        prop_assert!(refused.contains(name.as_str()), "{refused}");
        prop_assert!(refused.contains(if gone { "missing" } else { "digest" }), "{refused}");
        prop_assert_eq!(files(dir.path()), before);
    }
}

#[test]
fn what_people_have_decided_is_what_stands_here() {
    let (dir, place) = (state("decided", 2), TempDir::new("decided-to"));
    let to = place.path().join("b");
    fs::create_dir_all(dir.path().join("promotions/t")).unwrap();
    fs::write(dir.path().join("promotions/t/1.json"), "{}").unwrap();
    backup(dir.path(), &to, "9.9.9", now()).unwrap();
    fs::write(dir.path().join("pauses/t/2.json"), "{\"since\":1}").unwrap();
    fs::create_dir_all(dir.path().join("adoptions/u")).unwrap();
    fs::write(dir.path().join("adoptions/u/3.json"), "{\"since\":2}").unwrap();
    // Its owner took it back.
    fs::remove_file(dir.path().join("promotions/t/1.json")).unwrap();
    // A volume has a folder of its own.
    fs::create_dir_all(dir.path().join("lost+found")).unwrap();
    for _ in 0..2 {
        restore(&request(&to, dir.path(), true), now()).unwrap();
        let found = files(dir.path());
        for record in ["pauses/t/1.json", "pauses/t/2.json", "adoptions/u/3.json"] {
            assert!(found.contains_key(record), "{record} is gone: {found:?}");
        }
        assert!(
            !found.contains_key("promotions/t/1.json") && !found.contains_key("plans/t.ndjson")
        );
    }
    // Where nothing stands, what the backup holds is all that is known.
    let new = TempDir::new("decided-new");
    fs::create_dir_all(new.path().join("lost+found")).unwrap();
    restore(&request(&to, new.path(), false), now()).unwrap();
    assert!(files(new.path()).contains_key("promotions/t/1.json"));
}

#[test]
fn a_trail_that_only_begins_here_takes_the_place_of_none() {
    let (dir, place) = (state("trails", 1), TempDir::new("trails-to"));
    let act = |who: &str| audit_trail::Act {
        at: now(),
        who: who.to_owned(),
        account: "uid 7".to_owned(),
        act: "pause".to_owned(),
        about: BTreeMap::new(),
    };
    audit_trail::append(dir.path(), act("Ada")).unwrap();
    let kept = audit_trail::append(dir.path(), act("Ada")).unwrap();
    let to = place.path().join("b");
    backup(dir.path(), &to, "1", now()).unwrap();
    // A new machine, on which the bridge was started before anybody restored.
    let new = TempDir::new("trails-new");
    drop(State::open(new.path(), now()).unwrap());
    audit_trail::append(new.path(), act("Bob")).unwrap();
    restore(&request(&to, new.path(), true), now()).unwrap();
    let other = fs::read_dir(new.path()).unwrap().map(|entry| entry.unwrap().path()).find(|path| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        name.starts_with("audit-") && name.ends_with(".ndjson")
    });
    let text = fs::read_to_string(other.expect("the trail of the backup")).unwrap();
    let looked = TempDir::new("trails-looked");
    fs::write(audit_trail::file(looked.path()), text).unwrap();
    assert!(audit_trail::holds(looked.path(), &kept.digest).unwrap());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn a_backup_that_says_something_else_of_itself_is_refused(at in any::<prop::sample::Index>()) {
        let (dir, place) = (state("said", 1), TempDir::new("said-to"));
        let to = place.path().join("b");
        let made = backup(dir.path(), &to, "1", now()).unwrap();
        let mut text = fs::read_to_string(to.join(FILE)).unwrap();
        let at = at.index(text.len());
        let other = if text.as_bytes()[at] == b'7' { "8" } else { "7" };
        text.replace_range(at..=at, other);
        fs::write(to.join(FILE), text).unwrap();
        // White space between fields says nothing.
        let read = BackupManifest::read(&to);
        prop_assert!(read.is_err() || read.unwrap() == made);
    }
}
