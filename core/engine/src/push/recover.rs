//! Recover: what a crash or a wait limit left open is settled, then read back.

use std::{slice, sync::Arc};

use futures_util::future::join_all;
use planthread_kit::{ConnectorError, Settled};
use schemars::JsonSchema;
use serde::Serialize;

use super::{Delivery, DurableLog, Ending, end::end, may_be_ended};
use crate::{
    EngineError,
    error::Result,
    ledger::{OpenAttempt, open_attempts},
    verify::{SweepPolicy, SweepReport, Which, sweep},
};

/// What recovery found.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
pub struct Recovered {
    /// Attempts that the target has ended.
    pub done: u64,
    /// Attempts of which nothing took effect.
    pub not_taken: u64,
    /// Attempts of which the target can't tell: the read-back decides.
    pub unknown: u64,
    /// Attempts that a person ended, because the target still had no end.
    pub given_up: u64,
    /// Attempts that are still open; their cells wait.
    pub open: u64,
    /// Why the last of those is open.
    #[serde(skip)]
    pub error: Option<ConnectorError>,
    /// What reading back showed.
    pub read_back: SweepReport,
}

impl Recovered {
    /// Whether there was anything to settle or to read: then cells may have moved.
    #[must_use]
    pub const fn moved(&self) -> bool {
        self.done + self.not_taken + self.unknown + self.given_up + self.open > 0
            || self.read_back.read > 0
    }
}

/// Polls every open attempt of the target to its end, then reads back what is
/// unproven. An attempt that still runs at the wait limit stays open, unless it
/// is over it and one of `endings` says that nobody waits for it any more.
/// To be called on start and before anything is planned: an old attempt is
/// never sent into again, a new one gets a new id.
///
/// # Errors
/// When the state can't be read or written.
pub async fn recover(
    delivery: &Delivery<'_>,
    policy: &SweepPolicy,
    endings: &[Ending],
) -> Result<Recovered> {
    let open = open_attempts(&delivery.state.reader()?, &policy.target)?;
    settle(delivery, policy, endings, open).await
}

/// Ends the attempt that `ending` names, and reads back what is unproven. The
/// other attempts are left to [`recover`].
///
/// # Errors
/// When there is no such open attempt, it is not over its wait limit yet, or the
/// state can't be read or written.
pub async fn end_attempt(
    delivery: &Delivery<'_>,
    policy: &SweepPolicy,
    ending: &Ending,
) -> Result<Recovered> {
    let mut open = open_attempts(&delivery.state.reader()?, &policy.target)?;
    open.retain(|attempt| attempt.record.id == ending.attempt);
    let fault = match open.first() {
        None => "is not open",
        Some(one) if !may_be_ended(one, delivery.push, delivery.clock.now()) => {
            "is still within its wait limit"
        }
        Some(_) => return settle(delivery, policy, slice::from_ref(ending), open).await,
    };
    let (target, id) = (&policy.target, &ending.attempt);
    Err(EngineError::Refused(format!("attempt {id} of target `{target}` {fault}")))
}

async fn settle(
    delivery: &Delivery<'_>,
    policy: &SweepPolicy,
    endings: &[Ending],
    open: Vec<OpenAttempt>,
) -> Result<Recovered> {
    let mut done = Recovered::default();
    let log = &DurableLog::new(Arc::clone(delivery.state), Arc::clone(delivery.clock));
    // Side by side, as they may have gone out.
    let settled = open.iter().map(|attempt| async move {
        let id = &attempt.record.id;
        let over = may_be_ended(attempt, delivery.push, delivery.clock.now());
        let ending = endings.iter().find(|ending| over && ending.attempt == *id);
        let settled = match ending {
            Some(ending) => end(delivery, log, ending, policy.settle_window).await?,
            None => delivery.stack(log).settle(id).await,
        };
        Ok((settled, ending.is_some()))
    });
    for settled in join_all(settled).await.into_iter().collect::<Result<Vec<_>>>()? {
        match settled {
            (Settled::Done(_), _) => done.done += 1,
            (Settled::NotTaken { .. }, _) => done.not_taken += 1,
            (Settled::Unknown { .. }, _) => done.unknown += 1,
            (Settled::Open(_), true) => done.given_up += 1,
            (Settled::Open(error), false) => {
                done.open += 1;
                done.error = Some(error);
            }
        }
    }
    let policy = SweepPolicy { which: Which::Unproven, ..policy.clone() };
    done.read_back =
        sweep(delivery.state, delivery.connector, delivery.breakers, &**delivery.clock, &policy)
            .await?;
    Ok(done)
}
