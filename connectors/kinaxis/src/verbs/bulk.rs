//! The bulk route: everything is staged, then noted, then completed (§4.2).

use std::collections::BTreeSet;

use planthread_kit::{Attempt, ConnectorError, Tallied, dates::DateForm, rows::RowKey};

use super::{STEP, read};
use crate::{
    config::NonKeyed,
    context::Context,
    receipt,
    rows::{Line, Part, texts},
    wire::Verb,
};

/// Bulk routes write ISO dates (§5).
const DATES: DateForm = DateForm::Iso;

/// One staged write.
struct Staged<'a> {
    verb: Verb,
    id: String,
    /// What it writes; a removal answers for no cell.
    part: Option<&'a Part>,
}

/// Writes the parts of a push.
pub(crate) async fn write(
    context: &Context,
    parts: &[Part],
    attempt: &Attempt,
    outcome: &mut Tallied,
) -> Result<(), ConnectorError> {
    let form = (DATES, context.config.effective_out);
    let mut staged: Vec<Staged<'_>> = Vec::new();
    for part in parts {
        let layout = &context.layouts[part.layout];
        if !layout.keyed && context.config.non_keyed == Some(NonKeyed::Append) {
            let rows = surplus(context, part).await.map_err(ConnectorError::without_effect)?;
            if !rows.is_empty() {
                let id =
                    context.client.stage(Verb::Remove, layout, &layout.stored(), &rows).await?;
                staged.push(Staged { verb: Verb::Remove, id, part: None });
            }
        }
        let sent = part.sent(layout);
        let row = |line: &Line| texts(layout, &line.key, form, &line.sent()[..sent.len()]);
        let rows: Vec<_> = part.rows.iter().map(row).collect();
        let id = context.client.stage(Verb::Upload, layout, &sent, &rows).await?;
        staged.push(Staged { verb: Verb::Upload, id, part: Some(part) });
    }
    let ids: Vec<&str> = staged.iter().map(|one| one.id.as_str()).collect();
    attempt.note(STEP, &ids.join(" ")).map_err(ConnectorError::took_nothing)?;
    for (number, one) in staged.iter().enumerate() {
        let done = context.client.complete(one.verb, &one.id);
        let tally = receipt::results(&context.write(attempt, number, done).await?)?;
        if let Some(part) = one.part {
            outcome.take(&tally, part.rows.len(), part.cells());
        }
    }
    Ok(())
}

/// The rows that stand where rows of `part` go: where a row that is sent again
/// is a second one, what is there leaves first.
async fn surplus(context: &Context, part: &Part) -> Result<Vec<Vec<String>>, ConnectorError> {
    let keys: BTreeSet<&RowKey> = part.rows.iter().map(|line| &line.key).collect();
    let held = read::stock_of(context, &[part]).await?.ours;
    let mine = held.into_iter().filter(|(key, _)| keys.contains(key));
    Ok(mine.flat_map(|(_, rows)| rows).map(|row| row.texts).collect())
}
