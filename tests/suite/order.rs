//! Law 4 with several requests in flight: whatever the network does, the values that
//! take effect at a cell come in the order in which the ledger wanted them. Each request
//! has a way of its own length, answers are lost, and truth changes all the time.
//!
//! `PLANTHREAD_ORDER=SEED,SEEDS` tries so many from one on; the seed that fails is
//! printed.

use std::{collections::BTreeMap, fs, time::Duration};

use jiff::tz::TimeZone;
use planthread::{
    demo::twin,
    in_process::gate::SharedGate,
    registry::{Registered, TARGETS},
};
use planthread_engine::ledger;
use planthread_kit::{Clock as _, VirtualClock};
use planthread_mocks::{Setup, Simulator as _, Writer};
use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::{
    mortal::balanced,
    site::{Place, Site, place_in},
    torture::Story,
    way::Way,
};

/// Times that truth changes.
const ROUNDS: usize = 4;
/// Cycles in which everything comes to rest.
const REST: usize = 6;

/// An hour later the twin foretells something else for every week.
fn tell(site: &Site, story: &Story) {
    let hour = 3_600 - site.clock.now().as_second().rem_euclid(3_600);
    site.clock.advance(Duration::from_secs(hour.unsigned_abs()));
    let zone = TimeZone::get("Europe/Berlin").unwrap();
    let text = twin::events_ndjson(site.clock.now(), &zone);
    let mut event: Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    for period in event["data"]["periods"].as_array_mut().unwrap() {
        let share = Decimal::new(i64::try_from(200 + story.draw(700)).unwrap(), 3);
        period["up"] = json!({ "point": { "value": share } });
    }
    let file = site.folder.join("data/twin-events.ndjson");
    let before = fs::read_to_string(&file).unwrap();
    fs::write(&file, format!("{before}{event}\n")).unwrap();
}

/// Whether `took` is `wanted` with some left out.
fn in_order(took: &[Decimal], wanted: &[Decimal]) -> bool {
    let mut wanted = wanted.iter();
    took.iter().all(|value| wanted.any(|one| one == value))
}

/// How often a value took effect.
fn kept(story: &Story, registered: &Registered, way: &Way) -> usize {
    let mut slot = None;
    let mut site = Site::of((registered, way), Setup::default(), |sandbox| {
        let gate = SharedGate::new(sandbox);
        slot = Some(gate.clone());
        Box::new(gate)
    });
    let gate = slot.unwrap();
    site.shorten();
    site.tune = Some(|config| {
        let rules = &mut config.plant.rules.significance;
        (rules.hours_share, rules.units_share, rules.ratio) =
            (Decimal::ZERO, Decimal::ZERO, Decimal::ZERO);
        rules.stand_hours = 0;
    });
    site.delays = Some(VirtualClock::new(site.clock.now(), story.seed));
    let when = format!("order, seed {}, {}", story.seed, way.of(registered));
    let bridge = site.bridge();
    let targets = bridge.targets(None).unwrap();
    let cycle = |rest: bool| {
        let done = site.clock.block_on(bridge.cycle(&targets, bridge.as_of())).unwrap();
        balanced(&bridge.reader().unwrap(), site.clock.now(), &when);
        rest && done.targets.iter().all(|one| one.stopped.is_none() && one.applied.is_none())
    };
    cycle(false);
    let requests = gate.lock().heard.len();
    for _ in 0..ROUNDS {
        tell(&site, story);
        for _ in 0..story.draw(3) {
            gate.lock().fault_at(1 + story.draw(requests), story.fault(false));
        }
        cycle(false);
    }
    for _ in 0..REST {
        site.clock.advance(Duration::from_mins(20));
        if cycle(true) {
            break;
        }
    }
    let mut took = BTreeMap::<Place, Vec<Decimal>>::new();
    for change in gate.lock().history() {
        let cell = change.cell;
        if matches!(cell.writer, Writer::Integration(_)) && change.before != Some(cell.value) {
            let period = cell.period.to_string();
            let place = (cell.scope, cell.resource, cell.location, period, cell.measure);
            took.entry(place).or_default().push(cell.value);
        }
    }
    let (reader, loaded) = (bridge.reader().unwrap(), site.loaded());
    let (now, mut effects, mut keys) = (site.clock.now(), 0, Vec::new());
    ledger::cells(&reader, now, |cell| {
        keys.push(cell.key);
        Ok(())
    })
    .unwrap();
    for key in keys {
        let Some(took) = took.remove(&place_in(&loaded, &key)) else { continue };
        let trace = ledger::trace(&reader, &key, now).unwrap();
        let wanted: Vec<Decimal> = trace.revisions.iter().map(|one| one.value).collect();
        assert!(in_order(&took, &wanted), "{when}: {key} became {took:?}, wanted {wanted:?}");
        effects += took.len();
    }
    assert!(took.is_empty(), "{when}: nobody wanted {took:?}");
    effects
}

#[test]
fn in_order_means_with_some_left_out() {
    let values = |all: &[i64]| all.iter().map(|n| Decimal::from(*n)).collect::<Vec<_>>();
    let wanted = values(&[5, 7, 5, 9]);
    for took in [&[5, 7, 5, 9][..], &[7, 9], &[5, 9], &[5, 5], &[]] {
        assert!(in_order(&values(took), &wanted), "{took:?}");
    }
    for took in [&[9, 5][..], &[7, 7], &[8], &[5, 7, 9, 5]] {
        assert!(!in_order(&values(took), &wanted), "{took:?}");
    }
}

#[test]
#[expect(clippy::print_stderr, reason = "what was tried is for whoever runs this test")]
fn law_4_what_takes_effect_never_inverts_what_was_wanted() {
    let asked = std::env::var("PLANTHREAD_ORDER").ok();
    let asked = asked.as_deref().and_then(|text| text.split_once(','));
    let (first, seeds) =
        asked.map_or((1, 1), |(seed, n)| (seed.parse().unwrap(), n.parse::<u64>().unwrap()));
    std::thread::scope(|scope| {
        for registered in TARGETS {
            for way in Way::all(registered) {
                scope.spawn(move || {
                    let mut effects = 0;
                    for seed in first..first + seeds {
                        effects += kept(&Story::new(seed), registered, &way);
                    }
                    assert!(effects > 0, "{}", way.of(registered));
                    eprintln!("{}: {seeds} seeds, {effects} effects in order", way.of(registered));
                });
            }
        }
    });
}
