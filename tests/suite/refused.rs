//! Cells that the target refused: chosen, sent again, and told.

use std::time::Duration;

use planthread::{
    failure::Exit,
    pipeline::{Where, refused},
    report::{View as _, applied::Deliveries, cycled::Walked},
};
use planthread_engine::{status::Reject, verify::Which};
use planthread_mocks::sap_ibp::Options;
use serde_json::{Value, json};

use crate::world::{Live, World, plan_of, start};

/// Two machines; the second is mapped to a resource that the target does not have.
fn wrong() -> Value {
    let mut config = plan_of(2, 3);
    config["targets"]["ibp"]["mapping"]["rows"][1]["resource"] = json!("LINE-77");
    config
}

fn conditions(texts: &[&str]) -> Vec<Where> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

/// The refused cells that are chosen.
fn chosen(live: &Live, texts: &[&str]) -> Vec<Reject> {
    let reader = live.bridge.reader().unwrap();
    refused(&live.bridge.loaded, &reader, &conditions(texts)).unwrap()
}

/// How many cells are refused now.
fn open(live: &Live) -> usize {
    chosen(live, &[]).len()
}

#[test]
fn only_the_refused_cells_that_are_chosen_go_out_again() {
    let world = World::new(&wrong(), Options::default());
    let live = world.open();
    world.cycle(&live);
    assert_eq!(open(&live), 8);
    // Whoever reads back is told so, as often as anybody looks.
    for _ in 0..2 {
        let read = world.clock.block_on(live.bridge.verify(&live.target, Which::All)).unwrap();
        assert_eq!((read.read, read.landed, read.waiting, read.refused_before), (16, 8, 8, 8));
    }
    let all = ["target=ibp", "scope=base", "resource=LINE-77", "owner=owner of ibp"];
    assert_eq!(chosen(&live, &all).len(), 8);

    for none in [&["resource=LINE-1"][..], &["resource=LINE-77", "measure=low"]] {
        let failure = live.bridge.retry_cells(&conditions(none)).unwrap_err();
        assert!(failure.message.contains("no refused cell"), "{failure}");
    }
    assert_eq!(open(&live), 8, "what nobody chose stays as it is");

    let retried = live.bridge.retry_cells(&conditions(&["period=2026-W50"])).unwrap();
    assert_eq!((retried.cells, retried.cells_left, open(&live)), (2, Some(6), 6));
    live.assert_conserved("chosen");
    let applied = world.cycle(&live).applied.unwrap();
    assert_eq!((applied.sent, applied.rejected, open(&live)), (2, 2, 8), "refused once more");

    // As long as one waits for somebody, whoever sends or reads is told so by the ending.
    let ends = || {
        let done = world.cycle(&live);
        let run = Walked { at: None, as_of: start(), done: &done, late: false }.exit();
        [run, Deliveries { targets: vec![done.into()] }.exit()]
    };
    assert_eq!(ends(), [Exit::Findings; 2], "nothing was sent, and 8 wait");

    let (who, why) = ("mara".to_owned(), "a test".to_owned());
    let status = conditions(&["measure=status"]);
    assert_eq!(live.bridge.dismiss_cells(&status, who, why).unwrap(), (4, 4));
    assert_eq!((live.bridge.retry().unwrap().cells, open(&live)), (4, 0), "only what waits");
    live.assert_conserved("dismissed");
    world.cycle(&live);
    let all = conditions(&["resource=LINE-77"]);
    live.bridge.dismiss_cells(&all, "mara".to_owned(), "no such line".to_owned()).unwrap();
    assert_eq!((open(&live), ends()), (0, [Exit::Ok; 2]), "of these nothing is to come");
    let read = world.clock.block_on(live.bridge.verify(&live.target, Which::All)).unwrap();
    assert_eq!((read.waiting, read.refused_before), (8, 0));
}

#[test]
fn whoever_is_named_first_for_a_cell_owns_its_refusal() {
    let mut config = wrong();
    config["targets"]["ibp"]["owners"] = json!([
        { "owner": "status team", "measure": "status" },
        { "owner": "anna", "resource": "LINE-77", "location": "1020" },
        { "owner": "ibp team" },
    ]);
    let world = World::new(&config, Options::default());
    let live = world.open();
    world.cycle(&live);
    assert_eq!(chosen(&live, &["owner=status team", "measure=status"]).len(), 4);
    assert_eq!(chosen(&live, &["owner=anna", "location=1020"]).len(), 4);
}

#[test]
fn what_was_refused_goes_out_again_once_when_the_settings_of_its_target_change() {
    let mut config = wrong();
    let world = World::new(&config, Options::default());
    let live = world.open();
    world.cycle(&live);
    assert_eq!(open(&live), 8);
    drop(live);
    config["targets"]["ibp"]["settings"]["pack"] = json!({ "separator": ";" });
    for (name, sent) in [("changed", 8), ("as before", 0), ("as before", 0)] {
        world.configure(&config);
        let live = world.open();
        let applied = world.cycle(&live).applied.map_or(0, |applied| applied.sent);
        assert_eq!((applied, open(&live)), (sent, 8), "{name}");
        live.assert_conserved(name);
    }
}

/// Machine 2 is mapped to a resource that the target does not list yet.
fn early() -> Value {
    let mut config = plan_of(2, 3);
    config["targets"]["ibp"]["mapping"]["rows"][1]["resource"] = json!("LINE-3");
    config
}

#[test]
fn what_was_refused_lands_by_itself_once_the_target_lists_its_resource() {
    let config = early();
    let world = World::new(&config, Options { resources: 2, ..Options::default() });
    let live = world.open();
    let cycle = world.cycle(&live);
    assert_eq!(open(&live), 8);
    let read = cycle.master.unwrap();
    assert_eq!((read.again, read.unread.as_str()), (0, ""));
    let missing = |one: Reject| one.missing == ["place LINE-3@1020"];
    assert!(chosen(&live, &[]).into_iter().all(missing), "{:?}", chosen(&live, &[])[0].missing);
    // Within a day nobody looks, whatever is there.
    assert!(world.cycle(&live).master.is_none());
    world.clock.advance(Duration::from_hours(24));
    let read = world.cycle(&live).master.unwrap();
    assert_eq!((read.again, open(&live)), (0, 8), "nothing changed");

    // Somebody loads it; another row is still missing.
    world.wire().faulty.inner_mut().add_resource("LINE-3", "1020");
    assert_eq!(world.cycle(&live).applied.map_or(0, |applied| applied.sent), 0, "nobody looked");
    world.clock.advance(Duration::from_hours(24));
    assert_eq!(world.cycle(&live).master.unwrap().again, 8);
    live.assert_conserved("master data");
    let applied = world.cycle(&live).applied.unwrap();
    assert_eq!((applied.sent, applied.accepted, open(&live)), (8, 8, 0));
    world.clock.advance(Duration::from_hours(24));
    assert!(world.cycle(&live).master.is_none(), "nothing waits");
}
