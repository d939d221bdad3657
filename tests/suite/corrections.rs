//! Corrected rows: which of two rows of one id counts, since when, and by whose
//! word.

use std::{collections::BTreeMap, fs, path::PathBuf, sync::Arc, time::Duration};

use planthread::{
    config,
    pipeline::{
        Bridge, Opener, Transports, decided_notes, facts_of_files, facts_of_journal,
        facts_of_journal_at,
    },
    serve::files::FileReport,
};
use planthread_engine::journal::{self, Verdict};
use planthread_kit::{Clock as _, VirtualClock};
use serde_json::{Value, json};

/// A plant with one machine and one list of events, in a folder of its own.
pub(crate) struct Site {
    pub(crate) folder: PathBuf,
    pub(crate) clock: VirtualClock,
    pub(crate) bridge: Bridge,
}

impl Drop for Site {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

const HEADER: &str = "id,time,machine,event,rev";

impl Site {
    pub(crate) fn new(name: &str, source: &Value) -> Self {
        let folder = std::env::temp_dir().join(format!("planthread-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        let mut list = json!({ "name": "ev", "files": ["ev.csv"], "reader": { "machine_events": {
            "header": HEADER.split(',').collect::<Vec<_>>(), "key": ["id"],
            "columns": { "time": "time", "machine": "machine", "event": "event" },
            "events": { "failure": { "state": "unscheduled_down" },
                "restored": { "state": "productive" } } } } });
        let more = source.as_object().unwrap().clone();
        list.as_object_mut().unwrap().extend(more);
        let plant = json!({ "version": 1, "state": "state", "plant": {
            "id": "p", "zone": "Etc/UTC",
            "calendars": [{ "id": "c", "version": "1", "round_the_clock": true }],
            "resources": [{ "id": "M1", "class": "machine", "calendar": "c" }],
            "sources": [list] } });
        fs::write(folder.join("planthread.yaml"), plant.to_string()).unwrap();
        let clock = VirtualClock::new("2026-11-09T00:00:00Z".parse().unwrap(), 1);
        let opener = Opener::with(Arc::new(clock.clone()), Transports::new());
        let loaded = config::load(&folder.join("planthread.yaml"), None).unwrap();
        let bridge = Bridge::open(loaded, Arc::new(clock.clone()), opener).unwrap();
        Self { folder, clock, bridge }
    }

    /// The file is exported anew; each row is id, hour of 3 November, event, rev.
    fn export(&self, rows: &[(u32, u32, &str, u32)]) -> FileReport {
        let rows = rows.iter().map(|(id, hour, event, rev)| {
            format!("{id},2026-11-03T{hour:02}:00:00Z,M1,{event},{rev}\n")
        });
        self.write(&rows.collect::<String>())
    }

    /// The file is exported anew with these lines below its header.
    pub(crate) fn write(&self, lines: &str) -> FileReport {
        fs::write(self.folder.join("ev.csv"), format!("{HEADER}\n{lines}")).unwrap();
        self.clock.advance(Duration::from_secs(60));
        self.bridge.ingest().unwrap().remove(0)
    }

    /// Hour and event of each fact that counts, at a position of the journal.
    pub(crate) fn counts(&self, position: Option<u64>) -> Vec<(i64, String)> {
        let (loaded, reader) = (&self.bridge.loaded, self.bridge.reader().unwrap());
        let as_of = self.clock.now();
        let facts = match position {
            None => facts_of_journal(loaded, &reader, as_of).unwrap(),
            Some(last) => facts_of_journal_at(loaded, &reader, as_of, last).unwrap(),
        };
        let hour = |at: i64| at / 3_600_000 % 24;
        let states = facts.all.states.iter();
        states.map(|fact| (hour(fact.at), format!("{:?}", fact.state.unwrap()))).collect()
    }

    fn waiting(&self) -> Vec<u64> {
        let all = journal::repeats(&self.bridge.reader().unwrap()).unwrap();
        all.iter().map(|repeat| repeat.id).collect()
    }

    fn decide(&self, id: u64, accepted: bool) {
        let verdict = Verdict { accepted, who: "Eva".into(), why: "shift book".into() };
        let done = journal::decide(&self.bridge.state, vec![(id, verdict)], self.clock.now());
        assert_eq!(done.unwrap().len(), 1);
    }

    pub(crate) fn position(&self) -> u64 {
        journal::counts(&self.bridge.reader().unwrap()).unwrap().last_position
    }
}

