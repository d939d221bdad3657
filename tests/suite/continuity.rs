//! Law 20: a clock that jumps and a state that is put back from a copy are
//! noticed, held, and end with target and ledger equal; and two bridges with
//! states of their own meet.

use std::{collections::BTreeMap, fs, path::Path};

use jiff::SignedDuration;
use planthread::{failure::Exit, pipeline::Course};
use planthread_contracts::RevisionState;
use planthread_engine::{
    continuity::{Continuity, TakeBack, continuity},
    ledger::{self, CaseKind},
    verify::Which,
};
use planthread_mocks::sap_ibp::Options;
use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::world::{Live, Place, World, measure, plan_of};

const DAYS: SignedDuration = SignedDuration::from_hours(40 * 24);

/// Stamps, heartbeat and pack, as `init` writes them.
fn guarded() -> Value {
    let mut config = plan_of(3, 5);
    let target = &mut config["targets"]["ibp"];
    target["pack"] = json!({ "folder": "share" });
    let measures = target["measures"].as_array_mut().unwrap();
    measures.push(measure("as_of", "TWINASOF", "as_of", "stamp"));
    measures.push(measure("until", "TWINVALIDTO", "valid_until", "stamp"));
    measures.push(measure("beat", "TWINBEAT", "heartbeat", "stamp"));
    config
}

fn world() -> World {
    World::new(&guarded(), Options::default())
}

/// Machine 1 will be up for `share` percent of the next weeks.
fn news(world: &World, percent: i64) {
    let weeks = ["2026-W49", "2026-W50", "2026-W51"].map(|week| week.parse().unwrap());
    world.foretell(1, &weeks.map(|week| (week, Decimal::new(percent, 2))));
}

/// The target holds what is wanted, cell by cell, and the books balance.
fn assert_equal(world: &World, live: &Live, when: &str) {
    let stored = world.stored();
    for cell in live.cells().iter().filter(|cell| cell.state != RevisionState::Withdrawn) {
        assert_eq!(cell.state, RevisionState::Seen, "{when}: {}", cell.key);
        assert_eq!(stored.get(&live.place(&cell.key)), Some(&cell.value), "{when}: {}", cell.key);
    }
    live.assert_conserved(when);
}

fn open_cases(live: &Live) -> Vec<ledger::Case> {
    let cases = ledger::cases(&live.bridge.reader().unwrap()).unwrap();
    cases.into_iter().filter(|case| case.closed.is_none()).collect()
}

/// Writes that came to the target since `mark`.
fn writes(world: &World, mark: usize) -> usize {
    world.wire().count(mark, &http::Method::POST)
}

/// The page of `explain` that a cycle ended with; it is held.
fn held_for(done: &planthread::pipeline::TargetCycle) -> &'static str {
    let stopped = done.stopped.as_ref().unwrap();
    assert_eq!(stopped.exit, Exit::Held, "{stopped}");
    stopped.explain.unwrap()
}

#[test]
fn law_20_a_clock_that_jumps_40_days_ahead_and_back_lands_nothing_wrong() {
    let world = world();
    let live = world.open();
    assert!(world.cycle(&live).stopped.is_none());
    assert_equal(&world, &live, "before");
    drop(live);
    for (percent, ahead) in [(50, DAYS), (40, -DAYS), (30, SignedDuration::from_mins(200))] {
        let when = format!("{ahead:?}");
        let live = world.open();
        world.pass(60);
        let before = world.stored();
        news(&world, percent);
        world.set_ahead(ahead);
        let mark = world.mark();
        let done = world.cycle(&live);
        assert_eq!(held_for(&done), "clock", "{when}");
        assert!(done.want.is_none() && writes(&world, mark) == 0, "{when}");
        assert_eq!(world.stored(), before, "{when}");
        let status = live.status();
        assert!(open_cases(&live).iter().all(|case| case.kind == CaseKind::Clock), "{when}");
        assert_eq!(open_cases(&live).len(), 1, "{when}: {status:?}");
        world.set_ahead(SignedDuration::ZERO);
        let done = world.cycle(&live);
        assert!(done.stopped.is_none(), "{when}: {:?}", done.stopped);
        assert!(open_cases(&live).is_empty(), "{when}");
        assert_equal(&world, &live, &when);
        assert_ne!(world.stored(), before, "{when}: the news have landed");
    }
}

