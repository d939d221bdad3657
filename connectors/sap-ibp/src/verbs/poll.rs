//! What has become of an attempt: state, messages, rows (§6.5, §6.6, §6.8).
//!
//! Everything is decided from the attempt's notes, its recorded batch and the
//! service's own word, so it is the same in the process that submitted and in
//! the next one.

use std::time::Duration;

use jiff::Timestamp;
use planthread_contracts::{Receipt, RowOutcome};
use planthread_kit::{
    AttemptRecord, Class, ConnectorError, Poll, PushOutcome, RecordedBatch, http::Lane,
};
use planthread_odata::{Paging, filter::equals, literal::query, paging::ROWS_MOST};

use super::{
    notes::{COMMIT_AT, COMMITTED, COMMITTING, STAGE, TRANSACTION},
    status::{ImportState, ask},
};
use crate::{
    context::Context,
    translate::{
        encode::{Encoded, encode},
        messages::{Message, first_text, messages, outcomes},
    },
};

/// Asks once.
pub(crate) async fn poll(
    ibp: &Context,
    attempt: &AttemptRecord,
    batch: &RecordedBatch,
) -> Result<Poll, ConnectorError> {
    let stage = attempt.notes.get(STAGE).map(String::as_str);
    if !matches!(stage, Some(COMMITTING | COMMITTED)) {
        // No commit was sent: what was staged is abandoned and can't take
        // effect. There is nothing to ask.
        return Ok(Poll::NotTaken { why: "no commit was sent".to_owned() });
    }
    let own = attempt.id.as_str();
    let transaction = attempt.notes.get(TRANSACTION).map_or(own, String::as_str);
    let state = ask(ibp, transaction).await?;
    let now = ibp.clock().now();
    let since = attempt.notes.get(COMMIT_AT).and_then(|at| at.parse::<Timestamp>().ok());
    // Sent in the future: the clock was set back since, and the grace must end.
    let waited = since.map_or(Duration::MAX, |at| now.duration_since(at).unsigned_abs());
    let grace = Duration::from_secs(ibp.config.polling.settle_grace_seconds);
    let running = || Ok(Poll::Running { state: state.word().to_owned() });
    match &state {
        ImportState::Processing => running(),
        // The commit was taken: it will start.
        ImportState::Initial if stage == Some(COMMITTED) => running(),
        // "Not started" is what a commit on its way also looks like: it gets a
        // grace, or its rows could overtake those of the next attempt.
        ImportState::Initial if waited < grace => running(),
        ImportState::Initial => {
            let why = format!("the import was not started within {} s", grace.as_secs());
            Ok(Poll::NotTaken { why })
        }
        ImportState::Other(_) => Ok(Poll::Unknown { until: now + grace }),
        ImportState::Processed | ImportState::ProcessedWithErrors | ImportState::Error => {
            let found = refusals(ibp, transaction, &state).await?;
            Ok(Poll::Done(outcome(ibp, attempt, batch, &state, &found, transaction)))
        }
    }
}

/// The end of an import. `ERROR` says that it failed as a whole, and nobody says
/// how much of it was applied: what no message names is read back.
fn outcome(
    ibp: &Context,
    attempt: &AttemptRecord,
    batch: &RecordedBatch,
    state: &ImportState,
    found: &[Message],
    transaction: &str,
) -> PushOutcome {
    let failed = *state == ImportState::Error;
    let verdict = match first_text(found) {
        Some(text) if failed => format!("{}: {text}", state.word()),
        _ => state.word().to_owned(),
    };
    let at = ibp.clock().now();
    let receipt = Receipt { handle: transaction.to_owned(), verdict, at };
    let total = batch.cells().len();
    let (rows, named_none) = match as_it_went_out(ibp, attempt, batch) {
        Some(encoded) => {
            let accepted = *state == ImportState::Processed;
            let otherwise = if accepted { RowOutcome::Accepted } else { RowOutcome::Unproven };
            outcomes(total, &encoded, found, &otherwise, &ibp.config)
        }
        None => (vec![RowOutcome::Unproven; total], found.len()),
    };
    // The state says that rows were refused, also where no message says which.
    let none_named = found.len() == named_none;
    let refused_unnamed = match state {
        ImportState::ProcessedWithErrors => named_none.max(usize::from(none_named)),
        _ => 0,
    };
    PushOutcome { receipt, rows, refused_unnamed, failed }
}

/// The batch encoded again. `None` when that is not what went out: mapping,
/// settings or this program have changed since, so no message can be matched.
fn as_it_went_out(
    ibp: &Context,
    attempt: &AttemptRecord,
    batch: &RecordedBatch,
) -> Option<Encoded> {
    let encoded = encode(batch.cells(), &ibp.measures, &ibp.config).ok()?;
    let same = attempt.encoded_as(&encoded.digest(&ibp.config));
    if !same {
        tracing::warn!(attempt = %attempt.id, "encoded in another way since; rows stay unproven");
    }
    same.then_some(encoded)
}

/// Messages of an import that did not fully succeed. A service that does not
/// answer now is asked again later; one that refuses leaves the rows unproven:
/// the import itself is done, and the read-back decides.
async fn refusals(
    ibp: &Context,
    transaction: &str,
    state: &ImportState,
) -> Result<Vec<Message>, ConnectorError> {
    if !state.has_refusals() {
        return Ok(Vec::new());
    }
    let later = |error: &ConnectorError| match error.class {
        Class::Transient { .. } | Class::Throttled { .. } | Class::NotYet | Class::Auth => true,
        Class::Drift | Class::Fatal => false,
    };
    // Tenants that don't know the expand refuse it in several ways.
    let result = match read_messages(ibp, transaction, true).await {
        Ok(found) => Ok(found),
        Err(_) => read_messages(ibp, transaction, false).await,
    };
    match result {
        Err(error) if !later(&error) => {
            tracing::warn!(%error, "messages can't be read; the rows stay unproven");
            Ok(Vec::new())
        }
        other => other,
    }
}

/// Messages exist with a filter only (§6.6).
async fn read_messages(
    ibp: &Context,
    transaction: &str,
    expand: bool,
) -> Result<Vec<Message>, ConnectorError> {
    const READ: &str = "read messages";
    const PAGE: usize = 2_000;
    let navigation = ibp.config.message_navigation();
    let paging =
        Paging { step: READ, size: PAGE, parallel: 1, rows_most: ROWS_MOST, distinct: true };
    let path = |skip: usize| {
        let mut pairs = vec![("$filter", equals("Transactionid", transaction))];
        if expand {
            pairs.push(("$expand", navigation.clone()));
        }
        pairs.push(("$top", PAGE.to_string()));
        pairs.push(("$skip", skip.to_string()));
        pairs.push(("$format", "json".to_owned()));
        format!("{}Message?{}", ibp.config.planning_area, query(&pairs))
    };
    let ask = |page| {
        let path = ibp.planning.path_of(READ, page, path);
        async move { ibp.planning.read(READ, Lane::Verify, &path?).await }
    };
    let pages = paging.all(ask).await?;
    Ok(pages.iter().flat_map(|rows| messages(rows, &navigation)).collect())
}
