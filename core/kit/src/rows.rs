//! Pure: cells to rows, and back to cells.
//!
//! Planning systems take rows: the values of one resource, location, product and
//! period side by side. Rows with the same columns make a table, because most
//! interfaces name the columns once for all rows of a request.

use std::{borrow::Cow, collections::BTreeMap, fmt};

use planthread_contracts::{CellKey, MeasureDecl, Name, Period, PeriodKind, Rejection, RowOutcome};
use rust_decimal::Decimal;

use crate::{CellWrite, Class, ConnectorError};

/// What names a row.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RowKey {
    /// The resource, as the target calls it.
    pub resource: Name,
    /// The location, as the target calls it.
    pub location: Name,
    /// The product, where the measures are stored by product.
    pub product: Option<Name>,
    /// The period.
    pub period: Period,
}

impl RowKey {
    /// The row in which `key` stands.
    #[must_use]
    pub fn of(key: &CellKey) -> Self {
        Self {
            resource: key.resource.clone(),
            location: key.location.clone(),
            product: key.product.clone(),
            period: key.period,
        }
    }

    /// Where it stands: resource and location.
    #[must_use]
    pub const fn place(&self) -> (&Name, &Name) {
        (&self.resource, &self.location)
    }

    /// The cell of `measure` in this row.
    #[must_use]
    pub fn cell(&self, target: &str, scope: &str, measure: &str) -> CellKey {
        CellKey {
            target: target.into(),
            scope: scope.into(),
            resource: self.resource.clone(),
            location: self.location.clone(),
            product: self.product.clone(),
            period: self.period,
            measure: measure.into(),
        }
    }
}

impl fmt::Display for RowKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { resource, location, period, .. } = self;
        write!(f, "{resource}@{location} {period}")
    }
}

/// What the rows of one table have in common. Names are sorted, so that the
/// same measures always make the same columns.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Columns {
    /// Kind of the rows' periods.
    pub kind: PeriodKind,
    /// Whether the rows name a product.
    pub by_product: bool,
    /// The target's names of the measures.
    pub names: Vec<String>,
}

/// One row, with the cells it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row<V> {
    /// Its name.
    pub key: RowKey,
    /// Values, in the order of the table's names.
    pub values: Vec<V>,
    /// Positions of the cells in the batch, in the same order.
    pub cells: Vec<usize>,
}

/// Rows of equal columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table<V> {
    /// The columns.
    pub columns: Columns,
    /// The rows: by period, then by resource, location and product.
    pub rows: Vec<Row<V>>,
}

/// Whether a row may go out without one of its cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parts {
    /// Yes: a column that is not named keeps its value.
    Allowed,
    /// No: without one cell the row would have other columns.
    Refused,
}

/// Cells as rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grouped<V> {
    /// Tables, by columns.
    pub tables: Vec<Table<V>>,
    /// Cells that are not sent, by position in the batch: those that the target
    /// can't hold, and those of a row that may not go out without them.
    pub refused: BTreeMap<usize, Rejection>,
}

/// What names the row of a cell, in the order in which rows go out: near periods first,
/// so that a batch that is broken off has brought what is needed first.
fn spot(key: &CellKey) -> (Period, &str, &str, Option<&str>) {
    (key.period, &key.resource, &key.location, key.product.as_deref())
}

/// The values of one row by column, each with its place in the batch.
type Named<'m, V> = BTreeMap<&'m str, (usize, Result<V, Rejection>)>;

