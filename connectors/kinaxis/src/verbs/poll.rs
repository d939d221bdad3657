//! What became of an attempt.

use planthread_contracts::{Receipt, Rejection, RowOutcome};
use planthread_kit::{
    AttemptRecord, Class, ConnectorError, Poll, PushOutcome, RecordedBatch, redact,
};

use super::{KEY, STEP};
use crate::{
    config::{DataLoad, History, Route},
    context::Context,
    rows::{Part, digest, encode, lines, parts},
};

/// Words of an update that loaded nothing of ours, or nothing yet: files were on
/// their way, or somebody else's trigger took them (§4.7, §13.9).
const ELSEWHERE: [&str; 2] = ["Canceled", "No new extract data"];

/// Characters of the vendor's text that are kept.
const KEPT: usize = 300;

/// Asks once.
pub(crate) async fn poll(
    context: &Context,
    attempt: &AttemptRecord,
    batch: &RecordedBatch,
) -> Result<Poll, ConnectorError> {
    if !attempt.notes.contains_key(STEP) {
        return Ok(Poll::NotTaken { why: "nothing of it was completed".to_owned() });
    }
    match (attempt.notes.get(KEY), &context.route) {
        (None, _) => Ok(attempt.unclear(context.clock().now())),
        (Some(key), Route::Load(load)) => update(context, load, attempt, key, batch).await,
        (Some(_), _) => {
            let text = "it was a data load, and the profile has none now";
            Err(ConnectorError::new(Class::Fatal, "poll attempt", text)
                .cure("go back to `write_route: data_load` until it has ended"))
        }
    }
}

/// A data update: its id is empty while it runs.
async fn update(
    context: &Context,
    profile: &DataLoad,
    attempt: &AttemptRecord,
    key: &str,
    batch: &RecordedBatch,
) -> Result<Poll, ConnectorError> {
    let (id, word) = context.client.update(key).await?;
    if id.is_empty() {
        let state = if word.is_empty() { "running".to_owned() } else { redact::up_to(&word, KEPT) };
        return Ok(Poll::Running { state });
    }
    if ELSEWHERE.contains(&word.as_str()) {
        return Ok(attempt.unclear(context.clock().now()));
    }
    let grouped = encode(batch.cells(), &context.measures)?;
    let parts = parts(&grouped, &context.layouts, usize::MAX, |_| None);
    let same = attempt.encoded_as(&digest(&parts));
    // What was refused before it was sent is judged by our own reading of it.
    let mut rows = match same {
        true => grouped.outcomes(batch.cells().len(), &RowOutcome::Unproven),
        false => vec![RowOutcome::Unproven; batch.cells().len()],
    };
    let success = profile.success.contains(&word);
    if let (true, true, Some(history)) = (success, same, &profile.history) {
        judge(context, history, &id, &parts, &mut rows).await?;
    }
    let verdict = redact::up_to(&word, KEPT);
    let receipt = Receipt { handle: key.to_owned(), verdict, at: context.clock().now() };
    let mut outcome = PushOutcome::new(receipt, rows);
    outcome.failed = !success;
    Ok(Poll::Done(outcome))
}

/// Rejects the rows whose lines the history names, and accepts the others.
async fn judge(
    context: &Context,
    history: &History,
    id: &str,
    parts: &[Part],
    rows: &mut [RowOutcome],
) -> Result<(), ConnectorError> {
    let place = (history.workbook.as_str(), history.visibility);
    let sheet = context.client.worksheet(place, &history.site_group, &history.worksheet).await?;
    let column = |name: &String| sheet.column("read worksheet", name);
    let (update, file) = (column(&history.update)?, column(&history.file)?);
    let (number, message) = (column(&history.line)?, column(&history.message)?);
    for cell in parts.iter().flat_map(Part::cells) {
        rows[cell] = RowOutcome::Accepted;
    }
    for row in sheet.rows.iter().filter(|row| row[update] == id) {
        let layout = context.layouts.iter().position(|one| one.table == row[file]);
        let line: Option<usize> = row[number].parse().ok();
        let Some((layout, line)) = layout.zip(line.and_then(|line| line.checked_sub(1))) else {
            continue;
        };
        // Lines beyond the batch are rows that were carried along as they stood.
        if let Some((_, line)) = lines(parts, layout).nth(line) {
            let rejection = Rejection {
                reason: redact::up_to(&row[message], KEPT),
                vendor_code: None,
                cure: "correct the row or the target's master data; then retry".to_owned(),
            };
            for cell in &line.cells {
                rows[*cell] = RowOutcome::Rejected(rejection.clone());
            }
        }
    }
    Ok(())
}