#[test]
fn law_20_a_jump_that_nobody_can_confirm_is_held_until_a_person_does() {
    let world = world();
    let live = world.open();
    assert!(world.cycle(&live).stopped.is_none());
    world.wire().down = true;
    world.set_ahead(DAYS);
    let done = world.cycle(&live);
    assert_eq!(held_for(&done), "clock");
    assert!(done.stopped.unwrap().message.contains("no target answered"));
    // The bridge was off for so long, says a person.
    let case = open_cases(&live).remove(0);
    let now = live.bridge.clock.now();
    assert!(ledger::close_case(&live.bridge.state, case.id, "Ana", now).unwrap());
    assert!(world.cycle(&live).want.is_some(), "wanted moves on while the target is down");
    // And was wrong: the target says another time as soon as it answers.
    world.wire().down = false;
    world.pass(200);
    assert_eq!(held_for(&world.cycle(&live)), "clock");
}

#[test]
fn law_20_later_truth_is_taken_back_by_name_and_reason() {
    let world = world();
    // A first start with a wrong clock, and nobody to notice.
    world.wire().down = true;
    world.set_ahead(DAYS);
    let live = world.open();
    assert!(world.cycle(&live).want.is_some());
    world.wire().down = false;
    world.set_ahead(SignedDuration::ZERO);
    world.pass(200);
    let mark = world.mark();
    let done = world.cycle(&live);
    assert_eq!(held_for(&done), "later_truth");
    assert!(done.stopped.unwrap().cure.contains("take-back"));
    assert_eq!(writes(&world, mark), 0);
    let request = |who: &str, to| TakeBack {
        target: "ibp".to_owned(),
        to,
        who: who.to_owned(),
        why: "the machine's clock was 40 days ahead".to_owned(),
    };
    let as_of = live.bridge.as_of();
    assert!(live.bridge.take_back(request("", as_of)).is_err());
    assert!(live.bridge.take_back(request("Ana", as_of + DAYS)).is_err());
    let taken = live.bridge.take_back(request("Ana", as_of)).unwrap();
    assert!(taken.to == as_of && taken.from > as_of + DAYS - SignedDuration::from_hours(24));
    assert!(taken.cells > 0);
    assert!(live.bridge.take_back(request("Ana", as_of)).is_err(), "nothing is left");
    let done = world.cycle(&live);
    assert!(done.stopped.is_none(), "{:?}", done.stopped);
    assert_equal(&world, &live, "taken back");
    let this_week = "2026-W48".parse().unwrap();
    assert!(world.stored().keys().any(|(_, _, week, _)| *week == this_week), "it has landed");
    let cases = ledger::cases(&live.bridge.reader().unwrap()).unwrap();
    let record = cases.iter().find(|case| case.kind == CaseKind::TakenBack).unwrap();
    assert_eq!(record.closed.as_ref().unwrap().1, "Ana");
    assert!(record.text.contains("40 days"));
}

