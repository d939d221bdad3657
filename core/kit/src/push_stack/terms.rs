//! What a push needs, and how it ends.

use std::{fmt, time::Duration};

use planthread_contracts::Receipt;

use crate::{
    Attempt, AttemptId, AttemptRecord, Backoff, Batch, Class, ConnectorError, PushOutcome,
};

/// How often and how long a batch is tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushPolicy {
    /// Most attempts of one batch; at least 1.
    pub attempts: u32,
    /// Waits between them, and between questions that got no answer.
    pub backoff: Backoff,
    /// Longest time of one attempt; after it the attempt is unclear.
    pub attempt_limit: Duration,
    /// Wall clock for everything: no new attempt starts after it.
    pub budget: Duration,
    /// Time between two questions about an unclear attempt.
    pub settle_every: Duration,
    /// Longest time of asking about one attempt.
    pub settle_limit: Duration,
}

impl Default for PushPolicy {
    fn default() -> Self {
        Self {
            attempts: 4,
            backoff: Backoff { base: Duration::from_secs(2), cap: Duration::from_secs(60) },
            attempt_limit: Duration::from_mins(30),
            budget: Duration::from_hours(1),
            settle_every: Duration::from_secs(10),
            settle_limit: Duration::from_mins(15),
        }
    }
}

/// Where attempts are kept. Durable when a function returns.
pub trait AttemptLog: Send + Sync + fmt::Debug {
    /// Draws an id for `batch` and keeps it, with the cells it carries.
    ///
    /// # Errors
    /// `Fatal` when it can't be kept: then nothing is sent.
    fn open(&self, batch: &Batch) -> Result<Attempt, ConnectorError>;

    /// Keeps the end of an open attempt.
    ///
    /// # Errors
    /// `Fatal` when it can't be kept: then the attempt counts as open.
    fn close(&self, id: &AttemptId, end: &AttemptEnd) -> Result<(), ConnectorError>;

    /// An attempt with its notes.
    ///
    /// # Errors
    /// `Fatal` when it can't be read.
    fn record(&self, id: &AttemptId) -> Result<AttemptRecord, ConnectorError>;
}

/// How an attempt ended. One that has no end is open: before its cells go out
/// again it must be settled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttemptEnd {
    /// The connector reported an outcome for each cell.
    Done(PushOutcome),
    /// Settled: the target processed it. Its cells are unproven until read.
    Landed(Receipt),
    /// Nothing of it took or will take effect; its cells may go out again.
    NotTaken {
        /// Why.
        class: Class,
        /// Why, in words.
        reason: String,
    },
    /// The target can't tell; its cells are unproven until read.
    Unknown {
        /// Why it was unclear.
        class: Class,
        /// Why, in words.
        reason: String,
    },
}

/// How a push ended.
#[derive(Debug, Clone)]
pub enum PushEnd {
    /// The batch was empty; nothing was sent.
    Empty,
    /// The target took the batch; one outcome for each cell.
    Done {
        /// The attempt that it took.
        attempt: AttemptId,
        /// What became of each cell.
        outcome: PushOutcome,
    },
    /// Only a read-back can tell. Never sent again before it.
    Unproven {
        /// The attempt in question.
        attempt: AttemptId,
        /// What made it unclear.
        error: ConnectorError,
    },
    /// Nothing more is sent now; nothing is dropped.
    Parked {
        /// Why; its class stands for the exit code.
        error: ConnectorError,
        /// When it makes sense to come back, if that is known.
        after: Option<Duration>,
        /// An attempt without an end: [`crate::PushStack::settle`] it before its cells go out again.
        open: Option<AttemptId>,
    },
}

/// What asking about an attempt led to.
#[derive(Debug, Clone)]
pub enum Settled {
    /// The target processed it; a read-back tells which cells.
    Landed(Receipt),
    /// Nothing of it took or will take effect.
    NotTaken,
    /// The target can't tell; a read-back decides.
    Unknown,
    /// Still running, or nobody answers: the attempt stays open.
    Open(ConnectorError),
}
