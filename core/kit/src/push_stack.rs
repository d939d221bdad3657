//! The push stack: one function around a connector's `submit` and `poll`.
//!
//! Trace, deadline, breaker, wait, retry after settle. It knows no quota (every
//! request has that) and no fallback (the engine reads the end). Its rule: an
//! attempt is durable before it starts, and nothing is sent again before the
//! target said what became of the attempt before.
//!
//! A push is a durable job. Whoever waits here may stop at any moment by
//! dropping the future: the attempt stays open, and another process polls on
//! with [`PushStack::settle`].

mod terms;

use std::time::Duration;

use futures_util::future::{Either, select};
use jiff::Timestamp;
use planthread_contracts::RowOutcome;
use tracing::Instrument as _;

pub use self::terms::{AttemptEnd, AttemptLog, PushEnd, PushPolicy, Settled};
use crate::{
    Attempt, AttemptId, AttemptRecord, Batch, Breakers, Class, Clock, Connector, ConnectorError,
    Operation, Poll, PushOutcome, RecordedBatch, Sent, Submission,
    breaker::left_alone,
    table::{Retry, treatment},
};

/// What stands around one target's connector.
#[derive(Debug, Clone, Copy)]
pub struct PushStack<'a> {
    /// The target.
    pub connector: &'a dyn Connector,
    /// Where attempts are kept.
    pub log: &'a dyn AttemptLog,
    /// How often and how long.
    pub policy: &'a PushPolicy,
    /// The target's breakers.
    pub breakers: &'a Breakers,
    /// Time.
    pub clock: &'a dyn Clock,
}

