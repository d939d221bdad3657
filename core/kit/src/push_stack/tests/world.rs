//! A connector and an attempt log that write down what happened to them.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex},
};

use planthread_contracts::{
    CellKey, DesiredCell, MeasureDecl, Period, PeriodKind, Scope, SeenCell, WriteGrant,
};
use rust_decimal::Decimal;

use super::*;
use crate::{
    BoxFuture, Capabilities, CellWrite, Cost, Discovery, Info, NoteSink, PackFile, Selection,
    VirtualClock, testing::clock,
};

/// What the scripted target does with one push.
#[derive(Debug, Clone)]
pub(super) enum Push {
    Takes,
    Fails(Class),
    /// Fails, and provably nothing took effect.
    Refuses(Class),
    /// Takes it, or not, and says nothing for so many seconds.
    Hangs(u64),
    Miscounts,
}

/// A connector and a log that write down what happened to them.
#[derive(Debug, Clone)]
pub(super) struct World {
    pub(super) clock: VirtualClock,
    info: Arc<Info>,
    pub(super) pushes: Arc<Mutex<VecDeque<Push>>>,
    settles: Arc<Mutex<VecDeque<Result<Settlement, Class>>>>,
    events: Arc<Mutex<Vec<String>>>,
    /// The store fails at this event.
    broken: Option<&'static str>,
}

pub(super) fn world(pushes: &[Push], settles: &[Result<Settlement, Class>]) -> World {
    let cost = Cost {
        overhead_requests: 0,
        overhead_ms: 0,
        cells_per_request: 1,
        groups_per_request: 1,
        request_ms: 0,
        cell_us: 0,
        parallel_requests: 1,
        cells_per_read: 1,
        read_ms: 0,
        parallel_reads: 1,
    };
    let capabilities = Capabilities {
        cells_per_batch: 10,
        groups_per_batch: 10,
        uniform_batches: false,
        measures: Vec::new(),
        idempotent_upsert: true,
        settles: true,
        names_rejected_rows: true,
        clears: false,
        published_requests_per_minute: None,
        cost,
    };
    let target = "scripted".to_owned();
    let info = Info {
        name: "script",
        target,
        address: String::new(),
        capabilities,
        grades: vec![],
        sheet: vec![],
    };
    World {
        clock: clock(),
        info: Arc::new(info),
        pushes: Arc::new(Mutex::new(pushes.to_vec().into())),
        settles: Arc::new(Mutex::new(settles.to_vec().into())),
        events: Arc::default(),
        broken: None,
    }
}

impl World {
    /// The same world with a store that fails at `event`.
    pub(super) fn broken_at(mut self, event: &'static str) -> Self {
        self.broken = Some(event);
        self
    }

    pub(super) fn receipt(&self) -> Receipt {
        Receipt { handle: "H1".into(), verdict: "ok".into(), at: self.clock.now() }
    }

    fn event(&self, what: &str) {
        self.events.lock().unwrap().push(what.to_owned());
    }

    /// The events, short: `open push close:done`.
    pub(super) fn story(&self) -> String {
        self.events.lock().unwrap().join(" ")
    }

    fn store(&self, what: &'static str) -> Result<(), ConnectorError> {
        self.event(what);
        if self.broken == Some(what) {
            return Err(ConnectorError::new(Class::Fatal, "keep attempt", "disk full"));
        }
        Ok(())
    }

    pub(super) fn run_with(&self, policy: &PushPolicy, breaker: &Breaker, cells: u32) -> PushEnd {
        let stack = PushStack { connector: self, log: self, policy, breaker, clock: &self.clock };
        self.clock.block_on(stack.push(&batch(cells)))
    }

    pub(super) fn run(&self) -> PushEnd {
        let breaker = Breaker::new(BreakerPolicy::default());
        self.run_with(&PushPolicy::default(), &breaker, 2)
    }

    pub(super) fn seconds(&self) -> i64 {
        self.clock.now().duration_since(clock().now()).as_secs()
    }
}

