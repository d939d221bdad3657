//! The rig: a real configuration, real state on disk, the real connector, and
//! the sandbox without sockets, on a clock that costs nothing.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    future::{Future, poll_fn},
    path::{Path, PathBuf},
    pin::pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    task::Poll,
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use planthread::{
    config,
    in_process::{InProcess, machine::Machine},
    pipeline::{Bridge, OpenTarget, Opener, TargetCycle, Transports},
};
use planthread_contracts::{Period, RevisionState};
use planthread_engine::{ledger, status};
use planthread_kit::{Clock, Transport, VirtualClock};
use planthread_mocks::{Simulator as _, Writer, sap_ibp::Options};
use rust_decimal::Decimal;
use serde_json::{Value, json};

pub(crate) use crate::plant::{measure, plan_of};
use crate::wire::{SANDBOX_BASIC, Wire};

/// A cell as the target names it: resource, location, period, key figure.
pub(crate) type Place = (String, String, Period, String);

static FOLDERS: AtomicU64 = AtomicU64::new(0);

/// A small plant in front of a sandbox.
pub(crate) struct World {
    pub(crate) folder: PathBuf,
    pub(crate) clock: VirtualClock,
    wire: Arc<Mutex<Wire>>,
    config: PathBuf,
    /// The clock of the bridge's machine.
    machine: Machine,
}

/// A bridge that runs; dropping it is its end.
pub(crate) struct Live {
    pub(crate) bridge: Bridge,
    pub(crate) target: OpenTarget,
}

/// Wednesday morning, so that three days stay inside one ISO week.
pub(crate) fn start() -> Timestamp {
    "2026-11-25T06:10:00Z".parse().unwrap()
}