impl PushStack<'_> {
    /// Pushes `batch` until its end is known, or waiting is somebody else's.
    pub async fn push(&self, batch: &Batch) -> PushEnd {
        let target = &self.connector.info().target;
        let span = tracing::info_span!("push", %target, scope = batch.scope().name(),
            rows = batch.cells().len());
        let started = self.clock.now();
        async {
            let end = self.attempts(batch, started).await;
            trace(&end, self.since(started));
            end
        }
        .instrument(span)
        .await
    }

    /// Breaker, attempt, and what its class leads to, again and again.
    async fn attempts(&self, batch: &Batch, started: Timestamp) -> PushEnd {
        if batch.cells().is_empty() {
            return PushEnd::Empty;
        }
        let mut attempts = 0;
        loop {
            let permit = match self.breakers.admit(Operation::Write, self.clock.now()) {
                Ok(permit) => permit,
                Err(left) => return parked_by_breaker(left),
            };
            let attempt = match self.log.open(batch) {
                Ok(attempt) => attempt,
                Err(error) => return PushEnd::Parked { error, after: None, open: None },
            };
            let (submitted, late) = self.submit(batch, &attempt).await;
            // What a job takes and how it ends says nothing about whether the target
            // takes batches.
            permit.ended(&submitted, self.clock.now());
            attempts += 1;
            let id = attempt.id();
            let again = match self.ended(batch, id, submitted, attempts).await {
                Ok(again) if late => return PushEnd::TooLarge { error: again.error },
                Ok(again) => again,
                Err(end) => return *end,
            };
            let elapsed = self.since(started);
            if attempts >= self.policy.attempts
                || elapsed.saturating_add(again.wait) > self.policy.budget
            {
                let error = again.error;
                let after = matches!(error.class, Class::Throttled { .. }).then_some(again.wait);
                return PushEnd::Parked { error, after, open: None };
            }
            self.clock.sleep(again.wait).await;
        }
    }

    /// One attempt, within its deadline; and whether it missed that.
    async fn submit(
        &self,
        batch: &Batch,
        attempt: &Attempt,
    ) -> (Result<Submission, ConnectorError>, bool) {
        let limit = self.policy.submit_limit;
        match select(self.connector.submit(batch, attempt), self.clock.sleep(limit)).await {
            Either::Left((result, _)) => (result, false),
            Either::Right(_) => {
                let message = format!("the target did not take it within {} s", limit.as_secs());
                (Err(ConnectorError::new(UNCLEAR, "submit batch", message)), true)
            }
        }
    }

    /// Follows one attempt to its end. `Ok` says that nothing of it took
    /// effect, and how another one may follow.
    async fn ended(
        &self,
        batch: &Batch,
        id: &AttemptId,
        submitted: Result<Submission, ConnectorError>,
        attempts: u32,
    ) -> Result<Again, Box<PushEnd>> {
        let backoff = || self.policy.backoff.wait(attempts - 1, self.clock);
        let (settled, error) = match submitted {
            Ok(Submission::Done(outcome)) => (self.close(id, batch, outcome), None),
            Ok(Submission::Submitted) => {
                // No job has ended when it was just begun: asked at once it
                // would only cost a request.
                let first = self.policy.poll_every;
                (self.follow(id, batch.recorded(), first).await, None)
            }
            Err(error) if matches!(treatment(error.class).retry, Retry::AfterSettle) => {
                // Asking may take minutes: the reason is said before.
                tracing::warn!(attempt = %id, %error, "unclear: the target is asked");
                (self.follow(id, batch.recorded(), Duration::ZERO).await, Some(error))
            }
            Err(error) => return self.after_refusal(id, error, backoff()),
        };
        match settled {
            Settled::Done(outcome) => Err(Box::new(PushEnd::Done { attempt: id.clone(), outcome })),
            Settled::NotTaken { why } => {
                let error = error.unwrap_or_else(|| not_taken(why));
                Ok(Again { wait: backoff(), error })
            }
            Settled::Unknown { .. } => {
                let error = error.unwrap_or_else(|| unclear("the target can't tell how it ended"));
                Err(Box::new(PushEnd::Unproven { attempt: id.clone(), error }))
            }
            Settled::Open(reason) => open(id, reason),
        }
    }

    /// Closes an attempt that failed and needs no question, as its class
    /// demands. Where a person has to act first there is no next one; its cells
    /// are only bound to it while some of them may have taken effect.
    fn after_refusal(
        &self,
        id: &AttemptId,
        error: ConnectorError,
        backoff: Duration,
    ) -> Result<Again, Box<PushEnd>> {
        let wait = match treatment(error.class).retry {
            Retry::NextWalk => None,
            Retry::Never if error.took_nothing => None,
            Retry::Never => return open(id, error),
            Retry::AfterWait(after) => Some(after),
            Retry::AfterBackoff | Retry::AfterSettle => Some(backoff),
        };
        let end = AttemptEnd::NotTaken { reason: error.to_string() };
        if let Err(error) = self.log.close(id, &end) {
            return open(id, error);
        }
        match wait {
            Some(wait) => Ok(Again { wait, error }),
            None => Err(Box::new(PushEnd::Parked { error, after: None, open: None })),
        }
    }

    /// Asks what became of an open attempt until the target knows, at most
    /// `wait_limit`, and closes it. For attempts that an earlier process, or an
    /// earlier wait, left open.
    pub async fn settle(&self, id: &AttemptId) -> Settled {
        match self.log.batch(id) {
            Ok(batch) => self.follow(id, &batch, Duration::ZERO).await,
            Err(error) => Settled::Open(error),
        }
    }

    /// Asks about an open attempt, first after `first`, and closes it.
    async fn follow(&self, id: &AttemptId, batch: &RecordedBatch, first: Duration) -> Settled {
        let settled = match self.log.record(id) {
            Ok(record) => self.ask(&record, batch, first).await,
            Err(error) => Settled::Open(error),
        };
        let end = match &settled {
            Settled::Done(outcome) => AttemptEnd::Done(outcome.clone()),
            Settled::NotTaken { why } => AttemptEnd::NotTaken { reason: why.clone() },
            Settled::Unknown { until } => {
                let reason = "the target can't tell how it ended".to_owned();
                AttemptEnd::Unknown { until: *until, reason }
            }
            Settled::Open(_) => return settled,
        };
        match self.log.close(id, &end) {
            Ok(()) => settled,
            Err(error) => Settled::Open(error),
        }
    }

    /// Polls until the job has ended or the wait is over.
    async fn ask(&self, record: &AttemptRecord, batch: &RecordedBatch, first: Duration) -> Settled {
        let (started, limit) = (self.clock.now(), self.policy.wait_limit);
        let mut wait = first;
        let mut state: Option<String> = None;
        let mut unanswered = 0;
        loop {
            let left = limit.saturating_sub(self.since(started));
            if wait > left {
                return Settled::Open(still_running(state.as_deref(), limit));
            }
            if !wait.is_zero() {
                self.clock.sleep(wait).await;
            }
            let left = limit.saturating_sub(self.since(started));
            let permit = match self.breakers.admit(Operation::Poll, self.clock.now()) {
                Ok(permit) => permit,
                // Not asked is not unanswered.
                Err(alone) => {
                    wait = alone;
                    continue;
                }
            };
            let poll = select(self.connector.poll(record, batch), self.clock.sleep(left));
            let Either::Left((answer, _)) = poll.await else {
                return Settled::Open(still_running(state.as_deref(), limit));
            };
            permit.ended(&answer, self.clock.now());
            wait = match answer {
                Ok(Poll::Done(outcome)) => {
                    return Settled::Done(counted(batch.cells().len(), outcome));
                }
                Ok(Poll::NotTaken { why }) => return Settled::NotTaken { why },
                Ok(Poll::Unknown { until }) => return Settled::Unknown { until },
                Ok(Poll::Running { state: word }) => {
                    tracing::debug!(attempt = %record.id, state = %word, "running");
                    (state, unanswered) = (Some(word), 0);
                    self.policy.poll_every
                }
                Err(error) => {
                    unanswered += 1;
                    match treatment(error.class).retry {
                        Retry::Never | Retry::NextWalk => return Settled::Open(error),
                        _ if unanswered >= self.policy.unanswered => {
                            return Settled::Open(error);
                        }
                        Retry::AfterWait(after) if after > left => return Settled::Open(error),
                        Retry::AfterWait(after) => after,
                        Retry::AfterBackoff | Retry::AfterSettle => {
                            let backoff = self.policy.backoff.wait(unanswered - 1, self.clock);
                            backoff.max(self.policy.poll_every)
                        }
                    }
                }
            };
        }
    }

    fn close(&self, id: &AttemptId, batch: &Batch, outcome: PushOutcome) -> Settled {
        let outcome = counted(batch.cells().len(), outcome);
        match self.log.close(id, &AttemptEnd::Done(outcome.clone())) {
            Ok(()) => Settled::Done(outcome),
            Err(error) => Settled::Open(error),
        }
    }

    fn since(&self, started: Timestamp) -> Duration {
        // A clock that was set back must not stretch a limit: the step counts.
        self.clock.now().duration_since(started).unsigned_abs()
    }
}

