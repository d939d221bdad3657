//! Leaves a target alone that is down.
//!
//! Each operation of a target has a breaker of its own: who can't be written may
//! well be read. Closed: requests go through, and consecutive transient ends are
//! counted. Open: nobody asks for a while. Half-open: exactly one may try.
//! Bad rows, throttling, credentials and drift never count: a target that
//! says no is not down.
//!
//! What is counted is kept for the process after this one, before it is acted on: a
//! program that is started every few minutes would otherwise ask a target that is
//! down with each start, and never count far enough to leave it alone.

mod book;

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jiff::Timestamp;

pub(crate) use self::book::left_alone;
pub use self::book::{BreakerBook, Breakers};
use crate::{Class, ConnectorError, table::treatment};

/// When to open, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BreakerPolicy {
    /// Transient ends in a row that open it; at least 1.
    pub failures: u32,
    /// How long it stays open.
    pub open_for: Duration,
}

impl Default for BreakerPolicy {
    fn default() -> Self {
        Self { failures: 5, open_for: Duration::from_secs(60) }
    }
}

impl BreakerPolicy {
    /// Until when it is open that opens at `now`.
    fn from(&self, now: Timestamp) -> Timestamp {
        now.saturating_add(self.open_for).unwrap_or(Timestamp::MAX)
    }
}

/// What is asked of a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operation {
    /// Cells are read.
    Read,
    /// A batch is written.
    Write,
    /// A job is asked how far it is.
    Poll,
}

impl Operation {
    /// Every one.
    pub const ALL: [Self; 3] = [Self::Read, Self::Write, Self::Poll];

    /// Its word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Poll => "poll",
        }
    }
}

/// How a breaker stands, for whoever looks at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BreakerStanding {
    /// Requests go through.
    Closed,
    /// Nobody asks.
    Open,
    /// One request finds out whether the target is back.
    HalfOpen,
}

impl BreakerStanding {
    /// Every one, in the order in which a breaker goes through them.
    pub const ALL: [Self; 3] = [Self::Closed, Self::Open, Self::HalfOpen];

    /// Its word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half_open",
        }
    }
}

/// What is kept of a breaker: enough for the next process to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Kept {
    /// Transient ends in a row so far.
    pub failures: u32,
    /// Until when nobody asks; none while it is closed. Past that instant one
    /// request finds out, and whoever sends it writes another instant first.
    pub open_until: Option<Timestamp>,
}

impl Kept {
    /// The same, as it counts at `now`. A wall clock that was set back adds nothing to
    /// the wait.
    #[must_use]
    pub fn judged(self, now: Timestamp, policy: &BreakerPolicy) -> Self {
        Self { open_until: self.open_until.map(|until| until.min(policy.from(now))), ..self }
    }

    /// How a breaker of which this was kept stands at `now`.
    #[must_use]
    pub fn standing(&self, now: Timestamp) -> BreakerStanding {
        match self.open_until {
            None => BreakerStanding::Closed,
            Some(until) if now < until => BreakerStanding::Open,
            Some(_) => BreakerStanding::HalfOpen,
        }
    }
}

/// Where breakers are kept. Durable when the function returns.
pub trait BreakerMemory: Send + Sync + fmt::Debug {
    /// Keeps how the breaker of an operation of a target stands; what was kept
    /// before is replaced. What can't be kept is told in the log: the breaker
    /// works on, and only a restart would forget it.
    fn keep(&self, target: &str, operation: Operation, kept: Kept);
}

/// The breaker of one operation of a target, shared by all that ask.
#[derive(Debug)]
pub struct Breaker {
    policy: BreakerPolicy,
    operation: Operation,
    /// Of which target it is kept, and where.
    memory: Option<(String, Arc<dyn BreakerMemory>)>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    kept: Kept,
    probing: bool,
}

impl Breaker {
    const fn new(
        policy: BreakerPolicy,
        operation: Operation,
        kept: Kept,
        memory: Option<(String, Arc<dyn BreakerMemory>)>,
    ) -> Self {
        Self { policy, operation, memory, state: Mutex::new(State { kept, probing: false }) }
    }

    /// May a request start at `now`?
    ///
    /// # Errors
    /// How long to leave the target alone.
    pub fn admit(&self, now: Timestamp) -> Result<Permit<'_>, Duration> {
        let mut state = self.lock();
        let judged = state.kept.judged(now, &self.policy);
        self.set(&mut state, judged);
        let Kept { failures, open_until: Some(until) } = judged else {
            return Ok(Permit { breaker: self, probe: None, told: false });
        };
        // Somebody is finding out; nobody knows for how long.
        if state.probing {
            return Err(self.policy.open_for);
        }
        if now < until {
            return Err(until.duration_since(now).unsigned_abs());
        }
        // Should this process die meanwhile, the next one waits as long again.
        let again = Kept { failures, open_until: Some(self.policy.from(now)) };
        self.set(&mut state, again);
        state.probing = true;
        drop(state);
        Ok(Permit { breaker: self, probe: Some(until), told: false })
    }

    /// How it stands at `now`. Asking changes nothing.
    #[must_use]
    pub fn standing(&self, now: Timestamp) -> BreakerStanding {
        let state = self.lock();
        if state.probing { BreakerStanding::HalfOpen } else { state.kept.standing(now) }
    }

    /// Writes down what changed, before anybody acts on it.
    fn set(&self, state: &mut State, kept: Kept) {
        if state.kept == kept {
            return;
        }
        state.kept = kept;
        if let Some((target, memory)) = &self.memory {
            memory.keep(target, self.operation, kept);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One request that may start. Say how it ended; a permit that is dropped says
/// nothing, and frees its probe.
#[derive(Debug)]
pub struct Permit<'a> {
    breaker: &'a Breaker,
    /// Until when the breaker was open, where this one finds out.
    probe: Option<Timestamp>,
    told: bool,
}

impl Permit<'_> {
    /// The request ended with `answer` at `now`.
    pub fn ended<T>(self, answer: &Result<T, ConnectorError>, now: Timestamp) {
        match answer {
            Ok(_) => self.succeeded(),
            Err(error) => self.failed(error.class, now),
        }
    }

    /// The target did what it was asked.
    pub fn succeeded(mut self) {
        self.told = true;
        let mut state = self.breaker.lock();
        // What began before it opened says nothing about now.
        if self.probe.is_some() || state.kept.open_until.is_none() {
            self.breaker.set(&mut state, Kept::default());
        }
        state.probing &= self.probe.is_none();
    }

    /// The request ended with `class` at `now`.
    pub fn failed(mut self, class: Class, now: Timestamp) {
        if !treatment(class).counts_on_breaker {
            return;
        }
        self.told = true;
        let mut state = self.breaker.lock();
        if self.probe.is_none() && state.kept.open_until.is_some() {
            // Started before it opened: it tells nothing new.
            return;
        }
        let failures = state.kept.failures.saturating_add(1);
        let opens = self.probe.is_some() || failures >= self.breaker.policy.failures;
        let open_until = opens.then(|| self.breaker.policy.from(now));
        self.breaker.set(&mut state, Kept { failures, open_until });
        state.probing &= self.probe.is_none();
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        if let (Some(until), false) = (self.probe, self.told) {
            let mut state = self.breaker.lock();
            let failures = state.kept.failures;
            self.breaker.set(&mut state, Kept { failures, open_until: Some(until) });
            state.probing = false;
        }
    }
}

#[cfg(test)]
mod tests;
