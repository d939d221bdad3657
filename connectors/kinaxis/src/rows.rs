//! Pure: cells to rows of tables, and rows that were read back to cells.

use std::collections::BTreeMap;

use jiff::{ToSpan as _, civil::Date};
use planthread_contracts::{MeasureDecl, Period, SeenCell};
use planthread_kit::{
    CellWrite, Class, ConnectorError, EncodingDigest,
    batch::plain,
    dates::DateForm,
    rows::{Grouped, Parts, RowKey, group, refuse, scaled},
};
use rust_decimal::Decimal;

use crate::config::{EffectiveOut, Layout, layout::ID_PREFIX};

/// Rows of one table with the same value fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Part {
    /// Position of the table among the layouts.
    pub(crate) layout: usize,
    /// Fields of the values, in order.
    pub(crate) fields: Vec<String>,
    pub(crate) rows: Vec<Line>,
}

impl Part {
    /// Fields that its rows bring: values, and the reason where they have one.
    pub(crate) fn sent(&self, layout: &Layout) -> Vec<String> {
        let told = self.rows.iter().all(|line| line.reason.is_some());
        self.fields.iter().chain(layout.reason.iter().filter(|_| told)).cloned().collect()
    }

    /// Positions of its cells in the batch.
    pub(crate) fn cells(&self) -> impl Iterator<Item = usize> {
        self.rows.iter().flat_map(|line| line.cells.iter().copied())
    }
}

/// One row, with the cells that it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) key: RowKey,
    /// Values, in the order of the part's fields.
    pub(crate) values: Vec<String>,
    /// Positions of the cells in the batch.
    pub(crate) cells: Vec<usize>,
    /// Why the values are what they are, where the table has a field for it.
    pub(crate) reason: Option<String>,
}

impl Line {
    /// Its values, and the reason where it has one.
    pub(crate) fn sent(&self) -> Vec<String> {
        self.values.iter().chain(&self.reason).cloned().collect()
    }
}

/// Signs of a reason, which are plain (§13.5): how many a field takes is not public.
const REASON_MAX: usize = 250;

/// Cells as rows; a value is written as plain digits at its declared scale.
pub(crate) fn encode(
    cells: &[CellWrite],
    measures: &[MeasureDecl],
) -> Result<Grouped<String>, ConnectorError> {
    group(cells, measures, Parts::Allowed, |cell, measure| {
        if cell.key.product.is_some() {
            let cure = "map the resource without a product";
            return Err(refuse(&cell.key, "a constraint has no products", cure));
        }
        if [&cell.key.resource, &cell.key.location]
            .iter()
            .any(|name| name.contains(['\t', '\n', '\r']))
        {
            return Err(refuse(
                &cell.key,
                "a name holds a tab or a line break",
                "correct the mapping",
            ));
        }
        scaled(cell, measure).map(|value| value.to_string())
    })
}

/// The rows by table and value fields, at most `most` in one part; `told` says why the
/// values of a row are what they are.
pub(crate) fn parts<'t>(
    grouped: &Grouped<String>,
    layouts: &[Layout],
    most: usize,
    told: impl Fn(&RowKey) -> Option<&'t str>,
) -> Vec<Part> {
    let mut all: BTreeMap<(usize, Vec<String>), Vec<Line>> = BTreeMap::new();
    let tells = |layout: &Layout, key: &RowKey| {
        layout.reason.as_ref().and_then(|_| told(key)).map(|text| plain(text, REASON_MAX))
    };
    for table in &grouped.tables {
        for (number, layout) in layouts.iter().enumerate() {
            let found = layout.values.iter().filter_map(|field| {
                let surface = layout.surface(field);
                let at = table.columns.names.iter().position(|name| *name == surface)?;
                Some((at, field.clone()))
            });
            let (places, fields): (Vec<usize>, Vec<String>) = found.unzip();
            let lines = table.rows.iter().map(|row| Line {
                key: row.key.clone(),
                values: places.iter().map(|at| row.values[*at].clone()).collect(),
                cells: places.iter().map(|at| row.cells[*at]).collect(),
                reason: tells(layout, &row.key),
            });
            if !places.is_empty() {
                all.entry((number, fields)).or_default().extend(lines);
            }
        }
    }
    let mut parts = Vec::new();
    for ((layout, fields), rows) in all {
        let part = |rows: &[Line]| Part { layout, fields: fields.clone(), rows: rows.to_vec() };
        parts.extend(rows.chunks(most.max(1)).map(part));
    }
    parts
}

/// The first day and the end of a row.
pub(crate) fn span(period: Period, out: EffectiveOut) -> (Date, Date) {
    let end = match out {
        EffectiveOut::Inclusive => period.end().saturating_sub(1.day()),
        EffectiveOut::Exclusive => period.end(),
    };
    (period.start(), end)
}

