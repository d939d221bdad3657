//! End: a person gives up waiting for a job of the target.

use std::sync::Arc;

use planthread_kit::{AttemptEnd, AttemptId, AttemptLog as _, Poll};

use super::{Delivery, DurableLog};
use crate::{
    EngineError,
    error::Result,
    ledger::open_attempts,
    verify::{SweepPolicy, SweepReport, Which, sweep},
};

/// What became of an attempt that a person ended.
#[derive(Debug, Clone)]
pub enum Ending {
    /// The target had ended it meanwhile: it says how, and nobody had to.
    Told(SweepReport),
    /// It was given up. What is there was read; what is not there goes out
    /// again when the settle window has passed.
    GivenUp(SweepReport),
}

/// Ends an open attempt for which nobody wants to wait any longer.
///
/// The target is asked once more: its own word is better than a person's. What
/// it can't tell is read back, and until the settle window has passed nothing of
/// it is sent again, because the job may still take effect.
///
/// # Errors
/// When there is no such open attempt, nobody answers for the end, or the state
/// can't be read or written.
pub async fn end_attempt(
    delivery: &Delivery<'_>,
    id: &AttemptId,
    (who, why): (&str, &str),
    policy: &SweepPolicy,
) -> Result<Ending> {
    if who.trim().is_empty() || why.trim().is_empty() {
        return Err(EngineError::Refused("ending an attempt needs who and why".into()));
    }
    let open = open_attempts(&delivery.state.reader()?, &policy.target)?;
    if !open.iter().any(|attempt| attempt.record.id == *id) {
        let text = format!("target `{}` has no open attempt {id}", policy.target);
        return Err(EngineError::Refused(text));
    }
    let log = DurableLog::new(Arc::clone(delivery.state), Arc::clone(delivery.clock), "");
    let kept = |error: planthread_kit::ConnectorError| EngineError::Refused(error.to_string());
    let (record, batch) = (log.record(id).map_err(kept)?, log.batch(id).map_err(kept)?);
    let polled = delivery.connector.poll(&record, &batch).await;
    let told = |end: AttemptEnd| log.close(id, &end).map_err(kept);
    let given_up = match polled {
        Ok(Poll::Done(outcome)) if outcome.rows.len() == batch.cells().len() => {
            told(AttemptEnd::Done(outcome))?;
            false
        }
        Ok(Poll::NotTaken { why }) => {
            let class = planthread_kit::Class::Transient { sent: planthread_kit::Sent::Maybe };
            told(AttemptEnd::NotTaken { class, reason: why })?;
            false
        }
        Ok(Poll::Done(_) | Poll::Running { .. } | Poll::Unknown { .. }) | Err(_) => {
            let now = delivery.clock.now();
            let until = now.saturating_add(policy.settle_window);
            let reason = format!("ended by {who}: {why}");
            told(AttemptEnd::Unknown { until: until.unwrap_or(now), reason })?;
            true
        }
    };
    let policy = SweepPolicy { which: Which::Unproven, ..policy.clone() };
    let read = sweep(delivery.state, delivery.connector, delivery.clock.as_ref(), &policy).await?;
    Ok(if given_up { Ending::GivenUp(read) } else { Ending::Told(read) })
}
