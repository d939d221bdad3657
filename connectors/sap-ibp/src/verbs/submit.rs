//! The import sequence: token, id, stage, commit (§6).
//!
//! Nothing takes effect before the commit, so whatever goes wrong while rows
//! are staged abandons the transaction: it is never staged into again, because
//! staging is not idempotent and a chunk that came twice doubles its values.
//! The attempt's notes say how far it came; [`super::poll`] reads them. The
//! import itself runs after the commit was answered, for as long as it takes.

use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use http::Method;
use planthread_contracts::RowOutcome;
use planthread_kit::{
    Attempt, Batch, Class, ConnectorError, PushOutcome, Sent, Submission, http::Lane,
};
use planthread_odata::{
    Session,
    literal::{query, string},
};

use super::notes::{COMMIT_AT, COMMITTED, COMMITTING, STAGE, STAGING, TRANSACTION};
use crate::{
    context::Context,
    translate::{
        decode,
        encode::{Chunk, Encoded, encode},
        messages::outcomes,
    },
    wire::{call::call, receipt},
};

/// Submits one batch as one transaction.
pub(crate) async fn submit(
    ibp: &Context,
    batch: &Batch,
    attempt: &Attempt,
) -> Result<Submission, ConnectorError> {
    let encoded = encode(batch.cells(), &ibp.measures, &ibp.config);
    let encoded = encoded.map_err(ConnectorError::took_nothing)?;
    encoded.one_transaction(&ibp.config).map_err(ConnectorError::took_nothing)?;
    if encoded.chunks.is_empty() {
        return Ok(Submission::Done(not_sent(ibp, batch, &encoded, attempt)));
    }
    let session = ibp.planning.session();
    // Until the commit is sent nothing can take effect, whatever failed.
    let staged = staged(ibp, batch, &encoded, &session, attempt).await;
    let transaction = staged.map_err(ConnectorError::took_nothing)?;
    commit(ibp, &session, &transaction, attempt).await?;
    Ok(Submission::Submitted)
}

/// The end of a batch of which no row may go.
fn not_sent(ibp: &Context, batch: &Batch, encoded: &Encoded, attempt: &Attempt) -> PushOutcome {
    let receipt = attempt.receipt("NOT_SENT", ibp.clock().now());
    let total = batch.cells().len();
    let (rows, _) = outcomes(total, encoded, &[], &RowOutcome::Unproven, &ibp.config);
    PushOutcome::new(receipt, rows)
}

/// Stages everything under a transaction of its own, and answers its id.
async fn staged(
    ibp: &Context,
    batch: &Batch,
    encoded: &Encoded,
    session: &Session,
    attempt: &Attempt,
) -> Result<String, ConnectorError> {
    let transaction = transaction_id(ibp, attempt).await?;
    attempt.note_encoding(&encoded.digest(&ibp.config))?;
    attempt.note(TRANSACTION, &transaction)?;
    attempt.note(STAGE, STAGING)?;
    let version = ibp.config.version_of(batch.scope(), &ibp.scope);
    initiate(ibp, session, &transaction, version).await?;
    stage(ibp, session, &encoded.chunks, &transaction, version).await?;
    Ok(transaction)
}

/// The attempt's own id, which the service accepts as the transaction's
/// (§6.1), or one that the service draws.
async fn transaction_id(ibp: &Context, attempt: &Attempt) -> Result<String, ConnectorError> {
    const ASK: &str = "ask transaction id";
    if !ibp.config.transaction.id_from_service {
        return Ok(attempt.id().as_str().to_owned());
    }
    let path = format!("{}?$format=json", ibp.config.operations.transaction_id.name);
    let body = ibp
        .planning
        .read(ASK, Lane::Routine, &path)
        .await
        .map_err(ConnectorError::without_effect)?;
    decode::single_value(&body)
        .filter(|id| (1..=32).contains(&id.len()))
        .ok_or_else(|| decode::drift(ASK, "the answer holds no id of 1 to 32 characters"))
}

