//! The data load route: extract files, one a table, then one update that loads
//! them (§4.7). The rows of the batch come first in a file, so that a line of its
//! history tells a row whatever else the file carries.
//!
//! Every push writes the files of all tables: what a dead attempt left behind is
//! replaced before anything is triggered. A Full file deletes what it lacks, so it
//! carries every row of its table as it was just read, and lacks none that the
//! ledger ever saw there unless a person decided so.

use std::collections::{BTreeMap, BTreeSet};

use jiff::tz::TimeZone;
use planthread_kit::{
    Attempt, Class, ConnectorError,
    agreement::{Gate, Golden, Written},
    http::Lane,
    rows::RowKey,
    target::WholeFile,
};

use super::{KEY, STEP, read};
use crate::{
    config::DataLoad,
    context::Context,
    rows::{Held, Line, Part, digest, lines, texts, whole},
};

const LOAD: &str = "put extract file";

/// Puts the files of a push, and triggers their load.
pub(crate) async fn write(
    context: &Context,
    load: &DataLoad,
    parts: &[Part],
    attempt: &Attempt,
) -> Result<(), ConnectorError> {
    let (nothing, now) = (ConnectorError::took_nothing, context.clock().now());
    let trial = context.gate.as_ref().is_some_and(|gate| gate.status(now).probing);
    let mut files = Vec::new();
    for number in 0..context.layouts.len() {
        let rows =
            file(context, load, number, parts).await.map_err(ConnectorError::without_effect)?;
        // A table that holds nothing and gets nothing has no Full file. In a trial nobody
        // knows yet what an empty one does.
        if !((load.full() || trial) && rows.is_empty()) {
            files.push((number, rows));
        }
    }
    let stamp = TimeZone::UTC.to_datetime(now).strftime("%Y%m%d.%H%M%S").to_string();
    let last = files.len().saturating_sub(1);
    let mut requests = Vec::new();
    for (place, (number, rows)) in files.iter().enumerate() {
        let layout = &context.layouts[*number];
        let file = (layout.table.as_str(), &*layout.columns());
        let (path, body) = context.client.file(load, file, rows, (&stamp, place == last));
        if let Some(agreed) = context.gate.as_ref().and_then(Gate::agreement) {
            let fits = agreed.limits.fit(rows.len(), body.to_string().len());
            fits.map_err(|text| ConnectorError::new(Class::Fatal, LOAD, text).took_nothing())?;
        }
        requests.push((path, body));
    }
    attempt.note_encoding(&digest(parts)).map_err(nothing)?;
    attempt.note(STEP, "loading").map_err(nothing)?;
    context.note_now(attempt).map_err(nothing)?;
    for (place, request) in requests.iter().enumerate() {
        // What lies there may be loaded by anybody's trigger.
        let put = context.client.put_file(request).await;
        put.map_err(|error| if place > 0 { error.after_effect() } else { error })?;
    }
    context.note_now(attempt).map_err(ConnectorError::after_effect)?;
    let key = context.client.trigger(load).await.map_err(ConnectorError::after_effect)?;
    attempt.note(KEY, &key).map_err(ConnectorError::after_effect)
}

/// Replays a golden exchange: one file, as this program writes and reads it. Its head
/// names the table (`Namespace::Table`), the `timestamp`, and whether it is the `last`
/// file; a row has `resource`, `location`, `period`, and its fields.
pub(crate) fn replays(context: &Context, load: &DataLoad, one: &Golden) -> Result<(), String> {
    one.holds(rendered(context, load, one), || one.succeeds())
}

fn rendered(context: &Context, load: &DataLoad, one: &Golden) -> Result<Written, String> {
    let head = |name: &str| one.head.get(name).map(String::as_str).unwrap_or_default();
    let layout = context.layouts.iter().find(|layout| layout.full() == head("table"));
    let layout = layout.ok_or_else(|| format!("no measure lies in `{}`", head("table")))?;
    let form = (context.config.file_dates, context.config.effective_out);
    let (mut fields, mut rows) = (Vec::new(), Vec::new());
    for (key, values) in one.named_rows()? {
        fields = values.keys().cloned().collect();
        rows.push(texts(layout, &key, form, &values.into_values().collect::<Vec<_>>()));
    }
    let file = (layout.table.as_str(), &*layout.with(&fields));
    let stamp = (head("timestamp"), head("last") == "true");
    let (path, body) = context.client.file(load, file, &rows, stamp);
    Ok(Written { method: "POST".to_owned(), path, body })
}

/// The lines of one file: those of the batch, then, in a Full file, all others.
async fn file(
    context: &Context,
    load: &DataLoad,
    number: usize,
    parts: &[Part],
) -> Result<Vec<Vec<String>>, ConnectorError> {
    let layout = &context.layouts[number];
    let mine: Vec<(&Part, &Line)> = lines(parts, number).collect();
    let complete = mine.iter().all(|(part, _)| part.sent(layout) == layout.stored());
    let held = match load.full() || !complete {
        true => held(context, load, number).await?,
        false => BTreeMap::new(),
    };
    let form = (context.config.file_dates, context.config.effective_out);
    let row = |key: &RowKey, values: &[String]| texts(layout, key, form, values);
    let mut rows: Vec<_> = mine
        .iter()
        .map(|(part, line)| row(&line.key, &whole(layout, (part, line), held.get(&line.key))))
        .collect();
    if load.full() {
        let mut keys: BTreeSet<&RowKey> = mine.iter().map(|(_, line)| &line.key).collect();
        let rest: Vec<_> = held.iter().filter(|(key, _)| !keys.contains(key)).collect();
        for (key, held) in rest {
            rows.push(row(key, &held.texts[layout.keys().len()..]));
            keys.insert(key);
        }
        let mine = context.measures.iter().filter(|measure| layout.holds(&measure.surface));
        let file = WholeFile {
            step: LOAD,
            table: &layout.full(),
            measures: &mine.map(|measure| measure.name.clone()).collect::<Vec<_>>(),
            rows: &keys,
            fewer: load.fewer_rows.as_ref(),
            field: "settings.data_load.fewer_rows",
        };
        // A file without rows is never put.
        if !keys.is_empty() {
            context.guard.admit(&file, context.clock().now())?;
        }
    }
    Ok(rows)
}

/// Everything that a table holds, if it is ours alone where it must be.
async fn held(
    context: &Context,
    load: &DataLoad,
    number: usize,
) -> Result<BTreeMap<RowKey, Held>, ConnectorError> {
    let layout = &context.layouts[number];
    let (scenario, all) = (context.client.scenario(), std::iter::empty());
    let rows = read::held(context, scenario, number, &layout.stored(), all, Lane::Routine).await?;
    let mut held = BTreeMap::new();
    for row in rows {
        match row.key.clone() {
            Some(key) if !held.contains_key(&key) => {
                held.insert(key, row);
            }
            _ if load.full() => {
                let (full, row) = (layout.full(), row.texts.join(" "));
                let text = format!("{full} holds a row that is not ours, or twice: {row}");
                return Err(ConnectorError::new(Class::Drift, LOAD, text).cure(
                    "a Full file would delete it: use a table of ours alone, or an operation that merges",
                ));
            }
            _ => {}
        }
    }
    Ok(held)
}
