//! Thirty nights of jobs, roundings and people: a person's lock stands exactly where a
//! person edited, never where a job wrote, also before a pilot of one line, whose load
//! writes no more cells than a person could.
//!
//! What loads there are is the sandboxes' word: those whose behaviours name a nightly
//! fault run it. The others have nights of people and roundings.

use std::{collections::BTreeSet, time::Duration};

use bytes::Bytes;
use http::Request;
use planthread::{
    config::Config,
    pipeline::{Bridge, OpenTarget},
    registry::{Registered, TARGETS},
};
use planthread_contracts::{Carries, CellKey, RevisionState, Role};
use planthread_engine::{
    ledger::{self, CellView},
    verify::Which,
};
use planthread_kit::{Clock as _, VirtualClock};
use planthread_mocks::{Setup, Writer};
use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::{
    mortal::balanced,
    site::{Site, place_in},
};

const NIGHTS: u64 = 30;
/// Of a target whose sandbox knows no load, where nobody asks for more.
const QUIET_NIGHTS: u64 = 6;
const DAY: Duration = Duration::from_hours(24);
/// What a load reaches over a pilot, in weeks.
const PILOT_WEEKS: u32 = 28;

/// One site over its nights.
struct Nights {
    site: Site,
    bridge: Bridge,
    targets: Vec<OpenTarget>,
    name: String,
    dice: VirtualClock,
    /// Whether a load runs at night.
    loads: bool,
    /// Cells that a person has edited.
    edited: BTreeSet<CellKey>,
    /// Nights on which a load, a rounding, a person changed something.
    told: [u64; 3],
}

impl Nights {
    fn new(registered: &Registered, pilot: bool) -> Self {
        let on: Vec<String> = loads(registered).collect();
        let loads = !on.is_empty();
        let mut site = Site::with(registered, Setup { on, ..Setup::default() }, |inner| inner);
        site.shorten();
        let mut name = registered.target.name.to_owned();
        if pilot {
            site.tune = Some(one_line);
            name.push_str(", a pilot of one line");
        }
        let dice = VirtualClock::new(site.clock.now(), 11);
        let bridge = site.bridge();
        let targets = bridge.targets(None).unwrap();
        let (edited, told) = (BTreeSet::new(), [0; 3]);
        let nights = Self { site, bridge, targets, name, dice, loads, edited, told };
        nights.cycle("the first landing");
        nights
    }

    fn draw(&self, sides: usize) -> usize {
        usize::try_from(self.dice.random() % sides.max(1) as u64).unwrap()
    }

    fn cycle(&self, when: &str) {
        let cycle = self.bridge.cycle(&self.targets, self.bridge.as_of());
        self.site.clock.block_on(cycle).unwrap();
        balanced(&self.bridge.reader().unwrap(), self.site.clock.now(), when);
    }

    /// Somebody acts on the planner's page.
    fn acts(&self, path: &str, body: &Value) -> bool {
        let request = Request::post(path)
            .header("content-type", "application/json")
            .body(Bytes::from(body.to_string()))
            .unwrap();
        self.site.send(&request).response.status().is_success()
    }

    fn types(&self, cell: &CellView, value: Decimal) -> bool {
        let loaded = &self.bridge.loaded;
        let (scope, resource, location, period, measure) = place_in(loaded, &cell.key);
        let edit = json!({ "version": scope, "resource": resource, "location": location,
            "period": period, "measure": measure, "value": value, "who": "Ada" });
        self.acts("/planner/edit", &edit)
    }

    /// Cells of figures that were read back as wanted.
    fn seen(&self, reader: &planthread_engine::Reader) -> Vec<CellView> {
        let loaded = &self.bridge.loaded;
        let figure = |key: &CellKey| {
            let measures = &loaded.config.targets[key.target.as_str()].measures;
            let one = measures.iter().find(|one| one.name == key.measure).unwrap();
            one.role == Role::Value && !matches!(one.carries, Carries::Heartbeat | Carries::Status)
        };
        let mut seen = Vec::new();
        ledger::cells(reader, self.site.clock.now(), |cell| {
            if cell.state == RevisionState::Seen && figure(&cell.key) {
                seen.push(cell);
            }
            Ok(())
        })
        .unwrap();
        seen
    }

    /// The target's names of what the load has ever written.
    fn loaded_measures(&self) -> BTreeSet<String> {
        let history = self.site.history().into_iter();
        let jobs = history.filter(|change| matches!(change.cell.writer, Writer::Job(_)));
        jobs.map(|change| change.cell.measure).collect()
    }

