//! A connector on a real transport, in front of its sandbox on a real socket,
//! with waits of milliseconds: each one of `tests/connectors`, by its name.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use planthread::registry::TARGETS;
use planthread_conformance::{Bench as _, bench::batch};
use planthread_contracts::{CellKey, Period, Scope};
use planthread_kit::{
    Attempt, AttemptEnd, AttemptId, AttemptLog, AttemptRecord, Backoff, Batch, BreakerPolicy,
    Breakers, CellWrite, Clock, Connector, ConnectorError, NoteError, NoteSink, PushEnd,
    PushPolicy, PushStack, RecordedBatch, ReqwestTransport, Selection, SystemClock,
    TransportOptions,
    http::{HttpSettings, Lane},
};
use planthread_mocks::{Change, SandboxOptions, SharedSimulator, Writer, serve};
use rust_decimal::Decimal;
use tokio::{net::TcpListener, task::JoinHandle};

use crate::{
    bench::{FactoryBench, Told, ways},
    program::{Quick, merge},
    watched::{Outgoing, Wall, Watch, Watched},
};

/// Rounds of push and read-back before a test gives up.
const ROUNDS: usize = 6;
/// Cells of a push.
const CELLS: usize = 36;

/// A way in which a target is set up.
pub(crate) type Way = (FactoryBench, Quick);

/// Every way in which every target of the registry is set up.
pub(crate) fn benches() -> &'static [Way] {
    // Each writes the files that its settings name.
    static ALL: OnceLock<Vec<Way>> = OnceLock::new();
    ALL.get_or_init(all)
}

fn all() -> Vec<Way> {
    let of = |registered: &planthread::registry::Registered| {
        let (one, folder) = (*registered, format!("connectors/{}", registered.target.name));
        let bench = move |way: String| (FactoryBench::new(one, &folder, &way), Quick::of(&one));
        ways(&format!("connectors/{}", registered.target.name)).into_iter().map(bench)
    };
    TARGETS.iter().flat_map(of).collect()
}

/// Connector and sandbox.
pub(crate) struct Rig {
    bench: FactoryBench,
    connector: Arc<dyn Connector>,
    clock: Arc<dyn Clock>,
    simulator: SharedSimulator,
    watch: Arc<Watch>,
    task: Option<JoinHandle<()>>,
}

impl Drop for Rig {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

impl Rig {
    /// Serves a new sandbox on a free port.
    pub(crate) async fn serve(of: &Way, faults: &[&str]) -> Self {
        let (simulator, watch) = Self::sandbox(of, faults);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let options =
            SandboxOptions { simulator: simulator.clone(), tls: None, time: Arc::new(Wall) };
        let task = tokio::spawn(async move { serve(options, listener).await.unwrap() });
        let mut rig = Self::at(of, &url, simulator, watch);
        rig.task = Some(task);
        rig
    }

    /// A new sandbox that breaks by `faults`.
    pub(crate) fn sandbox((bench, quick): &Way, faults: &[&str]) -> (SharedSimulator, Arc<Watch>) {
        Watched::mount(bench.sandbox(&Told::default(), &quick.sandbox), faults)
    }

    /// In front of `url`, behind which somebody has mounted `simulator`.
    pub(crate) fn at(
        (bench, quick): &Way,
        url: &str,
        simulator: SharedSimulator,
        watch: Arc<Watch>,
    ) -> Self {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let options = TransportOptions { only_private_ca: true, ..TransportOptions::default() };
        let text = bench.settings().to_string().replace("http://127.0.0.1", url);
        let mut settings = serde_json::from_str(&text).unwrap();
        merge(&mut settings, &quick.target["settings"]);
        let http = HttpSettings {
            read_seconds: Some(2),
            write_seconds: Some(2),
            backoff_ms: 5,
            ..HttpSettings::default()
        };
        let wire = ReqwestTransport::new(&options).unwrap();
        let wire = Outgoing { wire, watch: Arc::clone(&watch) };
        let connector = bench.connector(&settings, &clock, Arc::new(wire), &http);
        Self { bench: bench.clone(), connector, clock, simulator, watch, task: None }
    }

    /// The target, and the way in which it is set up.
    pub(crate) fn name(&self) -> &'static str {
        self.bench.name()
    }

    /// Cells that the sandbox can hold.
    pub(crate) fn cells(&self) -> Vec<CellWrite> {
        self.bench.cells(CELLS)
    }

    /// Pushes one batch through the push stack.
    pub(crate) async fn push(&self, cells: &[CellWrite]) -> PushEnd {
        let batch = batch(self.connector.as_ref(), cells).unwrap();
        let log = Log { clock: Arc::clone(&self.clock), notes: Arc::default() };
        let breakers = Breakers::new(BreakerPolicy::default());
        let policy = PushPolicy {
            backoff: Backoff { base: Duration::from_millis(5), cap: Duration::from_millis(50) },
            poll_every: Duration::from_millis(20),
            ..PushPolicy::default()
        };
        let stack = PushStack {
            connector: self.connector.as_ref(),
            log: &log,
            policy: &policy,
            breakers: &breakers,
            clock: &*self.clock,
        };
        let end = stack.push(&batch).await;
        if let PushEnd::Parked { open: Some(id), .. } = &end {
            stack.settle(id).await;
        }
        // What a lost write may still do, it does before anything is read.
        let until = log.notes.until.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(wait) = until.map(|until| until.duration_since(self.clock.now())) {
            self.clock.sleep(Duration::try_from(wait).unwrap_or_default()).await;
        }
        end
    }

