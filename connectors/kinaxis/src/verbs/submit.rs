//! Writing a batch, by the route of the profile.

use std::sync::atomic::Ordering;

use planthread_contracts::RowOutcome;
use planthread_kit::{Attempt, Batch, ConnectorError, Submission};

use super::{bulk, commit, import, load, outcome::Outcome};
use crate::{
    config::WriteRoute,
    context::Context,
    receipt,
    rows::{Part, encode, parts},
    wire::without_effect,
};

/// Writes `batch`.
pub(crate) async fn submit(
    context: &Context,
    batch: &Batch,
    attempt: &Attempt,
) -> Result<Submission, ConnectorError> {
    let nothing = ConnectorError::took_nothing;
    let grouped = encode(batch.cells(), &context.measures).map_err(nothing)?;
    let rows = grouped.outcomes(batch.cells().len(), &RowOutcome::Unproven);
    let load = context.config.write_route == WriteRoute::DataLoad;
    // A file is never cut: the rest of it would be gone.
    let most = if load { usize::MAX } else { context.config.writing.rows_per_request };
    let parts = parts(&grouped, &context.layouts, most);
    let mut outcome = Outcome::new(rows);
    if !parts.is_empty() {
        ensure(context).await?;
        if load {
            load::write(context, &parts, attempt).await?;
            return Ok(Submission::Submitted);
        }
        write(context, &parts, attempt, &mut outcome).await?;
    }
    let handle = attempt.id().as_str().to_owned();
    Ok(Submission::Done(outcome.end(handle, context.clock().now())))
}

async fn write(
    context: &Context,
    parts: &[Part],
    attempt: &Attempt,
    outcome: &mut Outcome,
) -> Result<(), ConnectorError> {
    match context.config.write_route {
        WriteRoute::BulkUpload | WriteRoute::DataLoad => {
            bulk::write(context, parts, attempt, outcome).await
        }
        WriteRoute::WorksheetImport => import::write(context, parts, attempt, outcome).await,
        WriteRoute::Commit => commit::write(context, parts, attempt, outcome).await,
    }
}

/// Lets the customer's script make the scenario, once a process. It changes no
/// value, so no effect of the push is unclear when it fails.
async fn ensure(context: &Context) -> Result<(), ConnectorError> {
    let Some(script) = &context.config.scenario.ensure else { return Ok(()) };
    if context.ensured.load(Ordering::Acquire) {
        return Ok(());
    }
    let answer =
        context.client.script(script, context.client.scenario()).await.map_err(without_effect)?;
    receipt::script(&answer).map_err(ConnectorError::took_nothing)?;
    context.ensured.store(true, Ordering::Release);
    Ok(())
}
