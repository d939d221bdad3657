//! What is different since a review: the figures of `gap`, split as `trace` splits them,
//! and nothing that does not add up.

use planthread::{
    pipeline::{
        adopt,
        gap::{self, Moving, PersonsActKind},
        parse_cell, trace,
    },
    report::{
        TextTable, View as _,
        gap::digest::{Crossed, Digest},
    },
};
use planthread_domain::significance::{Cause, Known, Split};
use planthread_engine::ledger::{self, Lock, LockKind};
use planthread_kit::Clock as _;
use planthread_mocks::{Fault, sap_ibp::Options};
use rust_decimal::Decimal;
use serde_json::json;

use crate::{
    gap::{compared, config},
    plant::close_a_day,
    world::{Live, World, start},
};

pub(crate) fn found(world: &World, live: &Live, since: jiff::Timestamp) -> gap::Digest {
    let (loaded, reader) = (&live.bridge.loaded, live.bridge.reader().unwrap());
    let now = world.clock.now();
    world.clock.block_on(gap::digest(loaded, &reader, &live.target, since, now)).unwrap()
}

fn view(world: &World, found: gap::Digest) -> Digest {
    Digest::of(world.clock.now(), start(), vec![found])
}

/// A world in which, an hour after the review, a day was closed, and machine and line were
/// mapped anew: a cycle each.
fn moved() -> (World, Live) {
    let mut config = config();
    let world = World::new(&config, Options::default());
    world.cycle(&world.open());
    close_a_day(&mut config);
    world.configure(&config);
    world.pass(60);
    world.cycle(&world.open());
    let rows = &mut config["targets"]["ibp"]["mapping"]["rows"];
    (rows[0]["source"], rows[2]["source"]) = (json!("m-3"), json!("m-1"));
    let live = world.cycle_under(&config);
    (world, live)
}

#[test]
fn its_figures_are_those_of_gap_and_its_parts_those_of_trace() {
    let (world, live) = moved();
    let key = parse_cell("ibp/base/LINE-2@1020/2026-W51/live").unwrap();
    let (owner, reason) = ("S. Plan".to_owned(), "strike".to_owned());
    let (since, until) = (start(), "2026-12-24T00:00:00Z".parse().unwrap());
    let lock = Lock { key, kind: LockKind::Send, owner, reason, since, until };
    ledger::lock(&live.bridge.state, lock).unwrap();
    let told = view(&world, found(&world, &live, start()));
    let digest = &told.targets[0];
    let took = digest.acts.iter().find(|act| act.kind == PersonsActKind::Took).unwrap();
    assert_eq!((took.who.as_str(), took.until), ("S. Plan", Some(until)));
    let what = "LINE-2 at 1020, 2026-W51, TWINCAPALIVE: ";
    assert!(took.what.starts_with(what) && took.what.ends_with(" stands there"), "{took:?}");
    let gap = compared(&world, &live);
    let (loaded, reader) = (&live.bridge.loaded, live.bridge.reader().unwrap());
    let mut words = Vec::new();
    for row in &digest.changed {
        let here = |one: &&planthread::report::gap::GapRow| {
            one.row.line == row.line && one.row.week == row.week
        };
        let same = gap.targets[0].rows.iter().find(here).unwrap();
        assert_eq!((row.is, row.load), (same.row.known.live, same.row.known.load));
        let cell = format!("ibp/base/{}@{}/{}/live", row.line.line, row.line.plant, row.week);
        let traced = trace(loaded, &reader, &parse_cell(&cell).unwrap(), world.clock.now());
        let traced = traced.unwrap();
        let wanted = &traced.ledger.revisions;
        assert_eq!((row.was, row.is), (Some(wanted[0].value), Some(wanted.last().unwrap().value)));
        // Of one revision since, the parts are those of it.
        if wanted.len() == 2 {
            let moved = traced.moved.unwrap();
            assert_eq!((&row.parts, row.not_split), (&moved.parts, moved.not_split), "{cell}");
        }
        assert_eq!(row.not_split, Decimal::ZERO, "{cell}: {}", row.reason);
        words.push(format!("{} {}: {}", row.line.line, row.week, row.reason));
    }
    // LINE-1 by hand, at the machine that stands behind it now: 24 h × 0.897 on the closed
    // day; and 168 h × 0.002, of figures that were rounded.
    let closed = "LINE-1 2026-W50: 21.86 h less: decision -21.53 h (closed 2026-12-08: inventory \
                  (works council)), mapping -0.33 h";
    assert!(words.iter().any(|one| one == closed), "{words:#?}");
    let mapped = "LINE-3 2026-W49: 0.33 h more: mapping +0.33 h";
    assert!(words.iter().any(|one| one == mapped), "{words:#?}");
    // Eleven other weeks of LINE-1 and LINE-3, and the closed one of three lines.
    let worth: Vec<_> = digest.changed.iter().filter(|row| row.worth_a_look).collect();
    assert!(worth.iter().all(|row| row.week.to_string() == "2026-W50"), "{words:#?}");
    assert_eq!((digest.changed.len(), worth.len()), (5 + 5 + 3, 3), "{words:#?}");
    let short: Vec<_> = gap.targets[0].rows.iter().filter(|row| row.row.is_short()).collect();
    assert!(digest.short.iter().map(|row| &row.row).eq(short.iter().map(|row| &row.row)));
    assert!(digest.acts.iter().any(|act| act.who == "works council"), "{:?}", digest.acts);
    let why = |why: &str| -> Vec<&str> {
        let here = digest.not_known.iter().filter(|one| one.why.starts_with(why));
        here.map(|one| &*one.line.line).collect()
    };
    // Nobody ever told anything of the machines: they stand at what is assumed of them.
    assert_eq!(why("fallback"), ["LINE-1", "LINE-3", "LINE-2"], "by plant, then line");
    assert_eq!(why("not connected"), ["LINE-5", "LINE-4", "LINE-6"]);
    assert_eq!(digest.not_known.len(), 6);
    assert!(told.xlsx().unwrap().starts_with(b"PK"));
}

