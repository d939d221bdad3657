//! Pure: cells to rows to request bodies.
//!
//! Cells of one resource, location, product and period become one row. All
//! rows of one POST have the same columns (§6.8 rule 9: a missing column would
//! not mean "unchanged"), so rows are grouped by their columns first and cut
//! into chunks after.

use std::collections::BTreeMap;

use jiff::civil::Date;
use planthread_contracts::{CellKey, MeasureDecl, PeriodKind, Rejection};
use planthread_kit::{CellWrite, Class, ConnectorError};
use serde_json::{Map, Value};

use super::literal::{decimal, wire_date};
use crate::config::Config;

/// What the rows of one POST have in common. Key figures by name, so that the
/// same figures always make the same columns.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Columns {
    kind: PeriodKind,
    by_product: bool,
    figures: Vec<String>,
}

/// One row, with the cells it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) resource: String,
    pub(crate) location: String,
    pub(crate) product: Option<String>,
    pub(crate) day: Date,
    /// Value strings, in the order of the columns' figures.
    pub(crate) values: Vec<String>,
    /// Positions of the cells in the batch, in the same order.
    pub(crate) cells: Vec<usize>,
}

/// One POST: its columns and some of their rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Chunk {
    pub(crate) columns: Columns,
    pub(crate) rows: Vec<Row>,
}

/// A batch as it will be sent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Encoded {
    pub(crate) chunks: Vec<Chunk>,
    /// Cells that the service can't hold, by position in the batch: refused
    /// here, because one of them would spoil its whole POST.
    pub(crate) refused: BTreeMap<usize, Rejection>,
}

type RowKey = (PeriodKind, String, String, Option<String>, Date);

/// Encodes the cells of a batch.
///
/// # Errors
/// `Fatal` when a cell names a measure that is not declared.
pub(crate) fn encode(
    cells: &[CellWrite],
    measures: &[MeasureDecl],
    config: &Config,
) -> Result<Encoded, ConnectorError> {
    let mut encoded = Encoded::default();
    let mut rows: BTreeMap<RowKey, BTreeMap<String, (String, usize)>> = BTreeMap::new();
    for (at, cell) in cells.iter().enumerate() {
        let measure = declared(&cell.key, measures)?;
        match value_of(cell, measure, config) {
            Ok(text) => {
                rows.entry(row_key(&cell.key))
                    .or_default()
                    .insert(measure.surface.clone(), (text, at));
            }
            Err(rejection) => {
                encoded.refused.insert(at, rejection);
            }
        }
    }
    let mut groups: BTreeMap<Columns, Vec<Row>> = BTreeMap::new();
    for ((kind, resource, location, product, day), figures) in rows {
        let columns = Columns {
            kind,
            by_product: product.is_some(),
            figures: figures.keys().cloned().collect(),
        };
        let (values, cells) = figures.into_values().unzip();
        let row = Row { resource, location, product, day, values, cells };
        groups.entry(columns).or_default().push(row);
    }
    for (columns, rows) in groups {
        let most = rows_per_post(columns.figures.len(), config);
        for rows in rows.chunks(most) {
            encoded.chunks.push(Chunk { columns: columns.clone(), rows: rows.to_vec() });
        }
    }
    Ok(encoded)
}

/// Rows that fit into one POST by both limits; at least one.
pub(crate) fn rows_per_post(figures: usize, config: &Config) -> usize {
    let by_values = config.transaction.values_per_post / figures.max(1);
    by_values.clamp(1, config.transaction.rows_per_post)
}

/// The declaration of a cell's measure.
pub(crate) fn declared<'a>(
    key: &CellKey,
    measures: &'a [MeasureDecl],
) -> Result<&'a MeasureDecl, ConnectorError> {
    measures.iter().find(|measure| measure.name == key.measure).ok_or_else(|| {
        let text = format!("{key}: measure `{}` is not declared for this target", key.measure);
        ConnectorError::new(Class::Fatal, "encode rows", text)
            .cure("declare the measure in the target's configuration")
    })
}

fn row_key(key: &CellKey) -> RowKey {
    let product = key.product.clone();
    (key.period.kind(), key.resource.clone(), key.location.clone(), product, key.period.start())
}

fn value_of(cell: &CellWrite, measure: &MeasureDecl, config: &Config) -> Result<String, Rejection> {
    let refuse = |reason: String, cure: &str| Rejection {
        reason: format!("{}: {reason}", cell.key),
        vendor_code: None,
        cure: cure.to_owned(),
    };
    let key = &cell.key;
    if key.resource.is_empty() || key.location.is_empty() {
        return Err(refuse("resource or location is empty".to_owned(), "complete the mapping"));
    }
    if key.period.kind() != measure.level {
        return Err(refuse(
            format!("the measure is stored by {:?}", measure.level),
            "project the measure at its declared level",
        ));
    }
    match (&key.product, config.options(&measure.name).by_product) {
        (Some(_), false) => {
            return Err(refuse(
                "the key figure is not stored by product".to_owned(),
                "set `measures.<name>.by_product`, or map the measure without a product",
            ));
        }
        (None, true) => {
            return Err(refuse(
                "the key figure is stored by product, and the cell names none".to_owned(),
                "name the product in the mapping",
            ));
        }
        _ => {}
    }
    decimal(cell.value, measure.scale)
        .map_err(|reason| refuse(reason, "correct unit or scale in the measure's declaration"))
}

impl Chunk {
    /// Key figure names, in the order of each row's values.
    pub(crate) fn figures(&self) -> &[String] {
        &self.columns.figures
    }

    /// Period kind of the rows.
    pub(crate) const fn kind(&self) -> PeriodKind {
        self.columns.kind
    }

    /// Values in this POST.
    pub(crate) fn values(&self) -> usize {
        self.rows.len() * self.columns.figures.len()
    }

