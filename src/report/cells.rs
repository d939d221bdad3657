//! Cells as people take them away: one row a cell, as CSV or as a workbook.

use jiff::Timestamp;
use planthread_contracts::{CellKey, Status};
use rust_decimal::{Decimal, prelude::ToPrimitive as _};
use rust_xlsxwriter::{Color, Format, Workbook, Worksheet, XlsxError};
use serde::Serialize;

use crate::failure::Failure;

/// One cell with its four facts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CellRow {
    /// The configured target.
    pub target: String,
    /// The scope; `base` for the base plan.
    pub scope: String,
    /// The resource, as the target calls it.
    pub resource: String,
    /// The location, as the target calls it.
    pub location: String,
    /// The product, where the measure is stored by product.
    pub product: String,
    /// The period.
    pub period: String,
    /// Our name for the measure.
    pub measure: String,
    /// The target's name for it.
    pub surface: String,
    /// Its unit, as UN/CEFACT Rec 20 code.
    pub unit: String,
    /// What factory truth says that the cell should hold.
    pub wanted: Option<Decimal>,
    /// What was read back; empty when nothing was, or nothing was there.
    pub seen: Option<Decimal>,
    /// When it was read back.
    pub seen_at: Option<Timestamp>,
    /// How far the value can be trusted.
    pub status: String,
    /// State of the wanted revision: `seen` is the only proof.
    pub state: String,
    /// Why it is held, where it is.
    pub held: String,
    /// Instant of the truth behind it.
    pub as_of: Option<Timestamp>,
    /// From here on a reader must treat the value as stale.
    pub valid_until: Option<Timestamp>,
    /// Whether it drives the target's plan: `yes`, `no`, or empty when nobody
    /// looks.
    pub in_use: String,
}

impl CellRow {
    /// A row that names `key`, with nothing known yet.
    #[must_use]
    pub fn of(key: &CellKey, surface: &str, unit: &str) -> Self {
        Self {
            target: key.target.clone(),
            scope: if key.scope.is_empty() { "base".to_owned() } else { key.scope.clone() },
            resource: key.resource.clone(),
            location: key.location.clone(),
            product: key.product.clone().unwrap_or_default(),
            period: key.period.to_string(),
            measure: key.measure.clone(),
            surface: surface.to_owned(),
            unit: unit.to_owned(),
            wanted: None,
            seen: None,
            seen_at: None,
            status: Status::Unknown.word().to_owned(),
            state: String::new(),
            held: String::new(),
            as_of: None,
            valid_until: None,
            in_use: String::new(),
        }
    }

    fn texts(&self) -> [String; COLUMNS.len()] {
        let number = |value: Option<Decimal>| value.map(|v| v.to_string()).unwrap_or_default();
        let instant = |at: Option<Timestamp>| at.map(|at| at.to_string()).unwrap_or_default();
        [
            self.target.clone(),
            self.scope.clone(),
            self.resource.clone(),
            self.location.clone(),
            self.product.clone(),
            self.period.clone(),
            self.measure.clone(),
            self.surface.clone(),
            self.unit.clone(),
            number(self.wanted),
            number(self.seen),
            instant(self.seen_at),
            self.status.clone(),
            self.state.clone(),
            self.held.clone(),
            instant(self.as_of),
            instant(self.valid_until),
            self.in_use.clone(),
        ]
    }
}

/// Heading and width in characters of each column.
const COLUMNS: [(&str, f64); 18] = [
    ("target", 10.0),
    ("scope", 8.0),
    ("resource", 14.0),
    ("location", 10.0),
    ("product", 10.0),
    ("period", 11.0),
    ("measure", 14.0),
    ("surface", 16.0),
    ("unit", 6.0),
    ("wanted", 11.0),
    ("seen", 11.0),
    ("seen at", 21.0),
    ("status", 11.0),
    ("state", 11.0),
    ("held", 16.0),
    ("as of", 21.0),
    ("valid until", 21.0),
    ("in use", 8.0),
];
const WANTED: u16 = 9;
const SEEN: u16 = 10;

