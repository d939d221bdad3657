//! Pure: cells to rows with typed slots.

use planthread_contracts::{CellKey, MeasureDecl, Rejection};
use planthread_kit::{
    CellWrite, ConnectorError,
    agreement::{Filled, Slot},
    rows::{Grouped, Parts, group, refuse, scaled},
};

use crate::{
    buckets::Form,
    config::{Config, slots},
};

/// One cell as it goes out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CellRow {
    /// Its place in the batch.
    pub(crate) at: usize,
    /// Values by slot, but for the id of the row.
    pub(crate) filled: Filled,
}

/// Cells as rows, one each, in the order of their keys; and those that can't go out.
pub(crate) struct Encoded {
    pub(crate) rows: Vec<CellRow>,
    pub(crate) grouped: Grouped<Filled>,
}

/// The members that name a cell: version, resource, location, bucket.
pub(crate) fn members(config: &Config, form: &Form, key: &CellKey) -> [String; 4] {
    [
        config.version_of(&key.scope).to_owned(),
        key.resource.to_string(),
        key.location.to_string(),
        form.member(key.period),
    ]
}

fn filled(
    config: &Config,
    form: &Form,
    cell: &CellWrite,
    measure: &MeasureDecl,
) -> Result<Filled, Rejection> {
    if cell.key.product.is_some() {
        let cure = "map the measure without a product";
        return Err(refuse(&cell.key, "the measure group has no product", cure));
    }
    let value = scaled(cell, measure)?;
    let [version, resource, location, bucket] = members(config, form, &cell.key).map(Slot::Member);
    let filled = slots([
        ("version", version),
        ("resource", resource),
        ("location", location),
        ("bucket", bucket),
        ("measure", Slot::Member(measure.surface.clone())),
        ("value", Slot::Decimal(value)),
    ]);
    for slot in filled.values() {
        slot.text().map_err(|reason| {
            let cure = "how such names are escaped is not public: rename it, then map it again";
            refuse(&cell.key, &reason, cure)
        })?;
    }
    Ok(filled)
}

/// Cells as rows; a cell that the target can't hold is refused by itself.
///
/// # Errors
/// `Fatal` when a cell names a measure that is not declared.
pub(crate) fn encode(
    config: &Config,
    form: &Form,
    cells: &[CellWrite],
    measures: &[MeasureDecl],
) -> Result<Encoded, ConnectorError> {
    let grouped = group(cells, measures, Parts::Allowed, |cell, measure| {
        filled(config, form, cell, measure)
    })?;
    let of_table = grouped.tables.iter().flat_map(|table| &table.rows);
    let mut rows: Vec<CellRow> = of_table
        .flat_map(|row| row.cells.iter().zip(&row.values))
        .map(|(at, filled)| CellRow { at: *at, filled: filled.clone() })
        .collect();
    rows.sort_by_key(|row| row.at);
    Ok(Encoded { rows, grouped })
}

#[cfg(test)]
mod tests {
    use planthread_contracts::PeriodKind;

    use super::*;
    use crate::samples::{cell, config, measures};

    fn encoded(cells: &[CellWrite]) -> Encoded {
        let config = config();
        let form = Form::read(&config.model.time.member, PeriodKind::TechnicalWeek).unwrap();
        encode(&config, &form, cells, &measures()).unwrap()
    }

    #[test]
    fn each_cell_is_a_row_with_every_place_fixed() {
        let found = encoded(&[cell("LINE-1", "live", "36.5")]);
        assert_eq!(found.rows.len(), 1);
        let text = |slot: &str| found.rows[0].filled[slot].text().unwrap();
        assert_eq!(
            ["version", "resource", "location", "bucket", "measure", "value"].map(text),
            ["TwinSignals", "LINE-1", "1010", "202649A", "Twin Capacity Live", "36.50"]
        );
    }

    #[test]
    fn what_the_target_can_not_hold_is_refused_alone_and_before_anything_is_sent() {
        let mut by_product = cell("LINE-1", "plan_cut", "1");
        by_product.key.product = Some("P".into());
        let cells = [
            cell("LINE-1", "live", "1.001"),
            cell("LINE]2", "live", "1"),
            by_product,
            cell("LINE-3", "live", "1"),
        ];
        let found = encoded(&cells);
        assert_eq!(found.rows.iter().map(|row| row.at).collect::<Vec<_>>(), [3]);
        let reasons: Vec<&str> =
            found.grouped.refused.values().map(|r| r.reason.as_str()).collect();
        assert!(reasons[0].contains("decimals") && reasons[1].contains("']'"), "{reasons:?}");
        assert!(reasons[2].contains("product"), "{reasons:?}");
    }
}
