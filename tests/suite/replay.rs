//! What another configuration would land from the same records: what a bridge lands that
//! begins with it, and nothing is written for it.

use std::{collections::BTreeMap, fs};

use jiff::Timestamp;
use planthread::{
    config,
    failure::Failure,
    pipeline::compared::{Difference, Replayed, Side, replay},
};
use planthread_contracts::Period;
use planthread_domain::significance::Cause;
use planthread_mocks::sap_ibp::Options;
use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::{
    plant::close_a_day,
    world::{Live, World, measure, plan_of},
};

/// Line, period and measure.
type Cell = (String, Period, String);

fn weeks() -> [Period; 2] {
    ["2026-W49", "2026-W51"].map(|week| week.parse().unwrap())
}

/// A plant of which a twin has spoken, with hours that are live and hours that are firm.
fn plant() -> Value {
    let mut config = plan_of(3, 4);
    let cut = measure("cut", "TWINCAPA", "plan_cut", "value");
    config["targets"]["ibp"]["measures"].as_array_mut().unwrap().push(cut);
    config
}

fn spoken(config: &Value) -> World {
    let world = World::new(config, Options::default());
    let shares = weeks().map(|week| (week, Decimal::new(7, 1)));
    world.foretell(1, &shares);
    world
}

pub(crate) fn replayed(
    world: &World,
    live: &Live,
    other: &Value,
    until: Option<Timestamp>,
) -> Result<(Replayed, Vec<Difference>), Failure> {
    let file = world.folder.join("other.yaml");
    fs::write(&file, other.to_string()).unwrap();
    let mut other = config::load(&file, None).unwrap();
    let loaded = &live.bridge.loaded;
    other.config.state.clone_from(&loaded.config.state);
    let (reader, as_of) = (live.bridge.reader().unwrap(), live.bridge.as_of());
    let side = |loaded| Side::read(loaded, &reader, as_of, until).unwrap();
    let mut all = Vec::new();
    let mut each = |one: &Difference| {
        all.push(one.clone());
        Ok(())
    };
    let names = ["ibp".to_owned()];
    let (was, is) = (side(loaded), side(&other));
    let mut found = replay((&was, &is), &names, (as_of, None), &mut each)?;
    Ok((found.remove(0), all))
}

/// What a bridge of `config` lands that begins today.
fn landed(config: &Value) -> BTreeMap<Cell, Decimal> {
    let world = spoken(config);
    let live = world.open();
    world.cycle(&live);
    let cell = |one: planthread_engine::ledger::CellView| {
        let key = one.key;
        ((key.resource.to_string(), key.period, key.measure.to_string()), one.value)
    };
    live.cells().into_iter().map(cell).collect()
}

/// Ways to configure the same plant otherwise.
fn others() -> Vec<(&'static str, Value, Option<Cause>)> {
    let of = |change: &dyn Fn(&mut Value)| {
        let mut other = plant();
        change(&mut other);
        other
    };
    let ibp = |other: &mut Value, path: &str, value: Value| {
        *other.pointer_mut(&format!("/targets/ibp{path}")).unwrap() = value;
    };
    vec![
        ("the same", plant(), None),
        ("a closed day", of(&close_a_day), Some(Cause::Decision)),
        (
            "another expectation",
            of(&|other| other["plant"]["resources"][1]["standard_availability"] = json!("0.5")),
            Some(Cause::Trend),
        ),
        (
            "half a machine",
            of(&|other| other["targets"]["ibp"]["mapping"]["rows"][0]["share"] = json!("0.5")),
            Some(Cause::Mapping),
        ),
        (
            "another machine",
            of(&|other| {
                ibp(other, "/mapping/rows/1/source", json!("m-3"));
                ibp(other, "/mapping/rows/2/source", json!("m-2"));
            }),
            Some(Cause::Mapping),
        ),
        (
            "two machines side by side",
            of(&|other| other["plant"]["resources"][2]["parallel_units"] = json!(2)),
            Some(Cause::Mapping),
        ),
        (
            "another line",
            of(&|other| ibp(other, "/mapping/rows/2/resource", json!("LINE-5"))),
            None,
        ),
        ("minutes", of(&|other| ibp(other, "/measures/0/unit", json!("MIN"))), None),
    ]
}

