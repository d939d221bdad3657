//! A scripted target in memory: it can drop, refuse, fail before or after the
//! effect, hang, and forget what became of an attempt.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use planthread_contracts::{CellKey, MeasureDecl, Receipt, Rejection, RowOutcome, SeenCell};
use planthread_kit::{
    Attempt, AttemptRecord, Batch, BoxFuture, Capabilities, Carriage, CellWrite, Class, Clock,
    Connector, ConnectorError, Cost, Discovery, Info, PackFile, Poll, PushOutcome, RecordedBatch,
    Selection, Sent, Submission, Together, VirtualClock,
};
use rust_decimal::Decimal;

/// What goes wrong with one push.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Nothing.
    None,
    /// The target says it took everything, and drops every n-th row.
    Drop(usize),
    /// It refuses the first row.
    Reject,
    /// It names only the first row in its receipt.
    Silent,
    /// It takes in so many cells a second, and can't hurry.
    Slow(u64),
    /// It works on for so many questions, and then ends like this.
    Works(u32, Ending),
    /// After so many seconds it refuses all of it, and nobody may go on.
    Stops(u64, Class),
    /// Provably not sent.
    NotSent,
    /// An error before the effect.
    Before,
    /// An error after the effect.
    After,
    /// No answer, and no effect: the process dies waiting.
    HangBefore,
    /// No answer, after the effect: the process dies waiting.
    HangAfter,
}

/// How a job of the target ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// It took everything.
    Takes,
    /// It refuses the first row, and says so.
    Rejects,
    /// It refuses the first row, and says only that it refused one.
    Counts,
    /// It fails, and changes nothing.
    Fails,
}

/// What the target holds and remembers.
#[derive(Debug, Default)]
pub(crate) struct Inside {
    pub(crate) cells: BTreeMap<CellKey, Decimal>,
    pub(crate) faults: VecDeque<Fault>,
    /// Every attempt id that was pushed, in order.
    pub(crate) pushed: Vec<String>,
    /// What each of them carried.
    pub(crate) submitted: BTreeMap<String, RecordedBatch>,
    /// Attempts that took effect.
    pub(crate) effective: BTreeSet<String>,
    /// The last revision of each cell that it was sent, and all of them.
    pub(crate) sent: BTreeMap<CellKey, u64>,
    pub(crate) tried: BTreeSet<(CellKey, u64)>,
    /// The last revision of each cell that it said it took, to somebody who lived.
    pub(crate) accepted: BTreeMap<CellKey, u64>,
    /// What it showed of each cell that was ever wanted, the last time it was asked.
    pub(crate) last_read: BTreeMap<CellKey, Option<Decimal>>,
    /// Every value that it ever showed.
    pub(crate) shown: BTreeSet<(CellKey, Decimal)>,
    pub(crate) known: BTreeSet<CellKey>,
    /// Effects in order: cell, revision, attempt.
    pub(crate) effects: Vec<(CellKey, u64, String)>,
    /// Jobs that run: questions that are left, and how they end.
    pub(crate) jobs: BTreeMap<String, (u32, Ending)>,
    /// It can't tell what became of an attempt, nor for so long.
    pub(crate) unclear_for: Duration,
    /// It can't tell what became of an attempt.
    pub(crate) forgets: bool,
    /// Most jobs that ran at once.
    pub(crate) busiest: usize,
    /// How many attempts had begun when it first said that nobody may go on.
    pub(crate) stopped_after: Option<usize>,
    /// Resources of which it refuses every row.
    pub(crate) refuses: BTreeSet<String>,
    pub(crate) reads: u64,
    pub(crate) reads_fail: bool,
}

impl Inside {
    /// Writes down what comes; what goes wrong with it.
    fn begin(&mut self, id: &str, batch: &Batch) -> Fault {
        self.pushed.push(id.to_owned());
        self.submitted.insert(id.to_owned(), batch.recorded().clone());
        for cell in batch.cells() {
            self.sent.insert(cell.key.clone(), cell.revision);
            self.tried.insert((cell.key.clone(), cell.revision));
        }
        self.faults.pop_front().unwrap_or(Fault::None)
    }

    /// Writes down what it says that it took.
    fn say(&mut self, batch: &Batch, rows: &[RowOutcome]) {
        for (cell, row) in batch.cells().iter().zip(rows) {
            if *row == RowOutcome::Accepted {
                self.accepted.insert(cell.key.clone(), cell.revision);
            }
        }
    }
}

/// The target.
#[derive(Debug, Clone)]
pub(crate) struct Fake {
    info: Arc<Info>,
    clock: VirtualClock,
    inside: Arc<Mutex<Inside>>,
}

