//! Whatever becomes of a file and of the configuration of its source, each of its
//! rows becomes a record or a refusal, and only one of them.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use planthread_domain::model::Plant;
use planthread_engine::{State, journal};
use planthread_kit::{Clock, SystemClock};
use serde_json::json;

use super::{JournalDoor, files};

/// How a source is read: line by line, with hours that the order of the file
/// tells, or as the whole truth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Lines,
    RepeatedHour,
    Snapshot,
}

/// What happens to a file, its source, or the program.
#[derive(Debug, Clone, Copy)]
enum Step {
    /// A row is added; a wrong one can't be understood.
    Row { wrong: bool },
    /// A row is added without its newline, and the file is quiet.
    Quiet,
    /// The configuration declares the header of the file, or another one.
    Header { right: bool },
    /// The process ends, and another one begins.
    Restart,
}

/// A file, and the rows that stand in it.
struct World {
    way: Way,
    folder: PathBuf,
    state: Option<Arc<State>>,
    right: bool,
    text: String,
    rows: Vec<(String, bool)>,
}

impl World {
    fn new(way: Way, name: u64) -> Self {
        let own = format!("planthread-rows-{}-{way:?}-{name}", std::process::id());
        let folder = std::env::temp_dir().join(own);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        let text = "hour,machine,parts\n".to_owned();
        let mut world = Self { way, folder, state: None, right: true, text, rows: Vec::new() };
        world.restart();
        world
    }

    fn file(&self) -> PathBuf {
        self.folder.join("counts.csv")
    }

    fn restart(&mut self) {
        self.state = None;
        let state = State::open(&self.folder.join("state"), SystemClock::new().now()).unwrap();
        self.state = Some(Arc::new(state));
    }

    fn state(&self) -> &Arc<State> {
        self.state.as_ref().unwrap()
    }

    fn plant(&self) -> Plant {
        let first = if self.right { "hour" } else { "stunde" };
        let zone = (self.way == Way::RepeatedHour).then_some("Europe/Berlin");
        let mut source = json!({"name": "mes", "files": [self.file()], "reader": {"counts": {
            "header": [first, "machine", "parts"],
            "columns": {"time": first, "machine": "machine", "total": "parts"},
            "time": {"zone": zone},
            "stamp": "start", "interval_minutes": 20, "good_parts": true}}});
        if self.way == Way::Snapshot {
            source["snapshot"] = json!({"complete": {"sibling": ".whole"}});
        }
        let plant = json!({
            "id": "p", "zone": "UTC", "as_of": "2026-11-20T00:00:00Z",
            "calendars": [{"id": "c", "version": "1", "round_the_clock": true}],
            "resources": [{"id": "M1", "class": "machine", "calendar": "c"}],
            "sources": [source]});
        serde_json::from_value(plant).unwrap()
    }

    /// A row of the next twenty minutes, from an hour before the clocks of Berlin
    /// repeat one.
    fn add(&mut self, wrong: bool) {
        let n = self.rows.len() as i64;
        let at: jiff::Timestamp = "2026-10-24T23:00:00Z".parse().unwrap();
        let at = at + jiff::SignedDuration::from_mins(20 * n);
        let zone = if self.way == Way::RepeatedHour { "Europe/Berlin" } else { "UTC" };
        let local = at.in_tz(zone).unwrap().strftime("%Y-%m-%dT%H:%M:%S").to_string();
        let offset = if self.way == Way::RepeatedHour { "" } else { "Z" };
        let machine = if wrong { "M9" } else { "M1" };
        let row = format!("{local}{offset},{machine},{n}");
        if !self.text.ends_with('\n') {
            self.text.push('\n');
        }
        self.text.push_str(&row);
        self.rows.push((row, wrong));
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Row { wrong } => {
                self.add(wrong);
                self.text.push('\n');
            }
            Step::Quiet => self.add(false),
            Step::Header { right } => self.right = right,
            Step::Restart => self.restart(),
        }
    }

    /// One round, as a cycle begins with it: whether something was refused.
    fn ingest(&self) -> bool {
        fs::write(self.file(), &self.text).unwrap();
        // Nobody has written to it for a while.
        let written = fs::File::options().append(true).open(self.file()).unwrap();
        let now = written.metadata().unwrap().modified().unwrap();
        written.set_modified(now - Duration::from_secs(3_600)).unwrap();
        let plant = Arc::new(self.plant());
        let door = JournalDoor::new(Arc::clone(self.state()), plant, Arc::new(SystemClock::new()));
        let reader = self.state().reader().unwrap();
        let report = files::sources(&self.plant(), &door, &reader).unwrap().remove(0);
        assert!(report.stopped.is_none(), "{report:?}");
        !report.kept.rejected.is_empty()
    }

    /// How often each row is a record or a refusal, and the refusals of headers.
    fn found(&self) -> (Vec<usize>, usize) {
        let reader = self.state().reader().unwrap();
        let mut bodies = Vec::new();
        journal::read(&reader, 0, |entry| {
            bodies.push(entry.record.body);
            Ok(())
        })
        .unwrap();
        let refused = journal::rejected(&reader).unwrap();
        let headers = refused.iter().filter(|entry| entry.record.field == "header").count();
        bodies.extend(refused.into_iter().map(|entry| entry.record.body));
        let times = |row: &String| bodies.iter().filter(|body| *body == row.as_bytes()).count();
        (self.rows.iter().map(|(row, _)| times(row)).collect(), headers)
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.state = None;
        let _ = fs::remove_dir_all(Path::new(&self.folder));
    }
}

/// A sequence of steps, of which each number gives another one.
fn steps(mut seed: u64) -> Vec<Step> {
    let mut random = move |below: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % below
    };
    let step = |_| match random(8) {
        0..3 => Step::Row { wrong: false },
        3 => Step::Row { wrong: true },
        4 => Step::Quiet,
        5 => Step::Header { right: true },
        6 => Step::Header { right: false },
        _ => Step::Restart,
    };
    (0..9).map(step).collect()
}

#[test]
fn each_row_becomes_a_record_or_a_refusal_once_in_whatever_order_things_happen() {
    let mut passed_over = 0;
    for way in [Way::Lines, Way::RepeatedHour, Way::Snapshot] {
        for seed in 0..12 {
            let mut world = World::new(way, seed);
            let (steps, mut was_wrong) = (steps(seed), false);
            for step in &steps {
                world.step(*step);
                let told = world.ingest();
                assert!(told || world.right, "a wrong header is told each time: {steps:?}");
                was_wrong |= !world.right;
                let (times, _) = world.found();
                passed_over += times.iter().filter(|times| **times == 0).count();
            }
            for step in [Step::Header { right: true }, Step::Restart] {
                world.step(step);
                world.ingest();
            }
            let (times, headers) = world.found();
            assert!(times.iter().all(|times| *times == 1), "{way:?} {times:?}: {steps:?}");
            assert_eq!(headers, usize::from(was_wrong), "{way:?}: {steps:?}");
        }
    }
    assert!(passed_over > 50, "rows stood behind a wrong header: {passed_over}");
}

#[test]
fn rows_behind_a_wrong_header_come_in_without_a_retry() {
    let mut world = World::new(Way::Lines, 99);
    world.step(Step::Header { right: false });
    (0..3).for_each(|_| world.step(Step::Row { wrong: false }));
    assert!(world.ingest() && world.ingest(), "nothing was added, and it is told again");
    assert_eq!(world.found().0, [0; 3]);
    world.step(Step::Header { right: true });
    assert!(!world.ingest());
    assert_eq!(world.found().0, [1; 3]);
}
