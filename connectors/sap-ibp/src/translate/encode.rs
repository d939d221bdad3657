//! Pure: cells to rows to request bodies.
//!
//! Cells of one resource, location, product and period become one row. All
//! rows of one POST have the same columns (§6.8 rule 9: a missing column would
//! not mean "unchanged"), and so have all POSTs of one transaction: the list of
//! columns belongs to the transaction (§3), and nothing public shows two lists
//! or two time levels under one id. A batch that mixes them is refused.

use std::collections::BTreeMap;

use planthread_contracts::{MeasureDecl, PeriodKind, Rejection};
use planthread_kit::{
    CellWrite, Class, ConnectorError, EncodingDigest,
    rows::{Columns, Parts, Row, group, refuse},
};
use planthread_odata::literal::wire_date;
use serde_json::{Map, Value};

use super::decimal::decimal;
use crate::config::Config;

/// One POST: its columns and some of their rows, with values as strings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Chunk {
    pub(crate) columns: Columns,
    pub(crate) rows: Vec<Row<String>>,
}

/// A batch as it will be sent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Encoded {
    /// POSTs.
    pub(crate) chunks: Vec<Chunk>,
    /// Cells that are not sent, by position in the batch: those that the
    /// service can't hold, because one of them would spoil its whole POST, and
    /// those of the same row, because without it their row would have other
    /// columns.
    pub(crate) refused: BTreeMap<usize, Rejection>,
}

/// Encodes cells: POSTs of equal columns stand side by side.
///
/// # Errors
/// `Fatal` when a cell names a measure that is not declared.
pub(crate) fn encode(
    cells: &[CellWrite],
    measures: &[MeasureDecl],
    config: &Config,
) -> Result<Encoded, ConnectorError> {
    let value = |cell: &CellWrite, measure: &MeasureDecl| value_of(cell, measure, config);
    let grouped = group(cells, measures, Parts::Refused, value)?;
    let mut chunks = Vec::new();
    for table in grouped.tables {
        let most = rows_per_post(table.columns.names.len(), config);
        let mut rows = table.rows.into_iter().peekable();
        while rows.peek().is_some() {
            let rows = rows.by_ref().take(most).collect();
            chunks.push(Chunk { columns: table.columns.clone(), rows });
        }
    }
    Ok(Encoded { chunks, refused: grouped.refused })
}

impl Encoded {
    /// The digest of all rows as they go out, with the cells they came from.
    pub(crate) fn digest(&self, config: &Config) -> EncodingDigest {
        let rows = self.chunks.iter().flat_map(|chunk| {
            let columns = std::iter::once(chunk.names(config).join(","));
            let rows =
                chunk.rows.iter().map(|row| format!("{:?} {}", row.cells, chunk.row(row, config)));
            columns.chain(rows)
        });
        let refused = self.refused.keys().map(|at| format!("{at} is not sent"));
        EncodingDigest::of(rows.chain(refused))
    }

    /// Whether one transaction may carry all of it.
    ///
    /// # Errors
    /// `Fatal` when its rows have not all the same columns and time level, or
    /// are too many (§6.8 rule 7).
    pub(crate) fn one_transaction(&self, config: &Config) -> Result<(), ConnectorError> {
        let refuse = |text: String, cure: &str| {
            Err(ConnectorError::new(Class::Fatal, "encode rows", text).cure(cure))
        };
        let names = |chunk: &Chunk| chunk.names(config).join(",");
        if let Some(pair) = self.chunks.windows(2).find(|pair| pair[0].columns != pair[1].columns) {
            return refuse(
                format!("rows of ({}) and of ({}) in one batch", names(&pair[0]), names(&pair[1])),
                "a transaction has one list of columns: push rows of each kind apart",
            );
        }
        let most = config.transaction.segment_rows;
        let rows: usize = self.chunks.iter().map(|chunk| chunk.rows.len()).sum();
        if rows > most {
            return refuse(
                format!("{rows} rows in a batch; at most {most} fit"),
                "split the batch, or raise `transaction.segment_rows`",
            );
        }
        Ok(())
    }
}

/// Rows that fit into one POST by both limits; at least one.
pub(crate) fn rows_per_post(figures: usize, config: &Config) -> usize {
    let by_values = config.transaction.values_per_post / figures.max(1);
    by_values.clamp(1, config.transaction.rows_per_post)
}