#[test]
fn a_decision_in_the_hour_of_the_review_is_told() {
    let mut config = config();
    let world = World::new(&config, Options::default());
    world.cycle(&world.open());
    // The truth of both rounds is of one hour; the review is between them.
    for (closed, minutes) in [(false, 10), (true, 20)] {
        if closed {
            close_a_day(&mut config);
        }
        world.configure(&config);
        world.pass(minutes);
        world.cycle(&world.open());
    }
    let live = world.open();
    let at = |minutes| start() + jiff::SignedDuration::from_mins(minutes);
    let instants = [at(0), at(5), at(15), at(29), world.clock.now()];
    let changed = |since| view(&world, found(&world, &live, since)).targets[0].changed.len();
    assert_eq!(instants.map(changed), [3, 3, 3, 3, 0]);
}

#[test]
fn who_let_values_be_replaced_stands_among_what_people_decided() {
    let world = World::new(&config(), Options::default());
    let live = world.open();
    world.cycle(&live);
    // One of a measure that is declared no more is about nothing.
    for measure in ["live", "gone"] {
        let record = json!({ "who": "A. Planner", "why": "last year's pilot", "scope": "",
            "measures": { measure: "TWINCAPALIVE" } });
        let state = &live.bridge.loaded.config.state;
        adopt(state, "ibp", &record.to_string(), world.clock.now()).unwrap();
    }
    let told = view(&world, found(&world, &live, start()));
    let acts = &told.targets[0].acts;
    let adopted: Vec<_> = acts.iter().filter(|act| act.kind == PersonsActKind::Adopted).collect();
    let [adopted] = adopted.as_slice() else { panic!("{acts:?}") };
    assert_eq!((&*adopted.what, &*adopted.who), ("TWINCAPALIVE", "A. Planner"));
    assert_eq!((adopted.at, adopted.until), (Some(world.clock.now()), None));
}

