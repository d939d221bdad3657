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
        let stock = stock(context, (scenario, number), &fields, names, selection.lane).await?;
        let place = (context.target.as_str(), context.scope.name());
        for rows in stock.ours.values() {
            if rows.len() > 1 && context.config.non_keyed != Some(NonKeyed::Append) {
                return Err(several(rows).cure(
                    "a row that is sent again is a second one in this tenant: write `non_keyed: \
                     append`; the surplus rows leave with the next landing",
                ));
            }
            let cells = rows::cells(&rows[0], layout, &fields, &context.measures, place)?;
            let mine = cells.into_iter().filter(|cell| selection.contains(&cell.key));
            // Of several rows none is the right one.
            let value = |one: SeenCell| one.value.filter(|_| rows.len() == 1);
            seen.extend(mine.map(|one| SeenCell { key: one.key.clone(), value: value(one) }));
        }
    }
    seen.sort_by(|a, b| a.key.cmp(&b.key));
    Ok(seen)
}

/// What a table holds: rows of one period of ours by name, and all others.
#[derive(Debug, Default)]
pub(crate) struct Stock {
    pub(crate) ours: BTreeMap<RowKey, Vec<Held>>,
    pub(crate) others: Vec<Held>,
}

impl Stock {
    /// The row of this name, if there is one.
    pub(crate) fn row(&self, key: &RowKey) -> Result<Option<&Held>, ConnectorError> {
        match self.ours.get(key).map(Vec::as_slice) {
            Some(rows @ [_, _, ..]) => {
                Err(several(rows)
                    .cure("remove the surplus rows: nobody knows which of them counts"))
            }
            rows => Ok(rows.and_then(<[Held]>::first)),
        }
    }
}

/// Rows of one identification: which of them counts, or whether all do, is not known.
fn several(rows: &[Held]) -> ConnectorError {
    let text = format!("{} rows of one identification: {}", rows.len(), rows[0].texts.join(" "));
    ConnectorError::new(Class::Drift, "read rows", text)
}

/// What a table holds in a scenario, for some resources or for all.
pub(crate) async fn stock<'a>(
    context: &Context,
    (scenario, number): (&str, usize),
    values: &[String],
    names: impl IntoIterator<Item = &'a str>,
    lane: Lane,
) -> Result<Stock, ConnectorError> {
    let layout = &context.layouts[number];
    let fields = layout.with(values);
    let question = Question {
        scenario,
        namespace: &layout.namespace,
        table: &layout.table,
        fields: &fields,
        filter: context.config.filter(&layout.resource, names.into_iter()),
        lane,
    };
    let mut stock = Stock::default();
    let rows = match &layout.view {
        Some(view) => {
            let place = (view.workbook.as_str(), view.visibility);
            let sheet = context.client.worksheet(place, &view.site_group, &view.name).await?;
            sheet.select("read worksheet", &fields)?
        }
        None => context.client.rows(question).await?,
    };
    for texts in rows {
        let row = Held::read(layout, context.config.effective_out, texts, fields.len())?;
        match row.key.clone() {
            Some(key) => stock.ours.entry(key).or_default().push(row),
            None => stock.others.push(row),
        }
    }
    Ok(stock)
}

/// What the table of some parts holds for their resources.
pub(crate) async fn stock_of(context: &Context, of: &[&Part]) -> Result<Stock, ConnectorError> {
    let Some(layout) = of.first().map(|part| part.layout) else { return Ok(Stock::default()) };
    let names = of.iter().flat_map(|part| &part.rows).map(|line| line.key.resource.as_str());
    let (scenario, values) = (context.client.scenario(), context.layouts[layout].stored());
    stock(context, (scenario, layout), &values, names, Lane::Routine).await
}
