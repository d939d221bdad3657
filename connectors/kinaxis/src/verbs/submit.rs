//! Writing a batch, by the route of the profile.

use std::sync::atomic::Ordering;

use planthread_contracts::RowOutcome;
use planthread_kit::{Attempt, Batch, ConnectorError, Submission, Tallied};

use super::{bulk, commit, import, load};
use crate::{
    config::Route,
    context::Context,
    receipt,
    rows::{encode, parts},
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
    // A file is never cut: the rest of it would be gone.
    let most = match context.route {
        Route::Load(_) => usize::MAX,
        _ => context.config.writing.rows_per_request,
    };
    let parts = parts(&grouped, &context.layouts, most, |row| batch.told(row));
    let mut outcome = Tallied::new(rows);
    if !parts.is_empty() {
        if let Some(gate) = &context.gate {
            gate.permit(context.clock().now(), batch.cells())?;
        }
        ensure(context).await?;
        match &context.route {
            Route::Bulk => bulk::write(context, &parts, attempt, &mut outcome).await?,
            Route::Import(import) => {
                import::write(context, import, &parts, attempt, &mut outcome).await?;
            }
            Route::Commit(commit) => {
                commit::write(context, commit, &parts, attempt, &mut outcome).await?;
            }
            Route::Load(load) => {
                load::write(context, load, &parts, attempt).await?;
                return Ok(Submission::Submitted);
            }
        }
    }
    Ok(Submission::Done(outcome.end(attempt.id(), context.clock().now())))
}

/// Lets the customer's script make the scenario, once a process. It changes no
/// value, so no effect of the push is unclear when it fails.
async fn ensure(context: &Context) -> Result<(), ConnectorError> {
    let Some(script) = &context.config.scenario.ensure else { return Ok(()) };
    if context.ensured.load(Ordering::Acquire) {
        return Ok(());
    }
    let answer = context.client.script(script, context.client.scenario()).await;
    let answer = answer.map_err(ConnectorError::without_effect)?;
    receipt::script(&answer).map_err(ConnectorError::took_nothing)?;
    context.ensured.store(true, Ordering::Release);
    Ok(())
}
