//! What is different since a review as a workbook: what changed, what is short, what people
//! decided, what nobody knows. Numbers as numbers, filters, frozen headings, no formulas.

use planthread_domain::significance::Cause;
use rust_decimal::{Decimal, prelude::ToPrimitive as _};
use rust_xlsxwriter::{Color, FilterCondition, Format, Workbook, Worksheet, XlsxError};

use super::{
    digest::{ChangedRow, Crossed, Digest, NotKnownRow, TargetDigest},
    words,
    xlsx::{HEAD, begin, bold, hatched, height, weeks, wrapped},
};
use crate::{
    failure::Failure,
    pipeline::gap::{PersonsAct, PersonsActKind},
};

/// Columns of what changed, with their width.
const CHANGED: [(&str, f64); 18] = [
    ("Worth a look?", 9.0),
    ("Plant", 9.0),
    ("Line", 14.0),
    ("Week", 18.0),
    ("Was (h)", 10.0),
    ("Is (h)", 10.0),
    ("Change (h)", 10.0),
    ("Decided (h)", 10.0),
    ("Breakdown (h)", 11.0),
    ("Trend (h)", 10.0),
    ("Planned stop (h)", 10.0),
    ("Data lost (h)", 10.0),
    ("Calendar (h)", 10.0),
    ("Mapping (h)", 10.0),
    ("Not split (h)", 10.0),
    ("Load crossed?", 16.0),
    ("Reason", 60.0),
    ("Ask", 22.0),
];
const ACTS: [(&str, f64); 6] = [
    ("Decision", 34.0),
    ("Of what", 60.0),
    ("Who", 24.0),
    ("Why", 44.0),
    ("Since", 32.0),
    ("Until", 32.0),
];
const NOT_KNOWN: [(&str, f64); 6] = [
    ("Plant", 9.0),
    ("Line", 14.0),
    ("Weeks", 34.0),
    ("Not known", 44.0),
    ("Last truth", 32.0),
    ("Ask", 30.0),
];

/// Four sheets for each target.
pub(super) fn workbook(digest: &Digest) -> Result<Vec<u8>, Failure> {
    let mut workbook = Workbook::new();
    let mut made = || -> Result<Vec<u8>, XlsxError> {
        for (number, target) in digest.targets.iter().enumerate() {
            let name = |what: &str| match digest.targets.len() {
                1 => what.to_owned(),
                // A sheet's name is short, and two targets may begin alike.
                _ => format!("{what} {}", number + 1),
            };
            let head = &[headline(digest, target), origin(digest, target)];
            let sheet = workbook.add_worksheet().set_name(name("Changed"))?;
            changed(sheet, head, target)?;
            let sheet = workbook.add_worksheet().set_name(name("Short"))?;
            weeks(sheet, digest.at, &head[0], target.short.iter())?;
            sheet.write_string(1, 0, head[1].as_str())?;
            if target.short.is_empty() {
                let nothing = if target.stopped.is_some() {
                    "not known: no load could be read"
                } else {
                    "nothing is short, as far as both figures are known"
                };
                sheet.write_string(HEAD + 1, 0, nothing)?;
            }
            let sheet = workbook.add_worksheet().set_name(name("Locks and decisions"))?;
            acts(sheet, head, target)?;
            let sheet = workbook.add_worksheet().set_name(name("Not known"))?;
            not_known(sheet, head, target)?;
        }
        workbook.save_to_buffer()
    };
    made().map_err(|error| Failure::internal(format!("can't make the workbook: {error}")))
}

/// What matters.
fn headline(digest: &Digest, target: &TargetDigest) -> String {
    let several = digest.targets.len() > 1;
    let name = if several { format!("{}: ", target.target) } else { String::new() };
    let read = target.stopped.as_ref().map_or("", |_| "NOT READ, NO LOAD IS KNOWN. ");
    format!("{read}{name}{}", target.headline)
}

