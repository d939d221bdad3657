//! Random stories of bad luck, each from one number: faults, deaths and outages one
//! after the other, edits of people, and torn write-ahead logs. `cargo xtask torture`
//! tells many; here a few are told with each run.
//!
//! `PLANTHREAD_TORTURE=SEED,SECONDS` tells stories from this seed on for so long. The
//! seed of a story that ends badly is printed.

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::Request;
use planthread::{
    in_process::gate::Effect,
    pipeline::Course,
    registry::{Registered, TARGETS},
};
use planthread_contracts::RevisionState;
use planthread_engine::{Reader, ledger, verify::Which};
use planthread_kit::{Clock as _, VirtualClock};
use planthread_mocks::{Fault, Simulator as _};
use rust_decimal::Decimal;
use serde_json::json;

use crate::{
    mortal::{Mortal, balanced, copy},
    site::{Place, place_in},
    way::Way,
};

/// Stories that are told where nobody asks for more.
const STORIES: u64 = 4;
/// Mishaps of one story, at most.
const MISHAPS: u64 = 4;

/// Where a story begins, and what it draws.
pub(crate) struct Story {
    pub(crate) seed: u64,
    dice: VirtualClock,
}

impl Story {
    pub(crate) fn new(seed: u64) -> Self {
        Self { seed, dice: VirtualClock::new(jiff::Timestamp::UNIX_EPOCH, seed) }
    }

    /// A number below `sides`.
    pub(crate) fn draw(&self, sides: usize) -> usize {
        usize::try_from(self.dice.random() % sides.max(1) as u64).unwrap()
    }

    /// What can happen to an answer; a page in its place at most once in a story,
    /// because two in a row suspend an agreement, as they must.
    pub(crate) fn fault(&self, pages: bool) -> Fault {
        let status = |code, retry_after, after| Fault::Status { code, retry_after, after };
        match self.draw(if pages { 12 } else { 8 }) {
            0 => Fault::DropBefore,
            1 => Fault::DropAfter,
            2 => status(500, None, false),
            3 => status(502, None, true),
            4 => status(429, Some(30), false),
            5 => status(503, Some(90), false),
            6 => Fault::TruncatedBody(20),
            7 => Fault::ExpireToken,
            8 => Fault::LoginPage(200),
            9 => Fault::LoginPage(201),
            10 => Fault::Multipart400(200),
            _ => Fault::Redirect(302),
        }
    }
}

/// Says which story it was, when it ended badly.
impl Drop for Story {
    #[expect(clippy::print_stderr, reason = "whoever runs this wants to tell it again")]
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("to tell it again: cargo xtask torture --seed {} --minutes 0", self.seed);
        }
    }
}

/// Faults, deaths and outages, one after the other; then everything has landed, once.
fn mishaps(story: &Story, mortal: &mut Mortal, requests: usize) {
    mortal.begin();
    let mut told = format!("story {}, {}:", story.seed, mortal.name);
    let mut pages = true;
    for _ in 0..=story.draw(usize::try_from(MISHAPS).unwrap()) {
        let nth = 1 + story.draw(requests);
        match story.draw(4) {
            0 => {
                let effects = [Effect::None, Effect::Before, Effect::Late];
                let effect = effects[story.draw(effects.len())];
                mortal.gate().kill = Some((nth, effect));
                told.push_str(&format!(" dies at {nth}, {effect:?};"));
            }
            1 => {
                mortal.gate().down = true;
                told.push_str(" nobody answers;");
            }
            _ => {
                let fault = story.fault(pages);
                pages &= !matches!(
                    fault,
                    Fault::LoginPage(_) | Fault::Multipart400(_) | Fault::Redirect(_)
                );
                told.push_str(&format!(" {fault:?} at {nth};"));
                mortal.gate().fault_at(nth, fault);
            }
        }
        // What a dead process had sent arrives while the next one still waits for it:
        // the grace of a target is a limit that its connector declares.
        let late = matches!(mortal.gate().kill, Some((_, Effect::Late)));
        mortal.cycle();
        let mut gate = mortal.gate();
        (gate.down, gate.kill, gate.killed) = (false, None, false);
        drop(gate);
        let wait = if late { 0 } else { story.draw(1_200) };
        mortal.site.clock.advance(Duration::from_secs(3 + wait as u64));
    }
    mortal.recovers(&told);
}

/// What the ledger says of each cell, in the target's words.
fn known(mortal: &Mortal, reader: &Reader) -> BTreeMap<Place, (RevisionState, Decimal)> {
    let mut known = BTreeMap::new();
    let loaded = mortal.site.loaded();
    ledger::cells(reader, mortal.site.clock.now(), |cell| {
        known.insert(place_in(&loaded, &cell.key), (cell.state, cell.value));
        Ok(())
    })
    .unwrap();
    known
}

