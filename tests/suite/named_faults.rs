//! Every fault that a sandbox has by name, in front of the real way: what is
//! called seen is what the target holds, and nothing foreign was written.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};

use jiff::Timestamp;
use planthread::{
    config,
    in_process::InProcess,
    pipeline::{Bridge, Opener, Transports},
    registry::{Registered, TARGETS},
    starter::Starter,
};
use planthread_contracts::{CellKey, RevisionState};
use planthread_engine::ledger;
use planthread_kit::{Clock, Transport, VirtualClock};
use planthread_mocks::{Setup, Simulator};
use rust_decimal::Decimal;

/// Cycles of an hour each: a fault that passes has passed, one that stays is met
/// again.
const CYCLES: usize = 3;

/// A cell as the target names it: scope, resource, location, period, measure.
type Place = (String, String, String, String, String);

/// The starting point of a target, before its sandbox with one fault.
struct Site {
    folder: PathBuf,
    clock: VirtualClock,
    sandbox: Arc<Mutex<Box<dyn Simulator>>>,
}

impl Site {
    fn new(registered: &Registered, fault: Option<&str>) -> Self {
        let (target, sandbox) = (registered.target, registered.sandbox);
        let name = format!("{}-{}", target.name, fault.unwrap_or("none"));
        let folder = std::env::temp_dir().join(format!("planthread-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        let now: Timestamp = "2026-11-25T06:10:00Z".parse().unwrap();
        Starter::new(&folder, now).write(now, &[(registered, None)]).unwrap();
        let file = folder.join("planthread.yaml");
        let text = fs::read_to_string(&file).unwrap();
        let zone = "  zone: Europe/Berlin\n";
        let short = format!("{zone}  horizon: {{ past_weeks: 1, future_weeks: 3 }}\n");
        assert!(text.contains(zone));
        fs::write(&file, text.replacen(zone, &short, 1)).unwrap();
        let option = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let setup = Setup {
            options: sandbox.demo.iter().map(option).collect(),
            on: fault.into_iter().map(str::to_owned).collect(),
            ..Setup::default()
        };
        let sandbox = (sandbox.build)(&setup).unwrap();
        Self { folder, clock: VirtualClock::new(now, 7), sandbox: Arc::new(Mutex::new(sandbox)) }
    }

    fn bridge(&self) -> Bridge {
        let clock: Arc<dyn Clock> = Arc::new(self.clock.clone());
        let loaded = config::load(&self.folder.join("planthread.yaml"), None).unwrap();
        let wire = |name: &String| {
            let wire = InProcess::new(self.sandbox.clone(), Arc::clone(&clock));
            (name.clone(), Arc::new(wire) as Arc<dyn Transport>)
        };
        let wires: Transports = loaded.config.targets.keys().map(wire).collect();
        Bridge::open(loaded, Arc::clone(&clock), Opener::with(clock, wires)).unwrap()
    }

    /// What the target holds, and the places that came through its interface.
    fn stored(&self) -> (BTreeMap<Place, Decimal>, BTreeSet<Place>) {
        let (mut held, mut written) = (BTreeMap::new(), BTreeSet::new());
        for cell in self.sandbox.lock().unwrap().stored() {
            let period = cell.period.to_string();
            let place = (cell.scope, cell.resource, cell.location, period, cell.measure);
            if cell.writer.kind() == "integration" {
                written.insert(place.clone());
            }
            held.insert(place, cell.value);
        }
        (held, written)
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// The target's name of a cell.
fn place(bridge: &Bridge, key: &CellKey) -> Place {
    let measures = &bridge.loaded.config.targets[key.target.as_str()].measures;
    let surface = &measures.iter().find(|one| one.name == key.measure).unwrap().surface;
    let texts = [&key.scope, &key.resource, &key.location].map(ToString::to_string);
    let [scope, resource, location] = texts;
    (scope, resource, location, key.period.to_string(), surface.clone())
}

/// Runs the cycles. How many cells are seen, and how many are wanted.
fn land(registered: &Registered, fault: Option<&str>) -> (usize, usize) {
    let site = Site::new(registered, fault);
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