/// Groups `cells` into rows and tables. `encode` writes one value as the target
/// wants it, or says why the target can't hold it; what no target holds (an empty
/// name, another level than declared) is refused here.
///
/// # Errors
/// `Fatal` when a cell names a measure that is not declared.
pub fn group<V>(
    cells: &[CellWrite],
    measures: &[MeasureDecl],
    parts: Parts,
    encode: impl Fn(&CellWrite, &MeasureDecl) -> Result<V, Rejection>,
) -> Result<Grouped<V>, ConnectorError> {
    let spot = |at: &usize| spot(&cells[*at].key);
    // Positions, not rows: a pack has as many cells as the target.
    let mut order: Vec<usize> = (0..cells.len()).collect();
    order.sort_by(|a, b| spot(a).cmp(&spot(b)));
    let mut refused = BTreeMap::new();
    let mut tables: BTreeMap<Columns, Vec<Row<V>>> = BTreeMap::new();
    for of_row in order.chunk_by(|a, b| spot(a) == spot(b)) {
        let mut named: Named<'_, V> = BTreeMap::new();
        for at in of_row {
            let cell = &cells[*at];
            let measure = declared(&cell.key, measures)?;
            let value = fits(cell, measure).and_then(|()| encode(cell, measure));
            named.insert(&measure.surface, (*at, value));
        }
        let key = RowKey::of(&cells[of_row[0]].key);
        let width = named.len();
        let mut row =
            Row { key, values: Vec::with_capacity(width), cells: Vec::with_capacity(width) };
        let (mut names, mut bad) = (Vec::with_capacity(width), Vec::new());
        for (name, (at, value)) in named {
            match value {
                Ok(value) => {
                    names.push(name.to_owned());
                    row.values.push(value);
                    row.cells.push(at);
                }
                Err(rejection) => bad.push((at, rejection)),
            }
        }
        if let (Some((_, first)), Parts::Refused) = (bad.first(), parts) {
            let reason = format!("not sent with the rest of its row: {}", first.reason);
            let with = Rejection { reason, ..first.clone() };
            refused.extend(std::mem::take(&mut row.cells).into_iter().map(|at| (at, with.clone())));
        }
        refused.extend(bad);
        if !row.cells.is_empty() {
            let (kind, by_product) = (row.key.period.kind(), row.key.product.is_some());
            tables.entry(Columns { kind, by_product, names }).or_default().push(row);
        }
    }
    let tables = tables.into_iter().map(|(columns, rows)| Table { columns, rows });
    Ok(Grouped { tables: tables.collect(), refused })
}

impl<V> Grouped<V> {
    /// Outcomes of `total` cells before the target said anything: the refused
    /// ones, and `otherwise` for the rest.
    #[must_use]
    pub fn outcomes(&self, total: usize, otherwise: &RowOutcome) -> Vec<RowOutcome> {
        let mut outcomes = vec![otherwise.clone(); total];
        for (&at, rejection) in &self.refused {
            outcomes[at] = RowOutcome::Rejected(rejection.clone());
        }
        outcomes
    }
}

/// The declaration of a cell's measure.
///
/// # Errors
/// `Fatal` when there is none.
pub fn declared<'a>(
    key: &CellKey,
    measures: &'a [MeasureDecl],
) -> Result<&'a MeasureDecl, ConnectorError> {
    measures.iter().find(|measure| measure.name == key.measure).ok_or_else(|| {
        let text = format!("{key}: measure `{}` is not declared for this target", key.measure);
        ConnectorError::new(Class::Fatal, "encode rows", text)
            .cure("declare the measure in the target's configuration")
    })
}

/// A rejection of one cell, which its text names.
#[must_use]
pub fn refuse(key: &CellKey, reason: &str, cure: impl Into<Cow<'static, str>>) -> Rejection {
    let cure: Cow<'static, str> = cure.into();
    Rejection { reason: format!("{key}: {reason}"), vendor_code: None, cure: cure.into_owned() }
}

/// A value with exactly the declared decimals. It was rounded once, before it became
/// wanted: nothing is rounded here.
///
/// # Errors
/// When it has more decimals.
pub fn scaled(cell: &CellWrite, measure: &MeasureDecl) -> Result<Decimal, Rejection> {
    let mut value = cell.value.normalize();
    if value.scale() > measure.scale {
        let reason = format!("{value} has more than {} decimals", measure.scale);
        return Err(refuse(&cell.key, &reason, "correct the scale of the measure"));
    }
    value.rescale(measure.scale);
    Ok(value)
}