    /// Pushes and reads back until everything is seen, as the engine does.
    pub(crate) async fn land(&self, cells: &[CellWrite], when: &str) {
        let mut missing = cells.to_vec();
        let mut ends = Vec::new();
        for _ in 0..ROUNDS {
            ends.push(self.push(&missing).await);
            let seen = self.read(cells).await;
            missing.retain(|cell| seen.get(&cell.key) != Some(&Some(cell.value)));
            if missing.is_empty() {
                return;
            }
        }
        panic!("{when}: {} cells are missing after {ends:?}", missing.len());
    }

    /// Reads back until it is answered: what can't be read is not sent again.
    async fn read(&self, cells: &[CellWrite]) -> BTreeMap<CellKey, Option<Decimal>> {
        let mut errors = Vec::new();
        for _ in 0..ROUNDS {
            match self.connector.read(&selection(self.connector.as_ref(), cells)).await {
                Ok(seen) => return seen.into_iter().map(|cell| (cell.key, cell.value)).collect(),
                Err(error) => errors.push(error),
            }
        }
        panic!("nothing can be read: {errors:?}");
    }

    /// Each of `cells` took effect exactly once, with exactly its value, and
    /// nothing else did.
    pub(crate) fn assert_once(&self, cells: &[CellWrite], when: &str) {
        let simulator = self.simulator.lock().unwrap_or_else(PoisonError::into_inner);
        let measures = self.bench.measures();
        let place = |key: &CellKey| {
            let surface = &measures.iter().find(|one| key.measure == one.name).unwrap().surface;
            let texts = [&key.scope, &key.resource, &key.location].map(ToString::to_string);
            (texts, key.period, surface.clone())
        };
        let mut wanted: BTreeMap<([String; 3], Period, String), Decimal> =
            cells.iter().map(|cell| (place(&cell.key), cell.value)).collect();
        for Change { cell, .. } in simulator.history() {
            let ours = measures.iter().any(|measure| measure.surface == cell.measure);
            if !ours && !matches!(cell.writer, Writer::Integration(_)) {
                continue;
            }
            let key = ([cell.scope, cell.resource, cell.location], cell.period, cell.measure);
            let value = wanted.remove(&key);
            assert_eq!(value, Some(cell.value), "{when}: {key:?} twice, or not ours");
        }
        assert!(wanted.is_empty(), "{when}: {wanted:?} never took effect");
        assert_eq!(self.watch.early(), 0, "{when}: inside an announced wait");
    }

    /// Method and target of every request so far.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.watch.lines()
    }
}

fn selection(connector: &dyn Connector, cells: &[CellWrite]) -> Selection {
    let resources: BTreeSet<_> =
        cells.iter().map(|c| (c.key.resource.to_string(), c.key.location.to_string())).collect();
    let measures = connector.info().capabilities.measures.iter();
    Selection {
        target: cells[0].key.target.to_string(),
        scope: Scope::named(&cells[0].key.scope),
        measures: measures.map(|measure| measure.name.clone()).collect(),
        resources: resources.into_iter().collect(),
        from: cells.iter().map(|cell| cell.key.period).min().unwrap(),
        to: cells.iter().map(|cell| cell.key.period).max().unwrap(),
        lane: Lane::Verify,
    }
}

/// Attempts in memory.
#[derive(Debug, Clone)]
struct Log {
    clock: Arc<dyn Clock>,
    notes: Arc<Memory>,
}

#[derive(Debug, Default)]
struct Memory {
    kept: Mutex<BTreeMap<AttemptId, Kept>>,
    /// Until when an unclear attempt may still take effect.
    until: Mutex<Option<Timestamp>>,
}

/// What is kept of an attempt: what it carried, and its notes.
type Kept = (RecordedBatch, BTreeMap<String, String>);

impl NoteSink for Memory {
    fn note(&self, attempt: &AttemptId, key: &str, value: &str) -> Result<(), NoteError> {
        let mut all = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = all.get_mut(attempt).ok_or("no such attempt")?;
        kept.1.insert(key.to_owned(), value.to_owned());
        Ok(())
    }
}

impl AttemptLog for Log {
    fn open(&self, batch: &Batch) -> Result<Attempt, ConnectorError> {
        let id = AttemptId::draw(&*self.clock);
        let mut all = self.notes.kept.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(id.clone(), (batch.recorded().clone(), BTreeMap::new()));
        let sink: Arc<dyn NoteSink> = Arc::<Memory>::clone(&self.notes);
        Ok(Attempt::new(id, sink))
    }

    fn close(&self, _: &AttemptId, end: &AttemptEnd) -> Result<(), ConnectorError> {
        if let AttemptEnd::Unknown { until, .. } = end {
            *self.notes.until.lock().unwrap_or_else(PoisonError::into_inner) = Some(*until);
        }
        Ok(())
    }

    fn record(&self, id: &AttemptId) -> Result<AttemptRecord, ConnectorError> {
        let all = self.notes.kept.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(AttemptRecord { id: id.clone(), notes: all[id].1.clone() })
    }

    fn batch(&self, id: &AttemptId) -> Result<RecordedBatch, ConnectorError> {
        let all = self.notes.kept.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(all[id].0.clone())
    }
}