impl World {
    /// A world of `config` before a sandbox with `options`.
    pub(crate) fn new(config: &Value, options: Options) -> Self {
        let number = FOLDERS.fetch_add(1, Ordering::Relaxed);
        let name = format!("planthread-suite-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        fs::create_dir_all(&folder).unwrap();
        let file = folder.join("planthread.yaml");
        // JSON is YAML.
        fs::write(&file, config.to_string()).unwrap();
        fs::write(folder.join("password"), "planthread\n").unwrap();
        fs::write(folder.join("twin.ndjson"), "").unwrap();
        let wire = Arc::new(Mutex::new(Wire::new(options)));
        let clock = VirtualClock::new(start(), number + 1);
        let machine = Machine::new(clock.clone());
        Self { folder, clock, wire, config: file, machine }
    }

    /// Three machines over six weeks, 36 cells.
    pub(crate) fn small() -> Self {
        Self::new(&plan_of(3, 5), Options::default())
    }

    /// What is at the end of the wire.
    pub(crate) fn wire(&self) -> MutexGuard<'_, Wire> {
        self.wire.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Requests so far: a mark to count from.
    pub(crate) fn mark(&self) -> usize {
        self.wire().heard.len()
    }

    /// Somebody writes another configuration, for the next start.
    pub(crate) fn configure(&self, config: &Value) {
        fs::write(&self.config, config.to_string()).unwrap();
    }

    /// Opens the bridge on what the disk holds.
    pub(crate) fn open(&self) -> Live {
        self.open_state(&self.folder.join("state"))
    }

    /// Opens the bridge on another state directory.
    pub(crate) fn open_state(&self, state: &Path) -> Live {
        self.open_on(state, Transports::new())
    }

    /// Opens the bridge with a further target at the end of another wire.
    pub(crate) fn open_with(&self, target: &str, wire: Arc<dyn Transport>) -> Live {
        let others = Transports::from([(target.to_owned(), wire)]);
        self.open_on(&self.folder.join("state"), others)
    }

    fn open_on(&self, state: &Path, mut transports: Transports) -> Live {
        let wire = InProcess::new(self.wire.clone(), Arc::new(self.clock.clone()));
        let clock: Arc<dyn Clock> = Arc::new(self.machine.clone());
        transports.insert("ibp".to_owned(), Arc::new(wire));
        let opener = Opener::with(Arc::clone(&clock), transports);
        let mut loaded = config::load(&self.config, None).unwrap();
        loaded.config.state = state.to_owned();
        let bridge = Bridge::open(loaded, clock, opener).unwrap();
        let target = bridge.target(Some("ibp")).unwrap();
        Live { bridge, target }
    }

    /// Somebody sets the clock of the bridge's machine.
    pub(crate) fn set_ahead(&self, ahead: SignedDuration) {
        self.machine.set_ahead(ahead);
    }

    /// Time passes.
    pub(crate) fn pass(&self, minutes: u64) {
        self.clock.advance(Duration::from_secs(minutes * 60));
    }

    /// An hour later, under another configuration: a bridge that has made one cycle of it.
    pub(crate) fn cycle_under(&self, config: &Value) -> Live {
        self.configure(config);
        self.pass(60);
        let live = self.open();
        self.cycle(&live);
        live
    }

    /// One cycle of the bridge, as of now.
    pub(crate) fn cycle(&self, live: &Live) -> TargetCycle {
        let cycle = live.bridge.cycle(std::slice::from_ref(&live.target), live.bridge.as_of());
        let mut done = self.clock.block_on(cycle).unwrap();
        for file in &done.intake {
            let kept = &file.kept;
            assert!(kept.rejected.is_empty() && kept.quarantined.is_empty(), "{kept:?}");
        }
        done.targets.remove(0)
    }

    /// Runs `future` until it ends, or until the bridge dies: then `None`.
    pub(crate) fn until_killed<T>(&self, future: impl Future<Output = T>) -> Option<T> {
        let mut future = pin!(future);
        self.clock.block_on(poll_fn(|context| match future.as_mut().poll(context) {
            Poll::Ready(done) => Poll::Ready(Some(done)),
            Poll::Pending if self.wire().killed => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }))
    }

    /// A person acts on the planner's page.
    pub(crate) fn planner(&self, path: &str, body: &Value) -> Value {
        let request = http::Request::post(path)
            .header("content-type", "application/json")
            .body(bytes::Bytes::from(body.to_string()))
            .unwrap();
        let reply = self.wire().faulty.inner_mut().handle(self.clock.now(), &request);
        assert!(reply.response.status().is_success(), "{:?}", reply.response);
        serde_json::from_slice(reply.response.body()).unwrap()
    }

    /// What a client of the target's own interface reads at `line`.
    pub(crate) fn get(&self, line: &str) -> Value {
        let request = http::Request::get(line)
            .header("accept", "application/json")
            .header("authorization", SANDBOX_BASIC)
            .body(bytes::Bytes::new())
            .unwrap();
        let reply = self.wire().faulty.inner_mut().handle(self.clock.now(), &request);
        assert!(reply.response.status().is_success(), "{:?}", reply.response);
        serde_json::from_slice(reply.response.body()).unwrap()
    }

    /// Every `TWIN...` value that the target holds.
    pub(crate) fn stored(&self) -> BTreeMap<Place, Decimal> {
        let ours = self.wire().stored().into_iter().filter(|cell| cell.measure.starts_with("TWIN"));
        ours.map(|cell| ((cell.resource, cell.location, cell.period, cell.measure), cell.value))
            .collect()
    }

    /// The twin speaks on the hour: machine `m-N` will be up for this share of
    /// each week.
    pub(crate) fn foretell(&self, machine: u32, shares: &[(Period, Decimal)]) {
        static IDS: AtomicU64 = AtomicU64::new(0);
        let id = IDS.fetch_add(1, Ordering::Relaxed);
        let period = |(period, share): &(Period, Decimal)| {
            let midnight = |date: jiff::civil::Date| format!("{date}T00:00:00Z");
            json!({ "period": period, "start": midnight(period.start()),
                "end": midnight(period.end()), "scheduled_hours": "168",
                "up": { "point": { "value": share } } })
        };
        // Later than the instant of the cycle it would be news for the next one.
        let hour = self.clock.now().as_second().div_euclid(3_600) * 3_600;
        let issued = Timestamp::from_second(hour).unwrap();
        let event = json!({ "specversion": "1.0", "id": format!("forecast-{id}"),
            "source": "twin", "type": "planthread.availability-forecast.v1",
            "data": { "resource": { "id": format!("m-{machine}"), "level": "work_cell" },
                "issued_at": issued, "zone": "Etc/UTC", "unit": "C62",
                "periods": shares.iter().map(period).collect::<Vec<_>>(),
                "source": { "twin_id": "urn:twin:suite", "twin_kind": "asset",
                    "observed_until": issued },
                "quality": { "coverage": "1", "worst": "good" } } });
        let file = self.folder.join("twin.ndjson");
        let before = fs::read_to_string(&file).unwrap();
        fs::write(&file, format!("{before}{event}\n")).unwrap();
    }

    /// Every wanted cell was read back as it stands at the target, the books
    /// balance, and no value ever stood there that nobody had wanted.
    pub(crate) fn assert_landed(&self, live: &Live, when: &str) {
        let (stored, cells) = (self.stored(), live.cells());
        assert!(!cells.is_empty(), "{when}");
        for cell in &cells {
            assert_eq!(cell.state, RevisionState::Seen, "{when}: {} {:?}", cell.key, cell.why);
            assert_eq!(
                stored.get(&live.place(&cell.key)),
                Some(&cell.value),
                "{when}: {}",
                cell.key
            );
        }
        assert_eq!(stored.len(), cells.len(), "{when}: nothing else of ours stands there");
        live.assert_conserved(when);
        let wanted = live.ever_wanted();
        for change in self.wire().history() {
            let cell = change.cell;
            let place = (cell.resource, cell.location, cell.period, cell.measure);
            if matches!(cell.writer, Writer::Integration(_)) {
                assert!(
                    wanted[&place].contains(&cell.value),
                    "{when}: {} at {place:?}",
                    cell.value
                );
            }
        }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

impl Live {
    /// Every cell of the ledger.
    pub(crate) fn cells(&self) -> Vec<ledger::CellView> {
        let mut cells = Vec::new();
        let mut keep = |cell| {
            cells.push(cell);
            Ok(())
        };
        ledger::cells(&self.bridge.reader().unwrap(), self.bridge.clock.now(), &mut keep).unwrap();
        cells
    }

    /// Where a cell stands at the target.
    pub(crate) fn place(&self, key: &planthread_contracts::CellKey) -> Place {
        let mut measures = self.target.config.measures.iter();
        let surface = &measures.find(|measure| measure.name == key.measure).unwrap().surface;
        (key.resource.to_string(), key.location.to_string(), key.period, surface.clone())
    }

    /// How the only scope stands.
    pub(crate) fn status(&self) -> status::ScopeStatus {
        let now = self.bridge.clock.now();
        status::status(&self.bridge.reader().unwrap(), now).unwrap().scopes.remove(0)
    }

    /// Every revision ever made is in exactly one state.
    pub(crate) fn assert_conserved(&self, when: &str) {
        let now = self.bridge.clock.now();
        let found = ledger::unbalanced(&self.bridge.reader().unwrap(), now).unwrap();
        assert!(found.is_empty(), "{when}: {found:?}");
    }

    /// All values that any revision of a cell had, by place.
    fn ever_wanted(&self) -> BTreeMap<Place, BTreeSet<Decimal>> {
        let (reader, now) = (self.bridge.reader().unwrap(), self.bridge.clock.now());
        let values = |cell: &ledger::CellView| {
            let trace = ledger::trace(&reader, &cell.key, now).unwrap();
            trace.revisions.iter().map(|revision| revision.value).collect()
        };
        self.cells().iter().map(|cell| (self.place(&cell.key), values(cell))).collect()
    }

    /// The plan as it stands, as bytes.
    pub(crate) fn plan(&self) -> Vec<u8> {
        let mut plan = Vec::new();
        self.bridge.plan(&self.target, self.bridge.as_of(), None, &mut plan).unwrap();
        plan
    }
}
