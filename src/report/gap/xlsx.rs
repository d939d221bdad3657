//! The comparison as a workbook: numbers as numbers, filters, frozen headings, a word
//! beside each colour, no formulas.

use jiff::Timestamp;
use rust_decimal::{Decimal, prelude::ToPrimitive as _};
use rust_xlsxwriter::{Color, Format, FormatAlign, FormatPattern, Workbook, Worksheet, XlsxError};

use super::{
    Gap, GapRow, TargetGap, Verdict,
    fields::{COLUMNS, DATA, FIRM_DATA, Field, STATE},
    words,
};
use crate::failure::Failure;

/// Width in characters of each column of lines and weeks.
const WIDTHS: [f64; COLUMNS.len()] = [
    18.0, 9.0, 14.0, 18.0, 10.0, 10.0, 12.0, 10.0, 10.0, 10.0, 9.0, 12.0, 44.0, 44.0, 34.0, 34.0,
    44.0, 22.0,
];
/// Rows above the heading.
pub(in crate::report) const HEAD: u32 = 2;

/// Sheets for each target: what is short, every line and week, and the totals.
pub(super) fn workbook(gap: &Gap) -> Result<Vec<u8>, Failure> {
    let mut workbook = Workbook::new();
    let mut made = || -> Result<Vec<u8>, XlsxError> {
        for (number, target) in gap.targets.iter().enumerate() {
            let name = |what: &str| match gap.targets.len() {
                1 => what.to_owned(),
                // A sheet's name is short, and two targets may begin alike.
                _ => format!("{what} {}", number + 1),
            };
            let at = words::local(gap.at, &target.zone);
            let head = format!("{} as of {at}", title(gap, target));
            let short = target.rows.iter().filter(|row| row.verdict == Verdict::Short);
            weeks(workbook.add_worksheet().set_name(name("Short"))?, gap.at, &head, short)?;
            weeks(
                workbook.add_worksheet().set_name(name("All weeks"))?,
                gap.at,
                &head,
                target.rows.iter(),
            )?;
            totals(workbook.add_worksheet().set_name(name("In sum"))?, &head, target)?;
        }
        workbook.save_to_buffer()
    };
    made().map_err(|error| Failure::internal(format!("can't make the workbook: {error}")))
}

/// The headline, behind the target's name where there are several.
fn title(gap: &Gap, target: &TargetGap) -> String {
    let name = if gap.targets.len() > 1 { format!("{}: ", target.target) } else { String::new() };
    let read = target.stopped.as_ref().map_or("", |_| "NOT READ. ");
    format!("{read}{name}{}", target.headline)
}

pub(in crate::report) fn heading() -> Format {
    Format::new().set_bold().set_text_wrap().set_background_color(Color::RGB(0x00DD_E6EE))
}

pub(in crate::report) fn bold() -> Format {
    Format::new().set_bold()
}

/// Words that may need several lines, a little apart from a number before them.
pub(in crate::report) fn wrapped() -> Format {
    let left = Format::new().set_align(FormatAlign::Left).set_indent(1);
    left.set_text_wrap().set_align(FormatAlign::Top)
}

/// How high a row is in which `text` is wrapped at so many characters; not every program
/// finds that out by itself.
pub(in crate::report) fn height(text: &str, width: f64) -> u32 {
    let fits = width.to_usize().unwrap_or(1).max(1);
    let lines = text.chars().count().div_ceil(fits).clamp(1, 20);
    15 * u32::try_from(lines).unwrap_or(1)
}

/// Grey and hatched: not known, old, or nothing that anybody measured.
pub(super) fn hatched() -> Format {
    Format::new()
        .set_pattern(FormatPattern::LightUp)
        .set_foreground_color(Color::RGB(0x00C6_CCD3))
        .set_background_color(Color::RGB(0x00FF_FFFF))
}

fn state(row: &GapRow) -> Format {
    let filled = |colour| Format::new().set_background_color(Color::RGB(colour));
    match (row.verdict, row.proven) {
        (Verdict::Short, _) => filled(0x00F6_C9C2),
        (Verdict::Unknown, _) => hatched(),
        (Verdict::Fits, true) => filled(0x00CD_EBD1),
        (Verdict::Fits, false) => Format::new(),
    }
}

