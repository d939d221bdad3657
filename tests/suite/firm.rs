//! What is firm: a cut that was not proven in time, and a frozen plan that a line can't do
//! any more.

use std::{sync::Arc, time::Duration};

use jiff::SignedDuration;
use planthread::{
    operate::Watch,
    pipeline::{FirmStands, firm},
};
use planthread_contracts::Period;
use planthread_kit::Clock as _;
use planthread_mocks::sap_ibp::Options;
use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::{
    gap::{compared, config},
    world::{Live, World, measure},
};

/// Two weeks are frozen; somebody is named for what is firm at LINE-1.
fn frozen() -> Value {
    let mut config = config();
    let target = &mut config["targets"]["ibp"];
    let cut = measure("cut", "TWINCAPA", "plan_cut", "value");
    target["measures"].as_array_mut().unwrap().push(cut);
    target["policy"] = json!({ "frozen_weeks": 2 });
    target["owners"] = json!([{ "resource": "LINE-1", "measure": "cut", "owner": "M. Plan" }]);
    config
}

fn stands(world: &World, live: &Live) -> FirmStands {
    let (loaded, reader) = (&live.bridge.loaded, live.bridge.reader().unwrap());
    firm(loaded, &reader, &live.target, world.clock.now()).unwrap().unwrap()
}

#[test]
fn a_cut_is_missed_when_its_time_is_over_and_a_value_of_it_is_not_proven() {
    let mut config = frozen();
    let world = World::new(&config, Options::default());
    let live = world.open();
    let truth = live.bridge.truth(live.bridge.as_of()).unwrap();
    live.bridge.want(&live.target, &truth).unwrap();
    let found = stands(&world, &live);
    assert_eq!(found.cut_off.to_string(), "2026-11-01T00:00:00Z");
    assert_eq!(found.due.to_string(), "2026-11-02T00:00:00Z");
    // A cut that was over before anything ever landed is not missed.
    assert!(!found.missed && found.not_proven == found.values && found.values >= 18, "{found:?}");
    let first = world.clock.now();
    world.cycle(&live);
    let found = stands(&world, &live);
    let day = SignedDuration::from_hours(24);
    assert!(found.due >= first + day && !found.missed && found.not_proven == 0, "{found:?}");
    // The next cut-off passes, and its figures are wanted.
    world.pass(7 * 24 * 60);
    let truth = live.bridge.truth(live.bridge.as_of()).unwrap();
    live.bridge.want(&live.target, &truth).unwrap();
    drop(live);
    // Who may take a month has not missed it yet.
    config["targets"]["ibp"]["policy"]["cut_within_hours"] = json!(744);
    world.configure(&config);
    let live = world.open();
    let found = stands(&world, &live);
    assert_eq!(found.cut_off.to_string(), "2026-12-01T00:00:00Z");
    assert!(!found.missed && found.not_proven > 0, "{found:?}");
    drop(live);
    config["targets"]["ibp"]["policy"]["cut_within_hours"] = json!(24);
    world.configure(&config);
    let live = world.open();
    assert!(stands(&world, &live).missed);
    world.cycle(&live);
    let found = stands(&world, &live);
    assert!(!found.missed && found.not_proven == 0 && found.infeasible.is_empty(), "{found:?}");
}

#[test]
fn inside_the_frozen_horizon_facts_land_live_and_the_difference_is_somebodys() {
    let world = World::new(&frozen(), Options::default());
    let live = world.open();
    world.cycle(&live);
    let half = Decimal::new(5, 1);
    let weeks: Vec<Period> = ["2026-W49", "2026-W50"].map(|week| week.parse().unwrap()).into();
    let before = compared(&world, &live);
    world.pass(60);
    let shares: Vec<_> = weeks.iter().map(|week| (*week, half)).collect();
    world.foretell(1, &shares);
    world.cycle(&live);
    world.assert_landed(&live, "facts land live");
    let found = stands(&world, &live);
    assert!(!found.missed && found.infeasible.len() == 1, "{found:?}");
    let one = &found.infeasible[0];
    // By hand: 168 h at 0.899 are firm, and half of them can be done. W50 is not frozen.
    assert_eq!((one.owner.as_deref(), one.line_periods), (Some("M. Plan"), 1));
    assert_eq!(one.hours, "67.03".parse().unwrap(), "{one:?}");
    assert!(one.worst.starts_with("LINE-1 at 1010, 2026-W49: 151.03 h are firm"), "{one:?}");

    let told = |gap: &planthread::report::gap::Gap| -> Vec<(String, Period)> {
        let rows = gap.targets[0].rows.iter();
        let infeasible = rows.filter(|row| row.reason.contains("frozen plan infeasible: 67.03 h"));
        infeasible.map(|row| (row.row.line.line.to_string(), row.row.week)).collect()
    };
    assert!(told(&before).is_empty());
    assert_eq!(told(&compared(&world, &live)), [("LINE-1".to_owned(), weeks[0])]);

    let Live { bridge, target } = live;
    let watch = Watch::new(&Arc::new(bridge), &[target], Duration::from_secs(600)).unwrap();
    let metrics = watch.metrics();
    for line in [
        "planthread_frozen_infeasible{target=\"ibp\",scope=\"base\"} 1",
        "planthread_firm_missed{target=\"ibp\",scope=\"base\"} 0",
    ] {
        assert!(metrics.contains(line), "no {line}");
    }
}
