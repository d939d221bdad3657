//! What lies in folders that others can write to: segments of a collector, packs, the
//! audit trail.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::{
        OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
};

use jiff::Timestamp;
use planthread_contracts::{Origin, RawRecord};
use planthread_engine::{
    State, audit_trail,
    fallback::check_pack,
    journal::{self, Append, SealLimits},
};

use crate::Parser;

/// The parsers.
pub const PARSERS: &[Parser] = &[
    Parser { name: "segment", feed: segment, seeds: segments },
    Parser { name: "pack", feed: pack, seeds: packs },
    Parser { name: "audit-trail", feed: trail, seeds: trails },
];

const MANIFEST: &str = r#"{"planthread_pack":1,"files":[{"name":"a.csv","sha256":"00"}]}"#;

fn now() -> Timestamp {
    Timestamp::from_second(1_795_000_000).unwrap()
}

/// A folder that is gone at the end.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("planthread-fuzz-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// With one file.
    fn of(name: &str, bytes: &[u8]) -> Self {
        let folder = Self::new();
        fs::write(folder.0.join(name), bytes).unwrap();
        folder
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn sealed(folder: &Path) -> (String, Vec<u8>) {
    let state = State::open(&folder.join("state"), now()).unwrap();
    let record = |number: u64| RawRecord {
        source: "events".to_owned(),
        id: number.to_string(),
        media_type: "text/csv".to_owned(),
        body: format!("2026-11-23T10:00:00Z,M{number},failure").into_bytes(),
        received_at: now(),
        origin: Origin { place: "events.csv".to_owned(), line: number },
    };
    let batch = Append { records: vec![record(1), record(2)], ..Append::default() };
    journal::append(&state, batch, now()).unwrap();
    let out = folder.join("out");
    let sealed = journal::seal(&state, &out, "plant", SealLimits::default(), None).unwrap();
    let name = sealed[0].file.clone();
    let bytes = fs::read(out.join(&name)).unwrap();
    (name, bytes)
}

/// The name of a first segment, and its bytes.
fn genuine() -> &'static (String, Vec<u8>) {
    static GENUINE: OnceLock<(String, Vec<u8>)> = OnceLock::new();
    GENUINE.get_or_init(|| sealed(&Folder::new().0))
}

/// A segment is taken as it was sealed, or not at all.
fn segment(bytes: &[u8]) {
    thread_local! {
        // Nothing but a genuine segment is taken, so that one state will do.
        static RECEIVER: (State, Folder) = {
            let folder = Folder::new();
            (State::open(&folder.0, now()).unwrap(), folder)
        };
    }
    let folder = Folder::of(&genuine().0, bytes);
    RECEIVER.with(|(state, _)| {
        let _ = journal::admit(state, &folder.0, None, now());
    });
}

fn pack(bytes: &[u8]) {
    let folder = Folder::of("manifest.json", bytes);
    let _ = check_pack(&folder.0, &"0".repeat(64));
}

/// Each entry is told once, by its place among the lines.
fn trail(bytes: &[u8]) {
    let folder = Folder::new();
    fs::write(audit_trail::file(&folder.0), bytes).unwrap();
    let lines = bytes.iter().filter(|byte| **byte == b'\n').count() as u64;
    let mut last = 0;
    let checked = audit_trail::check(&folder.0, None, |entry| {
        assert!(last < entry.number && entry.number <= lines, "{} of {lines}", entry.number);
        last = entry.number;
        Ok(())
    });
    let checked = checked.unwrap();
    assert!(checked.fault.is_some() || checked.entries == last, "{checked:?}");
    let _ = audit_trail::head(&folder.0);
}

fn segments() -> Vec<Vec<u8>> {
    vec![genuine().1.clone()]
}

fn packs() -> Vec<Vec<u8>> {
    vec![MANIFEST.as_bytes().to_vec()]
}

fn trails() -> Vec<Vec<u8>> {
    let folder = Folder::new();
    for act in ["pause", "resume"] {
        let act = audit_trail::Act {
            at: now(),
            who: "somebody".to_owned(),
            account: "planthread".to_owned(),
            act: act.to_owned(),
            about: BTreeMap::new(),
        };
        audit_trail::append(&folder.0, act).unwrap();
    }
    vec![fs::read(audit_trail::file(&folder.0)).unwrap()]
}
