//! Every fault that a sandbox has by name, in front of the real way: what is
//! called seen is what the target holds, and nothing foreign was written.

use std::{collections::BTreeSet, fs, time::Duration};

use planthread::registry::{Registered, TARGETS};
use planthread_contracts::RevisionState;
use planthread_engine::ledger;
use planthread_kit::Clock as _;

use crate::site::{Place, Site, place};

/// Cycles of an hour each: a fault that passes has passed, one that stays is met
/// again.
const CYCLES: usize = 3;

/// Runs the cycles. How many cells are seen, and how many are wanted.
fn land(registered: &Registered, fault: Option<&str>) -> (usize, usize) {
    let site = Site::new(registered, fault);
    let file = site.folder.join("planthread.yaml");
    let text = fs::read_to_string(&file).unwrap();
    if text.contains("level: month,") {
        // As many cells as the others want take more months.
        fs::write(&file, text.replace("future_weeks: 3", "future_weeks: 12")).unwrap();
    }
    let bridge = site.bridge();
    let targets = bridge.targets(None).unwrap();
    for _ in 0..CYCLES {
        site.clock.block_on(bridge.cycle(&targets, bridge.as_of())).unwrap();
        site.clock.advance(Duration::from_secs(3_600));
    }
    let (held, written) = site.stored();
    let (mut seen, mut wanted) = (0, BTreeSet::new());
    ledger::cells(&bridge.reader().unwrap(), site.clock.now(), |cell| {
        let place = place(&bridge, &cell.key);
        if cell.state == RevisionState::Seen {
            seen += 1;
            let holds = held.get(&place);
            assert_eq!(holds, Some(&cell.value), "{fault:?}: {place:?} is called seen");
        }
        wanted.insert(place);
        Ok(())
    })
    .unwrap();
    let foreign: Vec<&Place> = written.difference(&wanted).collect();
    assert!(foreign.is_empty(), "{}, {fault:?}: {foreign:?}", registered.target.name);
    (seen, wanted.len())
}

#[test]
fn law_2_under_every_named_fault_what_is_seen_is_what_the_target_holds() {
    for registered in TARGETS {
        let (seen, all) = land(registered, None);
        assert!(all > 100 && seen == all, "{}: {seen} of {all}", registered.target.name);
        let faults = (registered.sandbox.behaviours)();
        for fault in faults.iter().filter(|one| !one.on && one.does.starts_with("fault")) {
            land(registered, Some(fault.name));
        }
    }
}

#[test]
fn a_twin_that_somebody_else_changes_is_read_again_and_lands() {
    let twins = TARGETS.iter().find(|one| one.target.name == "azure-digital-twins").unwrap();
    for passing in ["foreign-writes", "throttled-writes", "double-encoded-429"] {
        let (seen, all) = land(twins, Some(passing));
        assert_eq!(seen, all, "{passing}");
    }
}
