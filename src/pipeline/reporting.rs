//! A connector that is watched: it does what its own does, and writes on the
//! board how far that is.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use planthread_contracts::{CellKey, SeenCell};
use planthread_engine::plan::Prediction;
use planthread_kit::{
    Attempt, AttemptRecord, Batch, BoxFuture, CellWrite, Class, Connector, ConnectorError,
    Discovery, Info, PackFile, Poll, RecordedBatch, Selection, Sent, Submission,
};

use super::{Entry, OpenTarget, target::Heard};
use crate::report::text_table::count;

/// Nobody knows whether the target took what was sent.
const UNCLEAR: Class = Class::Transient { sent: Sent::Maybe };

/// The connector of a target, with a line of the board.
#[derive(Debug)]
pub(super) struct Reporting<'a> {
    inner: &'a dyn Connector,
    heard: &'a Heard,
    doing: Entry,
    /// Batches that the plan has.
    batches: u64,
    so_far: Mutex<SoFar>,
}

#[derive(Debug, Default)]
struct SoFar {
    /// Batches that went out, by their first cell: a second try is no second batch.
    /// With why nobody knows what became of one; empty where it is known.
    out: BTreeMap<CellKey, String>,
    read: u64,
}

impl<'a> Reporting<'a> {
    /// Watches what is read of `target`, and what becomes of earlier pushes.
    pub(super) fn new(target: &'a OpenTarget, doing: Entry) -> Self {
        Self::sending(target, doing, Prediction::default())
    }

    /// Watches what is sent of a plan that is expected to take so long.
    pub(super) fn sending(target: &'a OpenTarget, doing: Entry, expected: Prediction) -> Self {
        if expected.write_ms > 0 {
            doing.expected(expected.write_ms);
        }
        let (inner, heard) = (&*target.connector, &*target.heard);
        Self { inner, heard, doing, batches: expected.batches, so_far: Mutex::default() }
    }

    fn so_far(&self) -> MutexGuard<'_, SoFar> {
        self.so_far.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn began(&self, batch: &RecordedBatch) {
        let Some(first) = batch.cells().first() else { return };
        let mut so_far = self.so_far();
        let again = so_far.out.insert(first.key.clone(), String::new()).is_some();
        let at = u64::try_from(so_far.out.len()).unwrap_or(u64::MAX);
        drop(so_far);
        self.doing.at(at, (self.batches >= at).then_some(self.batches), "batch");
        self.state(batch, if again { "going out again" } else { "going out" });
    }

    /// Writes what a batch that is out is waiting for.
    fn state(&self, batch: &RecordedBatch, state: &str) {
        let Some(first) = batch.cells().first() else { return };
        let unclear = self.so_far().out.get(&first.key).cloned().unwrap_or_default();
        let cells = count(batch.cells().len(), "cell");
        self.doing.note(format!("{cells}, {state}{unclear}"));
    }

    /// Keeps why nobody knows what became of a batch.
    fn unclear(&self, batch: &RecordedBatch, why: &str) {
        if let Some(first) = batch.cells().first() {
            let unclear = format!("; unclear since: {why}");
            self.so_far().out.insert(first.key.clone(), unclear);
        }
        self.state(batch, "the target is asked what it took");
    }
}

impl Connector for Reporting<'_> {
    fn info(&self) -> &Info {
        self.inner.info()
    }

    fn discover(&self) -> BoxFuture<'_, Result<Discovery, ConnectorError>> {
        self.inner.discover()
    }

    fn submit<'a>(
        &'a self,
        batch: &'a Batch,
        attempt: &'a Attempt,
    ) -> BoxFuture<'a, Result<Submission, ConnectorError>> {
        self.began(batch.recorded());
        Box::pin(async move {
            let submitted = self.inner.submit(batch, attempt).await;
            self.heard.note("submit", submitted.is_ok());
            match &submitted {
                Ok(Submission::Submitted) => {
                    self.state(batch.recorded(), "the target works on them");
                }
                Err(error) if error.class == UNCLEAR => {
                    self.unclear(batch.recorded(), &error.message);
                }
                Ok(Submission::Done(_)) | Err(_) => {}
            }
            submitted
        })
    }

    fn poll<'a>(
        &'a self,
        attempt: &'a AttemptRecord,
        batch: &'a RecordedBatch,
    ) -> BoxFuture<'a, Result<Poll, ConnectorError>> {
        Box::pin(async move {
            let answer = self.inner.poll(attempt, batch).await;
            self.heard.note("poll", answer.is_ok());
            if let Ok(Poll::Running { state }) = &answer {
                self.state(batch, &format!("the target says {state}"));
            }
            answer
        })
    }

    fn read<'a>(
        &'a self,
        selection: &'a Selection,
    ) -> BoxFuture<'a, Result<Vec<SeenCell>, ConnectorError>> {
        Box::pin(async move {
            let read = self.inner.read(selection).await;
            self.heard.note("read", read.is_ok());
            let read = read?;
            let mut so_far = self.so_far();
            so_far.read += u64::try_from(read.len()).unwrap_or(u64::MAX);
            let cells = so_far.read;
            drop(so_far);
            self.doing.at(cells, None, "cell");
            Ok(read)
        })
    }

    fn pack(&self, cells: &[CellWrite]) -> Result<Vec<PackFile>, ConnectorError> {
        self.inner.pack(cells)
    }
}