impl Fake {
    pub(crate) fn new(
        clock: &VirtualClock,
        measures: Vec<MeasureDecl>,
        cells_per_batch: usize,
    ) -> Self {
        let cost = Cost {
            overhead_requests: 2,
            overhead_ms: 100,
            cells_per_request: 4,
            groups_per_request: usize::MAX,
            request_ms: 50,
            cell_us: 1_000,
            parallel_requests: 1,
            cells_per_read: 1_000,
            read_ms: 80,
            parallel_reads: 1,
        };
        let info = Info {
            name: "fake",
            target: "plan".into(),
            address: "here".into(),
            capabilities: Capabilities {
                cells_per_batch,
                groups_per_batch: usize::MAX,
                uniform_batches: false,
                measures,
                names_rejected_rows: true,
                tells: true,
                lists_master_data: true,
                takes_from: None,
                side_by_side: 4,
                cost,
                carriage: Carriage::plain(""),
            },
            grades: Vec::new(),
            sheet: Vec::new(),
            agreement: None,
        };
        let inside = Arc::new(Mutex::new(Inside::default()));
        Self { info: Arc::new(info), clock: clock.clone(), inside }
    }

    /// The same, with requests that hold one place each.
    pub(crate) fn by_place(&mut self) {
        Arc::make_mut(&mut self.info).capabilities.carriage.together = Together::Place;
    }

    pub(crate) fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take_effect(&self, batch: &RecordedBatch, id: &str, drop: Option<usize>) {
        let mut inside = self.inside();
        inside.effective.insert(id.to_owned());
        for (place, cell) in batch.cells().iter().enumerate() {
            let refused = inside.refuses.contains(cell.key.resource.as_str());
            if refused || drop.is_some_and(|every| place % every == 0) {
                continue;
            }
            inside.cells.insert(cell.key.clone(), cell.value);
            inside.effects.push((cell.key.clone(), cell.revision, id.to_owned()));
        }
    }

    /// One question about a job.
    fn work(&self, id: &str, batch: &RecordedBatch) -> Option<Poll> {
        let (left, ending) = *self.inside().jobs.get(id)?;
        if left > 0 {
            self.inside().jobs.insert(id.to_owned(), (left - 1, ending));
            return Some(Poll::Running { state: "IMPORTING".into() });
        }
        let sent: Vec<_> = self.inside().submitted[id].cells().to_vec();
        assert_eq!(batch.cells(), sent, "the batch, as it went out");
        if ending != Ending::Fails && !self.inside().effective.contains(id) {
            let drop = (ending != Ending::Takes).then_some(sent.len());
            self.take_effect(batch, id, drop);
        }
        let mut end = PushOutcome::new(self.receipt(id), vec![RowOutcome::Unproven; sent.len()]);
        match ending {
            Ending::Takes => end.rows.fill(RowOutcome::Accepted),
            Ending::Rejects => end.rows[0] = rejected(),
            Ending::Counts => end.refused_unnamed = 1,
            Ending::Fails => {
                end.failed = true;
                end.receipt.verdict = "FAILED: the area is locked".into();
            }
        }
        Some(Poll::Done(end))
    }

    fn receipt(&self, id: &str) -> Receipt {
        Receipt { handle: format!("tx-{id}"), verdict: "PROCESSED".into(), at: self.clock.now() }
    }
}

fn rejected() -> RowOutcome {
    RowOutcome::Rejected(Rejection {
        reason: "resource unknown".into(),
        vendor_code: Some("E1".into()),
        cure: "load the master data".into(),
    })
}

fn error(sent: Sent) -> ConnectorError {
    ConnectorError::new(Class::Transient { sent }, "push batch", "connection reset")
}

impl Connector for Fake {
    fn info(&self) -> &Info {
        &self.info
    }