fn value_of(cell: &CellWrite, measure: &MeasureDecl, config: &Config) -> Result<String, Rejection> {
    let key = &cell.key;
    match (&key.product, config.options(&measure.name).by_product) {
        (Some(_), false) => {
            return Err(refuse(
                key,
                "the key figure is not stored by product",
                "set `measures.<name>.by_product`, or map the measure without a product",
            ));
        }
        (None, true) => {
            return Err(refuse(
                key,
                "the key figure is stored by product, and the cell names none",
                "name the product in the mapping",
            ));
        }
        _ => {}
    }
    decimal(cell.value, measure.scale).map_err(|reason| {
        refuse(key, &reason, "correct unit or scale in the measure's declaration")
    })
}

impl Chunk {
    /// Key figure names, in the order of each row's values.
    pub(crate) fn figures(&self) -> &[String] {
        &self.columns.names
    }

    /// Period kind of the rows.
    pub(crate) const fn kind(&self) -> PeriodKind {
        self.columns.kind
    }

    /// Values in this POST.
    pub(crate) fn values(&self) -> usize {
        self.rows.len() * self.columns.names.len()
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
        names.extend(self.columns.names.iter().map(String::as_str));
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

    fn row(&self, row: &Row<String>, config: &Config) -> Value {
        let mut columns = Map::new();
        let mut put = |name: &str, value: &str| columns.insert(name.to_owned(), value.into());
        put(&config.attributes.resource, &row.key.resource);
        put(&config.attributes.location, &row.key.location);
        if let (Some(name), Some(product)) = (self.product_column(config), &row.key.product) {
            put(name, product);
        }
        put(config.time_fields.of(self.columns.kind), &wire_date(row.key.period.start()));
        for (figure, value) in self.columns.names.iter().zip(&row.values) {
            put(figure, value);
        }
        Value::Object(columns)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        config::MeasureOptions,
        samples::{cell, config, measures},
    };

    #[test]
    fn one_row_for_one_group_and_one_post_for_all_rows() {
        let cells = [
            cell("live", "LINE-1", "2026-W02", "132.5"),
            cell("cut", "LINE-1", "2026-W02", "130"),
            cell("live", "LINE-2", "2026-W02", "0"),
            cell("cut", "LINE-2", "2026-W02", "1"),
        ];
        let encoded = encode(&cells, &measures(), &config()).unwrap();
        let shape: Vec<_> = encoded
            .chunks
            .iter()
            .map(|chunk| (chunk.columns.names.len(), chunk.rows.len()))
            .collect();
        assert_eq!(shape, [(2, 2)]);
        let body = encoded.chunks[0].body(&config(), "5f0c", "UPSIDE");
        insta::assert_snapshot!(serde_json::to_string_pretty(&body).unwrap());
        let base = encoded.chunks[0].body(&config(), "5f0c", "");
        assert!(base.get("VersionID").is_none(), "the base version is left out");
        assert_eq!(base["DoCommit"], false);
    }

    #[test]
    fn rows_of_different_columns_or_levels_never_share_a_transaction() {
        let live = |period| cell("live", "LINE-1", period, "1");
        let mut product = cell("cut", "LINE-3", "2026-W02", "1");
        product.key.product = Some("P-1".into());
        for other in [
            cell("cut", "LINE-2", "2026-W02", "1"),
            cell("cut", "LINE-1", "2026-W02", "1"),
            cell("severity", "LINE-1", "2026-01", "1"),
            product,
        ] {
            let cells = [live("2026-W02"), cell("live", "LINE-2", "2026-W02", "1"), other];
            let mut config = config();
            config.attributes.product = Some("PRDID".to_owned());
            let by_product = MeasureOptions { by_product: true, ..MeasureOptions::default() };
            let mut monthly = measures();
            if cells[2].key.product.is_some() {
                config.measures.insert("cut".to_owned(), by_product);
            }
            monthly[3].level = PeriodKind::Month;
            let encoded = encode(&cells, &monthly, &config).unwrap();
            let error = encoded.one_transaction(&config).unwrap_err();
            assert_eq!(error.class, Class::Fatal, "{cells:?}");
            assert!(error.message.contains("TWINCAPALIVE") && error.cure.is_some(), "{error}");
        }
        let same = [live("2026-W02"), live("2026-W03"), cell("live", "LINE-2", "2026-W02", "1")];
        encode(&same, &measures(), &config()).unwrap().one_transaction(&config()).unwrap();
    }

    #[test]
    fn a_cell_the_service_cant_hold_is_named_and_the_other_rows_go() {
        let cells = [
            cell("live", "LINE-1", "2026-W02", "132.505"),
            cell("cut", "LINE-1", "2026-W02", "1"),
            cell("live", "LINE-2", "2026-W02", "1"),
            cell("cut", "LINE-2", "2026-W02", "1"),
        ];
        let encoded = encode(&cells, &measures(), &config()).unwrap();
        assert_eq!((encoded.chunks.len(), encoded.chunks[0].rows.len()), (1, 1));
        assert_eq!(encoded.refused.keys().copied().collect::<Vec<_>>(), [0, 1]);
        let reason = |at: usize| encoded.refused[&at].reason.as_str();
        assert!(reason(0).contains("LINE-1") && !encoded.refused[&0].cure.is_empty());
        assert!(reason(1).starts_with("not sent with the rest of its row: "), "{}", reason(1));
        assert!(reason(1).contains("132.505"), "{}", reason(1));

        let month = encode(&[cell("live", "LINE-3", "2026-01", "1")], &measures(), &config());
        let month = month.unwrap();
        assert_eq!((month.chunks.len(), month.refused.len()), (0, 1));
    }

    #[test]
    fn the_digest_is_that_of_the_rows_that_go_out() {
        let digest = |cells: &[CellWrite], config: &Config| {
            encode(cells, &measures(), config).unwrap().digest(config)
        };
        let cells = [
            cell("live", "LINE-1", "2026-W02", "132.5"),
            cell("live", "LINE-2", "2026-W02", "132.505"),
        ];
        let ours = digest(&cells, &config());
        assert_eq!(ours, digest(&cells, &config()));
        let mut renamed = config();
        renamed.attributes.location = "OTHERID".to_owned();
        assert_ne!(ours, digest(&cells, &renamed), "another mapping");
        assert_ne!(ours, digest(&cells[..1], &config()), "one refused cell less");
        let other = [cell("live", "LINE-1", "2026-W02", "132.6"), cells[1].clone()];
        assert_ne!(ours, digest(&other, &config()), "another value");
    }

    #[test]
    fn an_undeclared_measure_is_a_broken_configuration() {
        let error = encode(&[cell("other", "LINE-1", "2026-W02", "1")], &measures(), &config());
        assert_eq!(error.unwrap_err().class, Class::Fatal);
    }

    proptest! {
        /// Every cell is sent exactly once, no POST is too large, and every
        /// row of a POST has the columns of the POST.
        #[test]
        fn nothing_is_lost_or_sent_twice(
            picked in proptest::collection::btree_set((0..40usize, 0..30i64), 1..200),
            figures in 1..3usize,
            limit in 1..60usize,
        ) {
            let mut config = config();
            config.transaction.values_per_post = limit;
            let names = &["live", "cut"][..figures];
            let cells: Vec<_> = picked
                .iter()
                .flat_map(|&(resource, week)| names.iter().map(move |name| (resource, week, name)))
                .map(|(resource, week, name)| {
                    let day = jiff::civil::date(2026, 1, 5) + jiff::Span::new().weeks(week);
                    let period = planthread_contracts::Period::containing(PeriodKind::Week, day);
                    cell(name, &format!("L{resource}"), &period.to_string(), "1")
                })
                .collect();
            let encoded = encode(&cells, &measures(), &config).unwrap();
            let mut sent: Vec<usize> = Vec::new();
            for chunk in &encoded.chunks {
                prop_assert!(chunk.values() <= limit || chunk.rows.len() == 1);
                for row in &chunk.rows {
                    prop_assert_eq!(row.values.len(), chunk.columns.names.len());
                    sent.extend(&row.cells);
                }
            }
            sent.sort_unstable();
            prop_assert_eq!(sent, (0..cells.len()).collect::<Vec<_>>());
        }
    }
}