#[test]
fn it_says_what_a_bridge_of_the_other_configuration_lands() {
    let world = spoken(&plant());
    let live = world.open();
    world.cycle(&live);
    let here = landed(&plant());
    for (name, other, cause) in others() {
        let there = landed(&other);
        let (found, all) = replayed(&world, &live, &other, None).unwrap();
        let (mut was, mut is) = (here.clone(), there.clone());
        for one in &all {
            let cell = (one.line.to_string(), one.period, one.measure.clone());
            assert_eq!(
                (one.was, one.is),
                (was.remove(&cell), is.remove(&cell)),
                "{name}: {cell:?}"
            );
            let Some(split) = &one.split else { continue };
            let parts = split.parts.values().sum::<Decimal>();
            assert_eq!((split.from + parts, split.not_split), (split.to, Decimal::ZERO), "{one:?}");
            let causes: Vec<&Cause> = split.parts.keys().collect();
            assert!(cause.is_none_or(|cause| causes == [&cause]), "{name}: {one:?}");
        }
        assert_eq!(was, is, "{name}: what is not told is the same");
        assert_eq!(all.is_empty(), name == "the same", "{name}");
        let differing = found.differing();
        assert_eq!(differing, all.len() as u64, "{name}");
        let unsplit = all.iter().filter(|one| one.change.is_some() && one.split.is_none());
        assert_eq!(unsplit.filter(|one| one.measure != "status").count(), 0, "{name}");
    }
    // Nothing of it was wanted: the ledger holds what it held.
    let held: u64 = live.cells().iter().map(|cell| cell.revision).max().unwrap();
    assert_eq!(held, 1);
}

#[test]
fn cells_of_one_side_alone_and_cells_that_are_stored_otherwise_are_named() {
    let world = spoken(&plant());
    let live = world.open();
    world.cycle(&live);
    let other = |name: &str| {
        let (_, other, _) = others().into_iter().find(|(one, ..)| *one == name).unwrap();
        replayed(&world, &live, &other, None).unwrap()
    };
    let (found, _) = other("another line");
    let hours = &found.measures[0];
    assert_eq!((hours.only_was, hours.only_is, hours.compared), (5, 5, 10));
    assert_eq!(hours.largest[0].remark, "not by the other configuration");
    let (found, all) = other("minutes");
    let otherwise = "stored otherwise: before in HUR, by the other in MIN";
    let hours: Vec<_> = all.iter().filter(|one| one.measure == "live").collect();
    assert!(hours.len() == 15 && hours.iter().all(|one| one.change.is_none()));
    assert!(hours.iter().all(|one| one.remark == otherwise), "{hours:?}");
    assert!(found.measures[0].net().is_none() && found.edits.len() == 1, "{found:?}");
}

#[test]
fn records_that_had_not_arrived_by_then_count_on_neither_side() {
    let world = World::new(&plant(), Options::default());
    let live = world.open();
    world.cycle(&live);
    let early = live.bridge.as_of();
    world.pass(60);
    world.foretell(1, &weeks().map(|week| (week, Decimal::new(7, 1))));
    world.cycle(&live);
    let mut other = plant();
    // The other configuration does not listen to the twin.
    other["plant"]["sources"][0]["name"] = json!("another");
    let (_, all) = replayed(&world, &live, &other, None).unwrap();
    let heard = all.iter().filter(|one| one.measure == "live").count();
    assert_eq!(heard, 2, "{all:?}");
    let (_, all) = replayed(&world, &live, &other, Some(early)).unwrap();
    assert_eq!(all.len(), 0, "{all:?}");
}
