//! The import route: rows through a worksheet's rules (§4.5).
//!
//! An import row writes every column of the worksheet. Where a batch brings only
//! some of them, the others go out with the values that were just read.

use std::collections::BTreeMap;

use planthread_kit::{Attempt, ConnectorError};

use super::{SINCE, STEP, outcome::Outcome, read};
use crate::{
    config::{Import, Layout},
    context::Context,
    receipt,
    rows::{Held, Line, Part, key_values},
    wire::without_effect,
};

/// Writes the parts of a push, one import each.
pub(crate) async fn write(
    context: &Context,
    parts: &[Part],
    attempt: &Attempt,
    outcome: &mut Outcome,
) -> Result<(), ConnectorError> {
    let import = context.config.import.as_ref();
    let import = import.ok_or_else(|| missing().took_nothing())?;
    let mut ready = Vec::new();
    for part in parts {
        ready.push((part, rows(context, import, part).await.map_err(without_effect)?));
    }
    let names: Vec<String> = parts.iter().map(|part| context.layouts[part.layout].full()).collect();
    attempt.note(STEP, &names.join(" ")).map_err(ConnectorError::took_nothing)?;
    for (number, (part, rows)) in ready.iter().enumerate() {
        let noted = attempt.note(SINCE, &context.clock().now().to_string());
        let sheet = import.worksheet(&context.layouts[part.layout]);
        let done = match (noted, sheet) {
            (Ok(()), Some(sheet)) => context.client.import(import, &sheet.name, rows).await,
            (Err(error), _) => Err(error.took_nothing()),
            (_, None) => Err(missing().took_nothing()),
        };
        // What an earlier import wrote stays.
        let done = done.map_err(|error| if number > 0 { error.after_effect() } else { error });
        outcome.take(part, &receipt::import(&done?)?);
    }
    Ok(())
}

fn missing() -> ConnectorError {
    let class = planthread_kit::Class::Fatal;
    ConnectorError::new(class, "import rows", "the profile names no worksheet for these rows")
        .cure("add it under `import.worksheets`")
}

/// Import rows of a part, in the order of the worksheet's columns.
async fn rows(
    context: &Context,
    import: &Import,
    part: &Part,
) -> Result<Vec<Vec<String>>, ConnectorError> {
    let layout = &context.layouts[part.layout];
    let sheet = import.worksheet(layout).ok_or_else(missing)?;
    let whole = layout.values.iter().all(|field| part.fields.contains(field));
    let held = if whole { BTreeMap::new() } else { read::by_row(context, part).await? };
    let row = |line: &Line| {
        let named =
            named(context, import, part, line, held.get(&line.key).and_then(|all| all.last()));
        sheet.columns.iter().map(|column| named.get(column).cloned().unwrap_or_default()).collect()
    };
    Ok(part.rows.iter().map(row).collect())
}

/// Keys and values of one row by field; what the batch doesn't bring is as held.
fn named(
    context: &Context,
    import: &Import,
    part: &Part,
    line: &Line,
    held: Option<&Held>,
) -> BTreeMap<String, String> {
    let layout: &Layout = &context.layouts[part.layout];
    let keys = layout.keys();
    let mut named = BTreeMap::new();
    if let Some(held) = held {
        named.extend(layout.values.iter().cloned().zip(held.texts[keys.len()..].iter().cloned()));
    }
    let values = key_values(layout, &line.key, import.dates, context.config.effective_out);
    named.extend(keys.into_iter().zip(values));
    named.extend(part.fields.iter().cloned().zip(line.values.iter().cloned()));
    named
}
