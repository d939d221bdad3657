//! Ending: a person gives up waiting for a job of the target.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use planthread_kit::{AttemptEnd, AttemptId, AttemptLog as _, PushPolicy, Settled};
use serde::{Deserialize, Serialize};

use super::{Delivery, DurableLog};
use crate::{EngineError, error::Result, ledger::OpenAttempt};

/// A recorded decision not to wait for an attempt any longer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ending {
    /// The attempt: 32 hex digits.
    pub attempt: AttemptId,
    /// Who answers for it.
    pub who: String,
    /// Why nobody waits for it.
    pub why: String,
}

/// An ending that ends nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EndingError {
    /// The record can't be read.
    #[error("ending record: {0}; it needs attempt, who, and why")]
    Unreadable(String),
    /// A field says nothing.
    #[error("ending record: `{0}` is empty; name it, so that the record can be answered for")]
    Empty(&'static str),
}

impl Ending {
    /// Reads an ending from its JSON record.
    ///
    /// # Errors
    /// When the record can't be read, or leaves who or why empty.
    pub fn read(record: &str) -> std::result::Result<Self, EndingError> {
        let read: Self = serde_json::from_str(record)
            .map_err(|error| EndingError::Unreadable(error.to_string()))?;
        let fields = [("who", &read.who), ("why", &read.why)];
        if let Some((field, _)) = fields.into_iter().find(|(_, text)| text.trim().is_empty()) {
            return Err(EndingError::Empty(field));
        }
        Ok(read)
    }
}

/// Whether an attempt has been open for so long that a person may end it.
#[must_use]
pub fn may_be_ended(attempt: &OpenAttempt, push: &PushPolicy, now: Timestamp) -> bool {
    // A clock that was set back must not stretch the wait: the step counts.
    now.duration_since(attempt.opened_at).unsigned_abs() >= push.wait_limit
}

/// Asks the target once more, because its own word is better than a person's, and
/// gives the attempt up where it still has none. Until `settle_window` has passed
/// nothing of it is sent again: the job may still take effect.
///
/// # Errors
/// When the state can't be written.
pub(super) async fn end(
    delivery: &Delivery<'_>,
    log: &DurableLog,
    ending: &Ending,
    settle_window: SignedDuration,
) -> Result<Settled> {
    let push = PushPolicy { poll_every: Duration::MAX, unanswered: 1, ..delivery.push.clone() };
    let once = Delivery { push: &push, ..*delivery };
    let settled = once.stack(log).settle(&ending.attempt).await;
    let Settled::Open(_) = settled else { return Ok(settled) };
    let now = delivery.clock.now();
    let until = now.saturating_add(settle_window).unwrap_or(now);
    let reason = format!("ended by {}: {}", ending.who, ending.why);
    let given_up = AttemptEnd::Unknown { until, reason };
    log.close(&ending.attempt, &given_up).map_err(|e| EngineError::Refused(e.to_string()))?;
    Ok(settled)
}