fn fits(cell: &CellWrite, measure: &MeasureDecl) -> Result<(), Rejection> {
    let key = &cell.key;
    if key.resource.is_empty() || key.location.is_empty() {
        return Err(refuse(key, "resource or location is empty", "complete the mapping"));
    }
    if key.period.kind() != measure.level {
        let reason = format!("the measure is stored by {:?}", measure.level);
        return Err(refuse(key, &reason, "project the measure at its declared level"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use planthread_contracts::RowOutcome;
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn measures() -> Vec<MeasureDecl> {
        let declare = |name: &str| {
            serde_json::from_value(json!({ "name": name, "surface": name.to_uppercase(),
                "scale": 2, "carries": "attainable_clock_hours", "unit": "HUR", "level": "week",
                "over_time": "sum", "over_resources": "sum", "owner": "bridge", "role": "value" }))
            .unwrap()
        };
        ["live", "cut"].into_iter().map(declare).collect()
    }

    fn cell(resource: &str, period: &str, measure: &str) -> CellWrite {
        let key = CellKey {
            target: "t".into(),
            scope: "".into(),
            resource: resource.into(),
            location: "1010".into(),
            product: None,
            period: period.parse().unwrap(),
            measure: measure.into(),
        };
        CellWrite { key, revision: 1, value: Decimal::ONE }
    }

    /// Refuses every cut of line 2.
    fn encode(cell: &CellWrite, _: &MeasureDecl) -> Result<u32, Rejection> {
        match (cell.key.resource.as_str(), cell.key.measure.as_str()) {
            ("L2", "cut") => Err(refuse(&cell.key, "too large", "look")),
            _ => Ok(1),
        }
    }

    #[test]
    fn cells_of_one_period_are_a_row_and_equal_rows_a_table() {
        let cells = [
            cell("L1", "2026-W49", "live"),
            cell("L1", "2026-W49", "cut"),
            cell("L2", "2026-W49", "cut"),
            cell("L2", "2026-W49", "live"),
            cell("L3", "2026-12", "live"),
            cell("", "2026-W49", "live"),
        ];
        let whole = group(&cells, &measures(), Parts::Refused, encode).unwrap();
        assert_eq!(whole.tables.len(), 1);
        assert_eq!(whole.tables[0].columns.names, ["CUT", "LIVE"]);
        assert_eq!(whole.tables[0].rows[0].cells, [1, 0]);
        assert_eq!(whole.refused.keys().copied().collect::<Vec<_>>(), [2, 3, 4, 5]);
        assert!(whole.refused[&3].reason.contains("with the rest of its row"));
        assert!(whole.refused[&4].reason.contains("Week"));
        let parts = group(&cells, &measures(), Parts::Allowed, encode).unwrap();
        assert_eq!(parts.tables.len(), 2, "line 2 has its live value alone");
        let outcomes = parts.outcomes(6, &RowOutcome::Accepted);
        assert_eq!(outcomes[3], RowOutcome::Accepted);
        assert!(matches!(outcomes[2], RowOutcome::Rejected(_)));
        let strange = [cell("L1", "2026-W49", "nobody")];
        assert!(group(&strange, &measures(), Parts::Allowed, encode).is_err());
    }

    #[test]
    fn a_value_has_the_declared_decimals_or_is_refused() {
        let with = |text: &str| {
            let value = text.parse().unwrap();
            let cell = CellWrite { value, ..cell("L1", "2026-W49", "live") };
            scaled(&cell, &measures()[0]).map(|value| value.to_string())
        };
        assert_eq!(with("132.5").unwrap(), "132.50");
        assert_eq!(with("132.500000").unwrap(), "132.50");
        assert!(with("132.505").unwrap_err().reason.contains("more than 2 decimals"));
    }

    #[test]
    fn a_row_leads_back_to_its_cells() {
        let key = cell("L1", "2026-W49", "cut").key;
        assert_eq!(RowKey::of(&key).cell("t", "", "cut"), key);
    }

    proptest! {
        #[test]
        fn every_cell_is_sent_once_or_refused_once(
            picks in proptest::collection::btree_set((0_usize..4, 0_usize..3, 0_usize..2), 0..24),
            whole: bool,
        ) {
            let cells: Vec<CellWrite> = picks.iter().map(|&(line, week, measure)| {
                let period = ["2026-W49", "2026-W50", "2026-12"][week];
                cell(["L1", "L2", "L3", ""][line], period, ["live", "cut"][measure])
            }).collect();
            let parts = if whole { Parts::Refused } else { Parts::Allowed };
            let grouped = group(&cells, &measures(), parts, encode).unwrap();
            let rows = grouped.tables.iter().flat_map(|table| &table.rows);
            let mut found: Vec<usize> = rows.flat_map(|row| row.cells.clone()).collect();
            found.extend(grouped.refused.keys());
            found.sort_unstable();
            prop_assert_eq!(found, (0..cells.len()).collect::<Vec<_>>());
            for table in &grouped.tables {
                prop_assert!(table.rows.is_sorted_by_key(|row| row.key.period));
                for row in &table.rows {
                    prop_assert_eq!(row.values.len(), table.columns.names.len());
                }
            }
        }
    }
}