/// Since when, and where the figures are from, in the target's own names.
fn origin(digest: &Digest, target: &TargetDigest) -> String {
    let (since, at) =
        (words::local(digest.since, &target.zone), words::local(digest.at, &target.zone));
    let of = |one: &Option<crate::pipeline::gap::FigureSource>| {
        one.as_ref().map_or("held by no measure", |one| one.surface.as_str()).to_owned()
    };
    let (live, load) = (of(&target.sources.live), of(&target.sources.load));
    format!("From {since} to {at}. What the lines can do is {live}, the load is {load}.")
}

fn started(
    sheet: &mut Worksheet,
    head: &[String; 2],
    columns: &[(&str, f64)],
    frozen: u16,
) -> Result<(), XlsxError> {
    let (names, widths): (Vec<&str>, Vec<f64>) = columns.iter().copied().unzip();
    begin(sheet, &head[0], &names, &widths)?;
    sheet.write_string(1, 0, head[1].as_str())?;
    sheet.set_freeze_panes(HEAD + 1, frozen)?;
    Ok(())
}

fn changed(
    sheet: &mut Worksheet,
    head: &[String; 2],
    target: &TargetDigest,
) -> Result<(), XlsxError> {
    started(sheet, head, &CHANGED, 4)?;
    if target.changed.is_empty() {
        let nothing = if target.known_then { "nothing changed" } else { "nothing is known" };
        sheet.write_string(HEAD + 1, 0, nothing)?;
        return Ok(());
    }
    // Where nothing is worth a look, a filter would leave an empty sheet.
    let some = target.changed.iter().any(|row| row.worth_a_look);
    let mut last = HEAD;
    for (line, row) in (HEAD + 1..).zip(&target.changed) {
        last = line;
        changed_row(sheet, line, row)?;
        if some && !row.worth_a_look {
            sheet.set_row_hidden(line)?;
        }
    }
    sheet.autofilter(HEAD, 0, last, (CHANGED.len() - 1) as u16)?;
    if some {
        sheet.filter_column(0, &FilterCondition::new().add_list_filter("yes"))?;
    }
    Ok(())
}

fn changed_row(sheet: &mut Worksheet, line: u32, row: &ChangedRow) -> Result<(), XlsxError> {
    let (hours, signed) = (
        Format::new().set_num_format("#,##0.00"),
        Format::new().set_num_format("+#,##0.00;-#,##0.00;0.00"),
    );
    let wrapped = wrapped();
    let split = row.change.is_some();
    let part = |cause: Cause| split.then(|| row.parts.get(&cause).copied().unwrap_or_default());
    sheet.write_string(line, 0, if row.worth_a_look { "yes" } else { "no" })?;
    sheet.write_string(line, 1, row.line.plant.as_str())?;
    sheet.write_string(line, 2, row.line.line.as_str())?;
    sheet.write_string(line, 3, words::week(row.week))?;
    for (column, value) in [(4, row.was), (5, row.is)] {
        number(sheet, line, column, value, &hours)?;
    }
    let parts = [
        row.change,
        part(Cause::Decision),
        part(Cause::Breakdown),
        part(Cause::Trend),
        part(Cause::PlannedStop),
        part(Cause::DataLost),
        part(Cause::Calendar),
        part(Cause::Mapping),
        split.then_some(row.not_split),
    ];
    for (column, value) in (6..).zip(parts) {
        number(sheet, line, column, value, &signed)?;
    }
    let filled = |colour| Format::new().set_background_color(Color::RGB(colour));
    let crossed = match row.crossed {
        Crossed::NowShort => filled(0x00F6_C9C2),
        Crossed::NowFits | Crossed::No => Format::new(),
        Crossed::Unknown => hatched(),
    };
    sheet.write_string_with_format(line, 15, row.crossed.words(), &crossed)?;
    sheet.write_string_with_format(line, 16, row.reason.as_str(), &wrapped)?;
    sheet.set_row_height(line, height(row.reason.as_str(), CHANGED[16].1))?;
    sheet.write_string(line, 17, row.owner.as_str())?;
    Ok(())
}

