//! The target is gone for three days; truth goes on.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use planthread::pipeline::Course;
use planthread_contracts::Period;
use planthread_engine::{
    fallback::{self, Cause, Manifest},
    ledger::{self, CellView},
    verify::Which,
};
use planthread_kit::{BoxFuture, Clock as _, SendError, Transport, breaker::Kept};
use planthread_mocks::{Fault, sap_ibp::Options};
use rust_decimal::Decimal;
use serde_json::json;

use crate::world::{World, plan_of};

/// What machine `m-N` is foretold to be up in a week, at an hour of the outage.
/// Some weeks end where they began: those are no change at the end.
fn share(machine: u32, week: u32, hour: u32) -> Decimal {
    let moving = if week == 4 { hour % 72 } else { hour * (machine + week) % 89 };
    Decimal::new(i64::from(800 + moving), 3)
}

pub(crate) fn tell(world: &World, weeks: &[Period], hour: u32) {
    for machine in 1..=3 {
        let shares: Vec<(Period, Decimal)> =
            (0..).zip(weeks).map(|(n, week)| (*week, share(machine, n, hour))).collect();
        world.foretell(machine, &shares);
    }
}

#[test]
fn law_5_outage_of_72_hours_ends_with_one_write_for_each_changed_cell() {
    let mut config = plan_of(3, 5);
    // Every change is worth landing.
    config["plant"]["rules"] = json!({ "significance": { "hours_share": "0", "stand_hours": 0 } });
    let world = World::new(&config, Options::default());
    let live = world.open();
    let weeks: Vec<Period> =
        std::iter::successors(Some("2026-W49".parse().unwrap()), |week: &Period| Some(week.next()))
            .take(5)
            .collect();
    tell(&world, &weeks, 0);
    world.cycle(&live);
    world.assert_landed(&live, "before the outage");
    let before = world.stored();
    let revisions: BTreeMap<_, _> =
        live.cells().into_iter().map(|cell| (live.place(&cell.key), cell.revision)).collect();

    world.wire().down = true;
    let began = world.clock.now();
    let mut made = 0;
    for hour in 1..=72 {
        world.pass(60);
        tell(&world, &weeks, hour);
        let done = world.cycle(&live);
        assert!(done.stopped.is_some(), "hour {hour}: nobody answers, and it says so");
        made += done.want.unwrap().wanted.made;
        live.assert_conserved("during the outage");
    }
    assert!(world.clock.now().duration_since(began).as_hours() >= 72);
    assert_eq!(world.stored(), before, "nothing arrived");
    let waiting = live.status();
    let superseded = waiting.states["superseded"];
    assert!(made > 900, "{made} new revisions in 72 hours");

    world.wire().down = false;
    world.pass(5);
    let mark = world.mark();
    let recovered = world.cycle(&live);
    assert!(recovered.stopped.is_none(), "{:?}", recovered.stopped);
    world.assert_landed(&live, "after the outage");
    let applied = recovered.applied.unwrap();
    let after = world.stored();
    let changed = after.iter().filter(|(place, value)| before[place] != **value).count();
    assert_eq!(applied.plan.counts.cells, changed as u64, "one write for each changed cell");
    let sent: usize = world.wire().heard[mark..].iter().map(|heard| heard.rows).sum();
    let rows: BTreeSet<_> = after
        .iter()
        .filter(|(place, value)| before[place] != **value)
        .map(|((resource, location, period, _), _)| (resource, location, *period))
        .collect();
    assert_eq!(sent, rows.len(), "and no row beside them went over the wire");
    let landed = live.status();
    assert_eq!(landed.seen, landed.wanted);
    // What was never sent is counted: every revision but the first landing's,
    // and the last of each cell.
    assert_eq!(landed.states["superseded"], superseded);
    let seen = landed.states["seen"];
    let overtaken = landed.states["overtaken"];
    assert_eq!(superseded + seen + overtaken, 36 + made, "{:?}", landed.states);
    // Those that came back to where they were needed no write at all.
    let cells = live.cells();
    let moved = |cell: &&CellView| cell.revision > revisions[&live.place(&cell.key)];
    let back = cells.iter().filter(moved).count() - changed;
    assert_eq!(back, 3, "the last week of each machine");
    assert_eq!(superseded, made - (changed + back) as u64, "{:?}", landed.states);
}

