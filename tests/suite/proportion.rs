//! Right number, wrong cell: what is out of proportion waits for a named person,
//! and what a mapping changes is named.

use planthread::pipeline::{self, Course, Proportion};
use planthread_engine::{
    ledger::Why,
    plan::plausible::{Answer, Fault},
};
use planthread_kit::Clock as _;
use planthread_mocks::sap_ibp::Options;
use serde_json::{Value, json};

use crate::world::{Live, World, measure, plan_of};

/// Three machines beside what the nightly load assumes of them.
pub(crate) fn beside_the_load() -> Value {
    let mut config = plan_of(3, 5);
    let mut assumed = measure("assumed", "CAPASUPPLY", "observed", "value");
    assumed["owner"] = json!({ "other": "nightly ERP load" });
    config["targets"]["ibp"]["measures"].as_array_mut().unwrap().push(assumed);
    config
}

pub(crate) fn in_minutes(config: &Value) -> Value {
    let mut config = config.clone();
    config["targets"]["ibp"]["measures"][0]["unit"] = json!("MIN");
    config
}

fn proportion(world: &World, live: &Live) -> Proportion {
    let (loaded, reader) = (&live.bridge.loaded, live.bridge.reader().unwrap());
    let at = loaded.config.plant.as_of(world.clock.now());
    Proportion::of(loaded, &reader, &live.target, at).unwrap()
}

/// A named person answers for it, for a day.
pub(crate) fn answer(world: &World, live: &Live, measure: &str, fault: Fault) {
    let found = proportion(world, live);
    let asked = found.questions(measure, fault).unwrap().remove(0);
    let now = world.clock.now();
    let answer = Answer {
        who: "A. Planner".to_owned(),
        why: "looked at it".to_owned(),
        until: now + jiff::SignedDuration::from_hours(24),
        scope: live.target.scope.name().to_owned(),
        measure: asked.measure.clone(),
        fault,
        mapping: found.mapping.clone(),
    };
    pipeline::answer(&live.bridge.loaded.config.state, "ibp", &answer, now).unwrap();
}

fn posts(world: &World, mark: usize) -> usize {
    world.wire().count(mark, &http::Method::POST)
}

#[test]
fn minutes_for_hours_are_asked_about_before_the_first_write() {
    let world = World::new(&in_minutes(&beside_the_load()), Options::default());
    let live = world.open();
    for _ in 0..2 {
        let screened = world.cycle(&live).policy_holds.unwrap();
        // The values, and the status beside each.
        assert_eq!(screened.held.get("implausible"), Some(&36), "{screened:?}");
        world.pass(60);
    }
    assert_eq!(posts(&world, 0), 0, "nothing was written");
    let found = proportion(&world, &live);
    assert_eq!(found.asked.len(), 1, "one question: {:?}", found.asked);
    let asked = &found.asked[0];
    assert_eq!((asked.fault, asked.places.len(), asked.cells), (Fault::Unit, 3, 18));
    assert!(asked.example.contains("120.00 stands"), "{}", asked.example);
    assert!(asked.example.contains("minutes and hours?"), "{}", asked.example);

    answer(&world, &live, "live", Fault::Unit);
    let done = world.cycle(&live);
    assert_eq!(done.applied.unwrap().accepted, 36, "{:?}", done.policy_holds);
    assert_eq!(proportion(&world, &live).asked, [], "ours now: nothing is left to ask");
}

#[test]
fn a_changed_unit_is_named_asked_about_and_gone_when_it_is_put_right() {
    let config = beside_the_load();
    let world = World::new(&config, Options::default());
    let live = world.open();
    assert_eq!(world.cycle(&live).applied.unwrap().accepted, 36);
    assert!(proportion(&world, &live).edits.is_empty(), "the first mapping is no change");
    drop(live);

    world.configure(&in_minutes(&config));
    let live = world.open();
    let mark = world.mark();
    let done = world.cycle(&live);
    assert_eq!(posts(&world, mark), 0, "{:?}", done.plan);
    let found = proportion(&world, &live);
    assert_eq!(found.asked[0].fault, Fault::Unit);
    let edits: Vec<String> = found.edits.iter().map(ToString::to_string).collect();
    assert_eq!(edits, ["measures live: unit was HUR, is MIN"]);
    assert!(live.cells().iter().any(|cell| cell.why == Why::Mapping));
    drop(live);

    world.configure(&config);
    let live = world.open();
    world.cycle(&live);
    assert_eq!((posts(&world, mark), proportion(&world, &live).asked.len()), (0, 0));
    world.assert_landed(&live, "put right");
}

