//! Whose values they are: a key figure that somebody else keeps is adopted by a
//! named person, or left alone.

use planthread::pipeline::{self, NotAdopted};
use planthread_contracts::RevisionState;
use planthread_engine::ledger;
use planthread_kit::Clock as _;
use planthread_mocks::{Simulator as _, sap_ibp::Options};
use rust_decimal::Decimal;
use serde_json::json;

use crate::world::{Live, World, plan_of};

/// `live` points at the key figure that the nightly load of the ERP keeps, and is
/// called ours.
fn on_the_nightly_load() -> World {
    let mut config = plan_of(3, 5);
    config["targets"]["ibp"]["measures"][0]["surface"] = json!("CAPASUPPLY");
    World::new(&config, Options::default())
}

fn not_adopted(live: &Live) -> Vec<NotAdopted> {
    let (loaded, target) = (&live.bridge.loaded, &live.target);
    NotAdopted::of(loaded, &live.bridge.reader().unwrap(), &target.name, &target.config).unwrap()
}

/// What the nightly load keeps, of everything. A sandbox begins with the first
/// request to it.
fn of_the_load(world: &World) -> Vec<(String, Decimal)> {
    world.get("/sap/opu/odata/IBP/PLANNING_DATA_API_SRV/PTDEMO?$select=CAPASUPPLY&$format=json");
    let stored = world.wire().stored().into_iter();
    let of_load = stored.filter(|cell| cell.measure == "CAPASUPPLY");
    of_load.map(|cell| (format!("{} {}", cell.resource, cell.period), cell.value)).collect()
}

#[test]
fn the_nightly_loads_own_key_figure_is_not_written_before_somebody_answers() {
    let world = on_the_nightly_load();
    let live = world.open();
    let before = of_the_load(&world);
    assert!(before.len() > 18, "the load keeps values: {before:?}");
    let mark = world.mark();
    for _ in 0..2 {
        let done = world.cycle(&live);
        let screened = done.policy_holds.unwrap();
        // The values, and the status beside each.
        assert_eq!(screened.held.get("not_adopted"), Some(&36), "{screened:?}");
        world.pass(60);
    }
    assert_eq!(world.wire().count(mark, &http::Method::POST), 0, "nothing was written");
    assert_eq!(of_the_load(&world), before);
    let waits = not_adopted(&live);
    assert_eq!(waits.len(), 1, "{waits:?}");
    assert_eq!((waits[0].surface.as_str(), waits[0].whole), ("CAPASUPPLY", true));
    assert!(waits[0].example.contains("read 120"), "{waits:?}");
    assert_eq!(live.status().held.get("not_adopted"), Some(&36), "status says why");

    let record = json!({ "who": "A. Planner", "why": "the load ends", "scope": "",
        "measures": { "live": "CAPASUPPLY" } });
    let state = &live.bridge.loaded.config.state;
    pipeline::adopt(state, "ibp", &record.to_string(), world.clock.now()).unwrap();
    assert_eq!(not_adopted(&live), []);
    let applied = world.cycle(&live).applied.unwrap();
    assert_eq!((applied.accepted, applied.rejected), (36, 0));
    assert!(live.cells().iter().all(|cell| cell.state == RevisionState::Seen));
    assert_ne!(of_the_load(&world), before);
    // Ours from here on: nobody is asked again, with the record or without.
    assert_eq!(ledger::unadopted(&live.bridge.reader().unwrap(), "ibp", "").unwrap(), []);
}

#[test]
fn a_record_for_another_surface_adopts_nothing() {
    let world = on_the_nightly_load();
    let live = world.open();
    let record = json!({ "who": "A. Planner", "why": "trial", "scope": "",
        "measures": { "live": "TWINCAPALIVE" } });
    let state = &live.bridge.loaded.config.state;
    pipeline::adopt(state, "ibp", &record.to_string(), world.clock.now()).unwrap();
    world.cycle(&live);
    assert_eq!(not_adopted(&live).len(), 1);
}
