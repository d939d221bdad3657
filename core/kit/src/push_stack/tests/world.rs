//! A connector and an attempt log that write down what happened to them.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex},
};

use planthread_contracts::{
    CellKey, MeasureDecl, Period, PeriodKind, Receipt, Scope, SeenCell, WriteGrant,
};
use rust_decimal::Decimal;

use super::*;
use crate::{
    BoxFuture, Capabilities, Carriage, CellWrite, Cost, Discovery, Info, NoteError, NoteSink,
    PackFile, Selection, VirtualClock, testing::clock,
};

/// What the scripted target does with one push.
#[derive(Debug, Clone)]
pub(super) enum Push {
    Takes,
    /// Takes it, and works on: polls tell the end.
    Works,
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
    pub(super) polls: Arc<Mutex<VecDeque<Result<Poll, Class>>>>,
    events: Arc<Mutex<Vec<String>>>,
    /// The store fails at this event.
    broken: Option<&'static str>,
}

pub(super) fn world(pushes: &[Push], polls: &[Result<Poll, Class>]) -> World {
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
        names_rejected_rows: true,
        tells: false,
        lists_master_data: false,
        takes_from: None,
        side_by_side: 1,
        cost,
        carriage: Carriage::plain(""),
    };
    let target = "scripted".to_owned();
    let info = Info {
        name: "script",
        target,
        address: String::new(),
        capabilities,
        grades: vec![],
        sheet: vec![],
        agreement: None,
    };
    World {
        clock: clock(),
        info: Arc::new(info),
        pushes: Arc::new(Mutex::new(pushes.to_vec().into())),
        polls: Arc::new(Mutex::new(polls.to_vec().into())),
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

    pub(super) fn stack<'a>(
        &'a self,
        policy: &'a PushPolicy,
        breakers: &'a Breakers,
    ) -> PushStack<'a> {
        PushStack { connector: self, log: self, policy, breakers, clock: &self.clock }
    }

    pub(super) fn run_with(&self, policy: &PushPolicy, breakers: &Breakers, cells: u32) -> PushEnd {
        let stack = self.stack(policy, breakers);
        self.clock.block_on(stack.push(&batch(cells)))
    }

    pub(super) fn run(&self) -> PushEnd {
        let breakers = Breakers::new(BreakerPolicy::default());
        self.run_with(&PushPolicy::default(), &breakers, 2)
    }

    /// Drops the push after so many seconds; `None` when it had not ended.
    pub(super) fn run_for(&self, seconds: u64) -> Option<PushEnd> {
        let (policy, breakers) = (PushPolicy::default(), Breakers::new(BreakerPolicy::default()));
        let batch = batch(2);
        let stack = self.stack(&policy, &breakers);
        let push = std::pin::pin!(stack.push(&batch));
        let stop = self.clock.sleep(Duration::from_secs(seconds));
        match self.clock.block_on(select(push, stop)) {
            Either::Left((end, _)) => Some(end),
            Either::Right(_) => None,
        }
    }

    pub(super) fn settle(&self, id: &AttemptId) -> Settled {
        let (policy, breakers) = (PushPolicy::default(), Breakers::new(BreakerPolicy::default()));
        let stack = self.stack(&policy, &breakers);
        self.clock.block_on(stack.settle(id))
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

    fn submit<'a>(
        &'a self,
        batch: &'a Batch,
        _: &'a Attempt,
    ) -> BoxFuture<'a, Result<Submission, ConnectorError>> {
        Box::pin(async move {
            self.event("submit");
            let next = self.pushes.lock().unwrap().pop_front().unwrap_or(Push::Takes);
            let mut rows = vec![RowOutcome::Accepted; batch.cells().len()];
            match next {
                Push::Takes => {}
                Push::Works => return Ok(Submission::Submitted),
                Push::Fails(class) => return Err(ConnectorError::new(class, "stage rows", "x")),
                Push::Refuses(class) => {
                    return Err(ConnectorError::new(class, "stage rows", "x").took_nothing());
                }
                Push::Hangs(seconds) => self.clock.sleep(Duration::from_secs(seconds)).await,
                Push::Miscounts => rows.truncate(1),
            }
            Ok(Submission::Done(PushOutcome::new(self.receipt(), rows)))
        })
    }

    fn poll<'a>(
        &'a self,
        _: &'a AttemptRecord,
        _: &'a RecordedBatch,
    ) -> BoxFuture<'a, Result<Poll, ConnectorError>> {
        Box::pin(async move {
            self.event("poll");
            let next = self.polls.lock().unwrap().pop_front();
            next.unwrap_or_else(|| Ok(running()))
                .map_err(|class| ConnectorError::new(class, "ask for the result", "x"))
        })
    }

    fn read<'a>(
        &'a self,
        _: &'a Selection,
    ) -> BoxFuture<'a, Result<Vec<SeenCell>, ConnectorError>> {
        unreachable!("a push does not read back")
    }

    fn pack(&self, _: &[CellWrite]) -> Result<Vec<PackFile>, ConnectorError> {
        unreachable!("a push does not pack")
    }
}

impl NoteSink for World {
    fn note(&self, _: &AttemptId, _: &str, _: &str) -> Result<(), NoteError> {
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
            AttemptEnd::NotTaken { .. } => "close:not-taken",
            AttemptEnd::Unknown { .. } => "close:unknown",
        })
    }

    fn record(&self, id: &AttemptId) -> Result<AttemptRecord, ConnectorError> {
        Ok(AttemptRecord { id: id.clone(), notes: BTreeMap::new() })
    }

    fn batch(&self, _: &AttemptId) -> Result<RecordedBatch, ConnectorError> {
        Ok(batch(2).recorded().clone())
    }
}

/// The target works on it.
pub(super) fn running() -> Poll {
    Poll::Running { state: "WORKING".to_owned() }
}

/// It took no effect.
pub(super) fn not_taken() -> Poll {
    Poll::NotTaken { why: "nothing was staged".to_owned() }
}

/// The target can't tell.
pub(super) fn unknown() -> Poll {
    Poll::Unknown { until: clock().now() }
}

/// It ended, and took both cells of the batch.
pub(super) fn ended() -> Poll {
    let receipt = Receipt { handle: "H1".into(), verdict: "ok".into(), at: clock().now() };
    Poll::Done(PushOutcome::new(receipt, vec![RowOutcome::Accepted; 2]))
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
            target: "scripted".into(),
            scope: "".into(),
            resource: format!("LINE-{n}").into(),
            location: "1010".into(),
            product: None,
            period: Period::containing(PeriodKind::Week, jiff::civil::date(2026, 11, 23)),
            measure: "live".into(),
        },
        revision: 1,
        value: Decimal::from(n),
    };
    Batch::new(Scope::base(), &[grant], (0..cells).map(cell).collect()).unwrap()
}
