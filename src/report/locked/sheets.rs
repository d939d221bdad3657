//! What waits for a person's word as a workbook that comes back: what stands there on the
//! left, and on the right the columns for an answer. Words in every column; the reference of
//! a row stands in a hidden one, so that rows may be sorted and filtered.

use jiff::Timestamp;
use rust_decimal::{Decimal, prelude::ToPrimitive as _};
use rust_xlsxwriter::{
    Color, DataValidation, DataValidationErrorStyle, Format, FormatAlign, Workbook, Worksheet,
    XlsxError,
};

use super::{LockRow, Locked, Question, words};
use crate::{
    failure::Failure,
    pipeline::locked::answers::{ANSWER, ANSWERS, LOCKS, QUESTIONS, REFERENCE, UNTIL, WHY},
    report::gap::xlsx::{HEAD, begin, bold, height, wrapped},
    serve::sheet::ROWS_MAX,
};

/// Columns of the values that people set, with their width.
const LOCK_COLUMNS: [(&str, f64); 17] = [
    ("Plant", 9.0),
    ("Line", 14.0),
    ("Week", 18.0),
    ("Figure", 18.0),
    ("Key figure", 18.0),
    ("In the plan now", 11.0),
    ("Planthread would land", 12.0),
    ("Unit", 8.0),
    ("State", 20.0),
    ("Who", 20.0),
    ("Why it was taken", 34.0),
    ("Since", 17.0),
    ("Until", 17.0),
    (ANSWER, 11.0),
    (UNTIL, 13.0),
    (WHY, 34.0),
    (REFERENCE, 40.0),
];
/// Columns of the questions.
const QUESTION_COLUMNS: [(&str, f64); 13] = [
    ("Question", 44.0),
    ("Key figure", 18.0),
    ("Both figures", 44.0),
    ("Likely cause", 34.0),
    ("Cells", 8.0),
    ("Who is asked", 20.0),
    ("Since", 17.0),
    ("If you accept", 30.0),
    ("If you keep", 30.0),
    (ANSWER, 11.0),
    (UNTIL, 13.0),
    (WHY, 34.0),
    (REFERENCE, 40.0),
];
/// Signs of a sheet's field.
const TEXT_MAX: usize = 32_767;
/// The columns that a person fills in.
const YOURS: [&str; 3] = [ANSWER, UNTIL, WHY];

/// One field of a row.
enum Field {
    Text(String),
    Number(Decimal),
    Yours,
}

fn text(text: impl Into<String>) -> Field {
    Field::Text(text.into())
}

/// A number; where there is none, a word that says why.
fn number(value: Option<Decimal>, else_: &str) -> Field {
    value.map_or_else(|| text(else_), Field::Number)
}

/// Two sheets: values that people set, and questions.
pub(super) fn workbook(locked: &Locked) -> Result<Vec<u8>, Failure> {
    // What would not be read when it comes back is not written either.
    let most = (ROWS_MAX - HEAD) as usize - 1;
    let many = locked.locks.len().max(locked.questions.len());
    if many > most {
        let text = format!("{many} rows are more than the {most} that a sheet comes back with");
        return Err(Failure::usage(text).cure("write one workbook for each target"));
    }
    let at = words::local(locked.at, &locked.zone);
    let mut workbook = Workbook::new();
    let mut made = || -> Result<Vec<u8>, XlsxError> {
        let sheet = workbook.add_worksheet().set_name(LOCKS)?;
        let head = [
            format!("What people set in the plan, as of {at}"),
            format!(
                "Answer on the right: keep leaves the value there to the end of the day that you \
                 write, else to the one in Until, and needs a why; accept lets Planthread's value \
                 in. No answer changes nothing. Days are those of {}.",
                locked.zone
            ),
        ];
        let rows: Vec<_> = locked.locks.iter().map(lock).collect();
        fill(sheet, &head, &LOCK_COLUMNS, &rows, 3, "no value is set by a person")?;
        let sheet = workbook.add_worksheet().set_name(QUESTIONS)?;
        let head = [
            format!("Questions that are open, as of {at}"),
            "Answer on the right: accept or keep, as the columns before say. No answer changes \
             nothing."
                .to_owned(),
        ];
        let rows: Vec<_> = locked.questions.iter().map(|row| question(row, &locked.zone)).collect();
        fill(sheet, &head, &QUESTION_COLUMNS, &rows, 1, "no question is open")?;
        workbook.save_to_buffer()
    };
    made().map_err(|error| Failure::internal(format!("can't make the workbook: {error}")))
}