const UNCLEAR: Class = Class::Transient { sent: Sent::Maybe };

/// How another attempt may follow one that took no effect.
struct Again {
    wait: Duration,
    /// Why the one before did not take.
    error: ConnectorError,
}

/// The end of a push whose attempt has no end.
fn open<T>(id: &AttemptId, error: ConnectorError) -> Result<T, Box<PushEnd>> {
    let after = match error.class {
        Class::Throttled { after } => Some(after),
        Class::Transient { .. } | Class::NotYet | Class::Auth | Class::Drift | Class::Fatal => None,
    };
    Err(Box::new(PushEnd::Parked { error, after, open: Some(id.clone()) }))
}

/// Where the connector counted wrong, no row may be judged by its place.
fn counted(cells: usize, mut outcome: PushOutcome) -> PushOutcome {
    if outcome.rows.len() != cells {
        tracing::warn!(rows = outcome.rows.len(), cells, "row count");
        outcome.rows = vec![RowOutcome::Unproven; cells];
    }
    outcome
}

fn parked_by_breaker(left: Duration) -> PushEnd {
    let error = left_alone(Operation::Write, left);
    PushEnd::Parked { error, after: Some(left), open: None }
}

fn unclear(message: &str) -> ConnectorError {
    ConnectorError::new(UNCLEAR, "poll attempt", message)
}

fn not_taken(why: String) -> ConnectorError {
    ConnectorError::new(Class::Transient { sent: Sent::No }, "poll attempt", why)
}

fn still_running(state: Option<&str>, limit: Duration) -> ConnectorError {
    let seconds = limit.as_secs();
    let message = match state {
        Some(state) => format!("the target still works on it after {seconds} s ({state})"),
        None => format!("what became of the attempt is still unclear after {seconds} s"),
    };
    unclear(&message).cure("nothing is lost: the attempt stays open, and is asked for again; `planthread attempt list` \
         shows it, and when a person may end it")
}

fn trace(end: &PushEnd, elapsed: Duration) {
    let elapsed_ms = elapsed.as_millis();
    match end {
        PushEnd::Empty => tracing::debug!("empty batch"),
        PushEnd::Done { attempt, outcome } => {
            let count = |wanted: fn(&RowOutcome) -> bool| {
                outcome.rows.iter().filter(|row| wanted(row)).count()
            };
            let accepted = count(|row| matches!(row, RowOutcome::Accepted));
            let rejected = count(|row| matches!(row, RowOutcome::Rejected(_)));
            let (unnamed, failed) = (outcome.refused_unnamed, outcome.failed);
            tracing::info!(%attempt, accepted, rejected, unnamed, failed, elapsed_ms, "done");
        }
        PushEnd::Unproven { attempt, error } => {
            tracing::warn!(%attempt, class = error.class.word(), elapsed_ms, %error, "unproven");
        }
        PushEnd::TooLarge { error } => {
            tracing::warn!(class = error.class.word(), elapsed_ms, %error, "too large");
        }
        PushEnd::Parked { error, after, open } => {
            let open = open.as_ref().map(AttemptId::as_str);
            let class = error.class.word();
            tracing::warn!(class, after = ?after, open, elapsed_ms, %error, "parked");
        }
    }
}

#[cfg(test)]
mod tests;
