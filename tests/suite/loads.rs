//! What a starting point reads as the load of the plan is there to be compared.

use planthread::{
    pipeline::gap::{ahead::load_ahead, gap as gap_of},
    registry::TARGETS,
};
use planthread_contracts::RevisionState;
use planthread_engine::ledger;
use planthread_kit::Clock as _;

use crate::site::Site;

/// `init`, `mock`, `run --once`, `gap`: each target that names a load compares cells.
#[test]
fn each_starting_point_that_names_a_load_compares_something() {
    let mut compared = Vec::new();
    for registered in TARGETS {
        let site = Site::new(registered, None);
        let bridge = site.bridge();
        let targets = bridge.targets(None).unwrap();
        site.clock.block_on(bridge.cycle(&targets, bridge.as_of())).unwrap();
        let (reader, now) = (bridge.reader().unwrap(), site.clock.now());
        for target in targets.iter().filter(|target| target.config.load().is_some()) {
            let gap = gap_of(&bridge.loaded, &reader, target, now);
            let gap = site.clock.block_on(gap).unwrap();
            assert!(gap.stopped.is_none(), "{}: {:?}", target.name, gap.stopped);
            let known = gap.compared.rows.iter().map(|row| &row.known);
            let both = known.filter(|known| known.load.is_some() && known.live.is_some()).count();
            assert!(both > 8, "{}: {both} lines and weeks", target.name);
            let there = site.clock.block_on(load_ahead(target, now)).unwrap().unwrap();
            assert!(there.1 > 8, "{}: {there:?}", target.name);
            // What is read to be compared with keeps nothing from landing.
            ledger::cells(&reader, now, |cell| {
                assert_eq!(cell.state, RevisionState::Seen, "{:?}", cell.key);
                Ok(())
            })
            .unwrap();
            compared.push(registered.target.name);
        }
    }
    assert_eq!(compared, ["sap-ibp", "o9"]);
}

/// A version of signals has no load: who reads it there is told that nothing is.
#[test]
fn a_load_that_is_read_where_the_plan_has_none_is_no_plan_that_asks_nothing() {
    let registered = TARGETS.iter().find(|one| one.target.name == "o9").unwrap();
    let mut site = Site::new(registered, None);
    site.tune = Some(|config| {
        for target in config.targets.values_mut() {
            target.settings["model"]["of_base"] = serde_json::json!([]);
        }
    });
    let target = site.bridge().target(None).unwrap();
    let found = site.clock.block_on(load_ahead(&target, site.clock.now())).unwrap();
    let (load, held) = found.unwrap();
    assert_eq!((load.name.as_str(), held), ("load", 0));
}
