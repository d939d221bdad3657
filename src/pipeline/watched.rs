//! A connector that is watched: it does what its own does, and writes on the
//! board how far that is.

use std::sync::{Mutex, MutexGuard, PoisonError};

use planthread_contracts::{CellKey, SeenCell};
use planthread_engine::plan::Prediction;
use planthread_kit::{
    Attempt, AttemptRecord, Batch, BoxFuture, CellWrite, Class, Connector, ConnectorError,
    Discovery, Info, PackFile, Poll, RecordedBatch, Selection, Sent, Submission,
};

use super::Entry;
use crate::report::paper::count;

/// Nobody knows whether the target took what was sent.
const UNCLEAR: Class = Class::Transient { sent: Sent::Maybe };

/// The connector of a target, with a line of the board.
#[derive(Debug)]
pub(super) struct Watched<'a> {
    inner: &'a dyn Connector,
    doing: Entry,
    /// Batches that the plan has.
    batches: u64,
    so_far: Mutex<SoFar>,
}

#[derive(Debug, Default)]
struct SoFar {
    batches: u64,
    cells: usize,
    /// The first cell of the batch that is out: a second try is no second batch.
    first: Option<CellKey>,
    read: u64,
    /// Why nobody knows what became of the batch that is out; empty where it is
    /// known.
    unclear: String,
}

impl<'a> Watched<'a> {
    /// Watches what `inner` reads, and what becomes of earlier pushes.
    pub(super) fn new(inner: &'a dyn Connector, doing: Entry) -> Self {
        Self::sending(inner, doing, Prediction::default())
    }

    /// Watches what `inner` sends of a plan that is expected to take so long.
    pub(super) fn sending(inner: &'a dyn Connector, doing: Entry, expected: Prediction) -> Self {
        if expected.write_ms > 0 {
            doing.expected(expected.write_ms);
        }
        Self { inner, doing, batches: expected.batches, so_far: Mutex::default() }
    }

    fn so_far(&self) -> MutexGuard<'_, SoFar> {
        self.so_far.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn began(&self, batch: &Batch) {
        let mut so_far = self.so_far();
        let first = batch.cells().first().map(|cell| &cell.key);
        let again = so_far.first.as_ref() == first;
        if !again {
            so_far.batches += 1;
            so_far.first = first.cloned();
        }
        so_far.cells = batch.cells().len();
        so_far.unclear.clear();
        let (at, planned) = (so_far.batches, self.batches);
        drop(so_far);
        self.doing.at(at, (planned >= at).then_some(planned), "batch");
        self.state(if again { "going out again" } else { "going out" });
    }

    /// Writes what the batch that is out is waiting for.
    fn state(&self, state: &str) {
        let so_far = self.so_far();
        let (cells, unclear) = (so_far.cells, so_far.unclear.clone());
        drop(so_far);
        let cells = if cells > 0 { format!("{}, ", count(cells, "cell")) } else { String::new() };
        self.doing.note(format!("{cells}{state}{unclear}"));
    }
}

impl Connector for Watched<'_> {
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
        self.began(batch);
        Box::pin(async move {
            let submitted = self.inner.submit(batch, attempt).await;
            match &submitted {
                Ok(Submission::Submitted) => self.state("the target works on them"),
                Err(error) if error.class == UNCLEAR => {
                    self.so_far().unclear = format!("; unclear since: {}", error.message);
                    self.state("the target is asked what it took");
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
            if let Ok(Poll::Running { state }) = &answer {
                self.state(&format!("the target says {state}"));
            }
            answer
        })
    }

    fn read<'a>(
        &'a self,
        selection: &'a Selection,
    ) -> BoxFuture<'a, Result<Vec<SeenCell>, ConnectorError>> {
        Box::pin(async move {
            let read = self.inner.read(selection).await?;
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
