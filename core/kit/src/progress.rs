//! What a push is doing, told while it does it.
//!
//! A job of a target may run for hours. Whoever shows something to people, or
//! writes a log, is told at least every second what is waited for.

use std::{fmt, time::Duration};

/// What a batch is expected to be: its place in the plan, and its time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Expected {
    /// Number of the batch in its plan, from 1; 0 for one of an earlier plan.
    pub number: u64,
    /// How long it should take as a whole, where that can be said.
    pub takes: Option<Duration>,
}

/// What is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage<'a> {
    /// The target takes the batch in.
    Submitting,
    /// The target works on it.
    Running {
        /// The target's own word for its state; empty before it said one.
        state: &'a str,
    },
    /// Before another attempt, or another question.
    Waiting {
        /// Why the one before did not do, for people.
        why: &'a str,
    },
}

/// One moment of a push.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment<'a> {
    /// The configured target.
    pub target: &'a str,
    /// Place in the plan, and time.
    pub expected: Expected,
    /// Cells of the batch.
    pub cells: usize,
    /// What is waited for.
    pub stage: Stage<'a>,
    /// Since the push of this batch began.
    pub elapsed: Duration,
}

/// Who is told. It must return at once.
pub trait Progress: Send + Sync + fmt::Debug {
    /// Called when the stage changes, and at least every second.
    fn moment(&self, moment: &Moment<'_>);
}

/// Nobody is told.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unobserved;

impl Progress for Unobserved {
    fn moment(&self, _: &Moment<'_>) {}
}
