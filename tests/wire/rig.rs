//! The SAP IBP connector on a real transport, in front of a sandbox on a real
//! socket, with waits of milliseconds.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use planthread_conformance::bench::batch;
use planthread_contracts::{CellKey, MeasureDecl, Period, Scope};
use planthread_kit::{
    Attempt, AttemptEnd, AttemptId, AttemptLog, AttemptRecord, Backoff, Batch, Breaker,
    BreakerPolicy, CellWrite, Clock, Connector, ConnectorError, Expected, NoteError, NoteSink,
    PushEnd, PushPolicy, PushStack, Quota, RecordedBatch, ReqwestTransport, Secret, Selection,
    SystemClock, TransportOptions, Unobserved,
    http::{Basic, HttpStack, RequestPolicy},
};
use planthread_mocks::{Change, SandboxOptions, Shared, serve};
use planthread_sap_ibp::SapIbp;
use rust_decimal::Decimal;
use serde_json::json;
use tokio::{net::TcpListener, task::JoinHandle};

use crate::watched::{Wall, Watch, Watched};

/// Key figures that land, and their decimals: two values and a stamp.
const MEASURES: [(&str, &str, u32); 3] =
    [("live", "TWINCAPALIVE", 2), ("plan_cut", "TWINCAPA", 2), ("as_of", "TWINASOF", 0)];
/// Rounds of push and read-back before a test gives up.
const ROUNDS: usize = 6;

/// Connector and sandbox.
pub(crate) struct Rig {
    connector: SapIbp,
    clock: Arc<dyn Clock>,
    simulator: Shared,
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
    pub(crate) async fn serve(faults: &[&str]) -> Self {
        let (simulator, watch) = Watched::mount(faults);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let options =
            SandboxOptions { simulator: simulator.clone(), tls: None, time: Arc::new(Wall) };
        let task = tokio::spawn(async move { serve(options, listener).await.unwrap() });
        let mut rig = Self::at(&url, simulator, watch);
        rig.task = Some(task);
        rig
    }

    /// In front of `url`, behind which somebody has mounted `simulator`.
    pub(crate) fn at(url: &str, simulator: Shared, watch: Arc<Watch>) -> Self {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let options = TransportOptions { only_private_ca: true, ..TransportOptions::default() };
        let policy = RequestPolicy { backoff: millis(), ..RequestPolicy::default() };
        let http = HttpStack::new(
            Arc::new(ReqwestTransport::new(&options).unwrap()),
            Arc::clone(&clock),
            Arc::new(Quota::unlimited(Arc::clone(&clock))),
            Arc::new(Basic::new("planthread", Secret::new("planthread"))),
            policy,
        );
        let settings = json!({ "host": url, "planning_area": "PTDEMO",
            "auth": { "kind": "basic", "user": "planthread", "password": "${env:UNUSED}" },
            // One at a time: a post on its way can't be called back when another
            // one is told to wait.
            "transaction": { "values_per_post": 12, "parallel_posts": 1 },
            "polling": { "settle_grace_seconds": 0 },
            "timeouts": { "get_seconds": 2, "post_seconds": 2, "metadata_seconds": 2 } });
        let config = planthread_sap_ibp::Config::read(settings).unwrap();
        let connector = SapIbp::new("ibp", config, Scope::base(), measures(), http).unwrap();
        Self { connector, clock, simulator, watch, task: None }
    }