#[test]
fn every_row_adds_up_whatever_moved() {
    let (world, live) = moved();
    let found = found(&world, &live, start());
    let mut state = 20_261_127_u64;
    let mut dice = move |below: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        i64::try_from(state % below).unwrap()
    };
    for _ in 0..200 {
        let mut found = found.clone();
        let like = found.moving[0].clone();
        found.moving = (0..6)
            .map(|_| {
                let (was, is) = (Decimal::new(dice(16_800), 2), Decimal::new(dice(16_800), 2));
                let parts = (0..dice(7)).map(|_| {
                    let cause = Cause::ALL[usize::try_from(dice(7)).unwrap()];
                    (cause, Decimal::new(dice(1_800_000) - 900_000, 4))
                });
                let parts = parts.collect();
                let known = Known { parts, complete: dice(2) == 1, mapping: dice(2) == 1 };
                let split = Some(Split::of(was, is, &known, Decimal::new(1, 2)));
                Moving { was: Some(was), is: Some(is), split, ..like.clone() }
            })
            .collect();
        for row in &view(&world, found).targets[0].changed {
            let parts = row.parts.values().sum::<Decimal>() + row.not_split;
            assert_eq!(row.was.unwrap() + parts, row.is.unwrap(), "{row:?}");
            assert_eq!(row.change, Some(parts));
            let crossed = (row.was >= row.load) != (row.is >= row.load);
            let told = matches!(row.crossed, Crossed::NowShort | Crossed::NowFits);
            assert_eq!(told, crossed && row.load.is_some(), "{row:?}");
            assert!(row.worth_a_look || parts.abs() < 4.into() && !told, "{row:?}");
        }
    }
}

#[test]
fn nothing_that_changed_is_said_and_a_target_that_is_away_has_no_load() {
    let world = World::new(&config(), Options::default());
    let live = world.open();
    world.cycle(&live);
    let digest = view(&world, found(&world, &live, start()));
    assert_eq!(digest.targets[0].changed.len(), 0);
    let mut text = TextTable::new(false);
    digest.write(&mut text);
    let text = text.into_text();
    assert!(text.starts_with("Nothing changed since."), "{text}");
    assert!(digest.xlsx().unwrap().starts_with(b"PK"));

    let before = "2026-11-01T00:00:00Z".parse().unwrap();
    let digest = view(&world, found(&world, &live, before));
    assert!(digest.targets[0].headline.starts_with("Nothing was known then"));
    assert!(digest.targets[0].changed.iter().all(|row| row.was.is_none() && !row.worth_a_look));
    assert_eq!(digest.targets[0].changed.len(), 18);

    let (world, live) = moved();
    world.wire().fault_at(1, Fault::Status { code: 401, retry_after: None, after: false });
    let digest = view(&world, found(&world, &live, start()));
    let target = &digest.targets[0];
    assert!(target.stopped.is_some() && target.short.is_empty(), "{}", target.headline);
    assert_eq!(target.changed.len(), 13);
    let unknown = |row: &planthread::report::gap::digest::ChangedRow| {
        row.load.is_none() && row.crossed == Crossed::Unknown
    };
    assert!(target.changed.iter().all(unknown));
    assert_ne!(digest.exit(), planthread::failure::Exit::Ok);
}

#[test]
fn two_machines_side_by_side_move_by_the_hours_of_both() {
    let mut config = config();
    config["plant"]["resources"][0]["parallel_units"] = json!(2);
    let world = World::new(&config, Options::default());
    world.cycle(&world.open());
    close_a_day(&mut config);
    let live = world.cycle_under(&config);
    let digest = view(&world, found(&world, &live, start()));
    let changed = &digest.targets[0].changed;
    let row = changed.iter().find(|row| &*row.line.line == "LINE-1").unwrap();
    // By hand: 2 × 24 h × 0.899 on the closed day.
    assert_eq!(row.parts[&Cause::Decision], "-43.15".parse().unwrap(), "{row:?}");
    assert_eq!((row.change, row.not_split), (Some(row.parts[&Cause::Decision]), Decimal::ZERO));
    let gap = compared(&world, &live);
    let mut rows = gap.targets[0].rows.iter();
    let moved = rows.find(|one| one.row.line == row.line && one.row.week == row.week).unwrap();
    let moved = moved.moved.as_ref().unwrap();
    assert_eq!(moved.change.parts[&Cause::Decision].round_dp(2), "-43.15".parse().unwrap());
}