    /// A few edits of a person, none where a load writes; what was typed.
    fn person(&mut self, seen: &[CellView], jobs: &BTreeSet<String>) -> Vec<CellKey> {
        let loaded = &self.bridge.loaded;
        let free: Vec<&CellView> = seen
            .iter()
            .filter(|cell| !jobs.contains(&place_in(loaded, &cell.key).4))
            .filter(|cell| !self.edited.contains(&cell.key))
            .collect();
        let mut typed = Vec::new();
        if free.is_empty() {
            return typed;
        }
        for _ in 0..=self.draw(3) {
            let cell = free[self.draw(free.len())];
            if !typed.contains(&cell.key) && self.types(cell, cell.value + Decimal::from(7)) {
                typed.push(cell.key.clone());
            }
        }
        typed
    }

    /// Something at the target keeps fewer decimals of one measure; of how many cells.
    fn rounds(&self, seen: &[CellView]) -> usize {
        let broken: Vec<&CellView> = seen
            .iter()
            .filter(|cell| !cell.value.round().is_zero() && !cell.value.fract().is_zero())
            .collect();
        let Some(first) = broken.first() else { return 0 };
        let same = broken.iter().filter(|cell| cell.key.measure == first.key.measure);
        same.filter(|cell| self.types(cell, cell.value.round())).count()
    }

    /// One night, and the morning after it.
    fn night(&mut self, number: u64) {
        self.site.clock.advance(DAY);
        let seen = self.seen(&self.bridge.reader().unwrap());
        let (load, round) = (self.loads && !number.is_multiple_of(3), number % 10 == 9);
        let mut typed = Vec::new();
        if load {
            assert!(self.acts("/planner/nightly", &json!({})), "{}", self.name);
            self.told[0] += 1;
        }
        if round && !load {
            self.told[1] += u64::from(self.rounds(&seen) > 0);
        } else if self.draw(2) == 0 {
            let jobs = self.loaded_measures();
            typed = self.person(&seen, &jobs);
            self.told[2] += u64::from(!typed.is_empty());
        }
        let when = format!("{}, night {number}", self.name);
        for target in &self.targets {
            let read = self.bridge.verify(target, Which::All);
            self.site.clock.block_on(read).unwrap();
        }
        self.edited.extend(typed.iter().cloned());
        let now = self.site.clock.now();
        let locks = ledger::locks(&self.bridge.reader().unwrap(), now).unwrap();
        let locked: BTreeSet<CellKey> = locks.into_iter().map(|lock| lock.key).collect();
        let false_locks: Vec<_> = locked.difference(&self.edited).collect();
        assert!(false_locks.is_empty(), "{when}: locked as a person's: {false_locks:?}");
        for key in &typed {
            assert!(locked.contains(key), "{when}: {key} was edited, and nobody noticed");
        }
        self.cycle(&when);
    }
}

/// The behaviours of a sandbox by which its nightly load writes over what is ours.
fn loads(registered: &Registered) -> impl Iterator<Item = String> {
    let described = (registered.sandbox.behaviours)().into_iter();
    described
        .filter(|one| one.does.starts_with("fault: the nightly"))
        .map(|one| one.name.to_owned())
}

/// Only the first line, over more weeks.
fn one_line(config: &mut Config) {
    config.plant.horizon.future_weeks = PILOT_WEEKS;
    for target in config.targets.values_mut() {
        let rows = &mut target.mapping.rows;
        let first = rows[0].resource.clone();
        rows.retain(|row| row.resource == first);
    }
}

#[expect(clippy::print_stderr, reason = "what happened is for whoever runs this test")]
fn thirty_nights(registered: &Registered, pilot: bool) {
    let mut nights = Nights::new(registered, pilot);
    let all = nights.loads || std::env::var("PLANTHREAD_TORTURE").is_ok();
    let most = if all { NIGHTS } else { QUIET_NIGHTS };
    for number in 0..most {
        nights.night(number);
    }
    let [loads, roundings, people] = nights.told;
    eprintln!(
        "{}: {most} nights, {loads} of loads, {roundings} of roundings, {people} of people, \
         {} cells edited",
        nights.name,
        nights.edited.len()
    );
    assert_eq!((loads > 0, people > 0), (nights.loads, true), "{}", nights.name);
}

#[test]
fn thirty_nights_of_jobs_lock_exactly_what_a_person_edited() {
    std::thread::scope(|scope| {
        for registered in TARGETS {
            scope.spawn(move || thirty_nights(registered, false));
            if loads(registered).next().is_some() {
                scope.spawn(move || thirty_nights(registered, true));
            }
        }
    });
}