    /// Pushes one batch through the push stack.
    pub(crate) async fn push(&self, cells: &[CellWrite]) -> PushEnd {
        let batch = batch(&self.connector, cells).unwrap();
        let log = Log { clock: Arc::clone(&self.clock), notes: Arc::default() };
        let breaker = Breaker::new(BreakerPolicy::default());
        let policy = PushPolicy {
            backoff: millis(),
            poll_every: Duration::from_millis(20),
            ..PushPolicy::default()
        };
        let stack = PushStack {
            connector: &self.connector,
            log: &log,
            policy: &policy,
            breaker: &breaker,
            clock: &*self.clock,
            progress: &Unobserved,
            expected: Expected::default(),
        };
        let end = stack.push(&batch).await;
        if let PushEnd::Parked { open: Some(id), .. } = &end {
            stack.settle(id).await;
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
            match self.connector.read(&selection(cells)).await {
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
        let mut wanted: BTreeMap<_, _> =
            cells.iter().map(|cell| (place(&cell.key), cell.value)).collect();
        for Change { cell, .. } in simulator.history() {
            let key = (cell.resource, cell.period, cell.measure);
            let value = wanted.remove(&key);
            assert_eq!(value, Some(cell.value), "{when}: {key:?} twice, or not ours");
        }
        assert!(wanted.is_empty(), "{when}: {wanted:?} never took effect");
        assert_eq!(self.watch.early(), 0, "{when}: inside an announced wait");
    }

    /// A request held `part`: the fault that waits for it has happened.
    pub(crate) fn assert_asked(&self, part: &str, when: &str) {
        let lines = self.watch.lines();
        assert!(lines.iter().any(|line| line.contains(part)), "{when}: {lines:?}");
    }
}

/// Waits that a test can afford.
const fn millis() -> Backoff {
    Backoff { base: Duration::from_millis(5), cap: Duration::from_millis(50) }
}

/// Resource, period and key figure of a cell.
fn place(key: &CellKey) -> (String, Period, String) {
    let surface = MEASURES.iter().find(|(name, ..)| *name == key.measure).unwrap().1;
    (key.resource.to_string(), key.period, surface.to_owned())
}

fn measures() -> Vec<MeasureDecl> {
    let declare = |(name, surface, scale): (&str, &str, u32)| {
        let stamp = scale == 0;
        serde_json::from_value(json!({ "name": name, "surface": surface, "scale": scale,
            "carries": if stamp { "as_of" } else { "attainable_clock_hours" },
            "unit": if stamp { "C62" } else { "HUR" }, "level": "week",
            "over_time": if stamp { "min" } else { "sum" },
            "over_resources": if stamp { "min" } else { "sum" },
            "owner": "bridge", "role": if stamp { "stamp" } else { "value" } }))
        .unwrap()
    };
    MEASURES.into_iter().map(declare).collect()
}

/// Four resources over three weeks; values differ from cell to cell.
pub(crate) fn cells() -> Vec<CellWrite> {
    let mut cells = Vec::new();
    let mut period: Period = "2026-W49".parse().unwrap();
    for week in 0..3 {
        for line in 1..=4 {
            for (at, (name, _, scale)) in MEASURES.into_iter().enumerate() {
                let number = Decimal::new(10_000 + i64::from(week * 100 + line * 10), 2);
                let value = if scale == 0 { Decimal::from(20_261_122) } else { number };
                let value = if at == 1 { value + Decimal::ONE } else { value };
                let location = if line % 2 == 1 { "1010" } else { "1020" };
                cells.push(CellWrite {
                    key: CellKey {
                        target: "ibp".into(),
                        scope: "".into(),
                        resource: format!("LINE-{line}").into(),
                        location: location.into(),
                        product: None,
                        period,
                        measure: name.into(),
                    },
                    revision: 1,
                    value,
                });
            }
        }
        period = period.next();
    }
    cells.sort_by(|a, b| a.key.cmp(&b.key));
    cells
}

fn selection(cells: &[CellWrite]) -> Selection {
    let mut resources: Vec<_> =
        cells.iter().map(|c| (c.key.resource.to_string(), c.key.location.to_string())).collect();
    resources.sort();
    resources.dedup();
    Selection {
        target: "ibp".to_owned(),
        scope: Scope::base(),
        measures: MEASURES.iter().map(|(name, ..)| (*name).to_owned()).collect(),
        resources,
        from: cells.iter().map(|cell| cell.key.period).min().unwrap(),
        to: cells.iter().map(|cell| cell.key.period).max().unwrap(),
        lane: planthread_kit::http::Lane::Verify,
    }
}

/// Attempts in memory.
#[derive(Debug, Clone)]
struct Log {
    clock: Arc<dyn Clock>,
    notes: Arc<Memory>,
}

#[derive(Debug, Default)]
struct Memory(Mutex<BTreeMap<AttemptId, Kept>>);

/// What is kept of an attempt: what it carried, and its notes.
type Kept = (RecordedBatch, BTreeMap<String, String>);

impl NoteSink for Memory {
    fn note(&self, attempt: &AttemptId, key: &str, value: &str) -> Result<(), NoteError> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = all.get_mut(attempt).ok_or("no such attempt")?;
        kept.1.insert(key.to_owned(), value.to_owned());
        Ok(())
    }
}

impl AttemptLog for Log {
    fn open(&self, batch: &Batch) -> Result<Attempt, ConnectorError> {
        let id = AttemptId::draw(&*self.clock);
        let mut all = self.notes.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(id.clone(), (batch.recorded().clone(), BTreeMap::new()));
        let sink: Arc<dyn NoteSink> = Arc::<Memory>::clone(&self.notes);
        Ok(Attempt::new(id, sink))
    }

    fn close(&self, _: &AttemptId, _: &AttemptEnd) -> Result<(), ConnectorError> {
        Ok(())
    }

    fn record(&self, id: &AttemptId) -> Result<AttemptRecord, ConnectorError> {
        let all = self.notes.0.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(AttemptRecord { id: id.clone(), notes: all[id].1.clone() })
    }

    fn batch(&self, id: &AttemptId) -> Result<RecordedBatch, ConnectorError> {
        let all = self.notes.0.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(all[id].0.clone())
    }
}