#[test]
fn an_outage_is_asked_about_and_not_hammered() {
    let world = World::small();
    let live = world.open();
    world.wire().down = true;
    for _ in 0..24 {
        world.pass(60);
        assert!(world.cycle(&live).stopped.is_some());
    }
    let asked = world.mark();
    assert!(asked <= 24 * 10, "{asked} requests in a day to a target that does not answer");
    assert!(world.wire().heard.iter().all(|heard| heard.rows == 0));
}

#[test]
fn a_program_that_is_started_again_leaves_a_target_alone_that_is_down() {
    let world = World::small();
    world.wire().down = true;
    let (mut asked, mut kept) = (Vec::new(), 0);
    for _ in 0..40 {
        world.clock.advance(Duration::from_secs(10));
        let mark = world.mark();
        let began = world.clock.now();
        let live = world.open();
        let stopped = world.cycle(&live).stopped.unwrap();
        assert_eq!(stopped.exit.code(), 3, "{stopped}");
        if world.mark() > mark {
            asked.push((began, world.clock.now()));
        } else {
            kept += 1;
            assert!(stopped.message.contains("left alone for another"), "{stopped}");
        }
    }
    assert!(asked.len() > 6 && kept > asked.len(), "{} asked, {kept} did not", asked.len());
    for pair in asked[4..].windows(2) {
        let apart = pair[1].0.duration_since(pair[0].1);
        assert!((60..=70).contains(&apart.as_secs()), "asked again after {apart:#}");
    }
    let outage = fallback::outage(&world.open().bridge.reader().unwrap(), "ibp").unwrap().unwrap();
    assert!(!outage.said.contains("left alone"), "what the target said stays: {}", outage.said);

    world.wire().down = false;
    world.pass(1);
    let live = world.open();
    assert!(world.cycle(&live).stopped.is_none());
    world.assert_landed(&live, "after the outage");
    let kept = ledger::breakers(&live.bridge.reader().unwrap()).unwrap();
    assert!(kept.values().all(|kept| *kept == Kept::default()), "{kept:?}");
}

#[test]
fn in_a_quiet_window_nobody_is_asked_anything_and_status_says_why() {
    let mut config = plan_of(3, 5);
    config["targets"]["ibp"]["quota"] = json!({
        "blackouts": [{ "from": "06:00", "to": "06:30", "zone": "Etc/UTC" }] });
    let world = World::new(&config, Options::default());
    let live = world.open();
    let done = world.cycle(&live);
    let stopped = done.stopped.unwrap();
    assert_eq!((stopped.exit.code(), stopped.explain), (4, Some("blackout")));
    assert!(stopped.message.contains("2026-11-25T06:30:00Z"), "{stopped}");
    assert_eq!(world.mark(), 0, "not one request");
    assert_eq!(live.status().held["blackout"], 36);
    world.pass(20);
    assert!(world.cycle(&live).stopped.is_none());
    world.assert_landed(&live, "after the window");
}

#[test]
fn a_program_that_is_started_again_does_not_ask_inside_a_pause() {
    let world = World::small();
    let live = world.open();
    world.wire().fault_at(1, Fault::Status { code: 429, retry_after: Some(600), after: false });
    let stopped = world.cycle(&live).stopped.unwrap();
    assert_eq!(stopped.exit.code(), 3, "{stopped}");
    drop(live);
    let mark = world.mark();
    for _ in 0..3 {
        world.pass(1);
        let live = world.open();
        assert_eq!(world.cycle(&live).stopped.unwrap().exit.code(), 3);
    }
    assert_eq!(world.mark(), mark, "three starts, and nobody was asked");
    world.pass(10);
    let live = world.open();
    world.cycle(&live);
    world.assert_landed(&live, "after the pause");
}

