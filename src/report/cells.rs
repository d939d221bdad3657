//! Cells as people take them away: one row a cell, as CSV or as a workbook.

use jiff::Timestamp;
use planthread_contracts::{CellKey, Status};
use rust_decimal::{Decimal, prelude::ToPrimitive as _};
use rust_xlsxwriter::{Color, ExcelDateTime, Format, Workbook, Worksheet, XlsxError};
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
    /// The value is a code or a day `yyyymmdd`: it takes no decimals and no
    /// thousands.
    #[serde(skip)]
    pub code: bool,
}

impl CellRow {
    /// A row that names `key`, with nothing known yet.
    #[must_use]
    pub fn of(key: &CellKey, surface: &str, unit: &str) -> Self {
        Self {
            target: key.target.to_string(),
            scope: if key.scope.is_empty() { "base".to_owned() } else { key.scope.to_string() },
            resource: key.resource.to_string(),
            location: key.location.to_string(),
            product: key.product.as_deref().unwrap_or_default().to_owned(),
            period: key.period.to_string(),
            measure: key.measure.to_string(),
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
            code: false,
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

const SEEN_AT: u16 = 11;
const AS_OF: u16 = 15;
const VALID_UNTIL: u16 = 16;

/// The rows as CSV with a heading. Texts that a spreadsheet would take for a
/// formula begin with an apostrophe.
///
/// # Errors
/// When a row can't be written.
pub fn csv(rows: &[CellRow]) -> Result<Vec<u8>, Failure> {
    let fault = |error: csv::Error| Failure::internal(format!("can't write CSV: {error}"));
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(COLUMNS.map(|(name, _)| name.replace(' ', "_"))).map_err(fault)?;
    for row in rows {
        let mut column = 0;
        let fields = row.texts().map(|text| {
            let number = [WANTED, SEEN].contains(&column);
            column += 1;
            if number { text } else { no_formula(text) }
        });
        writer.write_record(fields).map_err(fault)?;
    }
    writer.into_inner().map_err(|error| Failure::internal(format!("can't write CSV: {error}")))
}

/// Names come from records and from the target: none of them may calculate.
fn no_formula(text: String) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text }
}

/// The rows as a workbook: heading frozen and filtered, numbers as numbers,
/// instants as dates (UTC).
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

/// How the kinds of values look.
struct Looks {
    number: Format,
    code: Format,
    /// What was read back differs from what is wanted.
    alarm: Format,
    code_alarm: Format,
    instant: Format,
}

impl Looks {
    fn new() -> Self {
        let format = |text: &str| Format::new().set_num_format(text);
        let alarm = |format: &Format| format.clone().set_background_color(Color::RGB(0x00FF_E2B8));
        let (number, code) = (format("#,##0.00####"), format("0"));
        Self {
            alarm: alarm(&number),
            code_alarm: alarm(&code),
            number,
            code,
            instant: format("yyyy-mm-dd hh:mm:ss"),
        }
    }

    const fn of(&self, row: &CellRow, landed: bool) -> &Format {
        match (row.code, landed) {
            (false, true) => &self.number,
            (false, false) => &self.alarm,
            (true, true) => &self.code,
            (true, false) => &self.code_alarm,
        }
    }
}

fn fill(sheet: &mut Worksheet, rows: &[CellRow]) -> Result<(), XlsxError> {
    let heading = Format::new().set_bold().set_background_color(Color::RGB(0x00DD_E6EE));
    let looks = Looks::new();
    sheet.set_name("cells")?;
    for (column, (name, width)) in (0_u16..).zip(COLUMNS) {
        let zone = if [SEEN_AT, AS_OF, VALID_UNTIL].contains(&column) { " (UTC)" } else { "" };
        sheet.write_with_format(0, column, format!("{name}{zone}"), &heading)?;
        sheet.set_column_width(column, width)?;
    }
    for (line, row) in (1_u32..).zip(rows) {
        for (column, text) in (0_u16..).zip(row.texts()) {
            let value = match column {
                WANTED => row.wanted,
                SEEN => row.seen,
                _ => None,
            };
            let instant = match column {
                SEEN_AT => row.seen_at,
                AS_OF => row.as_of,
                VALID_UNTIL => row.valid_until,
                _ => None,
            };
            let instant = instant.and_then(|at| ExcelDateTime::from_timestamp(at.as_second()).ok());
            if let Some(value) = value.and_then(|value| value.to_f64()) {
                let landed = column == WANTED || row.seen == row.wanted;
                sheet.write_number_with_format(line, column, value, looks.of(row, landed))?;
            } else if let Some(instant) = instant {
                sheet.write_datetime_with_format(line, column, &instant, &looks.instant)?;
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
            scope: "".into(),
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

    #[test]
    fn a_name_never_calculates_and_a_number_stays_one() {
        for name in ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx"] {
            let (wanted, resource) = (Some(Decimal::new(-5, 1)), name.to_owned());
            let bytes = csv(&[CellRow { resource, wanted, ..row() }]).unwrap();
            let mut reader = csv::Reader::from_reader(bytes.as_slice());
            let record = reader.records().next().unwrap().unwrap();
            assert_eq!((&record[2], &record[9]), (format!("'{name}").as_str(), "-0.5"));
        }
    }

    /// The XML of the first sheet: the crate stores what is small unpacked.
    #[test]
    fn instants_are_dates_and_days_take_no_decimals() {
        let day = Decimal::from(20_261_122);
        let at = Some("2026-11-22T12:00:00Z".parse().unwrap());
        let row = CellRow { wanted: Some(day), as_of: at, code: true, ..row() };
        assert_eq!(ExcelDateTime::from_timestamp(1_795_348_800).unwrap().to_excel(), 46_348.5);
        assert_eq!(row.as_of.unwrap().as_second(), 1_795_348_800);
        let looks = Looks::new();
        assert_eq!(looks.of(&row, true), &Format::new().set_num_format("0"));
        let plain = CellRow { code: false, ..row.clone() };
        assert_eq!(looks.of(&plain, true), &Format::new().set_num_format("#,##0.00####"));
        assert!(xlsx(&[row]).unwrap().starts_with(b"PK"));
    }
}