fn hours(counts: &[(i64, String)]) -> Vec<i64> {
    counts.iter().map(|(hour, _)| *hour).collect()
}

#[test]
fn the_newer_version_counts_and_an_older_one_that_comes_late_does_not() {
    let site = Site::new("latest", &json!({ "repeats": "latest", "version_column": "rev" }));
    site.export(&[(1, 10, "failure", 1), (2, 12, "restored", 2)]);
    let newer = site.export(&[(1, 10, "failure", 1), (2, 13, "restored", 3)]);
    assert_eq!((newer.kept.corrected.len(), newer.kept.conflicts.len()), (1, 0));
    assert_eq!(hours(&site.counts(None)), [10, 13]);
    let older = site.export(&[(1, 10, "failure", 1), (2, 11, "restored", 1)]);
    assert!(older.kept.rejected[0].reason.contains("older than"), "{:?}", older.kept);
    assert_eq!(hours(&site.counts(None)), [10, 13]);
    let same = site.export(&[(1, 10, "failure", 1), (2, 14, "restored", 3)]);
    assert_eq!(same.kept.conflicts.len(), 1, "of one version a person decides");
    assert!(same.kept.conflicts[0].contains("rejects accept"), "{:?}", same.kept);
}

#[test]
fn files_without_a_journal_obey_the_same_rule() {
    let latest = json!({ "repeats": "latest", "version_column": "rev" });
    for (name, source, counts) in [
        ("files-latest", latest, [10, 13]),
        ("files-refuse", json!({ "repeats": "refuse" }), [10, 12]),
        ("files-ask", json!({}), [10, 12]),
    ] {
        let site = Site::new(name, &source);
        let twice = (2, 12, "restored", 2);
        let late = [(2, 13, "restored", 3), (2, 11, "restored", 1), twice];
        site.export(&[&[(1, 10, "failure", 1), twice][..], &late].concat());
        assert_eq!(hours(&site.counts(None)), counts, "{name}");
        let (facts, refused) = facts_of_files(&site.bridge.loaded, site.clock.now()).unwrap();
        let hour = |at: i64| at / 3_600_000 % 24;
        let found: Vec<i64> = facts.states.iter().map(|fact| hour(fact.at)).collect();
        assert_eq!((found, refused.len()), (counts.to_vec(), 2), "{name}: {refused:?}");
        let counting = format!("{}:00:00Z", counts[1]);
        assert!(refused.iter().all(|one| one.reason.contains(&counting)), "{refused:?}");
    }
}

#[test]
fn without_a_version_the_file_that_was_written_later_counts() {
    let site = Site::new("file-time", &json!({ "repeats": "latest" }));
    let at = |day: u32| -> std::time::SystemTime {
        let instant: jiff::Timestamp = format!("2026-11-{day:02}T00:00:00Z").parse().unwrap();
        instant.into()
    };
    let write = |day: u32, hour: u32| {
        let text = format!("{HEADER}\n2,2026-11-03T{hour}:00:00Z,M1,restored,1\n");
        let file = site.folder.join("ev.csv");
        fs::write(&file, text).unwrap();
        fs::File::options().write(true).open(&file).unwrap().set_modified(at(day)).unwrap();
        site.bridge.ingest().unwrap();
        hours(&site.counts(None))
    };
    assert_eq!(write(5, 12), [12]);
    assert_eq!(write(4, 11), [12], "somebody put an old copy there");
    assert_eq!(write(6, 13), [13]);
    assert!(site.waiting().is_empty());
}