fn copy(from: &Path, to: &Path) {
    let _ = fs::remove_dir_all(to);
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        if entry.path().is_dir() {
            copy(&entry.path(), &to.join(entry.file_name()));
        } else {
            fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}

fn of_beat(stored: &BTreeMap<Place, Decimal>) -> Vec<Decimal> {
    let beats = stored.iter().filter(|((.., measure), _)| measure == "TWINBEAT");
    let mut beats: Vec<Decimal> = beats.map(|(_, beat)| *beat).collect();
    beats.sort_unstable();
    beats.dedup();
    beats
}

#[test]
fn law_20_a_restored_backup_is_noticed_and_read_anew_and_its_own_writes_are_its_own() {
    let world = world();
    let (state, backup) = (world.folder.join("state"), world.folder.join("backup"));
    let twin = world.folder.join("twin.ndjson");
    let live = world.open();
    assert!(world.cycle(&live).stopped.is_none());
    drop(live);
    copy(&state, &backup);
    let told = fs::read_to_string(&twin).unwrap();
    // What the backup never hears of: two more landings.
    for percent in [40, 30] {
        world.pass(60);
        news(&world, percent);
        let live = world.open();
        assert!(world.cycle(&live).stopped.is_none());
        assert_equal(&world, &live, "before the disk broke");
    }
    let landed = world.stored();
    copy(&backup, &state);
    fs::write(&twin, told).unwrap();
    world.pass(60);
    let live = world.open();
    let share = world.folder.join("share/ibp");
    let found = continuity(&live.bridge.reader().unwrap(), "ibp", Some(&share)).unwrap();
    assert!(matches!(found, Continuity::Broken { .. }), "{found:?}");
    let known = live.cells();
    let other = |cell: &&ledger::CellView| landed.get(&live.place(&cell.key)) != Some(&cell.value);
    let differ = known.iter().filter(other).count();
    assert!(differ >= 3, "{differ} cells differ from what the copy wants");
    let done = world.cycle(&live);
    assert!(done.stopped.is_none(), "{:?}", done.stopped);
    let report = done.verified.unwrap();
    assert_eq!((report.persons, report.cases.len()), (0, 0), "{report:?}");
    assert_equal(&world, &live, "restored");
    let locks = ledger::locks(&live.bridge.reader().unwrap(), live.bridge.clock.now()).unwrap();
    assert!(locks.is_empty(), "nobody is taken for the author: {locks:?}");
    let kinds: Vec<CaseKind> = open_cases(&live).iter().map(|case| case.kind).collect();
    assert_eq!(kinds, [CaseKind::Restored]);
    let (before, after) = (of_beat(&landed), of_beat(&world.stored()));
    assert_eq!((before.len(), after.len()), (1, 1));
    assert_ne!(before, after, "another writer makes itself known");
    let found = continuity(&live.bridge.reader().unwrap(), "ibp", Some(&share)).unwrap();
    assert_eq!(found, Continuity::Proven);
}

/// What a person types at the target, where something of ours stands.
fn edit(world: &World, place: &Place, value: &str) {
    let (resource, location, period, measure) = place;
    let edit = json!({ "resource": resource, "location": location,
        "period": period.to_string(), "measure": measure, "value": value, "who": "ana" });
    world.planner("/planner/edit", &edit);
}

/// Lands `before` times, copies the state, lands `after` times, lets a person write
/// `edits` (which cell, and what), puts the copy back and walks once.
fn put_back((before, after, weeks): (u32, u32, u32), edits: &BTreeMap<usize, &str>) {
    let story = format!("{before} before, {after} after {weeks} weeks, {edits:?}");
    let world = world();
    let (state, backup) = (world.folder.join("state"), world.folder.join("backup"));
    let mut share = 90;
    let mut land = |times: u32| {
        for _ in 0..times {
            world.pass(60);
            share -= 10;
            news(&world, share);
            assert!(world.cycle(&world.open()).stopped.is_none(), "{story}");
        }
    };
    land(before);
    copy(&state, &backup);
    let known = world.stored();
    // Weeks that the copy never heard of come into sight.
    world.pass(u64::from(weeks) * 7 * 24 * 60);
    land(after);
    // A value where the copy never sent anything is a question of its own: whose is it?
    let hours =
        |(place, _): &(Place, Decimal)| place.3 == "TWINCAPALIVE" && known.contains_key(place);
    let landed: Vec<(Place, Decimal)> = world.stored().into_iter().filter(hours).collect();
    // No two stand side by side in a row.
    let edited = edits.iter().map(|(at, typed)| (landed[at * 2].0.clone(), typed.parse().unwrap()));
    let edited: BTreeMap<Place, Decimal> = edited.collect();
    for (place, value) in &edited {
        edit(&world, place, &value.to_string());
    }
    copy(&backup, &state);
    world.pass(60);
    let live = world.open();
    // Whoever looks first is told, and whoever sends next as well.
    let truth = live.bridge.truth(live.bridge.as_of()).unwrap();
    let looked = Course::Plan { truth: &truth, file: None };
    let looked = world.clock.block_on(live.bridge.walk(&live.target, looked));
    assert!(looked.restored.is_some_and(|told| told.told_apart), "{story}");
    let named = looked.verified.map_or(0, |read| read.persons);
    assert_eq!(named, u64::try_from(edited.len()).unwrap(), "{story}");
    let done = world.cycle(&live);
    assert!(done.stopped.is_none(), "{story}: {:?}", done.stopped);
    assert!(done.restored.as_ref().is_some_and(|told| told.told_apart), "{story}");
    assert!(world.cycle(&live).restored.is_none(), "{story}: told once by who sends");
    let locks = ledger::locks(&live.bridge.reader().unwrap(), live.bridge.clock.now()).unwrap();
    let mut locked: Vec<Place> = locks.iter().map(|lock| live.place(&lock.key)).collect();
    locked.sort();
    assert!(locked.iter().eq(edited.keys()), "{story}: {locked:?}");
    let stored = world.stored();
    for cell in live.cells().iter().filter(|cell| cell.state != RevisionState::Withdrawn) {
        let place = live.place(&cell.key);
        let typed = edited.get(&place);
        // What is told of a figure travels with it, and waits beside one that is locked.
        let beside = |(r, l, p, _): &Place| (r, l, p) == (&place.0, &place.1, &place.2);
        if typed.is_none() && edited.keys().any(beside) {
            continue;
        }
        let holds = typed.unwrap_or(&cell.value);
        assert_eq!(stored.get(&place), Some(holds), "{story}: {}", cell.key);
    }
    live.assert_conserved(&story);
}

#[test]
fn law_20_what_a_person_wrote_since_a_copy_was_made_stays_theirs() {
    let mut seed = 20_u64;
    let mut random = |below: u32| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        u32::try_from(seed >> 33).unwrap() % below
    };
    for _ in 0..10 {
        let typed = ["7.5", "0", "99"];
        let mut one = || (random(7) as usize, typed[random(3) as usize]);
        let edits = [one(), one()].into_iter().collect();
        put_back((1 + random(2), 1 + random(3), random(2)), &edits);
    }
}