impl Connector for World {
    fn info(&self) -> &Info {
        &self.info
    }

    fn discover(&self) -> BoxFuture<'_, Result<Discovery, ConnectorError>> {
        unreachable!("a push does not discover")
    }

    fn push<'a>(
        &'a self,
        batch: &'a Batch,
        _: &'a Attempt,
    ) -> BoxFuture<'a, Result<PushOutcome, ConnectorError>> {
        Box::pin(async move {
            self.event("push");
            let next = self.pushes.lock().unwrap().pop_front().unwrap_or(Push::Takes);
            let mut rows = vec![RowOutcome::Accepted; batch.cells().len()];
            match next {
                Push::Takes => {}
                Push::Fails(class) => return Err(ConnectorError::new(class, "stage rows", "x")),
                Push::Refuses(class) => {
                    return Err(ConnectorError::new(class, "stage rows", "x").took_nothing());
                }
                Push::Hangs(seconds) => self.clock.sleep(Duration::from_secs(seconds)).await,
                Push::Miscounts => rows.truncate(1),
            }
            Ok(PushOutcome { receipt: self.receipt(), rows })
        })
    }

    fn settle<'a>(
        &'a self,
        _: &'a AttemptRecord,
    ) -> BoxFuture<'a, Result<Settlement, ConnectorError>> {
        Box::pin(async move {
            self.event("settle");
            let next = self.settles.lock().unwrap().pop_front();
            next.unwrap_or(Ok(Settlement::Running))
                .map_err(|class| ConnectorError::new(class, "ask for the result", "x"))
        })
    }

    fn read<'a>(
        &'a self,
        _: &'a Selection,
    ) -> BoxFuture<'a, Result<Vec<SeenCell>, ConnectorError>> {
        unreachable!("a push does not read back")
    }

    fn pack(&self, _: &[DesiredCell]) -> Result<Vec<PackFile>, ConnectorError> {
        unreachable!("a push does not pack")
    }
}

impl NoteSink for World {
    fn note(&self, _: &AttemptId, _: &str, _: &str) -> Result<(), String> {
        Ok(())
    }
}

impl AttemptLog for World {
    fn open(&self, _: &Batch) -> Result<Attempt, ConnectorError> {
        self.store("open")?;
        Ok(Attempt::new(AttemptId::draw(&self.clock), Arc::new(self.clone())))
    }

    fn close(&self, _: &AttemptId, end: &AttemptEnd) -> Result<(), ConnectorError> {
        self.store(match end {
            AttemptEnd::Done(_) => "close:done",
            AttemptEnd::Landed(_) => "close:landed",
            AttemptEnd::NotTaken { .. } => "close:not-taken",
            AttemptEnd::Unknown { .. } => "close:unknown",
        })
    }

    fn record(&self, id: &AttemptId) -> Result<AttemptRecord, ConnectorError> {
        Ok(AttemptRecord { id: id.clone(), notes: BTreeMap::new() })
    }
}

pub(super) fn batch(cells: u32) -> Batch {
    let measure: MeasureDecl = serde_json::from_str(
        r#"{"name":"live","surface":"L","carries":"attainable_clock_hours","unit":"HUR","scale":2,
            "level":"week","over_time":"sum","over_resources":"sum","owner":"bridge","role":"value"}"#,
    )
    .unwrap();
    let grant = WriteGrant::bridge_owned(&measure, &Scope::base()).unwrap();
    let cell = |n: u32| CellWrite {
        key: CellKey {
            target: "scripted".to_owned(),
            scope: String::new(),
            resource: format!("LINE-{n}"),
            location: "1010".to_owned(),
            product: None,
            period: Period::containing(PeriodKind::Week, jiff::civil::date(2026, 11, 23)),
            measure: "live".to_owned(),
        },
        revision: 1,
        value: Decimal::from(n),
    };
    Batch::new(Scope::base(), &[grant], (0..cells).map(cell).collect()).unwrap()
}
