//! Deterministic simulation: from one number a story of wants, pushes, faults, refusals,
//! deaths and sweeps, on a virtual clock, and beside the ledger on the disk a model of it in
//! memory, which is told only what crosses the boundary: what was wanted, what the
//! target was sent, said and showed. After every step the two agree.
//!
//! `PLANTHREAD_SEEDS=SEED,SEEDS` tries so many from one on (`cargo xtask torture --seeds
//! N`); a seed that fails is printed, and tells the same story again.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::atomic::{AtomicU64, Ordering},
};

use planthread_contracts::{CellKey, RevisionState};
use planthread_engine::{ledger, status::rejects, verify::Which};
use planthread_kit::{Clock as _, VirtualClock};
use rust_decimal::Decimal;

use crate::{
    fake::Fault,
    model::{RESOURCES, effects_once, heal},
    world::{World, d, key},
};

/// Stories that are told where nobody asks for more.
const STORIES: u64 = 60;
/// Steps of one story, at most.
const STEPS: usize = 20;
/// Weeks that are wanted.
const WEEKS: std::ops::Range<u32> = 48..51;
/// What is compared revision by revision; stamps are renewed with them.
const FIGURES: [&str; 2] = ["live", "lost"];

/// The four facts of the ledger, in memory: every value that was wanted, by cell. Its
/// place in the list is its revision.
#[derive(Debug, Default)]
struct Model {
    wanted: BTreeMap<CellKey, Vec<Decimal>>,
}

impl Model {
    /// The same value again is no revision.
    fn want(&mut self, resource: &str, week: u32, hours: u32) {
        let live = d(&hours.to_string());
        for (measure, value) in FIGURES.into_iter().zip([live, d("168") - live]) {
            let values = self.wanted.entry(key(resource, week, measure)).or_default();
            if values.last() != Some(&value) {
                values.push(value);
            }
        }
    }

    /// The ledger says the same.
    fn agrees(&self, world: &World) {
        let reader = world.reader();
        let now = world.clock.now();
        let inside = world.fake.inside();
        let (mut known, mut refused) = (0, 0);
        ledger::cells(&reader, now, |cell| {
            refused += usize::from(cell.state == RevisionState::Rejected);
            let Some(values) = self.wanted.get(&cell.key) else { return Ok(()) };
            known += 1;
            let at = format!("{}: {cell:?}", cell.key);
            let sent = inside.sent.get(&cell.key).copied().unwrap_or(0);
            let accepted = inside.accepted.get(&cell.key).copied().unwrap_or(0);
            // Wanted.
            assert_eq!(Some(&cell.value), values.last(), "wanted: {at}");
            assert_eq!(cell.revision, values.len() as u64, "revision: {at}");
            let read = inside.last_read.get(&cell.key).copied();
            // Sent and accepted: what a receipt said is known, and nothing that was
            // never sent.
            assert_eq!(cell.sent_revision, sent, "sent: {at}");
            assert!(cell.accepted_revision >= accepted, "accepted {accepted}: {at}");
            assert!(cell.accepted_revision <= cell.revision, "accepted: {at}");
            // What was never sent is taken only where its value was found, be it replaced
            // since.
            if cell.accepted_revision > sent {
                let value = values[cell.accepted_revision as usize - 1];
                assert!(inside.shown.contains(&(cell.key.clone(), value)), "accepted: {at}");
            }
            // Seen: the last word of the target.
            assert_eq!(cell.seen.as_ref().map(|seen| seen.value), read, "seen {read:?}: {at}");
            if cell.state == RevisionState::Seen {
                assert_eq!(read, Some(Some(cell.value)), "called seen: {at}");
            }
            Ok(())
        })
        .unwrap();
        assert_eq!(known, self.wanted.len(), "every cell that is wanted, and no other");
        let told = rejects(&reader).unwrap().len();
        assert_eq!(told, refused, "each refused cell is told, and no other");
        drop(inside);
        for (cell, values) in &self.wanted {
            self.past_agrees(world, &reader, cell, values);
        }
    }

    /// What was replaced was sent, or never: the states of past revisions say which.
    fn past_agrees(
        &self,
        world: &World,
        reader: &planthread_engine::Reader,
        cell: &CellKey,
        values: &[Decimal],
    ) {
        let trace = ledger::trace(reader, cell, world.clock.now()).unwrap();
        let told: Vec<Decimal> = trace.revisions.iter().map(|one| one.value).collect();
        assert_eq!(told, values, "{cell}: every revision, in order");
        let inside = world.fake.inside();
        let tried: BTreeSet<u64> =
            inside.tried.iter().filter(|(key, _)| key == cell).map(|(_, rev)| *rev).collect();
        let took: BTreeSet<u64> = inside
            .effects
            .iter()
            .filter(|(key, ..)| key == cell)
            .map(|(_, revision, _)| *revision)
            .collect();
        for (nth, revision) in (1..).zip(&trace.revisions[..values.len() - 1]) {
            match revision.state {
                RevisionState::Superseded => {
                    assert!(!took.contains(&nth), "{cell}: {nth} took effect, and is superseded");
                }
                RevisionState::Overtaken | RevisionState::InFlight => {
                    let found = nth == 1
                        || tried.contains(&nth)
                        || values[..nth as usize - 1].contains(&values[nth as usize - 1]);
                    assert!(found, "{cell}: {nth} was never sent, and is {:?}", revision.state);
                }
                other => panic!("{cell}: {nth} was replaced, and is {other:?}"),
            }
        }
    }
}

