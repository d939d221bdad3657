//! What was refused, as a workbook for whoever can put it right: words in every column,
//! and no code without them.

use jiff::Timestamp;
use planthread_contracts::{MeasureDecl, Unit};
use planthread_engine::status::Reject;
use rust_decimal::{Decimal, prelude::ToPrimitive as _};
use rust_xlsxwriter::{Color, ExcelDateTime, Format, Workbook, Worksheet, XlsxError};

use super::rejects::RejectedLine;
use crate::failure::Failure;

/// Rows that a sheet holds beside its heading.
const SHEET_ROWS_MAX: usize = 1_048_575;
/// Characters that a field of a sheet holds.
const TEXT_MAX: usize = 32_767;

/// One field of a row.
#[derive(Debug, Clone, PartialEq)]
enum Field {
    Text(String),
    Number(Decimal),
    Instant(Timestamp),
    Nothing,
}

impl Field {
    fn text(text: impl Into<String>) -> Self {
        let text: String = text.into();
        if text.is_empty() { Self::Nothing } else { Self::Text(text) }
    }
}

/// Heading and width in characters of each column of the refused cells.
const CELLS: [(&str, f64); 17] = [
    ("who is asked", 22.0),
    ("state", 11.0),
    ("what the target says", 50.0),
    ("what to do", 50.0),
    ("its code", 12.0),
    ("resource", 16.0),
    ("location", 12.0),
    ("product", 12.0),
    ("period", 22.0),
    ("what it is", 24.0),
    ("called there", 18.0),
    ("value", 11.0),
    ("unit", 10.0),
    ("refused (UTC)", 20.0),
    ("target", 12.0),
    ("version or scenario", 14.0),
    ("what became of it", 40.0),
];

/// Heading and width in characters of each column of the refused records.
const RECORDS: [(&str, f64); 8] = [
    ("file or endpoint", 36.0),
    ("line", 8.0),
    ("field", 14.0),
    ("why it was refused", 50.0),
    ("what to do", 50.0),
    ("what it says", 50.0),
    ("refused (UTC)", 20.0),
    ("number", 9.0),
];

/// Refused cells, each with the declaration of its measure where there is one, and
/// refused records, as a workbook: a sheet for each, heading frozen and filtered.
///
/// # Errors
/// When there are more than a sheet holds, or the workbook can't be made.
pub fn workbook(
    cells: &[(Reject, Option<&MeasureDecl>)],
    records: &[RejectedLine],
) -> Result<Vec<u8>, Failure> {
    if cells.len().max(records.len()) > SHEET_ROWS_MAX {
        let many = cells.len().max(records.len());
        return Err(Failure::usage(format!("{many} rows don't fit on one sheet"))
            .cure("write fewer with `--where`, one file for each owner"));
    }
    let mut workbook = Workbook::new();
    let cells = cells.iter().map(|(reject, decl)| cell(reject, *decl));
    fill(workbook.add_worksheet(), "refused cells", &CELLS, cells)
        .and_then(|()| {
            let records = records.iter().map(record);
            fill(workbook.add_worksheet(), "refused records", &RECORDS, records)
        })
        .and_then(|()| workbook.save_to_buffer())
        .map_err(|error| Failure::internal(format!("can't make the workbook: {error}")))
}

fn cell(reject: &Reject, decl: Option<&MeasureDecl>) -> [Field; CELLS.len()] {
    let key = &reject.key;
    let code = reject.vendor_code.clone().unwrap_or_default();
    let became = match (reject.who.is_empty(), reject.ended_at) {
        (true, None) => reject.why.clone(),
        (true, Some(at)) => format!("{} ({at})", reject.why),
        (false, _) => format!("{}: {}", reject.who, reject.why),
    };
    let period = format!("{} (from {})", key.period, key.period.start());
    let measure = decl.map_or_else(|| key.measure.to_string(), meaning);
    [
        Field::text(reject.owner.as_str()),
        Field::text(reject.state.word()),
        Field::text(reject.reason.as_str()),
        Field::text(reject.cure.as_str()),
        Field::text(code),
        Field::text(key.resource.as_str()),
        Field::text(key.location.as_str()),
        Field::text(key.product.as_deref().unwrap_or_default()),
        Field::text(period),
        Field::text(measure),
        Field::text(decl.map_or("", |decl| decl.surface.as_str())),
        Field::Number(reject.value),
        Field::text(decl.map_or("", |decl| unit(decl.unit))),
        Field::Instant(reject.at),
        Field::text(key.target.as_str()),
        Field::text(if key.scope.is_empty() { "base" } else { key.scope.as_str() }),
        Field::text(became),
    ]
}

fn record(line: &RejectedLine) -> [Field; RECORDS.len()] {
    let refusal = &line.refusal;
    [
        Field::text(refusal.place.as_str()),
        Field::Number(refusal.line.into()),
        Field::text(refusal.field.as_str()),
        Field::text(refusal.reason.as_str()),
        Field::text(refusal.cure.as_str()),
        Field::text(line.text.as_str()),
        Field::Instant(line.at),
        Field::Number(line.id.into()),
    ]
}