/// The rows as CSV with a heading.
///
/// # Errors
/// When a row can't be written.
pub fn csv(rows: &[CellRow]) -> Result<Vec<u8>, Failure> {
    let fault = |error: csv::Error| Failure::internal(format!("can't write CSV: {error}"));
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(COLUMNS.map(|(name, _)| name.replace(' ', "_"))).map_err(fault)?;
    for row in rows {
        writer.write_record(row.texts()).map_err(fault)?;
    }
    writer.into_inner().map_err(|error| Failure::internal(format!("can't write CSV: {error}")))
}

/// The rows as a workbook: heading frozen and filtered, numbers as numbers.
///
/// # Errors
/// When there are more rows than a sheet holds, or the workbook can't be made.
pub fn xlsx(rows: &[CellRow]) -> Result<Vec<u8>, Failure> {
    const SHEET_ROWS_MAX: usize = 1_048_575;
    if rows.len() > SHEET_ROWS_MAX {
        return Err(Failure::usage(format!("{} cells don't fit on one sheet", rows.len()))
            .cure("export fewer with --target or --resource, or use `export csv`"));
    }
    let mut workbook = Workbook::new();
    fill(workbook.add_worksheet(), rows)
        .and_then(|()| workbook.save_to_buffer())
        .map_err(|error| Failure::internal(format!("can't make the workbook: {error}")))
}

fn fill(sheet: &mut Worksheet, rows: &[CellRow]) -> Result<(), XlsxError> {
    let heading = Format::new().set_bold().set_background_color(Color::RGB(0x00DD_E6EE));
    let number = Format::new().set_num_format("#,##0.00####");
    let alarm = Format::new().set_background_color(Color::RGB(0x00FF_E2B8));
    sheet.set_name("cells")?;
    for (column, (name, width)) in (0_u16..).zip(COLUMNS) {
        sheet.write_with_format(0, column, name, &heading)?;
        sheet.set_column_width(column, width)?;
    }
    for (line, row) in (1_u32..).zip(rows) {
        for (column, text) in (0_u16..).zip(row.texts()) {
            let value = match column {
                WANTED => row.wanted,
                SEEN => row.seen,
                _ => None,
            };
            if let Some(value) = value.and_then(|value| value.to_f64()) {
                let landed = column == WANTED || row.seen == row.wanted;
                let format = if landed { &number } else { &alarm };
                sheet.write_number_with_format(line, column, value, format)?;
            } else if !text.is_empty() {
                sheet.write_string(line, column, &text)?;
            }
        }
    }
    sheet.set_freeze_panes(1, 0)?;
    let last = u32::try_from(rows.len()).unwrap_or(u32::MAX - 1);
    sheet.autofilter(0, 0, last, (COLUMNS.len() - 1) as u16)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row() -> CellRow {
        let key = CellKey {
            target: "ibp".into(),
            scope: String::new(),
            resource: "LINE-1".into(),
            location: "1010".into(),
            product: None,
            period: "2026-W47".parse().unwrap(),
            measure: "live".into(),
        };
        let wanted = Some(Decimal::new(13250, 2));
        CellRow { wanted, ..CellRow::of(&key, "TWINCAPALIVE", "HUR") }
    }

    #[test]
    fn csv_keeps_decimals_and_names_every_column() {
        let text = String::from_utf8(csv(&[row()]).unwrap()).unwrap();
        let mut lines = text.lines();
        assert_eq!(lines.next().unwrap().split(',').count(), COLUMNS.len());
        let line = lines.next().unwrap();
        assert!(line.starts_with("ibp,base,LINE-1,1010,,2026-W47,live,TWINCAPALIVE,HUR,132.50,"));
    }

    #[test]
    fn the_workbook_is_one() {
        let bytes = xlsx(&[row(), row()]).unwrap();
        assert!(bytes.starts_with(b"PK"), "a workbook is a zip file");
    }
}
