//! `status` says what waits and for what, with the words and numbers of `plan`.

use std::collections::{BTreeMap, BTreeSet};

use planthread::{
    failure::Exit,
    pipeline::{Waits, policy},
    report::{TextTable, View as _, status::StatusView},
};
use planthread_contracts::Period;
use planthread_engine::{journal::JournalCounts, ledger, plan, status, verify::Which};
use planthread_kit::Clock as _;
use planthread_mocks::sap_ibp::Options;
use rust_decimal::Decimal;
use serde_json::json;

use crate::{
    plant::plan_of,
    wire::Effect,
    world::{Live, World},
};

/// What waits now, by the word of what it waits for.
fn waiting(world: &World, live: &Live) -> BTreeMap<&'static str, u64> {
    let now = world.clock.now();
    let policy = policy::policy(&live.bridge.loaded, &live.target, now).unwrap();
    let all = plan::waiting(&live.bridge.reader().unwrap(), &policy).unwrap();
    for one in &all {
        assert!(one.since <= now && one.cells > 0, "{one:?}");
    }
    let word = |one: &plan::Waiting| one.reason.map_or("due", plan::HoldReason::word);
    all.iter().map(|one| (word(one), one.cells)).collect()
}

/// The same from the first line of a plan.
fn planned(live: &Live) -> BTreeMap<String, u64> {
    let plan = live.plan();
    let first = plan.split(|byte| *byte == b'\n').next().unwrap();
    let header: plan::PlanHeader = serde_json::from_slice(first).unwrap();
    let due = (header.counts.cells > 0).then(|| ("due".to_owned(), header.counts.cells));
    header.counts.held.into_iter().chain(due).collect()
}

#[track_caller]
fn same(world: &World, live: &Live) -> BTreeMap<&'static str, u64> {
    let waiting = waiting(world, live);
    let words: BTreeMap<String, u64> =
        waiting.iter().map(|(word, n)| ((*word).to_owned(), *n)).collect();
    assert_eq!(words, planned(live), "status and plan say one thing");
    waiting
}

fn tell(world: &World, share: &str) {
    let week: Period = "2026-W51".parse().unwrap();
    let share: Decimal = share.parse().unwrap();
    world.foretell(1, &[(week, share), (week.next(), share)]);
}

#[test]
fn status_says_what_plan_says_whatever_stands_in_the_way() {
    let mut config = plan_of(3, 5);
    // Nobody knows this one there: each of its rows is refused.
    config["targets"]["ibp"]["mapping"]["rows"][2]["resource"] = json!("LINE-77");
    let world = World::new(&config, Options::default());
    let live = world.open();
    let want = |live: &Live| {
        live.bridge.ingest().unwrap();
        let truth = live.bridge.truth(live.bridge.as_of()).unwrap();
        live.bridge.want(&live.target, &truth).unwrap();
    };
    want(&live);
    assert_eq!(same(&world, &live), BTreeMap::from([("due", 36)]));
    world.cycle(&live);
    assert_eq!(same(&world, &live), BTreeMap::from([("rejected_not_cured", 12)]));
    world.planner(
        "/planner/edit",
        &json!({ "resource": "LINE-1", "location": "1010", "period": "2026-W51",
            "measure": "TWINCAPALIVE", "value": "96.5", "who": "Ms Okafor" }),
    );
    world.clock.block_on(live.bridge.verify(&live.target, Which::All)).unwrap();
    world.pass(60);
    tell(&world, "0.5");
    want(&live);
    let found = same(&world, &live);
    assert_eq!((found["lock"], found["rejected_not_cured"]), (1, 12), "{found:?}");
    assert!(found["due"] > 0, "{found:?}");
    drop(live);
    config["targets"]["ibp"]["policy"] = json!({ "paused": "month end" });
    world.configure(&config);
    let live = world.open();
    let found = same(&world, &live);
    assert_eq!(found.keys().copied().collect::<Vec<_>>(), ["paused"]);
    assert!(found["paused"] > 13, "{found:?}");
}

#[test]
fn a_push_that_is_open_is_said_with_its_age_and_what_ends_it() {
    let world = World::small();
    let live = world.open();
    let commit = {
        let clean = World::small();
        clean.cycle(&clean.open());
        let heard = clean.wire().heard.iter().position(|h| h.line.contains("commit"));
        heard.unwrap() + 1
    };
    world.wire().kill_at(commit, Effect::After);
    let targets = std::slice::from_ref(&live.target);
    assert!(world.until_killed(live.bridge.cycle(targets, live.bridge.as_of())).is_none());
    drop(live);
    world.pass(180);
    let live = world.open();
    assert_eq!(waiting(&world, &live), BTreeMap::from([("open_attempt", 36)]));

    let (now, reader) = (world.clock.now(), live.bridge.reader().unwrap());
    let standing = StatusView {
        now,
        lease: None,
        status: status::status(&reader, now).unwrap(),
        journal: JournalCounts::default(),
        unfinished: Vec::new(),
        pushes: ledger::receipts(&reader, 3).unwrap(),
        away: Vec::new(),
        second_places: BTreeMap::new(),
        cases: Vec::new(),
        locks: Vec::new(),
        pauses: BTreeMap::new(),
        breakers: Vec::new(),
        firm: Vec::new(),
        waits: vec![Waits::at(&live.bridge.loaded, &reader, &live.target, now).unwrap()],
        clock_confirmed: None,
        agreements: BTreeMap::new(),
        certificates: Vec::new(),
        guards: Vec::new(),
        not_driving: BTreeSet::new(),
    };
    assert_eq!(standing.exit(), Exit::Ok);
    let mut text_table = TextTable::new(false);
    standing.write(&mut text_table);
    let said = text_table.into_text();
    for part in ["ibp: 36 cells waiting", "36 open attempt, for 3 h: ", "explain open_attempt"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let json = serde_json::to_value(&standing).unwrap();
    let one = &json["waits"][0]["waiting"][0];
    assert_eq!((&one["for"], &one["cells"]), (&json!("open_attempt"), &json!(36)));
}