    fn discover(&self) -> BoxFuture<'_, Result<Discovery, ConnectorError>> {
        Box::pin(async { Err(error(Sent::No)) })
    }

    fn submit<'a>(
        &'a self,
        batch: &'a Batch,
        attempt: &'a Attempt,
    ) -> BoxFuture<'a, Result<Submission, ConnectorError>> {
        Box::pin(async move {
            let id = attempt.id().as_str().to_owned();
            attempt.note("transaction", &id)?;
            let fault = self.inside().begin(&id, batch);
            let rows = |row: RowOutcome| vec![row; batch.cells().len()];
            let mut rows = rows(RowOutcome::Accepted);
            match fault {
                Fault::None => self.take_effect(batch.recorded(), &id, None),
                Fault::Drop(every) => self.take_effect(batch.recorded(), &id, Some(every)),
                Fault::Reject => {
                    self.take_effect(batch.recorded(), &id, Some(batch.cells().len()));
                    rows[0] = rejected();
                }
                Fault::Silent => {
                    self.take_effect(batch.recorded(), &id, None);
                    rows[1..].fill(RowOutcome::Unproven);
                }
                Fault::Slow(cells_a_second) => {
                    let cells = u64::try_from(batch.cells().len()).unwrap();
                    let takes = Duration::from_secs(cells.div_ceil(cells_a_second));
                    self.inside().faults.push_front(fault);
                    self.clock.sleep(takes).await;
                    self.take_effect(batch.recorded(), &id, None);
                }
                Fault::Works(polls, ending) => {
                    let mut inside = self.inside();
                    inside.jobs.insert(id, (polls, ending));
                    let running = inside.jobs.values().filter(|(left, _)| *left > 0).count();
                    inside.busiest = inside.busiest.max(running);
                    return Ok(Submission::Submitted);
                }
                Fault::Stops(seconds, class) => {
                    self.clock.sleep(Duration::from_secs(seconds)).await;
                    let mut inside = self.inside();
                    let begun = inside.pushed.len();
                    inside.stopped_after.get_or_insert(begun);
                    return Err(ConnectorError::new(class, "push batch", "no").took_nothing());
                }
                Fault::NotSent => return Err(error(Sent::No)),
                Fault::Before => return Err(error(Sent::Maybe)),
                Fault::After => {
                    self.take_effect(batch.recorded(), &id, None);
                    return Err(error(Sent::Maybe));
                }
                Fault::HangBefore | Fault::HangAfter => {
                    if fault == Fault::HangAfter {
                        self.take_effect(batch.recorded(), &id, None);
                    }
                    self.clock.sleep(Duration::from_hours(10_000)).await;
                    return Err(error(Sent::Maybe));
                }
            }
            let mut inside = self.inside();
            for (row, cell) in rows.iter_mut().zip(batch.cells()) {
                if inside.refuses.contains(cell.key.resource.as_str()) {
                    *row = rejected();
                }
            }
            inside.say(batch, &rows);
            Ok(Submission::Done(PushOutcome::new(self.receipt(&id), rows)))
        })
    }

    fn poll<'a>(
        &'a self,
        attempt: &'a AttemptRecord,
        batch: &'a RecordedBatch,
    ) -> BoxFuture<'a, Result<Poll, ConnectorError>> {
        Box::pin(async move {
            let id = attempt.id.as_str();
            if let Some(answer) = self.work(id, batch) {
                return Ok(answer);
            }
            let inside = self.inside();
            Ok(if inside.forgets {
                Poll::Unknown { until: self.clock.now() + inside.unclear_for }
            } else if inside.effective.contains(id) {
                assert_eq!(attempt.notes.get("transaction").map(String::as_str), Some(id));
                let sent: Vec<_> = inside.submitted[id].cells().to_vec();
                assert_eq!(batch.cells(), sent, "the batch, as it went out");
                let rows = vec![RowOutcome::Unproven; sent.len()];
                Poll::Done(PushOutcome::new(self.receipt(id), rows))
            } else {
                Poll::NotTaken { why: "no such transaction".to_owned() }
            })
        })
    }

    fn read<'a>(
        &'a self,
        selection: &'a Selection,
    ) -> BoxFuture<'a, Result<Vec<SeenCell>, ConnectorError>> {
        Box::pin(async move {
            let mut inside = self.inside();
            inside.reads += 1;
            if inside.reads_fail {
                return Err(error(Sent::No));
            }
            let asked: Vec<CellKey> =
                inside.known.iter().filter(|key| selection.contains(key)).cloned().collect();
            for key in asked {
                let value = inside.cells.get(&key).copied();
                inside.shown.extend(value.map(|value| (key.clone(), value)));
                inside.last_read.insert(key, value);
            }
            let held = inside.cells.iter().filter(|(key, _)| selection.contains(key));
            Ok(held.map(|(key, v)| SeenCell { key: key.clone(), value: Some(*v) }).collect())
        })
    }

    fn pack(&self, cells: &[CellWrite]) -> Result<Vec<PackFile>, ConnectorError> {
        let rows: Vec<String> = cells.iter().map(|c| format!("{};{}\n", c.key, c.value)).collect();
        let bytes = rows.concat().into_bytes();
        Ok(vec![PackFile { name: "cells.csv".into(), bytes, rows: rows.len() }])
    }
}