/// A number; an empty cell would add up as zero, and look like one.
fn number(
    sheet: &mut Worksheet,
    line: u32,
    column: u16,
    value: Option<Decimal>,
    looks: &Format,
) -> Result<(), XlsxError> {
    match value.and_then(|value| value.to_f64()) {
        Some(value) => sheet.write_number_with_format(line, column, value, looks)?,
        None => sheet.write_string(line, column, "-")?,
    };
    Ok(())
}

fn acts(sheet: &mut Worksheet, head: &[String; 2], target: &TargetDigest) -> Result<(), XlsxError> {
    started(sheet, head, &ACTS, 1)?;
    let rows: Vec<[String; 6]> =
        target.acts.iter().map(|act| act_cells(act, &target.zone)).collect();
    texts(sheet, &rows, &ACTS, "nobody took or decided anything that is in force")
}

fn act_cells(act: &PersonsAct, zone: &str) -> [String; 6] {
    let kind = match act.kind {
        PersonsActKind::Took => "took a cell: the plan holds the person's value",
        PersonsActKind::Paused => "paused: nothing is sent",
        PersonsActKind::Resumed => "let go again",
        PersonsActKind::Promoted => "lets a key figure of others be written",
        PersonsActKind::Adopted => "adopted: values that stood there before us may be replaced",
        PersonsActKind::Closed => "closed",
        PersonsActKind::Extra => "extra hours",
        PersonsActKind::PlannedStop => "planned stop",
        PersonsActKind::Proposed => "proposed: counts nothing until it is confirmed",
        PersonsActKind::Dropped => "taken out of the sheet: decided no more",
        PersonsActKind::Supposed => "proposed: counts in this scope until it is decided",
    };
    let when = |at: Option<jiff::Timestamp>| at.map_or("-".to_owned(), |at| words::local(at, zone));
    let what = if act.what.is_empty() { "the whole target" } else { &act.what };
    [
        kind.to_owned(),
        what.to_owned(),
        act.who.clone(),
        act.why.clone(),
        when(act.at),
        when(act.until),
    ]
}

fn not_known(
    sheet: &mut Worksheet,
    head: &[String; 2],
    target: &TargetDigest,
) -> Result<(), XlsxError> {
    started(sheet, head, &NOT_KNOWN, 2)?;
    let cells = |row: &NotKnownRow| {
        let weeks = match row.weeks.as_slice() {
            [] => "-".to_owned(),
            [one] => words::week(*one),
            [first, .., last] => format!("{} of {first} to {last}", row.weeks.len()),
        };
        let as_of = row.as_of.map_or("-".to_owned(), |at| words::local(at, &target.zone));
        let line = &row.line;
        [
            line.plant.to_string(),
            line.line.to_string(),
            weeks,
            row.why.clone(),
            as_of,
            row.ask.clone(),
        ]
    };
    let rows: Vec<[String; 6]> = target.not_known.iter().map(cells).collect();
    texts(sheet, &rows, &NOT_KNOWN, "every line is known and measured")
}

/// Rows of words under a heading, or one that says that there are none.
fn texts(
    sheet: &mut Worksheet,
    rows: &[[String; 6]],
    columns: &[(&str, f64); 6],
    none: &str,
) -> Result<(), XlsxError> {
    let wrapped = wrapped();
    if rows.is_empty() {
        sheet.write_string_with_format(HEAD + 1, 0, none, &bold())?;
        return Ok(());
    }
    let mut last = HEAD;
    for (line, row) in (HEAD + 1..).zip(rows) {
        last = line;
        for (column, cell) in (0_u16..).zip(row) {
            sheet.write_string_with_format(line, column, cell.as_str(), &wrapped)?;
        }
        let heights = row.iter().zip(columns).map(|(cell, (_, width))| height(cell, *width));
        sheet.set_row_height(line, heights.max().unwrap_or_default())?;
    }
    sheet.autofilter(HEAD, 0, last, 5)?;
    Ok(())
}
