//! What a push needs, and how it ends.

use std::{fmt, time::Duration};

use jiff::Timestamp;

use crate::{
    Attempt, AttemptId, AttemptRecord, Backoff, Batch, ConnectorError, PushOutcome, RecordedBatch,
};

/// How often and how long a batch is tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushPolicy {
    /// Most attempts of one batch; at least 1.
    pub attempts: u32,
    /// Waits between them, and between questions that got no answer.
    pub backoff: Backoff,
    /// Longest time until the target has a batch; after it the attempt is
    /// unclear.
    pub submit_limit: Duration,
    /// Wall clock for everything: no new attempt starts after it.
    pub budget: Duration,
    /// Time between two questions about a job of the target.
    pub poll_every: Duration,
    /// Longest time of waiting for one job in one go; after it the attempt
    /// stays open.
    pub wait_limit: Duration,
    /// Most questions in a row that get no answer; after them the attempt stays
    /// open, too.
    pub unanswered: u32,
}

impl Default for PushPolicy {
    fn default() -> Self {
        Self {
            attempts: 4,
            backoff: Backoff { base: Duration::from_secs(2), cap: Duration::from_secs(60) },
            submit_limit: Duration::from_mins(30),
            budget: Duration::from_hours(1),
            poll_every: Duration::from_secs(3),
            wait_limit: Duration::from_mins(30),
            unanswered: 12,
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

    /// What an attempt carried, in the order of its batch.
    ///
    /// # Errors
    /// `Fatal` when it can't be read.
    fn batch(&self, id: &AttemptId) -> Result<RecordedBatch, ConnectorError>;
}

/// How an attempt ended. One that has no end is open: before its cells go out
/// again it must be settled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttemptEnd {
    /// The target ended it; an outcome for each cell.
    Done(PushOutcome),
    /// Nothing of it took or will take effect; its cells may go out again.
    NotTaken {
        /// Why, in words.
        reason: String,
    },
    /// The target can't tell; its cells are unproven until read.
    Unknown {
        /// Before this instant it may still take effect.
        until: Timestamp,
        /// Why it was unclear, in words.
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
    /// The target could not take all of the batch within the submit limit, and
    /// nothing of it took effect: a batch of this size must not be tried again.
    TooLarge {
        /// What was waited for.
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
    /// It has ended; an outcome for each cell.
    Done(PushOutcome),
    /// Nothing of it took or will take effect.
    NotTaken {
        /// How that is known.
        why: String,
    },
    /// The target can't tell; a read-back decides.
    Unknown {
        /// Before this instant it may still take effect.
        until: Timestamp,
    },
    /// Still running, or nobody answers: the attempt stays open.
    Open(ConnectorError),
}
