//! The durable attempt log: the push stack's memory is the ledger.

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use planthread_contracts::CellKey;
use planthread_kit::{
    Attempt, AttemptEnd, AttemptId, AttemptLog, AttemptRecord, Batch, Class, Clock, ConnectorError,
    NoteError, NoteSink, RecordedBatch, Sent,
};

use crate::{
    EngineError, State,
    ledger::attempts::{self, Opened},
    plan::Policy,
};

/// Keeps attempts and notes in the ledger; everything is on the disk when it
/// returns.
#[derive(Debug)]
pub struct DurableLog {
    sink: Arc<Notes>,
    clock: Arc<dyn Clock>,
    plan: Option<(String, Policy)>,
    moved: Mutex<Vec<CellKey>>,
    stop: Stop,
}

/// Shared by the slots of one plan: once one of them was stopped, none begins
/// another attempt.
#[derive(Debug, Clone, Default)]
pub(super) struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Stops all slots.
    pub(super) fn set(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// Whether one was stopped.
    pub(super) fn is_set(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

#[derive(Debug)]
struct Notes {
    state: Arc<State>,
}

impl DurableLog {
    /// A log of attempts that there are already: it opens none.
    #[must_use]
    pub fn new(state: Arc<State>, clock: Arc<dyn Clock>) -> Self {
        let (moved, stop) = (Mutex::default(), Stop::default());
        Self { sink: Arc::new(Notes { state }), clock, plan: None, moved, stop }
    }

    /// A log for attempts that serve the plan with digest `plan`, under its policy.
    #[must_use]
    pub fn of_plan(state: Arc<State>, clock: Arc<dyn Clock>, plan: &str, policy: Policy) -> Self {
        Self { plan: Some((plan.to_owned(), policy)), ..Self::new(state, clock) }
    }

    /// The same log, which opens no attempt once `stop` is set.
    pub(super) fn until(self, stop: Stop) -> Self {
        Self { stop, ..self }
    }

    /// Cells because of which no attempt was opened, since this was last asked.
    pub(super) fn take_moved(&self) -> Vec<CellKey> {
        std::mem::take(&mut *self.moved())
    }

    fn moved(&self) -> MutexGuard<'_, Vec<CellKey>> {
        self.moved.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn fatal(operation: &'static str) -> impl FnOnce(EngineError) -> ConnectorError {
    move |error| ConnectorError::new(Class::Fatal, operation, error.to_string()).caused_by(error)
}

impl AttemptLog for DurableLog {
    fn open(&self, batch: &Batch) -> Result<Attempt, ConnectorError> {
        let Some((plan, policy)) = &self.plan else {
            let text = "attempts are opened for a plan, and there is none";
            return Err(ConnectorError::new(Class::Fatal, "open attempt", text));
        };
        if self.stop.is_set() {
            let (class, text) =
                (Class::Transient { sent: Sent::No }, "a batch beside it was stopped");
            return Err(ConnectorError::new(class, "open attempt", text).took_nothing());
        }
        let id = AttemptId::draw(self.clock.as_ref());
        let (plan, policy) = (plan.clone(), policy.at(self.clock.now()));
        let (batch, hex) = (batch.shared(), id.clone());
        let opened = self.sink.state.change(move |tx| {
            match attempts::open(tx, &hex, &plan, batch.cells(), &policy)? {
                Opened::Yes => Ok(()),
                // Nothing of it may stay: the error rolls the job back.
                Opened::Moved(moved) => Err(EngineError::Moved(moved)),
            }
        });
        match opened {
            Ok(()) => Ok(Attempt::new(id, Arc::clone(&self.sink) as Arc<dyn NoteSink>)),
            Err(EngineError::Moved(cells)) => {
                let message = format!("{} cells have moved since the plan", cells.len());
                *self.moved() = cells;
                Err(ConnectorError::new(Class::Fatal, "open attempt", message))
            }
            Err(error) => Err(fatal("open attempt")(error)),
        }
    }

    fn close(&self, id: &AttemptId, end: &AttemptEnd) -> Result<(), ConnectorError> {
        let (id, end, now) = (id.clone(), end.clone(), self.clock.now());
        self.sink
            .state
            .change(move |tx| attempts::close(tx, &id, &end, now))
            .map_err(fatal("close attempt"))
    }

    fn record(&self, id: &AttemptId) -> Result<AttemptRecord, ConnectorError> {
        let read = |reader: crate::Reader| reader.db().notes(id);
        let notes = self.sink.state.reader().and_then(read).map_err(fatal("read attempt"))?;
        Ok(AttemptRecord { id: id.clone(), notes })
    }

    fn batch(&self, id: &AttemptId) -> Result<RecordedBatch, ConnectorError> {
        let read = |reader: crate::Reader| reader.db().batch(id);
        self.sink.state.reader().and_then(read).map_err(fatal("read attempt"))
    }
}

impl NoteSink for Notes {
    fn note(&self, attempt: &AttemptId, key: &str, value: &str) -> Result<(), NoteError> {
        let (id, key, value) = (attempt.clone(), key.to_owned(), value.to_owned());
        Ok(self.state.change(move |tx| attempts::note(tx, &id, &key, &value))?)
    }
}