fn lock(row: &LockRow) -> Vec<Field> {
    let when = |at: Timestamp| text(words::minute(at, &row.zone));
    vec![
        text(row.line.plant.as_str()),
        text(row.line_and_product()),
        text(words::week(row.period)),
        text(row.figure()),
        text(row.surface.as_str()),
        number(row.in_plan, &row.there()),
        number(row.would_land, &row.ours()),
        text(row.unit()),
        text(row.taken.words()),
        text(row.who.as_str()),
        text(row.why.as_str()),
        when(row.since),
        when(row.until),
        Field::Yours,
        Field::Yours,
        Field::Yours,
        text(row.reference.to_string()),
    ]
}

fn question(row: &Question, zone: &str) -> Vec<Field> {
    vec![
        text(row.text.as_str()),
        text(row.surface.as_deref().unwrap_or("-")),
        text(row.example.words()),
        text(row.cause.as_str()),
        number(row.cells.map(Decimal::from), "-"),
        text(row.ask.as_str()),
        text(row.since.map_or_else(|| "-".to_owned(), |at| words::minute(at, zone))),
        text(row.if_accepted()),
        text(row.if_kept()),
        Field::Yours,
        Field::Yours,
        Field::Yours,
        text(row.reference.to_string()),
    ]
}

/// Writes the heading, the rows, and what helps to fill them in.
fn fill(
    sheet: &mut Worksheet,
    head: &[String; 2],
    columns: &[(&str, f64)],
    rows: &[Vec<Field>],
    frozen: u16,
    none: &str,
) -> Result<(), XlsxError> {
    let (names, widths): (Vec<&str>, Vec<f64>) = columns.iter().copied().unzip();
    begin(sheet, &head[0], &names, &widths)?;
    sheet.write_string(1, 0, head[1].as_str())?;
    sheet.set_freeze_panes(HEAD + 1, frozen)?;
    let last_column = (columns.len() - 1) as u16;
    sheet.set_column_hidden(last_column)?;
    for (column, name) in (0_u16..).zip(&names) {
        if YOURS.contains(name) {
            sheet.write_string_with_format(HEAD, column, *name, &yours_heading())?;
        }
    }
    if rows.is_empty() {
        sheet.write_string_with_format(HEAD + 1, 0, none, &bold())?;
        return Ok(());
    }
    let last = HEAD + rows.len() as u32;
    for (line, row) in (HEAD + 1..).zip(rows) {
        write_row(sheet, line, columns, row)?;
    }
    let at = |name: &str| names.iter().position(|one| *one == name).unwrap_or_default() as u16;
    let only = DataValidation::new()
        .allow_list_strings(&ANSWERS)?
        .set_error_title("keep or accept")?
        .set_error_message("write keep or accept, or leave it empty")?
        .set_error_style(DataValidationErrorStyle::Stop);
    sheet.add_data_validation(HEAD + 1, at(ANSWER), last, at(ANSWER), &only)?;
    sheet.autofilter(HEAD, 0, last, last_column)?;
    Ok(())
}

fn write_row(
    sheet: &mut Worksheet,
    line: u32,
    columns: &[(&str, f64)],
    row: &[Field],
) -> Result<(), XlsxError> {
    let words = wrapped();
    let figure = Format::new().set_num_format("#,##0.00##").set_align(FormatAlign::Top);
    let count = Format::new().set_num_format("#,##0").set_align(FormatAlign::Top);
    let mut tallest = 15;
    for (column, (field, (name, width))) in (0_u16..).zip(row.iter().zip(columns)) {
        match field {
            // A text is written as one: none of them may calculate.
            Field::Text(text) => {
                let text: String = text.chars().take(TEXT_MAX).collect();
                if *name != REFERENCE {
                    tallest = tallest.max(height(&text, *width));
                }
                sheet.write_string_with_format(line, column, text, &words)?;
            }
            Field::Number(value) => {
                let looks = if *name == "Cells" { &count } else { &figure };
                let value = value.to_f64().unwrap_or_default();
                sheet.write_number_with_format(line, column, value, looks)?;
            }
            Field::Yours => {
                let date = *name == UNTIL;
                let looks = if date { yours().set_num_format("yyyy-mm-dd") } else { yours() };
                sheet.write_blank(line, column, &looks)?;
            }
        }
    }
    sheet.set_row_height(line, tallest)?;
    Ok(())
}

/// Fields that a person fills in.
fn yours() -> Format {
    let format = wrapped().set_background_color(Color::RGB(0x00FF_F7D6));
    format.set_border(rust_xlsxwriter::FormatBorder::Thin).set_border_color(Color::RGB(0x00D9_C98A))
}

fn yours_heading() -> Format {
    let heading = Format::new().set_bold().set_text_wrap();
    heading.set_background_color(Color::RGB(0x00F2_DE8A))
}