#[test]
fn a_source_that_refuses_says_so_and_leaves_a_way_back() {
    let site = Site::new("refuse", &json!({ "repeats": "refuse" }));
    site.export(&[(2, 12, "restored", 1)]);
    let report = site.export(&[(2, 13, "restored", 1)]);
    assert_eq!(report.kept.rejected.len(), 1);
    let id = journal::decided(&site.bridge.reader().unwrap()).unwrap()[0].id;
    assert!(report.kept.rejected[0].cure.contains(&format!("accept {id}")));
    site.decide(id, true);
    assert_eq!(hours(&site.counts(None)), [13]);
}

#[test]
fn the_figures_that_a_correction_moved_tell_it() {
    let site = Site::new("told", &json!({}));
    site.export(&[(1, 10, "failure", 1), (2, 12, "restored", 1)]);
    site.export(&[(1, 10, "failure", 1), (2, 13, "restored", 1)]);
    site.decide(site.waiting()[0], true);
    let (loaded, reader) = (&site.bridge.loaded, site.bridge.reader().unwrap());
    let facts = facts_of_journal(loaded, &reader, site.clock.now()).unwrap();
    let notes = |resource: &str, week: &str| {
        decided_notes(&facts.decided, &loaded.config.plant, resource, week.parse().unwrap())
    };
    let told = notes("M1", "2026-W45");
    assert_eq!(told.len(), 1);
    for part in ["2,2026-11-03T13", "instead of `2,2026-11-03T12", "Eva", "shift book"] {
        assert!(told[0].contains(part), "{part}: {}", told[0]);
    }
    assert!(notes("M1", "2026-W44").is_empty() && notes("M2", "2026-W45").is_empty());
}

/// Exports, corrections, verdicts and reverts in any order: what counts is the
/// last row of each id that somebody let count; and as the journal stood at any
/// position, it says what it said there (law 18).
#[test]
fn law_18_what_counts_is_what_was_decided_and_the_past_stays_what_it_was() {
    let site = Site::new("any-order", &json!({}));
    let mut seed = 7_u64;
    let mut random = move |below: u32| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        u32::try_from(seed >> 33).unwrap() % below
    };
    // By id: the hour that counts, and the hours that wait.
    let mut exported: BTreeMap<u32, u32> = BTreeMap::new();
    let mut counting: BTreeMap<u32, u32> = BTreeMap::new();
    let mut past: Vec<(u64, Vec<i64>)> = Vec::new();
    let mut decisions = 0;
    for _ in 0..120 {
        for _ in 0..=random(2) {
            exported.insert(random(5), random(24));
        }
        for (id, hour) in &exported {
            counting.entry(*id).or_insert(*hour);
        }
        let rows: Vec<_> = exported.iter().map(|(id, hour)| (*id, *hour, "failure", 1)).collect();
        site.export(&rows);
        for repeat in journal::repeats(&site.bridge.reader().unwrap()).unwrap() {
            let accepted = random(3) == 0;
            if random(2) == 0 {
                site.decide(repeat.id, accepted);
                decisions += 1;
                let row = String::from_utf8(repeat.record.body).unwrap();
                let hour = row[row.find('T').unwrap() + 1..][..2].parse().unwrap();
                if accepted {
                    counting.insert(row[..1].parse().unwrap(), hour);
                }
            }
        }
        let mut right: Vec<i64> = counting.values().map(|hour| i64::from(*hour)).collect();
        right.sort_unstable();
        right.dedup();
        assert_eq!(hours(&site.counts(None)), right);
        past.push((site.position(), right));
    }
    assert!(decisions > 60, "{decisions}");
    for (position, right) in &past {
        assert_eq!(hours(&site.counts(Some(*position))), *right, "at position {position}");
    }
}