    /// Names of the attributes that key the rows.
    pub(crate) fn attributes<'a>(&self, config: &'a Config) -> Vec<&'a str> {
        let attributes = &config.attributes;
        let mut names = vec![attributes.resource.as_str(), attributes.location.as_str()];
        names.extend(self.product_column(config));
        names
    }

    /// Column names: attributes, key figures, time field.
    pub(crate) fn names<'a>(&'a self, config: &'a Config) -> Vec<&'a str> {
        let mut names = self.attributes(config);
        names.extend(self.columns.figures.iter().map(String::as_str));
        names.push(config.time_fields.of(self.columns.kind));
        names
    }

    fn product_column<'a>(&self, config: &'a Config) -> Option<&'a str> {
        config.attributes.product.as_deref().filter(|_| self.columns.by_product)
    }

    /// The body of the POST. The version is left out for the base version; the
    /// transaction is never committed by a POST, so an unclear POST can't be
    /// half applied (§6.8 rule 6).
    pub(crate) fn body(&self, config: &Config, transaction: &str, version: &str) -> Value {
        let mut body = Map::new();
        let mut put = |name: &str, value: Value| body.insert(name.to_owned(), value);
        put("Transactionid", transaction.into());
        put("AggregationLevelFieldsString", self.names(config).join(",").into());
        if !version.is_empty() {
            put("VersionID", version.into());
        }
        if let Some(name) = &config.transaction.transaction_name {
            put("TransactionName", name.as_str().into());
        }
        put("DoCommit", false.into());
        put(&config.navigation(), self.rows.iter().map(|row| self.row(row, config)).collect());
        Value::Object(body)
    }

    fn row(&self, row: &Row, config: &Config) -> Value {
        let mut columns = Map::new();
        let mut put = |name: &str, value: &str| columns.insert(name.to_owned(), value.into());
        put(&config.attributes.resource, &row.resource);
        put(&config.attributes.location, &row.location);
        if let (Some(name), Some(product)) = (self.product_column(config), &row.product) {
            put(name, product);
        }
        put(config.time_fields.of(self.columns.kind), &wire_date(row.day));
        for (figure, value) in self.columns.figures.iter().zip(&row.values) {
            put(figure, value);
        }
        Value::Object(columns)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::samples::{cell, config, measures};

    #[test]
    fn one_row_for_one_group_and_one_post_for_one_set_of_columns() {
        let cells = [
            cell("live", "LINE-1", "2026-W02", "132.5"),
            cell("cut", "LINE-1", "2026-W02", "130"),
            cell("live", "LINE-2", "2026-W02", "0"),
            cell("cut", "LINE-2", "2026-W02", "1"),
            cell("live", "LINE-3", "2026-W02", "7"),
        ];
        let encoded = encode(&cells, &measures(), &config()).unwrap();
        let shape: Vec<_> = encoded
            .chunks
            .iter()
            .map(|chunk| (chunk.columns.figures.len(), chunk.rows.len()))
            .collect();
        assert_eq!(shape, [(2, 2), (1, 1)]);
        let body = encoded.chunks[0].body(&config(), "5f0c", "UPSIDE");
        insta::assert_snapshot!(serde_json::to_string_pretty(&body).unwrap());
        let base = encoded.chunks[1].body(&config(), "5f0c", "");
        assert!(base.get("VersionID").is_none(), "the base version is left out");
        assert_eq!(base["DoCommit"], false);
    }

    #[test]
    fn a_cell_the_service_cant_hold_is_named_and_the_others_go() {
        let cells = [
            cell("live", "LINE-1", "2026-W02", "132.505"),
            cell("live", "LINE-2", "2026-W02", "1"),
            cell("live", "LINE-3", "2026-01", "1"),
        ];
        let encoded = encode(&cells, &measures(), &config()).unwrap();
        assert_eq!(encoded.chunks[0].rows.len(), 1);
        assert_eq!(encoded.refused.keys().copied().collect::<Vec<_>>(), [0, 2]);
        assert!(
            encoded.refused[&0].reason.contains("LINE-1") && !encoded.refused[&0].cure.is_empty()
        );
    }

    #[test]
    fn an_undeclared_measure_is_a_broken_configuration() {
        let error = encode(&[cell("other", "LINE-1", "2026-W02", "1")], &measures(), &config());
        assert_eq!(error.unwrap_err().class, Class::Fatal);
    }

    proptest! {
        /// Every cell is sent exactly once or refused, no POST is too large,
        /// and every row of a POST has the columns of the POST.
        #[test]
        fn nothing_is_lost_or_sent_twice(
            picked in proptest::collection::btree_set((0..2usize, 0..40usize, 0..30i64), 1..200),
            limit in 1..60usize,
        ) {
            let mut config = config();
            config.transaction.values_per_post = limit;
            let cells: Vec<_> = picked
                .iter()
                .map(|&(measure, resource, week)| {
                    let day = jiff::civil::date(2026, 1, 5) + jiff::Span::new().weeks(week);
                    let period = planthread_contracts::Period::containing(PeriodKind::Week, day);
                    cell(["live", "cut"][measure], &format!("L{resource}"), &period.to_string(), "1")
                })
                .collect();
            let encoded = encode(&cells, &measures(), &config).unwrap();
            let mut sent: Vec<usize> = Vec::new();
            for chunk in &encoded.chunks {
                prop_assert!(chunk.values() <= limit || chunk.rows.len() == 1);
                for row in &chunk.rows {
                    prop_assert_eq!(row.values.len(), chunk.columns.figures.len());
                    sent.extend(&row.cells);
                }
            }
            sent.sort_unstable();
            prop_assert_eq!(sent, (0..cells.len()).collect::<Vec<_>>());
        }
    }
}
