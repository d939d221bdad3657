//! Recover: what a crash left open is settled, then read back.

use std::sync::Arc;

use planthread_kit::{ConnectorError, Expected, Settled};
use serde::Serialize;

use super::{Delivery, DurableLog};
use crate::{
    error::Result,
    ledger::open_attempts,
    verify::{SweepPolicy, SweepReport, Which, sweep},
};

/// What recovery found.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Recovered {
    /// Attempts that the target has ended.
    pub done: u64,
    /// Attempts of which nothing took effect.
    pub not_taken: u64,
    /// Attempts of which the target can't tell: the read-back decides.
    pub unknown: u64,
    /// Attempts that are still open; their cells wait.
    pub open: u64,
    /// Why the last of those is open.
    #[serde(skip)]
    pub error: Option<ConnectorError>,
    /// What reading back showed.
    pub read_back: SweepReport,
}

/// Polls every open attempt of the target to its end, then reads back what is
/// unproven. An attempt that still runs at the wait limit stays open.
/// To be called on start and before anything is planned: an old attempt is
/// never sent into again, a new one gets a new id.
///
/// # Errors
/// When the state can't be read or written.
pub async fn recover(delivery: &Delivery<'_>, policy: &SweepPolicy) -> Result<Recovered> {
    let mut done = Recovered::default();
    let open = open_attempts(&delivery.state.reader()?, &policy.target)?;
    let log = DurableLog::new(Arc::clone(delivery.state), Arc::clone(delivery.clock), "");
    for attempt in open {
        match delivery.stack(&log, Expected::default()).settle(&attempt.record.id).await {
            Settled::Done(_) => done.done += 1,
            Settled::NotTaken { .. } => done.not_taken += 1,
            Settled::Unknown { .. } => done.unknown += 1,
            Settled::Open(error) => {
                done.open += 1;
                done.error = Some(error);
            }
        }
    }
    let policy = SweepPolicy { which: Which::Unproven, ..policy.clone() };
    done.read_back =
        sweep(delivery.state, delivery.connector, delivery.clock.as_ref(), &policy).await?;
    Ok(done)
}
