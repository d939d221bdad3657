//! A site whose bridge can die, or meet a fault, and begin again from its disk; and
//! what must be true at the end, whatever happened on the way.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::MutexGuard,
    time::Duration,
};

use jiff::Timestamp;
use planthread::{
    config::Loaded,
    in_process::gate::{Gate, SharedGate, until_killed},
    registry::Registered,
};
use planthread_contracts::RevisionState;
use planthread_engine::{Reader, ledger, status};
use planthread_kit::{Clock as _, VirtualClock};
use planthread_mocks::{Setup, Simulator as _, Writer};
use rust_decimal::Decimal;

use crate::{
    site::{Place, Site, place_in},
    way::Way,
};

/// What a site plans, and here: two weeks as they were known at one instant, so
/// that no hour that ends changes a wanted value.
const WEEKS: [&str; 2] = [
    "  horizon: { past_weeks: 1, future_weeks: 3 }\n",
    "  as_of: 2026-11-25T06:10:00Z\n  horizon: { past_weeks: 0, future_weeks: 1 }\n",
];

/// What a bridge keeps: its state, and beside an agreement what was found of it.
const KEPT: [&str; 2] = ["planthread-state", "agreements"];

/// Starts after a death or a fault: the first at once, the others when nothing of it
/// can arrive any more and what was read is old enough to be judged.
const STARTS: [Duration; 4] = [
    Duration::from_secs(3),
    Duration::from_mins(20),
    Duration::from_mins(20),
    Duration::from_mins(20),
];

/// A site whose bridge can die, and begin again.
pub(crate) struct Mortal {
    pub(crate) site: Site,
    /// Target and way in a word.
    pub(crate) name: String,
    registered: Registered,
    way: Way,
    /// Its configuration, which nobody changes.
    loaded: Loaded,
    gate: SharedGate,
}

impl Mortal {
    /// Its records are in, and nothing was ever sent.
    pub(crate) fn new(registered: &Registered, way: &Way) -> Self {
        let mut slot = None;
        let site = Site::of((registered, way), Setup::default(), |sandbox| {
            let gate = SharedGate::new(sandbox);
            slot = Some(gate.clone());
            Box::new(gate)
        });
        let gate = slot.unwrap();
        let change = |file: &str, change: &dyn Fn(String) -> String| {
            let file = site.folder.join(file);
            fs::write(&file, change(fs::read_to_string(&file).unwrap())).unwrap();
        };
        site.shorten();
        change("planthread.yaml", &|text| {
            assert!(text.contains(WEEKS[0]));
            text.replacen(WEEKS[0], WEEKS[1], 1)
        });
        let (name, way) = (way.of(registered), way.clone());
        let loaded = site.loaded();
        let mut mortal = Self { site, name, registered: *registered, way, loaded, gate };
        mortal.gate().down = true;
        assert!(mortal.cycle());
        for folder in KEPT {
            let (from, to) = (mortal.site.folder.join(folder), mortal.kept(folder));
            fs::create_dir_all(&from).unwrap();
            copy(&from, &to);
        }
        mortal.begin();
        mortal
    }

    /// Begins again, with a new sandbox.
    pub(crate) fn begin(&mut self) {
        let setup = self.way.setup(&self.registered, Setup::default());
        *self.gate() = Gate::new((self.registered.sandbox.build)(&setup).unwrap());
        let _ = fs::remove_dir_all(self.site.folder.join("packs"));
        for folder in KEPT {
            let _ = fs::remove_dir_all(self.site.folder.join(folder));
            copy(&self.kept(folder), &self.site.folder.join(folder));
        }
        self.site.clock = VirtualClock::new("2026-11-25T06:10:00Z".parse().unwrap(), 7);
    }

    /// Where a folder stands as it was before anything was sent.
    fn kept(&self, folder: &str) -> PathBuf {
        self.site.folder.join("kept").join(folder)
    }

    fn state(&self) -> PathBuf {
        self.site.folder.join("planthread-state")
    }

    pub(crate) fn gate(&self) -> MutexGuard<'_, Gate> {
        self.gate.lock()
    }

    /// Method and path of each request of a landing that nothing disturbs.
    pub(crate) fn undisturbed(&self) -> Vec<String> {
        assert!(self.cycle());
        self.proven(&self.name);
        self.gate().lines()
    }

    /// Starts until everything has landed, and proves it.
    pub(crate) fn recovers(&self, when: &str) {
        for wait in STARTS {
            self.site.clock.advance(wait);
            assert!(self.cycle(), "{when}");
            if self.landed() {
                break;
            }
        }
        self.proven(when);
    }

    /// One cycle of a bridge that begins with what the disk holds; `false` when it
    /// died.
    pub(crate) fn cycle(&self) -> bool {
        let bridge = self.site.bridge();
        let targets = bridge.targets(None).unwrap();
        let done =
            until_killed(&self.site.clock, &self.gate, bridge.cycle(&targets, bridge.as_of()));
        balanced(&bridge.reader().unwrap(), self.site.clock.now(), &self.name);
        done.map(Result::unwrap).is_some()
    }

    /// What the disk holds while no bridge runs: to look at it needs none.
    fn reader(&self) -> Reader {
        Reader::open(&self.state()).unwrap()
    }

    /// Whether everything that is wanted is seen.
    fn landed(&self) -> bool {
        let scopes = status::status(&self.reader(), self.site.clock.now()).unwrap().scopes;
        scopes.iter().all(|scope| scope.seen == scope.wanted)
    }

    /// Every wanted cell is seen, took effect once with exactly its value, and nothing
    /// else did; nothing is open. The books balanced when the last cycle ended.
    fn proven(&self, when: &str) {
        let (reader, now) = (self.reader(), self.site.clock.now());
        let mut wanted = BTreeMap::<Place, Decimal>::new();
        ledger::cells(&reader, now, |cell| {
            assert_eq!(cell.state, RevisionState::Seen, "{when}: {}", cell.key);
            wanted.insert(place_in(&self.loaded, &cell.key), cell.value);
            Ok(())
        })
        .unwrap();
        assert!(wanted.len() > 50, "{when}: {} cells", wanted.len());
        for change in self.gate().history() {
            if matches!(change.cell.writer, Writer::Integration(_)) {
                let cell = change.cell;
                let (value, period) = (cell.value, cell.period.to_string());
                let place = (cell.scope, cell.resource, cell.location, period, cell.measure);
                let expected = wanted.remove(&place);
                assert_eq!(expected, Some(value), "{when}: {place:?} twice, or not ours");
            }
        }
        assert!(wanted.is_empty(), "{when}: never took effect: {wanted:?}");
        for scope in status::status(&reader, now).unwrap().scopes {
            let open = (scope.open_attempts, scope.open_cases, scope.locks);
            assert_eq!(open, (0, 0, 0), "{when}: {scope:?}");
        }
    }
}

/// The books of the state balance.
pub(crate) fn balanced(reader: &Reader, now: Timestamp, when: &str) {
    let found = ledger::unbalanced(reader, now).unwrap();
    assert!(found.is_empty(), "{when}: {found:?}");
}

/// Copies a folder of files.
pub(crate) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for path in fs::read_dir(from).unwrap().map(|entry| entry.unwrap().path()) {
        if path.is_file() {
            fs::copy(&path, to.join(path.file_name().unwrap())).unwrap();
        }
    }
}
