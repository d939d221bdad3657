//! A person declares that a target is fed by hand: it is asked nothing, the pack moves
//! on, and everything is read before anything is sent again.

use std::fs;

use planthread::{
    failure::Exit,
    pipeline::{self, PauseRecord},
};
use planthread_contracts::Period;
use planthread_engine::fallback::{self, BY_HAND, Outage};
use planthread_kit::Clock as _;
use planthread_mocks::{Simulator as _, sap_ibp::Options};
use serde_json::{Value, json};

use crate::{
    outage::{manifest, tell},
    world::{Live, World, plan_of},
};

fn world() -> World {
    let mut config = plan_of(3, 5);
    config["targets"]["ibp"]["pack"] = json!({ "folder": "packs" });
    config["plant"]["rules"] = json!({ "significance": { "hours_share": "0", "stand_hours": 0 } });
    World::new(&config, Options::default())
}

fn weeks() -> [Period; 2] {
    ["2026-W49".parse().unwrap(), "2026-W50".parse().unwrap()]
}

fn decide(world: &World, by_hand: bool, until: Option<jiff::Timestamp>) {
    let (who, why) = ("Ada".to_owned(), "the tenant moves".to_owned());
    let record = PauseRecord { who, why, paused: by_hand, until, by_hand, at: None };
    let state = world.folder.join("state");
    pipeline::pause(&state, "ibp", &record, world.clock.now()).unwrap();
}

/// A planner imports the files of the current pack.
fn load_pack(world: &World) {
    for entry in fs::read_dir(world.folder.join("packs/ibp/current")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|kind| kind != "csv") {
            continue;
        }
        let request = http::Request::post("/planner/pack")
            .header("content-type", "text/csv")
            .body(bytes::Bytes::from(fs::read(&path).unwrap()))
            .unwrap();
        let reply = world.wire().faulty.inner_mut().handle(world.clock.now(), &request);
        assert!(reply.response.status().is_success(), "{:?}", reply.response);
        let report: Value = serde_json::from_slice(reply.response.body()).unwrap();
        assert!(report["written"].as_u64().unwrap() > 0, "{report}");
    }
}

fn lasting(live: &Live) -> Vec<Outage> {
    fallback::outages(&live.bridge.reader().unwrap()).unwrap()
}

/// A person types a value over one of ours, in the last week.
fn type_over(world: &World) {
    let ((resource, location, period, measure), _) =
        world.stored().into_iter().max_by_key(|((_, _, period, _), _)| *period).unwrap();
    let edit = json!({ "resource": resource, "location": location, "period": period.to_string(),
        "measure": measure, "value": "1.5", "who": "Mara" });
    assert_eq!(world.planner("/planner/edit", &edit)["changed"], 1);
}

#[test]
fn who_is_fed_by_hand_is_asked_nothing_and_read_before_it_is_sent_something() {
    let world = world();
    let live = world.open();
    tell(&world, &weeks(), 0);
    assert!(world.cycle(&live).stopped.is_none());
    let revisions = live.status().wanted;
    decide(&world, true, None);
    let mark = world.mark();
    for hour in 1..=3 {
        world.pass(60);
        tell(&world, &weeks(), hour);
        let as_of = live.bridge.as_of();
        let done = world.cycle(&live);
        let stopped = done.stopped.unwrap();
        assert_eq!((stopped.exit, stopped.explain), (Exit::Held, Some("fallback")), "{stopped}");
        assert_eq!(world.mark(), mark, "not one request");
        assert_eq!(manifest(&world).as_of, as_of, "the pack moves on");
        let now = &lasting(&live)[0];
        assert_eq!((now.class.as_str(), now.pack_of), (BY_HAND, Some(as_of)));
        assert!(now.said.contains("Ada: the tenant moves") && now.waiting > 0, "{now:?}");
        if hour == 2 {
            load_pack(&world);
        }
    }
    type_over(&world);
    let before = world.stored();
    decide(&world, false, None);
    let done = world.cycle(&live);
    assert!(done.stopped.is_none(), "{:?}", done.stopped);
    // Told by this very cycle, not only by `status`.
    let read = done.verified.unwrap();
    // What was read before the plan and again after it counts once, as it stands now.
    assert_eq!(read.read, revisions, "{read:?}");
    assert_eq!(
        (read.landed + 1, read.waiting),
        (revisions, 0),
        "all but what Mara typed: {read:?}"
    );
    assert_eq!((read.persons, live.status().locks), (1, 1), "{read:?}");
    let heard = &world.wire().heard[mark..].to_vec();
    let first = heard.iter().position(|one| one.rows > 0).unwrap();
    assert!(first > 0, "it is read first: {heard:?}");
    // What the planner loaded is ours; what moved since goes out, and no more.
    let after = world.stored();
    let changed = after.iter().filter(|(place, value)| before[place] != **value).count();
    assert_eq!(done.applied.unwrap().plan.counts.cells, changed as u64);
    assert!(changed > 0);
    assert_eq!(live.status().seen + 1, live.status().wanted, "all but what Mara typed");
    assert_eq!(lasting(&live), []);
    let past = fallback::past_outages(&live.bridge.reader().unwrap(), 9).unwrap();
    assert_eq!((past.len(), past[0].class.as_str()), (1, BY_HAND));
    assert!(world.cycle(&live).applied.is_none_or(|applied| applied.sent == 0));
    live.assert_conserved("after");
}

#[test]
fn what_was_fed_while_no_bridge_ran_is_read_as_well() {
    let world = world();
    let live = world.open();
    tell(&world, &weeks(), 0);
    world.cycle(&live);
    drop(live);
    decide(&world, true, None);
    world.pass(60);
    type_over(&world);
    decide(&world, false, None);
    world.pass(60);
    let live = world.open();
    let done = world.cycle(&live);
    assert_eq!(done.verified.unwrap().persons, 1, "what a person typed is noticed at once");
    assert_eq!(lasting(&live), []);
    let mark = world.mark();
    world.pass(60);
    world.cycle(&live);
    let reads = world.mark() - mark;
    assert!(reads < 5, "nobody reads all of it once more: {reads}");
}

#[test]
fn a_time_by_hand_ends_by_itself_and_is_read_then() {
    let world = world();
    let live = world.open();
    world.cycle(&live);
    let until = world.clock.now() + jiff::SignedDuration::from_mins(90);
    decide(&world, true, Some(until));
    world.pass(60);
    assert_eq!(world.cycle(&live).stopped.unwrap().exit, Exit::Held);
    type_over(&world);
    world.pass(60);
    let done = world.cycle(&live);
    assert!(done.stopped.is_none(), "{:?}", done.stopped);
    assert_eq!(done.verified.unwrap().persons, 1);
    assert_eq!(lasting(&live), []);
}
