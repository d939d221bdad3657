//! Reading cells back: the rows of each table, in the scenario of the scope.

use std::collections::BTreeMap;

use planthread_contracts::SeenCell;
use planthread_kit::{Class, ConnectorError, Selection, http::Lane, rows::RowKey};

use crate::{
    config::NonKeyed,
    context::Context,
    rows::{self, Held, Part},
    wire::Question,
};

/// Reads the cells of a selection.
pub(crate) async fn read(
    context: &Context,
    selection: &Selection,
) -> Result<Vec<SeenCell>, ConnectorError> {
    let mut seen = Vec::new();
    for (number, layout) in context.layouts.iter().enumerate() {
        if layout.level != selection.from.kind() {
            continue;
        }
        let asked = |field: &&String| {
            let surface = layout.surface(field);
            let mut measures = context.measures.iter();
            measures.any(|m| m.surface == surface && selection.measures.contains(&m.name))
        };
        let fields: Vec<String> = layout.values.iter().filter(asked).cloned().collect();
        if fields.is_empty() {
            continue;
        }
        let names = selection.resources.iter().map(|(resource, _)| resource.as_str());
        let scenario = context.client.scenario();
        let held = held(context, scenario, number, &fields, names, selection.lane).await?;
        let place = (context.target.as_str(), context.scope.name());
        let mut cells = BTreeMap::new();
        for row in &held {
            for cell in rows::cells(row, layout, &fields, &context.measures, place)? {
                let twice = cells.insert(cell.key.clone(), cell.value).is_some();
                if twice {
                    // Several rows of one identification: which of them counts, or
                    // whether all do, is not known. No value is the right one.
                    surplus(context, &cell)?;
                    cells.insert(cell.key, None);
                }
            }
        }
        let cells = cells.into_iter().map(|(key, value)| SeenCell { key, value });
        seen.extend(cells.filter(|cell| selection.contains(&cell.key)));
    }
    seen.sort_by(|a, b| a.key.cmp(&b.key));
    Ok(seen)
}

/// A second row where the profile says that there is none is a finding.
fn surplus(context: &Context, cell: &SeenCell) -> Result<(), ConnectorError> {
    if context.config.non_keyed == Some(NonKeyed::Append) {
        return Ok(());
    }
    let text = format!("{}: two rows of one identification", cell.key);
    Err(ConnectorError::new(Class::Drift, "read rows", text).cure(
        "a row that is sent again is a second one in this tenant: write `non_keyed: append`; the \
         surplus rows leave with the next landing",
    ))
}

/// The rows of a table for some resources, or for all, in a scenario.
pub(crate) async fn held<'a>(
    context: &Context,
    scenario: &str,
    layout: usize,
    values: &[String],
    names: impl Iterator<Item = &'a str>,
    lane: Lane,
) -> Result<Vec<Held>, ConnectorError> {
    let layout = &context.layouts[layout];
    let fields = layout.with(values);
    let question = Question {
        scenario,
        namespace: &layout.namespace,
        table: &layout.table,
        fields: &fields,
        filter: context.config.filter(&layout.resource, names),
        lane,
    };
    let rows = context.client.rows(question).await?;
    let out = context.config.effective_out;
    rows.into_iter().map(|texts| Held::read(layout, out, texts, fields.len())).collect()
}

/// What the table of a part holds for its resources, by row.
pub(crate) async fn by_row(
    context: &Context,
    part: &Part,
) -> Result<BTreeMap<RowKey, Vec<Held>>, ConnectorError> {
    let names = part.rows.iter().map(|line| line.key.resource.as_str());
    let layout = &context.layouts[part.layout];
    let (scenario, lane) = (context.client.scenario(), Lane::Routine);
    let rows = held(context, scenario, part.layout, &layout.stored(), names, lane).await?;
    let mut by_key: BTreeMap<RowKey, Vec<Held>> = BTreeMap::new();
    for row in rows {
        if let Some(key) = row.key.clone() {
            by_key.entry(key).or_default().push(row);
        }
    }
    Ok(by_key)
}