/// Announces concurrent posts; a 4xx means that the tenant has no such
/// operation, and the import goes on (§6.2).
async fn initiate(
    ibp: &Context,
    session: &Session,
    transaction: &str,
    version: &str,
) -> Result<(), ConnectorError> {
    const INITIATE: &str = "initiate parallel process";
    if !ibp.config.transaction.initiate_parallel_process {
        return Ok(());
    }
    let mut pairs = vec![
        ("Transactionid", string(transaction)),
        ("PlanningArea", string(&ibp.config.planning_area)),
        ("VersionID", string(version)),
        ("ScenarioID", string("")),
    ];
    if let Some(name) = &ibp.config.transaction.transaction_name {
        pairs.push(("TransactionName", string(name)));
    }
    pairs.push(("$format", "json".to_owned()));
    let operation = &ibp.config.operations.initiate_parallel_process;
    let answer = call(&ibp.planning, INITIATE, session, operation, &query(&pairs)).await;
    let answer = answer.map_err(ConnectorError::without_effect)?;
    match answer.status().as_u16() {
        401 | 403 => Err(ibp.planning.refused(INITIATE, &answer, Sent::No)),
        400..=499 => {
            tracing::info!(status = answer.status().as_u16(), "no parallel process here; going on");
            Ok(())
        }
        _ => receipt::called(&ibp.planning, INITIATE, &answer)
            .map_err(ConnectorError::without_effect),
    }
}

/// Stages all chunks, a few at a time. The first failure ends it and drops
/// what is on its way: the transaction is abandoned.
async fn stage(
    ibp: &Context,
    session: &Session,
    chunks: &[Chunk],
    transaction: &str,
    version: &str,
) -> Result<(), ConnectorError> {
    // Collected first: a future built inside the stream would borrow from a
    // closure that the compiler can't name. None of them runs before its turn.
    let posts: Vec<_> =
        chunks.iter().map(|chunk| stage_one(ibp, session, chunk, transaction, version)).collect();
    stream::iter(posts)
        .buffer_unordered(ibp.config.transaction.parallel_posts)
        .try_collect::<()>()
        .await
}

async fn stage_one(
    ibp: &Context,
    session: &Session,
    chunk: &Chunk,
    transaction: &str,
    version: &str,
) -> Result<(), ConnectorError> {
    const POST: &str = "stage rows";
    let returned = if ibp.config.transaction.return_min { "?P_RETURN_MIN=X" } else { "" };
    let path = format!("{}Trans{returned}", ibp.config.planning_area);
    let body = Bytes::from(chunk.body(&ibp.config, transaction, version).to_string());
    tracing::debug!(rows = chunk.rows.len(), values = chunk.values(), "staging");
    let answer = ibp.planning.write(POST, session, Method::POST, &path, body).await?;
    let columns = chunk.names(&ibp.config);
    let taken = ibp.has_taken(columns.iter().copied());
    receipt::staged(&ibp.planning, POST, &answer, transaction, taken)?;
    ibp.took(columns.into_iter().map(str::to_owned));
    Ok(())
}

/// Commits once. Unless the service provably refused, its fate is unknown
/// until `poll` asks.
async fn commit(
    ibp: &Context,
    session: &Session,
    transaction: &str,
    attempt: &Attempt,
) -> Result<(), ConnectorError> {
    const COMMIT: &str = "commit";
    let before = attempt
        .note(COMMIT_AT, &ibp.clock().now().to_string())
        .and_then(|()| attempt.note(STAGE, COMMITTING));
    before.map_err(ConnectorError::took_nothing)?;
    let parameters =
        query(&[("P_TransactionID", string(transaction)), ("$format", "json".to_owned())]);
    let answer =
        call(&ibp.planning, COMMIT, session, &ibp.config.operations.commit, &parameters).await;
    match answer.and_then(|answer| receipt::committed(&ibp.planning, COMMIT, &answer)) {
        Ok(()) => attempt.note(STAGE, COMMITTED),
        Err(error) if matches!(error.class, Class::Transient { sent: Sent::Maybe }) => Err(error),
        Err(error) => {
            attempt.note(STAGE, STAGING)?;
            Err(error.took_nothing())
        }
    }
}