/// What a measure carries, in words.
pub(super) fn meaning(decl: &MeasureDecl) -> String {
    let carries = serde_json::to_value(decl.carries).unwrap_or_default();
    carries.as_str().map_or_else(|| decl.name.clone(), |word| word.replace('_', " "))
}

/// A unit in words.
pub(super) const fn unit(unit: Unit) -> &'static str {
    match unit {
        Unit::Hour => "hours",
        Unit::Minute => "minutes",
        Unit::Second => "seconds",
        Unit::Day => "days",
        Unit::Piece => "pieces",
        Unit::One => "number",
        Unit::Kilogram => "kilograms",
        Unit::Tonne => "tonnes",
        Unit::Litre => "litres",
    }
}

fn fill<const N: usize>(
    sheet: &mut Worksheet,
    name: &str,
    columns: &[(&str, f64); N],
    rows: impl Iterator<Item = [Field; N]>,
) -> Result<(), XlsxError> {
    let heading = Format::new().set_bold().set_background_color(Color::RGB(0x00DD_E6EE));
    let instants = Format::new().set_num_format("yyyy-mm-dd hh:mm:ss");
    sheet.set_name(name)?;
    for (column, (name, width)) in (0_u16..).zip(columns) {
        sheet.write_with_format(0, column, *name, &heading)?;
        sheet.set_column_width(column, *width)?;
    }
    let mut last = 0;
    for (line, row) in (1_u32..).zip(rows) {
        last = line;
        for (column, field) in (0_u16..).zip(row) {
            match field {
                // A text is written as one: none of them may calculate.
                Field::Text(text) if text.chars().count() > TEXT_MAX => {
                    let text: String = text.chars().take(TEXT_MAX).collect();
                    sheet.write_string(line, column, text)?;
                }
                Field::Text(text) => drop(sheet.write_string(line, column, text)?),
                Field::Number(value) => {
                    let value = value.to_f64().unwrap_or_default();
                    sheet.write_number(line, column, value)?;
                }
                Field::Instant(at) => {
                    if let Ok(at) = ExcelDateTime::from_timestamp(at.as_second()) {
                        sheet.write_datetime_with_format(line, column, &at, &instants)?;
                    }
                }
                Field::Nothing => {}
            }
        }
    }
    sheet.set_freeze_panes(1, 0)?;
    sheet.autofilter(0, 0, last, u16::try_from(N - 1).unwrap_or_default())?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use planthread_engine::ledger::RejectState;

    use super::*;
    use crate::serve::Refusal;

    fn reject() -> Reject {
        let key = serde_json::json!({ "target": "ibp", "scope": "", "resource": "=LINE-1",
            "location": "1010", "period": "2026-W48", "measure": "live" });
        Reject {
            key: serde_json::from_value(key).unwrap(),
            revision: 1,
            value: 7.into(),
            reason: "no such resource".into(),
            vendor_code: Some("E17".into()),
            cure: "create it".into(),
            owner: "anna".into(),
            attempt: String::new(),
            at: Timestamp::UNIX_EPOCH,
            state: RejectState::Dismissed,
            ended_at: Some(Timestamp::UNIX_EPOCH),
            who: "mara".into(),
            why: "a test".into(),
            missing: Vec::new(),
        }
    }

    #[test]
    fn every_code_has_its_words_beside_it() {
        let decl = serde_json::json!({ "name": "live", "surface": "TWINCAPALIVE",
            "carries": "attainable_clock_hours", "unit": "HUR", "scale": 2, "level": "week",
            "over_time": "sum", "over_resources": "sum", "owner": "bridge", "role": "value" });
        let decl = serde_json::from_value(decl).unwrap();
        let row = cell(&reject(), Some(&decl));
        let of = |name: &str| {
            let at = CELLS.iter().position(|(heading, _)| *heading == name).unwrap();
            row[at].clone()
        };
        for (name, said) in [
            ("who is asked", "anna"),
            ("state", "dismissed"),
            ("what the target says", "no such resource"),
            ("what to do", "create it"),
            ("its code", "E17"),
            ("period", "2026-W48 (from 2026-11-23)"),
            ("what it is", "attainable clock hours"),
            ("called there", "TWINCAPALIVE"),
            ("unit", "hours"),
            ("version or scenario", "base"),
            ("what became of it", "mara: a test"),
        ] {
            assert_eq!(of(name), Field::text(said), "{name}");
        }
        assert!(Unit::ALL.iter().all(|one| unit(*one) != one.code()));
    }

    #[test]
    fn the_workbook_is_one_with_a_sheet_each_also_where_nothing_is_refused() {
        let line = RejectedLine {
            id: 1,
            at: Timestamp::UNIX_EPOCH,
            refusal: Refusal {
                place: "e.csv".into(),
                line: 3,
                field: "machine".into(),
                reason: "=1+1".into(),
                cure: "declare it".into(),
            },
            text: "x".repeat(TEXT_MAX + 9),
        };
        for (cells, records) in [(vec![(reject(), None)], vec![line]), (vec![], vec![])] {
            let bytes = workbook(&cells, &records).unwrap();
            assert!(bytes.starts_with(b"PK"), "a workbook is a zip file");
        }
    }
}