#[test]
fn a_target_that_never_answers_holds_nobody_else_up() {
    let mut config = plan_of(3, 5);
    // Asked first, and black: it takes every request and never says a word.
    config["targets"]["a-black-hole"] = config["targets"]["ibp"].clone();
    config["targets"]["a-black-hole"]["settings"]["host"] = json!("http://localhost");
    let world = World::new(&config, Options::default());
    let live = world.open_with("a-black-hole", Arc::new(Silent));
    let targets = live.bridge.targets(None).unwrap();
    let began = world.clock.now();
    let cycle = world.clock.block_on(live.bridge.cycle(&targets, live.bridge.as_of())).unwrap();
    let took = world.clock.now().duration_since(began);
    assert!(took.as_secs() > 60, "the black hole was given up after {took:?}");
    assert_eq!(cycle.targets[0].target, "a-black-hole");
    assert!(cycle.targets[0].stopped.is_some() && cycle.targets[1].stopped.is_none());
    let pushes = ledger::receipts(&live.bridge.reader().unwrap(), 9).unwrap();
    let ours = pushes.iter().find(|push| push.target == "ibp").unwrap();
    assert!(ours.opened_at.duration_since(began).as_secs() < 60, "{ours:?}");
}

#[derive(Debug)]
struct Silent;

impl Transport for Silent {
    fn send(
        &self,
        _: http::Request<bytes::Bytes>,
    ) -> BoxFuture<'_, Result<http::Response<bytes::Bytes>, SendError>> {
        Box::pin(std::future::pending())
    }
}

/// The pack that a person would load now.
pub(crate) fn manifest(world: &World) -> Manifest {
    let file = world.folder.join("packs/ibp/current/manifest.json");
    serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap()
}

#[test]
fn while_a_target_is_away_the_pack_moves_on_and_the_outage_is_told() {
    let mut config = plan_of(3, 5);
    config["targets"]["ibp"]["pack"] = json!({ "folder": "packs" });
    config["plant"]["rules"] = json!({ "significance": { "hours_share": "0", "stand_hours": 0 } });
    let world = World::new(&config, Options::default());
    let live = world.open();
    let weeks = ["2026-W49".parse().unwrap(), "2026-W50".parse().unwrap()];
    tell(&world, &weeks, 0);
    assert!(world.cycle(&live).stopped.is_none());
    let known = || fallback::outages(&live.bridge.reader().unwrap()).unwrap();
    assert_eq!((known(), manifest(&world).cells > 0), (Vec::new(), true));

    world.wire().down = true;
    let mut digests = BTreeSet::new();
    for hour in 1..=5 {
        world.pass(60);
        tell(&world, &weeks, hour);
        let as_of = live.bridge.as_of();
        assert!(world.cycle(&live).stopped.is_some());
        let pack = manifest(&world);
        assert_eq!(pack.as_of, as_of, "the pack is of the newest truth, hour {hour}");
        digests.extend(pack.files.into_iter().map(|file| file.sha256));
        let now = &known()[0];
        assert_eq!((now.tries, now.ended, now.pack_of), (u64::from(hour), None, Some(as_of)));
        let class = now.class.as_str();
        assert_eq!((class, now.waiting > 0), ("transient-maybe-sent", true), "{now:?}");
    }
    assert!(digests.len() >= 5, "what is wanted moves on in the pack: {digests:?}");

    world.wire().down = false;
    world.pass(5);
    assert!(world.cycle(&live).stopped.is_none());
    let ended = fallback::past_outages(&live.bridge.reader().unwrap(), 10).unwrap();
    assert_eq!((known(), ended.len(), ended[0].tries), (Vec::new(), 1, 5));
    assert!(ended[0].ended.is_some_and(|at| at > ended[0].last), "{ended:?}");
    world.assert_landed(&live, "after the outage");
}

