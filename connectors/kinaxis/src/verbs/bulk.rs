//! The bulk route: everything is staged, then noted, then completed (§4.2).

use std::collections::BTreeSet;

use planthread_kit::{Attempt, ConnectorError, rows::RowKey};

use super::{SINCE, STEP, outcome::Outcome, read};
use crate::{
    config::NonKeyed,
    context::Context,
    dates::DateForm,
    receipt,
    rows::{Line, Part, key_values},
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
    outcome: &mut Outcome,
) -> Result<(), ConnectorError> {
    let mut staged: Vec<Staged<'_>> = Vec::new();
    for part in parts {
        let layout = &context.layouts[part.layout];
        if !layout.keyed && context.config.non_keyed == Some(NonKeyed::Append) {
            let rows = surplus(context, part).await.map_err(crate::wire::without_effect)?;
            if !rows.is_empty() {
                let fields = fields(context, part.layout, &layout.values);
                let id = context.client.stage(Verb::Remove, layout, &fields, &rows).await?;
                staged.push(Staged { verb: Verb::Remove, id, part: None });
            }
        }
        let fields = fields(context, part.layout, &part.fields);
        let rows: Vec<_> = part.rows.iter().map(|line| values(context, part, line)).collect();
        let id = context.client.stage(Verb::Upload, layout, &fields, &rows).await?;
        staged.push(Staged { verb: Verb::Upload, id, part: Some(part) });
    }
    let ids: Vec<&str> = staged.iter().map(|one| one.id.as_str()).collect();
    attempt.note(STEP, &ids.join(" ")).map_err(ConnectorError::took_nothing)?;
    for (number, one) in staged.iter().enumerate() {
        let now = context.clock().now().to_string();
        let noted = attempt.note(SINCE, &now);
        let done = match noted {
            Ok(()) => context.client.complete(one.verb, &one.id).await,
            Err(error) => Err(error.took_nothing()),
        };
        // What was completed before stays.
        let done = done.map_err(|error| if number > 0 { error.after_effect() } else { error });
        let tally = receipt::results(&done?)?;
        if let Some(part) = one.part {
            outcome.take(part, &tally);
        }
    }
    Ok(())
}

/// Keys and values of a table, as fields of a request. A field of another
/// namespace is qualified by whoever names it in the profile (§4.2).
fn fields(context: &Context, layout: usize, values: &[String]) -> Vec<String> {
    let mut fields = context.layouts[layout].keys();
    fields.extend(values.iter().cloned());
    fields
}

fn values(context: &Context, part: &Part, line: &Line) -> Vec<String> {
    let layout = &context.layouts[part.layout];
    let mut texts = key_values(layout, &line.key, DATES, context.config.effective_out);
    texts.extend(line.values.iter().cloned());
    texts
}

/// The rows that stand where rows of `part` go: where a row that is sent again
/// is a second one, what is there leaves first.
async fn surplus(context: &Context, part: &Part) -> Result<Vec<Vec<String>>, ConnectorError> {
    let keys: BTreeSet<&RowKey> = part.rows.iter().map(|line| &line.key).collect();
    let held = read::by_row(context, part).await?;
    let mine = held.into_iter().filter(|(key, _)| keys.contains(key));
    Ok(mine.flat_map(|(_, rows)| rows).map(|row| row.texts).collect())
}
