//! What became of an attempt whose end is not known (§6.5, §6.8).

use jiff::Timestamp;
use planthread_contracts::Receipt;
use planthread_kit::{AttemptRecord, ConnectorError, Settlement};

use super::{
    notes::{COMMIT_AT, COMMITTED, COMMITTING, STAGE, TRANSACTION},
    status::{ImportState, ask},
};
use crate::context::Context;

/// Settles by the attempt's notes, then by the service's own word.
pub(crate) async fn settle(
    ibp: &Context,
    attempt: &AttemptRecord,
) -> Result<Settlement, ConnectorError> {
    let stage = attempt.notes.get(STAGE).map(String::as_str);
    if !matches!(stage, Some(COMMITTING | COMMITTED)) {
        // No commit was sent: what was staged is abandoned and can't take
        // effect. There is nothing to ask.
        return Ok(Settlement::NotTaken);
    }
    let own = attempt.id.as_str();
    let transaction = attempt.notes.get(TRANSACTION).map_or(own, String::as_str);
    let state = ask(ibp, transaction).await?;
    let now = ibp.clock().now();
    let since = attempt.notes.get(COMMIT_AT).and_then(|at| at.parse::<Timestamp>().ok());
    // Sent in the future: the clock was set back since, and the grace must end.
    let waited = since.map_or(i64::MAX, |at| now.duration_since(at).as_secs().abs());
    Ok(match decide(&state, stage == Some(COMMITTED), waited, ibp) {
        Decision::Landed => Settlement::Landed(Receipt {
            handle: transaction.to_owned(),
            verdict: state.word().to_owned(),
            at: now,
        }),
        Decision::NotTaken => Settlement::NotTaken,
        Decision::Running => Settlement::Running,
        Decision::Unknown => Settlement::Unknown,
    })
}

enum Decision {
    Landed,
    NotTaken,
    Running,
    Unknown,
}

/// `INITIAL` means "not started", which a commit on its way also looks like:
/// an unclear commit gets a grace before it counts as not taken, or its rows
/// could overtake those of the attempt that replaces it. After `ERROR` nobody
/// says how much was applied, so the read-back decides.
fn decide(state: &ImportState, committed: bool, waited: i64, ibp: &Context) -> Decision {
    let polling = &ibp.config.polling;
    let within = |seconds: u64| waited < i64::try_from(seconds).unwrap_or(i64::MAX);
    match state {
        ImportState::Processed | ImportState::ProcessedWithErrors => Decision::Landed,
        ImportState::Processing => Decision::Running,
        ImportState::Initial if committed && within(polling.limit_seconds) => Decision::Running,
        ImportState::Initial if committed => Decision::Unknown,
        ImportState::Initial if within(polling.settle_grace_seconds) => Decision::Running,
        ImportState::Initial => Decision::NotTaken,
        ImportState::Error | ImportState::Other(_) => Decision::Unknown,
    }
}