/// A row as it goes out: what names it, in the order of [`Layout::keys`], then
/// `values`.
pub(crate) fn texts(
    layout: &Layout,
    key: &RowKey,
    (dates, out): (DateForm, EffectiveOut),
    values: &[String],
) -> Vec<String> {
    let (start, end) = span(key.period, out);
    let mut texts = Vec::new();
    if layout.id.is_some() {
        texts.push(format!("{ID_PREFIX}{}", key.period));
    }
    texts.extend([key.resource.to_string(), key.location.to_string(), dates.write(start)]);
    if layout.end.is_some() {
        texts.push(dates.write(end));
    }
    texts.extend(values.iter().cloned());
    texts
}

/// The rows of a batch in one table.
pub(crate) fn lines(parts: &[Part], number: usize) -> impl Iterator<Item = (&Part, &Line)> {
    let mine = parts.iter().filter(move |part| part.layout == number);
    mine.flat_map(|part| part.rows.iter().map(move |line| (part, line)))
}

/// All values of a row, and its reason where the table has one: those of the batch;
/// what it does not bring is as held.
pub(crate) fn whole(
    layout: &Layout,
    (part, line): (&Part, &Line),
    held: Option<&Held>,
) -> Vec<String> {
    let (skip, fields, values) = (layout.keys().len(), part.sent(layout), line.sent());
    let value = |(at, field): (usize, &String)| {
        let new = fields.iter().position(|own| own == field).map(|at| &values[at]);
        let old = || held.map(|held| &held.texts[skip + at]);
        new.or_else(old).cloned().unwrap_or_default()
    };
    layout.stored().iter().enumerate().map(value).collect()
}

/// A digest of what goes out, and of which cells each row came from.
pub(crate) fn digest(parts: &[Part]) -> EncodingDigest {
    let mut texts = Vec::new();
    for part in parts {
        texts.push(format!("{}/{}", part.layout, part.fields.join("/")));
        for line in &part.rows {
            let key = &line.key;
            texts.push(format!("{}\t{}\t{}", key.resource, key.location, key.period));
            texts.extend(line.values.iter().cloned());
            texts.push(format!("{:?}", line.cells));
        }
    }
    EncodingDigest::of(texts)
}

/// One row of a table, as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Held {
    /// Its name, where it is one period of ours.
    pub(crate) key: Option<RowKey>,
    /// Texts of all fields: keys, then values.
    pub(crate) texts: Vec<String>,
}

impl Held {
    /// Reads one row: the layout's keys, then `values` more fields.
    pub(crate) fn read(
        layout: &Layout,
        out: EffectiveOut,
        texts: Vec<String>,
        width: usize,
    ) -> Result<Self, ConnectorError> {
        if texts.len() != width {
            let (full, has) = (layout.full(), texts.len());
            let text = format!("a row of {full} has {has} columns, {width} were asked for");
            return Err(ConnectorError::new(Class::Drift, "read rows", text)
                .cure("a name may hold a tab; else compare the fields with the table's"));
        }
        let key = name(layout, out, &texts);
        Ok(Self { key, texts })
    }

    /// The values of `fields`, with which it was read.
    pub(crate) fn values(
        &self,
        layout: &Layout,
        fields: &[String],
    ) -> Result<Vec<Option<Decimal>>, ConnectorError> {
        let texts = &self.texts[layout.keys().len()..];
        let value = |(text, field): (&String, &String)| match text.as_str() {
            "" => Ok(None),
            text => text.parse().map(Some).map_err(|_| {
                let text = format!("a value of {} is no number", layout.surface(field));
                ConnectorError::new(Class::Drift, "read rows", text)
                    .cure("compare the field's type, and the decimal sign of the web service user")
            }),
        };
        texts.iter().zip(fields).map(value).collect()
    }
}

/// The period of ours that a row is, if it is one.
fn name(layout: &Layout, out: EffectiveOut, texts: &[String]) -> Option<RowKey> {
    let skip = usize::from(layout.id.is_some());
    let start: Date = texts[skip + 2].parse().ok()?;
    let period = Period::containing(layout.level, start);
    let (first, end) = span(period, out);
    let ends = layout.end.is_none() || texts[skip + 3].parse().is_ok_and(|held: Date| held == end);
    let ours = layout.id.is_none() || texts[0] == format!("{ID_PREFIX}{period}");
    (first == start && ends && ours).then(|| RowKey {
        resource: texts[skip].as_str().into(),
        location: texts[skip + 1].as_str().into(),
        product: None,
        period,
    })
}