/// One story, and what it draws.
struct Story {
    seed: u64,
    dice: VirtualClock,
    told: Vec<String>,
}

impl Drop for Story {
    #[expect(clippy::print_stderr, reason = "whoever runs this wants to tell it again")]
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("seed {}: {}", self.seed, self.told.join("; "));
            eprintln!("again: cargo xtask torture --seeds 1 --seed {}", self.seed);
        }
    }
}

impl Story {
    fn draw(&self, sides: usize) -> usize {
        usize::try_from(self.dice.random() % sides.max(1) as u64).unwrap()
    }

    fn fault(&self) -> Fault {
        const ALL: [Fault; 8] = [
            Fault::Drop(2),
            Fault::Drop(3),
            Fault::Silent,
            Fault::NotSent,
            Fault::Before,
            Fault::After,
            Fault::HangBefore,
            Fault::HangAfter,
        ];
        if self.draw(3) == 0 { Fault::None } else { ALL[self.draw(ALL.len())] }
    }

    /// One step of a day; `old` is a plan that somebody forgot to apply.
    fn step(&mut self, world: &mut World, model: &mut Model, old: &mut Vec<u8>) {
        let say = match self.draw(17) {
            0..=4 => {
                let (place, nth) = (self.draw(3), self.draw(3) as u32);
                let (resource, week) = (RESOURCES[place], 48 + nth);
                // No two cells share a value: what looks like rows or weeks that were
                // mixed up waits for a person, and there is none here.
                let hours = 80 + 24 * place as u32 + 7 * nth + self.draw(6) as u32;
                model.want(resource, week, hours);
                world.want(&[(resource, week, &hours.to_string())]);
                format!("want {resource} {week} {hours}")
            }
            5..=8 => {
                let (_, fresh) = world.plan();
                let stale = self.draw(4) == 0 && !old.is_empty();
                let plan = if stale { old.clone() } else { fresh.clone() };
                *old = fresh;
                let faults = [self.fault(), self.fault()];
                world.fake.inside().faults = faults.into();
                if world.apply(&plan, stale).is_none() {
                    world.crash();
                }
                world.fake.inside().faults.clear();
                format!("apply {faults:?}, stale {stale}")
            }
            9 | 10 => {
                drop(world.verify(Which::All));
                "verify".to_owned()
            }
            11 => {
                let minutes = 1 + self.draw(40) as u64;
                world.advance(minutes);
                format!("{minutes} minutes")
            }
            12 => {
                world.crash();
                "death".to_owned()
            }
            13 => {
                let on = self.draw(2) == 0;
                world.fake.inside().forgets = on;
                format!("forgets {on}")
            }
            14 => {
                let resource = RESOURCES[self.draw(3)];
                let mut inside = world.fake.inside();
                if !inside.refuses.remove(resource) {
                    inside.refuses.insert(resource.to_owned());
                }
                format!("refuses {:?}", inside.refuses)
            }
            15 => format!("retry of {}", retry(world)),
            _ => {
                let lists: Vec<bool> = RESOURCES.iter().map(|_| self.draw(2) == 0).collect();
                let again = crate::master::look_at(world, &lists);
                format!("lists {lists:?}, {again} go again")
            }
        };
        self.told.push(say);
        world.audit();
        model.agrees(world);
    }
}

/// Somebody sends again what was refused; how many cells that is.
fn retry(world: &World) -> u64 {
    let refused = rejects(&world.reader()).unwrap();
    let keys = refused.into_iter().map(|one| one.key).collect();
    ledger::retry(world.state(), keys).unwrap()
}

/// One story from its seed; the last word is that everything landed, once.
fn told(seed: u64) {
    let dice = VirtualClock::new(crate::world::start(), seed);
    let mut story = Story { seed, dice, told: Vec::new() };
    let mut world = World::with_batches([4, 8, 12][story.draw(3)]);
    world.side_by_side = 1 + story.draw(3);
    let (mut model, mut old) = (Model::default(), Vec::new());
    for _ in 0..=story.draw(STEPS) {
        story.step(&mut world, &mut model, &mut old);
    }
    world.fake.inside().refuses.clear();
    retry(&world);
    heal(&mut world);
    model.agrees(&world);
    for (cell, values) in &model.wanted {
        assert_eq!(world.held(cell), values.last().copied(), "{cell}");
    }
    for resource in RESOURCES {
        for week in WEEKS {
            for measure in FIGURES {
                if model.wanted.contains_key(&key(resource, week, measure)) {
                    effects_once(&world, resource, week, measure);
                }
            }
        }
    }
}

#[test]
#[expect(clippy::print_stderr, reason = "what was tried is for whoever runs this test")]
fn law_12_the_ledger_on_the_disk_is_the_model_in_memory() {
    let asked = std::env::var("PLANTHREAD_SEEDS").ok();
    let asked = asked.as_deref().and_then(|text| text.split_once(','));
    let (first, seeds) =
        asked.map_or((1, STORIES), |(seed, n)| (seed.parse().unwrap(), n.parse().unwrap()));
    let next = AtomicU64::new(first);
    let lanes = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    std::thread::scope(|scope| {
        for _ in 0..lanes {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= first + seeds {
                        break;
                    }
                    told(seed);
                }
            });
        }
    });
    eprintln!("seeds {first} to {}: the ledger was the model after every step", first + seeds - 1);
}
