//! A target's starting point before its sandbox: real configuration, real state on
//! disk, the sandbox without sockets, on a clock that costs nothing.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use jiff::{Timestamp, tz::TimeZone};
use planthread::{
    config::{self, Config},
    demo::twin,
    in_process::InProcess,
    pipeline::{Bridge, Opener, Transports},
    registry::{Registered, TARGETS},
    starter::Starter,
};
use planthread_contracts::CellKey;
use planthread_kit::{Clock, Transport, VirtualClock};
use planthread_mocks::{Change, Setup, Simulator};
use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::{net::Net, way::Way};

static FOLDERS: AtomicU64 = AtomicU64::new(0);

/// A cell as the target names it: scope, resource, location, period, measure.
pub(crate) type Place = (String, String, String, String, String);

/// The starting point of targets, before their sandboxes.
pub(crate) struct Site {
    pub(crate) folder: PathBuf,
    pub(crate) clock: VirtualClock,
    /// The profile of its way, where it is another than the starting point.
    profile: Option<&'static str>,
    /// What is otherwise in its configuration.
    pub(crate) tune: Option<fn(&mut Config)>,
    /// What draws how long requests are on their way, where that takes time.
    pub(crate) delays: Option<VirtualClock>,
    /// Each sandbox, by the connector that it is for.
    sandboxes: BTreeMap<&'static str, Arc<Mutex<Box<dyn Simulator>>>>,
}

impl Site {
    /// The starting point of one target, before its sandbox with one fault.
    pub(crate) fn new(registered: &Registered, fault: Option<&str>) -> Self {
        let on = fault.into_iter().map(str::to_owned).collect();
        Self::with(registered, Setup { on, ..Setup::default() }, |sandbox| sandbox)
    }

    /// The same before a sandbox that is started in some way, behind `between`.
    pub(crate) fn with(
        registered: &Registered,
        setup: Setup,
        between: impl FnOnce(Box<dyn Simulator>) -> Box<dyn Simulator>,
    ) -> Self {
        Self::of((registered, &Way::default()), setup, between)
    }

    /// The same, set up in some way.
    pub(crate) fn of(
        (registered, way): (&Registered, &Way),
        setup: Setup,
        between: impl FnOnce(Box<dyn Simulator>) -> Box<dyn Simulator>,
    ) -> Self {
        let sandbox = between((registered.sandbox.build)(&way.setup(registered, setup)).unwrap());
        Self::before(vec![(registered, sandbox)], way)
    }

    /// All targets in one configuration, each before its own sandbox.
    pub(crate) fn all() -> Self {
        let way = Way::default();
        let each = TARGETS.iter().map(|registered| {
            let setup = way.setup(registered, Setup::default());
            (registered, (registered.sandbox.build)(&setup).unwrap())
        });
        Self::before(each.collect(), &way)
    }

    fn before(sandboxes: Vec<(&Registered, Box<dyn Simulator>)>, way: &Way) -> Self {
        let number = FOLDERS.fetch_add(1, Ordering::Relaxed);
        let name =
            format!("planthread-{}-{}-{number}", sandboxes[0].0.target.name, std::process::id());
        let folder = std::env::temp_dir().join(name);
        fs::create_dir_all(&folder).unwrap();
        let now: Timestamp = "2026-11-25T06:10:00Z".parse().unwrap();
        let targets: Vec<_> = sandboxes.iter().map(|(target, _)| (*target, None)).collect();
        Starter::new(&folder, now).write(now, &targets).unwrap();
        let file = folder.join("planthread.yaml");
        let text = fs::read_to_string(&file).unwrap();
        let zone = "  zone: Europe/Berlin\n";
        let short = format!("{zone}  horizon: {{ past_weeks: 1, future_weeks: 3 }}\n");
        assert!(text.contains(zone));
        let text = way.rewritten(text.replacen(zone, &short, 1));
        let profile = (!way.targets.is_null()).then_some("way");
        // JSON is YAML.
        let over = format!("  way: {{ targets: {} }}\n", way.targets);
        fs::write(&file, text + profile.map_or("", |_| &over)).unwrap();
        let each = sandboxes.into_iter();
        let sandboxes = each.map(|(one, sandbox)| (one.target.name, Arc::new(Mutex::new(sandbox))));
        let (clock, sandboxes) = (VirtualClock::new(now, 7), sandboxes.collect());
        Self { folder, clock, profile, tune: None, delays: None, sandboxes }
    }

