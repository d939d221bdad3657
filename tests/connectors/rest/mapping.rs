//! Pure: cells to rows to bodies, and rows back to cells.

use planthread_contracts::{CellKey, MeasureDecl, Rejection, RowOutcome, SeenCell};
use planthread_kit::{
    CellWrite, Class, ConnectorError,
    rows::{Grouped, Parts, Row, Table, group, refuse},
};
use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

/// One write: rows of one table.
pub(super) struct Write<'a> {
    pub(super) names: &'a [String],
    pub(super) rows: &'a [Row<String>],
}

/// Cells as rows; a value is written at its declared scale.
pub(super) fn encode(
    cells: &[CellWrite],
    measures: &[MeasureDecl],
) -> Result<Grouped<String>, ConnectorError> {
    group(cells, measures, Parts::Allowed, |cell, measure| {
        if cell.key.product.is_some() {
            return Err(refuse(&cell.key, "there are no products here", "map without a product"));
        }
        let mut value = cell.value.normalize();
        if value.scale() > measure.scale {
            let reason = format!("{value} has more than {} decimals", measure.scale);
            return Err(refuse(&cell.key, &reason, "correct the scale of the measure"));
        }
        value.rescale(measure.scale);
        Ok(value.to_string())
    })
}

/// Tables cut into writes of at most `most` rows.
pub(super) fn writes(tables: &[Table<String>], most: usize) -> Vec<Write<'_>> {
    let of = |table| {
        let Table { columns, rows }: &Table<String> = table;
        rows.chunks(most.max(1)).map(move |rows| Write { names: &columns.names, rows })
    };
    tables.iter().flat_map(of).collect()
}

/// The body of one write.
pub(super) fn body(write: &Write<'_>) -> Value {
    let row = |row: &Row<String>| {
        let values = write.names.iter().zip(&row.values);
        let values: Map<String, Value> =
            values.map(|(name, value)| (name.clone(), value.as_str().into())).collect();
        json!({ "resource": row.key.resource, "location": row.key.location,
            "period": row.key.period.to_string(), "values": values })
    };
    json!({ "rows": write.rows.iter().map(row).collect::<Vec<_>>() })
}

/// Puts the results of one write into `outcomes`. A result for each row, or
/// none counts: the rows are unproven then.
pub(super) fn results(write: &Write<'_>, answer: &Value, outcomes: &mut [RowOutcome]) {
    let results = answer["results"].as_array().map(Vec::as_slice).unwrap_or_default();
    let whole = results.len() == write.rows.len();
    for (row, result) in write.rows.iter().zip(results).filter(|_| whole) {
        let outcome = match result["ok"].as_bool() {
            Some(true) => RowOutcome::Accepted,
            Some(false) => RowOutcome::Rejected(Rejection {
                reason: result["message"].as_str().unwrap_or("refused without a text").to_owned(),
                vendor_code: result["code"].as_str().map(str::to_owned),
                cure: "correct the row or the target's master data; then retry".to_owned(),
            }),
            None => RowOutcome::Unproven,
        };
        row.cells.iter().for_each(|&at| outcomes[at] = outcome.clone());
    }
}

/// The cells of one row that was read.
pub(super) fn cells(
    row: &Value,
    (target, scope): (&str, &str),
    measures: &[MeasureDecl],
) -> Result<Vec<SeenCell>, ConnectorError> {
    let drift = |text: &str| ConnectorError::new(Class::Drift, "read rows", text);
    let name = |field: &str| row[field].as_str().ok_or_else(|| drift("a row lacks a name"));
    let (resource, location) = (name("resource")?, name("location")?);
    let period = name("period")?.parse().map_err(|_| drift("a row has no period"))?;
    let values = row["values"].as_object().ok_or_else(|| drift("a row lacks its values"))?;
    let mut seen = Vec::new();
    for measure in measures {
        let Some(value) = values.get(&measure.surface) else { continue };
        let number = value.as_str().and_then(|value| value.parse::<Decimal>().ok());
        let key = CellKey {
            target: target.into(),
            scope: scope.into(),
            resource: resource.into(),
            location: location.into(),
            product: None,
            period,
            measure: (&measure.name).into(),
        };
        let value = Some(number.ok_or_else(|| drift("a value is no number"))?);
        seen.push(SeenCell { key, value });
    }
    Ok(seen)
}
