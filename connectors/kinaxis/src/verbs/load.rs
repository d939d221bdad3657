//! The data load route: extract files, one a table, then one update that loads
//! them (§4.7). The rows of the batch come first in a file, so that a line of its
//! history tells a row whatever else the file carries.
//!
//! Every push writes the files of all tables: what a dead attempt left behind is
//! replaced before anything is triggered, by an empty file where the table is empty. A
//! Full file deletes what it lacks, so it
//! carries every row of its table as it was just read, and lacks none that the
//! ledger ever saw there unless a person decided so.

use std::collections::BTreeSet;

use jiff::tz::TimeZone;
use planthread_kit::{
    Attempt, Class, ConnectorError,
    agreement::{Gate, Golden, Written},
    http::Lane,
    rows::RowKey,
    target::WholeFile,
};

use super::{
    KEY, STEP,
    read::{self, Stock},
};
use crate::{
    config::{DataLoad, Layout},
    context::Context,
    rows::{Line, Part, digest, lines, texts, whole},
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
    for (number, _) in context.written() {
        let rows = file(context, load, trial, number, parts).await;
        let rows = rows.map_err(ConnectorError::without_effect)?;
        files.extend(rows.map(|rows| (number, rows)));
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
    for (number, request) in requests.iter().enumerate() {
        // What lies there may be loaded by anybody's trigger.
        context.write(attempt, number, context.client.put_file(request)).await?;
    }
    let trigger = context.client.trigger(load);
    let key = context.write(attempt, requests.len(), trigger).await?;
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

/// The lines of one file: those of the batch, then, where it is the whole table, all
/// others. A table that gets nothing has no empty Full file, and in a trial none at all:
/// nobody knows yet what one does. But what a dead attempt may have left in its place is
/// replaced by what the table holds.
async fn file(
    context: &Context,
    load: &DataLoad,
    trial: bool,
    number: usize,
    parts: &[Part],
) -> Result<Option<Vec<Vec<String>>>, ConnectorError> {
    let layout = &context.layouts[number];
    let mine: Vec<(&Part, &Line)> = lines(parts, number).collect();
    let measures = context.measures.iter().filter(|measure| layout.holds(&measure.surface));
    let measures: Vec<String> = measures.map(|measure| measure.name.clone()).collect();
    let bare = mine.is_empty() && (load.full() || trial);
    let left = bare && context.guard.left_behind(LOAD, &measures)?;
    let all = load.full() || left;
    let complete = mine.iter().all(|(part, _)| part.sent(layout) == layout.stored());
    let (scenario, stored) = (context.client.scenario(), layout.stored());
    let held = match all || !complete {
        true => read::stock(context, (scenario, number), &stored, [], Lane::Routine).await?,
        false => Stock::default(),
    };
    if all {
        alone(layout, &held)?;
    }
    let form = (context.config.file_dates, context.config.effective_out);
    let row = |key: &RowKey, values: &[String]| texts(layout, key, form, values);
    let mut rows = Vec::new();
    for (part, line) in &mine {
        rows.push(row(&line.key, &whole(layout, (part, line), held.row(&line.key)?)));
    }
    if all {
        let ours: BTreeSet<&RowKey> = mine.iter().map(|(_, line)| &line.key).collect();
        let mut keys = ours.clone();
        for (key, held) in &held.ours {
            if keys.insert(key) {
                rows.extend(held.iter().map(|held| row(key, &held.texts[layout.keys().len()..])));
            }
        }
        if !keys.is_empty() || left {
            let file = WholeFile {
                step: LOAD,
                table: &layout.full(),
                measures: &measures,
                ours: &ours,
                rows: &keys,
                fewer: load.fewer_rows.as_ref(),
                field: "settings.data_load.fewer_rows",
            };
            context.guard.admit(&file, context.clock().now())?;
        }
    }
    if left && rows.is_empty() && !load.empty_file {
        let text = format!("{} is empty, and an older file may lie there", layout.full());
        return Err(ConnectorError::new(Class::Drift, LOAD, text)
            .cure("ask what an empty file does, then set `settings.data_load.empty_file: true`"));
    }
    Ok((!bare || left || !rows.is_empty()).then_some(rows))
}

/// Whether a table holds nothing but rows of ours, each once, where a file takes the
/// place of all that it holds.
fn alone(layout: &Layout, held: &Stock) -> Result<(), ConnectorError> {
    let second = held.ours.values().find_map(|rows| rows.get(1));
    let Some(row) = held.others.first().or(second) else { return Ok(()) };
    let (full, row) = (layout.full(), row.texts.join(" "));
    let text = format!("{full} holds a row that is not ours, or twice: {row}");
    Err(ConnectorError::new(Class::Drift, LOAD, text).cure(
        "a Full file would delete it: use a table of ours alone, or an operation that merges",
    ))
}