/// The cells of one row of ours, of the measures that lie in `fields`.
pub(crate) fn cells(
    held: &Held,
    layout: &Layout,
    fields: &[String],
    measures: &[MeasureDecl],
    (target, scope): (&str, &str),
) -> Result<Vec<SeenCell>, ConnectorError> {
    let Some(key) = &held.key else { return Ok(Vec::new()) };
    let mut seen = Vec::new();
    for (field, value) in fields.iter().zip(held.values(layout, fields)?) {
        let surface = layout.surface(field);
        let mine = measures.iter().filter(|measure| measure.surface == surface);
        let cell = |measure: &MeasureDecl| key.cell(target, scope, &measure.name);
        seen.extend(mine.map(|measure| SeenCell { key: cell(measure), value }));
    }
    Ok(seen)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::{batch, config, layouts, measures};

    #[test]
    fn cells_become_rows_of_their_tables() {
        let cells = batch();
        let grouped = encode(&cells, &measures()).unwrap();
        let parts = parts(&grouped, &layouts(), 5_000, |_| None);
        let shape: Vec<_> =
            parts.iter().map(|p| (p.layout, p.fields.join(","), p.rows.len())).collect();
        assert_eq!(shape, [(0, "Rate".to_owned(), 2), (1, "AsOf,Live".to_owned(), 2)]);
        let all: usize = parts.iter().flat_map(|p| &p.rows).map(|row| row.cells.len()).sum();
        assert_eq!(all, cells.len());
        let (layout, line) = (&layouts()[0], &parts[0].rows[0]);
        let form = (DateForm::Iso, EffectiveOut::Inclusive);
        let row = texts(layout, &line.key, form, &whole(layout, (&parts[0], line), None));
        assert_eq!(row, ["LINE-1", "1010", "2026-11-30", "2026-12-06", "36.50"]);
        let held = Held { key: None, texts: ["", "", "", "", "1", "2"].map(str::to_owned).into() };
        let (mut part, layout) = (parts[1].clone(), &layouts()[1]);
        part.fields = vec!["Live".to_owned()];
        part.rows[0].values = vec!["7".to_owned()];
        assert_eq!(whole(layout, (&part, &part.rows[0]), Some(&held)), ["1", "7"]);
    }

    #[test]
    fn a_reason_stands_last_in_one_plain_line_and_is_no_value() {
        let mut layouts = layouts();
        layouts[1].reason = Some("Reason".to_owned());
        let grouped = encode(&batch(), &measures()).unwrap();
        let text = format!("held:\tGr\u{fc}n {}", "x".repeat(300));
        let told = parts(&grouped, &layouts, 5_000, |_| Some(&text));
        let untold = parts(&grouped, &layouts, 5_000, |_| None);
        assert_eq!(digest(&told), digest(&untold), "no row is judged by its reason");
        let (part, line) = (&told[1], &told[1].rows[0]);
        assert_eq!(part.sent(&layouts[1]), ["AsOf", "Live", "Reason"]);
        assert_eq!(part.fields, ["AsOf", "Live"]);
        assert!(line.sent()[2].starts_with("held:?Gr?n x") && line.sent()[2].len() == 250);
        assert_eq!(told[0].rows[0].reason, None, "that table has no field for it");
        let texts = ["", "", "", "", "1", "2", "old"].map(str::to_owned);
        let held = Held { key: None, texts: texts.into() };
        assert_eq!(whole(&layouts[1], (part, line), Some(&held))[2], line.sent()[2]);
        let line = &untold[1].rows[0];
        assert_eq!(whole(&layouts[1], (&untold[1], line), Some(&held))[2], "old");
        assert_eq!(held.values(&layouts[1], &layouts[1].values).unwrap().len(), 2);
    }

    #[test]
    fn only_rows_of_one_period_are_cells_of_ours() {
        let (layout, out) = (&layouts()[0], config().effective_out);
        let read = |texts: [&str; 5]| {
            Held::read(layout, out, texts.map(str::to_owned).to_vec(), 5).unwrap().key.is_some()
        };
        assert!(read(["LINE-1", "1010", "2026-11-30", "2026-12-06", "36.5"]));
        for (start, end) in [
            ("Past", "Undefined"),
            ("2026-11-30", "2026-12-07"),
            ("2026-12-01", "2026-12-06"),
            ("2026-11-30", "Undefined"),
        ] {
            assert!(!read(["LINE-1", "1010", start, end, "36.5"]), "{start} {end}");
        }
        assert!(Held::read(layout, out, vec![String::new()], 5).is_err());
    }

    #[test]
    fn an_override_is_named_by_an_id_of_ours() {
        let mut layout = layouts()[0].clone();
        (layout.id, layout.end) = (Some("Id".to_owned()), None);
        let grouped = encode(&batch(), &measures()).unwrap();
        let key = grouped.tables[0].rows[0].key.clone();
        let form = (DateForm::Iso, EffectiveOut::Exclusive);
        let mut texts = texts(&layout, &key, form, &["36.5".to_owned()]);
        assert_eq!(texts, ["PT-2026-W49", "LINE-1", "1010", "2026-11-30", "36.5"]);
        assert_eq!(
            Held::read(&layout, EffectiveOut::Exclusive, texts.clone(), 5).unwrap().key,
            Some(key)
        );
        "other".clone_into(&mut texts[0]);
        assert_eq!(Held::read(&layout, EffectiveOut::Exclusive, texts, 5).unwrap().key, None);
    }
}