/// A person types a value over one of ours: it stands, and the cell is held.
fn edited(story: &Story, mortal: &mut Mortal) {
    mortal.begin();
    assert!(mortal.cycle());
    let bridge = mortal.site.bridge();
    let cells: Vec<Place> = known(mortal, &bridge.reader().unwrap()).into_keys().collect();
    let place = cells[story.draw(cells.len())].clone();
    let (scope, resource, location, period, measure) = &place;
    let edit = json!({ "version": scope, "resource": resource,
        "location": location, "period": period, "measure": measure, "value": "3", "who": "Ada" });
    let request = Request::post("/planner/edit")
        .header("content-type", "application/json")
        .body(Bytes::from(edit.to_string()))
        .unwrap();
    let reply = mortal.site.send(&request);
    let when = format!("story {}, {}: {place:?}", story.seed, mortal.name);
    assert!(reply.response.status().is_success(), "{when}: {:?}", reply.response);
    mortal.site.clock.advance(Duration::from_mins(20));
    for target in &bridge.targets(None).unwrap() {
        let read = bridge.walk(target, Course::Verify { read_back: Which::All });
        let read = mortal.site.clock.block_on(read);
        assert!(read.stopped.is_none(), "{when}: {:?}", read.stopped);
    }
    let targets = bridge.targets(None).unwrap();
    let cycle = bridge.cycle(&targets, bridge.as_of());
    mortal.site.clock.block_on(cycle).unwrap();
    let stands = mortal.site.stored().0.get(&place).copied();
    let (reader, now) = (bridge.reader().unwrap(), mortal.site.clock.now());
    let (state, wanted) = known(mortal, &reader)[&place];
    // What was typed may be what was wanted.
    if stands != Some(wanted) {
        assert_eq!(stands, Some(Decimal::from(3)), "{when}: it was overwritten");
        assert_ne!(state, RevisionState::Seen, "{when}");
    }
    balanced(&reader, now, &when);
}

/// Bytes of the write-ahead log are lost or turned: who opens it reads an earlier
/// commit, or is told that it is damaged. What it calls seen took effect.
fn torn(story: &Story, mortal: &mut Mortal) {
    mortal.begin();
    let bridge = mortal.site.bridge();
    let targets = bridge.targets(None).unwrap();
    mortal.site.clock.block_on(bridge.cycle(&targets, bridge.as_of())).unwrap();
    let folder = mortal.site.folder.join("torn");
    let _ = fs::remove_dir_all(&folder);
    copy(bridge.state.dir(), &folder);
    let log = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    let log = log.into_iter().find(|path| path.to_string_lossy().ends_with("-wal"));
    let log = log.expect("a state that is open has a log");
    let mut bytes = fs::read(&log).unwrap();
    let when = format!("story {}, {}: a log of {}", story.seed, mortal.name, bytes.len());
    if story.draw(2) == 0 {
        bytes.truncate(story.draw(bytes.len() + 1));
    } else {
        for _ in 0..=story.draw(8) {
            let at = story.draw(bytes.len());
            bytes[at] ^= 1 << story.draw(8);
        }
    }
    fs::write(&log, bytes).unwrap();
    let took: Vec<(Place, Decimal)> = mortal
        .gate()
        .history()
        .into_iter()
        .map(|change| change.cell)
        .map(|cell| {
            let period = cell.period.to_string();
            ((cell.scope, cell.resource, cell.location, period, cell.measure), cell.value)
        })
        .collect();
    let opened = |folder: &Path| {
        Reader::open(folder).and_then(|reader| Ok((ledger::audit(&reader)?, reader)))
    };
    let Ok((audit, reader)) = opened(&folder) else { return };
    if audit.findings.is_empty() {
        for (place, (state, value)) in known(mortal, &reader) {
            let real = state != RevisionState::Seen || took.contains(&(place.clone(), value));
            assert!(real, "{when}: {place:?} is called seen with {value}");
        }
    }
}

/// What was asked for: the first seed, and for how long.
fn asked() -> Option<(u64, Duration)> {
    let text = std::env::var("PLANTHREAD_TORTURE").ok()?;
    let (seed, seconds) = text.split_once(',').unwrap();
    Some((seed.parse().unwrap(), Duration::from_secs(seconds.parse().unwrap())))
}

#[test]
#[expect(clippy::print_stderr, reason = "what was tried is for whoever runs this test")]
#[expect(clippy::disallowed_methods, reason = "for how long stories are told is real time")]
fn law_12_random_stories_of_bad_luck_end_well() {
    let (first, seconds) = asked().unwrap_or((1, Duration::ZERO));
    let least = if asked().is_some() { 1 } else { STORIES };
    let ways: Vec<(&Registered, Way)> = TARGETS
        .iter()
        .flat_map(|one| Way::all(one).into_iter().map(move |way| (one, way)))
        .collect();
    let began = Instant::now();
    let mut mortals = BTreeMap::<usize, (Mortal, usize)>::new();
    let (mut seed, mut tried) = (first, BTreeMap::<&str, u64>::new());
    while seed < first + least || began.elapsed() < seconds {
        let story = Story::new(seed);
        let number = story.draw(ways.len());
        let (registered, way) = &ways[number];
        let (mortal, requests) = mortals.entry(number).or_insert_with(|| {
            let mortal = Mortal::new(registered, way);
            let requests = mortal.undisturbed().len();
            (mortal, requests)
        });
        let kind = ["mishaps", "mishaps", "mishaps", "edits", "torn logs"][story.draw(5)];
        match kind {
            "edits" => edited(&story, mortal),
            "torn logs" => torn(&story, mortal),
            _ => mishaps(&story, mortal, *requests),
        }
        *tried.entry(kind).or_default() += 1;
        seed += 1;
    }
    eprintln!("stories {first} to {}: {tried:?}, each ended well", seed - 1);
}