    /// Keeps the first rows of the counter file: the landed hours come from the events.
    pub(crate) fn shorten(&self) {
        const KEPT: usize = 100;
        let file = self.folder.join("data/hourly-counts.csv");
        let text = fs::read_to_string(&file).unwrap();
        let short: Vec<&str> = text.lines().take(KEPT).collect();
        fs::write(&file, short.join("\n") + "\n").unwrap();
    }

    /// The configuration as it stands on the disk.
    pub(crate) fn loaded(&self) -> config::Loaded {
        let mut loaded = config::load(&self.folder.join("planthread.yaml"), self.profile).unwrap();
        if let Some(tune) = self.tune {
            tune(&mut loaded.config);
        }
        loaded
    }

    /// The bridge on what the disk holds.
    pub(crate) fn bridge(&self) -> Bridge {
        let loaded = self.loaded();
        let opener = self.opener(&loaded);
        Bridge::open(loaded, Arc::new(self.clock.clone()), opener).unwrap()
    }

    /// What opens the targets of a configuration before the sandboxes.
    pub(crate) fn opener(&self, loaded: &config::Loaded) -> Opener {
        let clock: Arc<dyn Clock> = Arc::new(self.clock.clone());
        let wire = |(name, target): (&String, &config::Target)| {
            let sandbox = self.sandboxes[target.connector.as_str()].clone();
            let wire = InProcess::new(sandbox, Arc::clone(&clock));
            let wire: Arc<dyn Transport> = match &self.delays {
                Some(dice) => Arc::new(Net::new(wire, self.clock.clone(), dice.clone())),
                None => Arc::new(wire),
            };
            (name.clone(), wire)
        };
        let wires: Transports = loaded.config.targets.iter().map(wire).collect();
        Opener::with(clock, wires)
    }

    /// An hour later the twin of one line foretells less than before.
    pub(crate) fn foretell(&self) {
        self.clock.advance(Duration::from_secs(3_600));
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let text = twin::events_ndjson(self.clock.now(), &zone);
        let mut event: Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
        for period in event["data"]["periods"].as_array_mut().unwrap() {
            period["up"] = json!({ "point": { "value": "0.4" } });
        }
        let file = self.folder.join("data/twin-events.ndjson");
        let before = fs::read_to_string(&file).unwrap();
        fs::write(&file, format!("{before}{event}\n")).unwrap();
    }

    /// What the only sandbox answers somebody else.
    pub(crate) fn send(&self, request: &http::Request<bytes::Bytes>) -> planthread_mocks::Reply {
        let sandbox = self.sandboxes.values().next().unwrap();
        sandbox.lock().unwrap().handle(self.clock.now(), request)
    }

    /// Every change at the targets, oldest first.
    pub(crate) fn history(&self) -> Vec<Change> {
        self.sandboxes.values().flat_map(|sandbox| sandbox.lock().unwrap().history()).collect()
    }

    /// What the target holds, and the places that came through its interface.
    pub(crate) fn stored(&self) -> (BTreeMap<Place, Decimal>, BTreeSet<Place>) {
        let (mut held, mut written) = (BTreeMap::new(), BTreeSet::new());
        let each = self.sandboxes.values();
        for cell in each.flat_map(|sandbox| sandbox.lock().unwrap().stored()) {
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
pub(crate) fn place(bridge: &Bridge, key: &CellKey) -> Place {
    place_in(&bridge.loaded, key)
}

/// The same, where no bridge is open.
pub(crate) fn place_in(loaded: &config::Loaded, key: &CellKey) -> Place {
    let measures = &loaded.config.targets[key.target.as_str()].measures;
    let surface = &measures.iter().find(|one| one.name == key.measure).unwrap().surface;
    let texts = [&key.scope, &key.resource, &key.location].map(ToString::to_string);
    let [scope, resource, location] = texts;
    (scope, resource, location, key.period.to_string(), surface.clone())
}
