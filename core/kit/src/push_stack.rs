//! The push stack: one function around a connector's `push`.
//!
//! Trace, deadline, breaker, retry after settle. It knows no quota (every
//! request has that) and no fallback (the engine reads the end). Its rule: an
//! attempt is durable before it starts, and nothing is sent again before the
//! target said what became of the attempt before.

mod terms;

use std::time::Duration;

use futures_util::future::{Either, select};
use jiff::Timestamp;
use planthread_contracts::{Receipt, RowOutcome};
use tracing::Instrument as _;

pub use self::terms::{AttemptEnd, AttemptLog, PushEnd, PushPolicy, Settled};
use crate::{
    Attempt, AttemptId, AttemptRecord, Batch, Breaker, Class, Clock, Connector, ConnectorError,
    PushOutcome, Sent, Settlement,
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
    /// The target's breaker.
    pub breaker: &'a Breaker,
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
            let permit = match self.breaker.admit(self.clock.now()) {
                Ok(permit) => permit,
                Err(left) => return parked_by_breaker(left),
            };
            let attempt = match self.log.open(batch) {
                Ok(attempt) => attempt,
                Err(error) => return PushEnd::Parked { error, after: None, open: None },
            };
            let error = match self.once(batch, &attempt).await {
                Ok(outcome) => {
                    permit.succeeded();
                    return self.done(batch, attempt.id(), outcome);
                }
                Err(error) => error,
            };
            permit.failed(error.class, self.clock.now());
            attempts += 1;
            let wait = match self.after_failure(batch, attempt.id(), &error, attempts).await {
                Ok(wait) => wait,
                Err(end) => return *end,
            };
            let elapsed = self.since(started);
            if attempts >= self.policy.attempts || elapsed.saturating_add(wait) > self.policy.budget
            {
                let after = matches!(error.class, Class::Throttled { .. }).then_some(wait);
                return PushEnd::Parked { error, after, open: None };
            }
            self.clock.sleep(wait).await;
        }
    }

    /// One attempt, within its deadline.
    async fn once(&self, batch: &Batch, attempt: &Attempt) -> Result<PushOutcome, ConnectorError> {
        let limit = self.policy.attempt_limit;
        match select(self.connector.push(batch, attempt), self.clock.sleep(limit)).await {
            Either::Left((result, _)) => result,
            Either::Right(_) => {
                let message = format!("no end within {} s", limit.as_secs());
                Err(ConnectorError::new(UNCLEAR, "push batch", message))
            }
        }
    }

    /// Closes a failed attempt as its class demands. `Ok` is the wait before
    /// the next one, and says that nothing of this one took effect. Where a
    /// person has to act first there is no next one; its cells are only bound
    /// to it while some of them may have taken effect.
    async fn after_failure(
        &self,
        batch: &Batch,
        id: &AttemptId,
        error: &ConnectorError,
        attempts: u32,
    ) -> Result<Duration, Box<PushEnd>> {
        let backoff = || self.policy.backoff.wait(attempts - 1, self.clock);
        let open = |error: ConnectorError| {
            let after = match error.class {
                Class::Throttled { after } => Some(after),
                Class::Transient { .. } | Class::Auth | Class::Drift | Class::Fatal => None,
            };
            Err(Box::new(PushEnd::Parked { error, after, open: Some(id.clone()) }))
        };
        let wait = match treatment(error.class).retry {
            Retry::Never if error.took_nothing => None,
            Retry::Never => return open(error.clone()),
            Retry::AfterSettle => match self.settle(id).await {
                Settled::NotTaken => return Ok(backoff()),
                Settled::Landed(receipt) => return Err(Box::new(landed(batch, id, receipt))),
                Settled::Unknown => {
                    let (attempt, error) = (id.clone(), error.clone());
                    return Err(Box::new(PushEnd::Unproven { attempt, error }));
                }
                Settled::Open(reason) => return open(reason),
            },
            Retry::AfterBackoff => Some(backoff()),
            Retry::AfterWait(after) => Some(after),
        };
        let end = AttemptEnd::NotTaken { class: error.class, reason: error.to_string() };
        if let Err(error) = self.log.close(id, &end) {
            return open(error);
        }
        let parked = || PushEnd::Parked { error: error.clone(), after: None, open: None };
        wait.ok_or_else(|| Box::new(parked()))
    }

    /// Asks what became of an open attempt until the target knows, at most
    /// `settle_limit`, and closes it. Also for attempts that a crash left open.
    pub async fn settle(&self, id: &AttemptId) -> Settled {
        let settled = match self.log.record(id) {
            Ok(record) => self.ask(&record).await,
            Err(error) => Settled::Open(error),
        };
        let reason = || "settled".to_owned();
        let end = match &settled {
            Settled::Landed(receipt) => AttemptEnd::Landed(receipt.clone()),
            Settled::NotTaken => AttemptEnd::NotTaken { class: UNCLEAR, reason: reason() },
            Settled::Unknown => AttemptEnd::Unknown { class: UNCLEAR, reason: reason() },
            Settled::Open(_) => return settled,
        };
        match self.log.close(id, &end) {
            Ok(()) => settled,
            Err(error) => Settled::Open(error),
        }
    }

    async fn ask(&self, record: &AttemptRecord) -> Settled {
        let (started, limit) = (self.clock.now(), self.policy.settle_limit);
        let mut unanswered = 0;
        loop {
            let left = limit.saturating_sub(self.since(started));
            let asked = select(self.connector.settle(record), self.clock.sleep(left)).await;
            let wait = match asked {
                Either::Left((Ok(Settlement::Landed(receipt)), _)) => {
                    return Settled::Landed(receipt);
                }
                Either::Left((Ok(Settlement::NotTaken), _)) => return Settled::NotTaken,
                Either::Left((Ok(Settlement::Unknown), _)) => return Settled::Unknown,
                Either::Left((Ok(Settlement::Running), _)) => self.policy.settle_every,
                Either::Left((Err(error), _)) => {
                    unanswered += 1;
                    match treatment(error.class).retry {
                        Retry::Never => return Settled::Open(error),
                        Retry::AfterWait(after) if after > left => return Settled::Open(error),
                        Retry::AfterWait(after) => after,
                        Retry::AfterBackoff | Retry::AfterSettle => {
                            self.policy.backoff.wait(unanswered - 1, self.clock)
                        }
                    }
                }
                Either::Right(_) => return Settled::Open(still_unclear(limit)),
            };
            if self.since(started).saturating_add(wait) > limit {
                return Settled::Open(still_unclear(limit));
            }
            self.clock.sleep(wait).await;
        }
    }

    fn done(&self, batch: &Batch, id: &AttemptId, mut outcome: PushOutcome) -> PushEnd {
        if outcome.rows.len() != batch.cells().len() {
            // The connector counted wrong: no row may be judged by its place.
            tracing::warn!(rows = outcome.rows.len(), cells = batch.cells().len(), "row count");
            outcome.rows = unproven(batch);
        }
        match self.log.close(id, &AttemptEnd::Done(outcome.clone())) {
            Ok(()) => PushEnd::Done { attempt: id.clone(), outcome },
            Err(error) => PushEnd::Parked { error, after: None, open: Some(id.clone()) },
        }
    }

    fn since(&self, started: Timestamp) -> Duration {
        // A clock that was set back must not stretch a limit: the step counts.
        self.clock.now().duration_since(started).unsigned_abs()
    }
}

const UNCLEAR: Class = Class::Transient { sent: Sent::Maybe };

fn landed(batch: &Batch, id: &AttemptId, receipt: Receipt) -> PushEnd {
    let outcome = PushOutcome { receipt, rows: unproven(batch) };
    PushEnd::Done { attempt: id.clone(), outcome }
}

fn unproven(batch: &Batch) -> Vec<RowOutcome> {
    vec![RowOutcome::Unproven; batch.cells().len()]
}

fn parked_by_breaker(left: Duration) -> PushEnd {
    let message = format!("the target was down; left alone for another {} s", left.as_secs());
    let error = ConnectorError::new(Class::Throttled { after: left }, "push batch", message);
    PushEnd::Parked { error, after: Some(left), open: None }
}

fn still_unclear(limit: Duration) -> ConnectorError {
    let message =
        format!("what became of the attempt is still unclear after {} s", limit.as_secs());
    ConnectorError::new(UNCLEAR, "settle attempt", message)
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
            tracing::info!(%attempt, accepted, rejected, elapsed_ms, "done");
        }
        PushEnd::Unproven { attempt, error } => {
            tracing::warn!(%attempt, class = error.class.word(), elapsed_ms, %error, "unproven");
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
