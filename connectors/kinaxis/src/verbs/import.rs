//! The import route: rows through a worksheet's rules (§4.5).
//!
//! An import row writes every column of the worksheet. Where a batch brings only
//! some of them, the others go out with the values that were just read.

use std::collections::BTreeMap;

use planthread_kit::{Attempt, Class, ConnectorError, Tallied};

use super::{
    STEP,
    read::{self, Stock},
};
use crate::{
    config::{Import, Worksheet},
    context::Context,
    receipt,
    rows::{Line, Part, texts, whole},
};

/// Writes the parts of a push, one import each.
pub(crate) async fn write(
    context: &Context,
    import: &Import,
    parts: &[Part],
    attempt: &Attempt,
    outcome: &mut Tallied,
) -> Result<(), ConnectorError> {
    let mut ready = Vec::new();
    for (number, layout) in context.layouts.iter().enumerate() {
        let mine = || parts.iter().filter(|part| part.layout == number);
        let lacking: Vec<&Part> =
            mine().filter(|part| part.sent(layout) != layout.stored()).collect();
        let held =
            read::stock_of(context, &lacking).await.map_err(ConnectorError::without_effect)?;
        for part in mine() {
            let rows = rows(context, import, part, &held);
            ready.push((part, rows.map_err(ConnectorError::without_effect)?));
        }
    }
    let names: Vec<String> = parts.iter().map(|part| context.layouts[part.layout].full()).collect();
    attempt.note(STEP, &names.join(" ")).map_err(ConnectorError::took_nothing)?;
    for (number, (part, (sheet, rows))) in ready.iter().enumerate() {
        let done = context.client.import(import, &sheet.name, rows);
        let tally = receipt::import(&context.write(attempt, number, done).await?)?;
        outcome.take(&tally, part.rows.len(), part.cells());
    }
    Ok(())
}

/// Import rows of a part, in the order of the worksheet's columns, and the worksheet.
fn rows<'a>(
    context: &Context,
    import: &'a Import,
    part: &Part,
    held: &Stock,
) -> Result<(&'a Worksheet, Vec<Vec<String>>), ConnectorError> {
    let layout = &context.layouts[part.layout];
    let sheet = import.worksheet(layout).ok_or_else(|| {
        ConnectorError::new(Class::Fatal, "import rows", "no worksheet takes these rows")
            .cure("add it under `import.worksheets`")
    })?;
    let form = (import.dates, context.config.effective_out);
    let columns = layout.columns();
    let row = |line: &Line| {
        let held = held.row(&line.key)?;
        let texts = texts(layout, &line.key, form, &whole(layout, (part, line), held));
        let named: BTreeMap<&String, String> = columns.iter().zip(texts).collect();
        let value = |column| named.get(column).cloned().unwrap_or_default();
        Ok(sheet.columns.iter().map(value).collect())
    };
    Ok((sheet, part.rows.iter().map(row).collect::<Result<_, ConnectorError>>()?))
}