#[test]
fn law_20_a_copy_is_noticed_also_when_nothing_was_sent_since() {
    let world = world();
    let (state, backup) = (world.folder.join("state"), world.folder.join("backup"));
    let live = world.open();
    assert!(world.cycle(&live).stopped.is_none());
    drop(live);
    copy(&state, &backup);
    // A person takes a week, and the bridge notes it while it sends nothing.
    let place = world.stored().into_keys().find(|(.., measure)| measure == "TWINCAPALIVE").unwrap();
    edit(&world, &place, "7.5");
    let live = world.open();
    let read_back = Which::All;
    let read = world.clock.block_on(live.bridge.walk(&live.target, Course::Verify { read_back }));
    assert_eq!(read.verified.unwrap().persons, 1);
    drop(live);
    copy(&backup, &state);
    // What was noted outside is lost as well: that is said.
    fs::remove_file(world.folder.join("share/ibp/witness.values")).unwrap();
    let live = world.open();
    let done = world.cycle(&live);
    assert!(!done.restored.unwrap().told_apart);
    let case = open_cases(&live).remove(0);
    assert!(case.kind == CaseKind::Restored && case.text.contains("written over"), "{case:?}");
}

#[test]
fn law_20_two_bridges_with_states_of_their_own_meet_before_the_second_writes() {
    let world = world();
    let first = world.open();
    assert!(world.cycle(&first).stopped.is_none());
    let before = world.stored();
    world.pass(60);
    let mark = world.mark();
    // Another machine: its packs go elsewhere, too.
    let second = world.open_state(&world.folder.join("other"));
    let done = world.cycle(&second);
    assert_eq!(writes(&world, mark), 0, "{done:?}");
    assert_eq!(world.stored(), before);
    let held = done.policy_holds.unwrap().held;
    assert!(held.keys().eq(["second_writer"]), "{held:?}");
    let case = open_cases(&second).remove(0);
    assert_eq!(case.kind, CaseKind::SecondWriter);
    assert_equal(&world, &first, "the first goes on");
    // The second takes over, by name; the first notices and stops.
    let now = second.bridge.clock.now();
    assert!(ledger::close_case(&second.bridge.state, case.id, "Ana", now).unwrap());
    assert!(world.cycle(&second).stopped.is_none());
    assert_equal(&world, &second, "taken over");
    world.pass(25 * 60);
    let mark = world.mark();
    let done = world.cycle(&first);
    assert_eq!(writes(&world, mark), 0, "{done:?}");
    assert!(done.policy_holds.unwrap().held.contains_key("second_writer"));
}

#[test]
fn a_heartbeat_that_was_cleared_is_no_second_writer() {
    let world = world();
    let live = world.open();
    assert!(world.cycle(&live).stopped.is_none());
    for ((resource, location, period, measure), _) in world.stored() {
        let edit = json!({ "resource": resource, "location": location,
            "period": period.to_string(), "measure": measure, "value": "0", "who": "load" });
        world.planner("/planner/edit", &edit);
    }
    let read_back = Which::All;
    let read = live.bridge.walk(&live.target, Course::Verify { read_back });
    let report = world.clock.block_on(read).verified.unwrap();
    assert!(report.read > 50, "{report:?}");
    let kinds: Vec<CaseKind> = open_cases(&live).into_iter().map(|case| case.kind).collect();
    assert!(!kinds.is_empty() && !kinds.contains(&CaseKind::SecondWriter), "{kinds:?}");
}