pub(super) fn weeks<'a>(
    sheet: &mut Worksheet,
    now: Timestamp,
    head: &str,
    rows: impl Iterator<Item = &'a GapRow>,
) -> Result<(), XlsxError> {
    begin(sheet, head, &COLUMNS, &WIDTHS)?;
    let top = |format: Format| format.set_align(FormatAlign::Top);
    let number = |pattern: &str| top(Format::new().set_num_format(pattern));
    let (hours, tenths) = (number("#,##0.00"), number("#,##0.0"));
    let (words, doubtful) = (wrapped(), top(hatched().set_text_wrap()));
    let none = top(Format::new().set_align(FormatAlign::Right));
    let mut last = HEAD;
    for (line, row) in (HEAD + 1..).zip(rows) {
        last = line;
        let (fields, stands) = (row.fields(), top(state(row)));
        let heights = fields.iter().zip(WIDTHS).map(|(field, width)| match field {
            Field::Text(text) => height(text, width),
            Field::Hours(_) | Field::Tenths(_) => 0,
        });
        sheet.set_row_height(line, heights.max().unwrap_or_default())?;
        for (at, field) in fields.iter().enumerate() {
            let column = at as u16;
            let number = field.number().and_then(|value: Decimal| value.to_f64());
            match (field, number) {
                (Field::Text(text), _) => {
                    let old =
                        at == DATA && row.is_doubtful() || at == FIRM_DATA && !row.firm_stands(now);
                    let looks = match at {
                        STATE => &stands,
                        _ if old => &doubtful,
                        _ => &words,
                    };
                    sheet.write_string_with_format(line, column, text, looks)?
                }
                (Field::Hours(_), Some(value)) => {
                    sheet.write_number_with_format(line, column, value, &hours)?
                }
                (Field::Tenths(_), Some(value)) => {
                    sheet.write_number_with_format(line, column, value, &tenths)?
                }
                // An empty cell would add up as zero, and look like one.
                (_, None) => sheet.write_string_with_format(line, column, "-", &none)?,
            };
        }
    }
    sheet.autofilter(HEAD, 0, last, (COLUMNS.len() - 1) as u16)?;
    sheet.set_freeze_panes(HEAD + 1, 4)?;
    Ok(())
}

/// The headline, a free line, and the heading of the columns.
pub(in crate::report) fn begin(
    sheet: &mut Worksheet,
    head: &str,
    columns: &[&str],
    widths: &[f64],
) -> Result<(), XlsxError> {
    sheet.write_string_with_format(0, 0, head, &bold())?;
    for ((at, column), width) in (0_u16..).zip(columns).zip(widths) {
        sheet.write_string_with_format(HEAD, at, *column, &heading())?;
        sheet.set_column_width(at, *width)?;
    }
    // Room for two lines: a heading is wrapped.
    sheet.set_row_height(HEAD, 30)?;
    sheet.set_landscape();
    sheet.set_print_fit_to_pages(1, 0);
    sheet.set_repeat_rows(HEAD, HEAD)?;
    Ok(())
}

fn totals(sheet: &mut Worksheet, head: &str, target: &TargetGap) -> Result<(), XlsxError> {
    begin(sheet, head, &words::TOTALS, &[46.0, 10.0, 12.0, 12.0, 8.0, 12.0, 12.0, 12.0, 90.0])?;
    let hours = Format::new().set_num_format("#,##0.00");
    let mut line = HEAD + 1;
    for words::Summed { name, asked, has, total, sure } in words::totals(target) {
        sheet.write_string(line, 0, format!("{name}: {asked} against what {has}"))?;
        let lines = format!("{} of {}", total.lines, target.lines);
        let looks = if sure { Format::new() } else { hatched() };
        sheet.write_string_with_format(line, 1, lines, &looks)?;
        let whole = Decimal::from(total.short_line_weeks as u64);
        let numbers = [
            Some(total.asked),
            Some(total.has),
            total.percent,
            Some(total.short),
            Some(whole),
            Some(total.unused),
        ];
        for (column, number) in (2_u16..).zip(numbers) {
            let number = number.filter(|_| total.line_weeks > 0).and_then(|one| one.to_f64());
            match number {
                None => sheet.write_string(line, column, "-")?,
                Some(number) if column == 6 => sheet.write_number(line, column, number)?,
                Some(number) => sheet.write_number_with_format(line, column, number, &hours)?,
            };
        }
        let left = words::left_out(&total.left_out, &target.not_connected).join(", ");
        sheet.write_string(line, 8, left)?;
        line += 1;
    }
    for (what, source) in words::sources(&target.sources) {
        line += 1;
        sheet.write_string(line, 0, words::source(what, source, &target.zone))?;
    }
    sheet.set_freeze_panes(HEAD + 1, 1)?;
    Ok(())
}