#[test]
fn a_quiet_window_is_no_outage() {
    let mut config = plan_of(3, 5);
    config["targets"]["ibp"]["quota"] = json!({
        "blackouts": [{ "from": "06:00", "to": "06:30", "zone": "Etc/UTC" }] });
    let world = World::new(&config, Options::default());
    let live = world.open();
    assert!(world.cycle(&live).stopped.is_some());
    assert_eq!(fallback::outages(&live.bridge.reader().unwrap()).unwrap(), []);
}

#[test]
fn after_an_outage_everything_is_read_before_anything_is_planned() {
    let world = World::small();
    let live = world.open();
    world.cycle(&live);
    world.assert_landed(&live, "before");
    let cause = Cause { class: "transient", said: "no route", reads: false, pack_of: None };
    fallback::away(&live.bridge.state, "ibp", cause, world.clock.now()).unwrap();
    // Somebody has put back an old copy of the target meanwhile.
    let ((resource, location, period, measure), _) = world.stored().into_iter().next().unwrap();
    let edit = json!({ "resource": resource, "location": location, "period": period.to_string(),
        "measure": measure, "value": "1.5", "who": "Ada" });
    assert_eq!(world.planner("/planner/edit", &edit)["changed"], 1);
    let done = world.cycle(&live);
    assert!(done.stopped.is_none(), "{:?}", done.stopped);
    let known = || fallback::outages(&live.bridge.reader().unwrap()).unwrap();
    assert_eq!(known(), [], "it answered");
    assert_eq!(live.status().locks, 1, "what a person typed is noticed at once");
}

#[test]
fn a_job_that_the_target_still_works_on_is_no_outage() {
    let options = Options { import_ends_after: Duration::from_hours(1), ..Options::default() };
    let world = World::new(&plan_of(3, 5), options);
    let live = world.open();
    let done = world.cycle(&live);
    assert!(done.stopped.is_some(), "it is longer than the wait limit");
    assert_eq!(fallback::outages(&live.bridge.reader().unwrap()).unwrap(), []);
}

#[test]
fn who_refuses_what_is_written_is_not_back_because_it_can_be_read() {
    let world = World::small();
    let live = world.open();
    world.cycle(&live);
    let cause = Cause { class: "transient", said: "503", reads: true, pack_of: None };
    fallback::away(&live.bridge.state, "ibp", cause, world.clock.now()).unwrap();
    let known = || fallback::outages(&live.bridge.reader().unwrap()).unwrap();
    let read = live.bridge.walk(&live.target, Course::Verify { read_back: Which::All });
    assert!(world.clock.block_on(read).verified.unwrap().read > 0);
    assert_eq!(known().len(), 1, "nothing was written: {:?}", known());
    assert!(world.cycle(&live).stopped.is_none());
    assert_eq!(known(), [], "there is nothing to write any more");
}

/// Somebody may have loaded a pack by hand meanwhile, anywhere.
#[test]
fn who_could_not_be_asked_is_back_when_all_of_it_was_read_and_not_before() {
    let world = World::small();
    let live = world.open();
    world.cycle(&live);
    let cause = Cause { class: "transient", said: "503", reads: false, pack_of: None };
    fallback::away(&live.bridge.state, "ibp", cause, world.clock.now()).unwrap();
    let known = || fallback::outages(&live.bridge.reader().unwrap()).unwrap().len();
    for (read_back, left) in [(Which::Expired, 1), (Which::Unproven, 1), (Which::All, 0)] {
        let walk = live.bridge.walk(&live.target, Course::Verify { read_back });
        world.clock.block_on(walk);
        assert_eq!(known(), left, "{read_back:?}");
    }
}