#[test]
fn another_version_is_asked_about_when_one_holds_all_that_landed() {
    let config = beside_the_load();
    let world = World::new(&config, Options::default());
    let live = world.open();
    world.cycle(&live);
    drop(live);
    let mut other = config;
    other["targets"]["ibp"]["scope"] = json!("TWIN");
    world.configure(&other);
    let live = world.open();
    let mark = world.mark();
    world.cycle(&live);
    let found = proportion(&world, &live);
    assert_eq!((posts(&world, mark), found.asked[0].fault), (0, Fault::Version));
    assert!(
        found.edits.iter().any(|edit| edit.to_string().contains("is TWIN")),
        "{:?}",
        found.edits
    );
    answer(&world, &live, "live", Fault::Version);
    assert_eq!(world.cycle(&live).applied.unwrap().accepted, 36);
}

#[test]
fn what_a_mapping_moves_is_named_cell_by_cell() {
    let config = beside_the_load();
    let world = World::new(&config, Options::default());
    let live = world.open();
    world.cycle(&live);
    drop(live);
    let mut swapped = config;
    let rows = &mut swapped["targets"]["ibp"]["mapping"]["rows"];
    rows[0]["source"] = json!("m-3");
    rows[2]["source"] = json!("m-1");
    world.configure(&swapped);
    let live = world.open();
    let truth = live.bridge.truth(live.bridge.as_of()).unwrap();
    let course = Course::Plan { truth: &truth, file: None };
    let done = world.clock.block_on(live.bridge.walk(&live.target, course));
    let reasons = done.plan.unwrap().header.counts.reasons;
    // Their rates differ by two in a thousand: no figure shows it, and the plan does.
    assert_eq!(reasons.into_iter().collect::<Vec<_>>(), [("mapping".to_owned(), 12)]);
    let found = proportion(&world, &live);
    let edits: Vec<String> = found.edits.iter().map(ToString::to_string).collect();
    assert_eq!(
        edits,
        ["rows LINE-1@1010: source was m-1, is m-3", "rows LINE-3@1010: source was m-3, is m-1"]
    );
}

#[test]
fn a_first_landing_on_another_machine_waits_for_a_named_person_and_no_later_one_does() {
    for (policy, asks) in [("ask", true), ("go", false)] {
        let mut config = beside_the_load();
        config["targets"]["ibp"]["settings"]["host"] = json!("https://ibp.example.com");
        config["targets"]["ibp"]["policy"] = json!({ "first_landing": policy });
        let whole = config.clone();
        config["targets"]["ibp"]["mapping"]["rows"].as_array_mut().unwrap().pop();
        let world = World::new(&config, Options::default());
        let live = world.open();
        let done = world.cycle(&live);
        let found = proportion(&world, &live);
        if asks {
            // The figures and the status that tells of them.
            assert_eq!(done.policy_holds.unwrap().held.get("implausible"), Some(&24));
            assert_eq!(posts(&world, 0), 0, "nothing was written");
            let [asked] = found.asked.as_slice() else { panic!("{:?}", found.asked) };
            assert_eq!((asked.fault, asked.places.len()), (Fault::First, 2));
            let words = "base of https://ibp.example.com";
            assert!(asked.example.contains(words), "{}", asked.example);
            assert!(asked.example.contains("own figure is 120.00"), "{}", asked.example);
            answer(&world, &live, "all", Fault::First);
            assert_eq!(world.cycle(&live).applied.unwrap().accepted, 24);
        } else {
            assert_eq!((done.applied.unwrap().accepted, found.asked.len()), (24, 0));
        }
        drop(live);
        // A machine that is mapped later is news, and no first landing.
        world.configure(&whole);
        let live = world.open();
        let done = world.cycle(&live);
        assert_eq!(proportion(&world, &live).asked, [], "{:?}", done.policy_holds);
    }
}
