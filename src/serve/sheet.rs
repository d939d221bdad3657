//! Sheets of decisions: a CSV or XLSX file that counts as a whole or not at all.
//!
//! A sheet is small and is read whole each time. What it says is compared with what
//! counts, so nothing is written where nothing changed; and while it has a fault, what
//! counted before counts on, and every fault is named.

use std::{
    collections::{BTreeMap, HashMap},
    fs::File,
    io::{self, Cursor, Read as _},
    panic,
    path::Path,
};

use calamine::{DataRef, Reader as _, SheetVisible, Xlsx};
use jiff::{Timestamp, civil::DateTime};
use planthread_contracts::{Origin, RawRecord, RejectedRecord};
use planthread_domain::{
    decode::{self, DecisionSheet, SHEET_ID, SheetCell, SheetFault, SheetRow},
    model::{Plant, Source},
};
use planthread_engine::{
    Reader, State,
    journal::{self, Append, Cured},
};
use zip::ZipArchive;

use super::{
    Door, Refusal,
    files::FileReport,
    snapshot::Export,
    survey::{self, is_quiet},
};
use crate::failure::Failure;

/// Bytes of the largest sheet that is read; a workbook is unpacked in memory.
pub(super) const BYTES_MAX: u64 = 1 << 20;

/// Bytes of all parts of the largest workbook, unpacked: a small file can hold a part
/// that fills the memory.
pub(super) const UNPACKED_MAX: u64 = 16 << 20;

/// How a workbook begins.
const WORKBOOK: &[u8] = b"PK\x03\x04";

/// Rows and columns of the largest sheet: a stray cell far away is no table.
pub(crate) const ROWS_MAX: u32 = 5_000;
const COLUMNS_MAX: u32 = 64;

/// Refused rows that are read at once.
const AT_ONCE: u32 = 1_000;

/// What a checkpoint says of a sheet that was refused.
const FAULTY: &str = "faulty";

/// What a sheet is, before its rows are understood.
enum Content {
    Rows(Vec<SheetRow>),
    /// The last line has no end: somebody may still be writing.
    Unfinished,
}

/// What a sheet says.
pub(super) enum Sheet {
    /// One record, which is the whole sheet.
    Whole(RawRecord),
    /// Every fault, as a refused row.
    Faulty(Vec<RejectedRecord>),
    /// It is not written to its end yet.
    Unfinished,
}

/// Reads the sheet `file` of `source`, as of `now`.
///
/// # Errors
/// When it can't be read, or is no sheet.
pub(super) fn read(
    plant: &Plant,
    source: &Source,
    file: &Path,
    now: Timestamp,
) -> Result<Sheet, Failure> {
    let about = |failure: Failure| failure.about(&format!("source `{}`", source.name));
    let bytes = bytes_of(file).map_err(about)?;
    let rows = match content(&bytes, file, now).map_err(about)? {
        Content::Rows(rows) => rows,
        Content::Unfinished => return Ok(Sheet::Unfinished),
    };
    let refused = |fault: SheetFault| refused(&rows, file, fault);
    Ok(match decode::sheet_rows(&rows, source, plant) {
        Ok(decided) => {
            let name = file.file_name().unwrap_or(file.as_os_str());
            let sheet = DecisionSheet { file: name.to_string_lossy().into_owned(), decided };
            Sheet::Whole(sheet.record(source, now))
        }
        Err(faults) => Sheet::Faulty(faults.into_iter().map(refused).collect()),
    })
}

/// Takes the sheet `file` in, unless it says what counts already.
///
/// # Errors
/// When it can't be read, or the state can't be read or written.
pub(super) fn take(
    plant: &Plant,
    source: &Source,
    file: &Path,
    door: &dyn Door,
    reader: Option<&Reader>,
) -> Result<FileReport, Failure> {
    let report = FileReport::of(file.display().to_string());
    match read(plant, source, file, door.now())? {
        Sheet::Unfinished => Ok(FileReport { unfinished: true, ..report }),
        Sheet::Faulty(rows) => {
            let faults = rows.len();
            let rows = rows.into_iter().map(|row| Err(Box::new(row))).collect();
            let kept = door.take(rows, Some((key(source), FAULTY.to_owned())))?;
            let note = format!(
                "nothing of {} is taken, because it has {faults} {}; what counted before counts on",
                report.place,
                if faults == 1 { "fault" } else { "faults" },
            );
            let export = Some(Export { retracted: 0, note: Some(note) });
            Ok(FileReport { kept, export, ..report })
        }
        Sheet::Whole(record) => {
            let counts = match reader {
                Some(reader) => journal::counting(reader, &source.name, SHEET_ID)?,
                None => None,
            };
            if counts.as_ref().is_some_and(|counts| counts.body == record.body) {
                return Ok(FileReport { unchanged: true, ..report });
            }
            let export = counts.and_then(|counts| vanished(&counts, &record));
            let kept = door.take(vec![Ok(record)], None)?;
            Ok(FileReport { kept, export, ..report })
        }
    }
}

/// What stood in the sheet `before` and stands in `now` no more; nothing where all does. A
/// row that has another status, reason or owner stands.
fn vanished(before: &RawRecord, now: &RawRecord) -> Option<Export> {
    let (before, now) = (DecisionSheet::of(before)?.decided, DecisionSheet::of(now)?.decided);
    let gone = before.iter().filter(|row| !now.iter().any(|one| one.is_same(row))).count();
    let note = now.is_empty().then(|| {
        "it has no row any more, so nothing that was decided in it counts: put the rows back, or \
         leave it so"
            .to_owned()
    });
    (gone > 0).then_some(Export { retracted: gone, note })
}

/// Takes rows off the list of what could not be used that stand in the sheet no more, or
/// are right now.
///
/// # Errors
/// When the state can't be read or written.
pub(crate) fn mended(
    state: &State,
    source: &Source,
    report: &FileReport,
    now: Timestamp,
) -> Result<(), Failure> {
    let reader = state.reader()?;
    let faults = &report.kept.rejected;
    let faulty = journal::checkpoint(&reader, &key(source))?.is_some_and(|word| word == FAULTY);
    if !source.reader.is_decisions() || !faulty || report.unfinished {
        return Ok(());
    }
    let still = |record: &RejectedRecord| {
        let same = |one: &Refusal| {
            one.line == record.origin.line
                && one.field == record.field
                && one.reason == record.reason
        };
        faults.iter().any(same)
    };
    let (mut gone, mut after, mut known) = (Vec::new(), 0, HashMap::new());
    loop {
        let some = journal::rejected_after(&reader, after, AT_ONCE)?;
        let Some(last) = some.last() else { break };
        after = last.id;
        for entry in some.into_iter().filter(|one| one.record.origin.place == report.place) {
            if still(&entry.record) {
                // The row may have changed beside its fault: the newer one tells.
                let RejectedRecord { origin, field, .. } = entry.record;
                gone.extend(known.insert((origin.line, field), entry.id));
            } else {
                gone.push(entry.id);
            }
        }
    }
    journal::cure(state, Cured { rejected: gone, ..Cured::default() })?;
    if faults.is_empty() {
        let checkpoint = Some((key(source), String::new()));
        journal::append(state, Append { checkpoint, ..Append::default() }, now)?;
    }
    Ok(())
}

fn key(source: &Source) -> String {
    format!("sheet:{}", source.name)
}

fn refused(rows: &[SheetRow], file: &Path, fault: SheetFault) -> RejectedRecord {
    let SheetFault { row, column, reason, cure } = fault;
    let text = rows.iter().find(|one| one.number == row).map(SheetRow::text);
    RejectedRecord {
        origin: Origin { place: file.display().to_string(), line: row },
        field: column,
        reason,
        cure,
        body: text.unwrap_or_default().into_bytes(),
    }
}

fn bytes_of(file: &Path) -> Result<Vec<u8>, Failure> {
    let io = |error: io::Error| Failure::io("read", file, &error);
    let input: File = survey::open(file)?;
    let mut bytes = Vec::new();
    input.take(BYTES_MAX + 1).read_to_end(&mut bytes).map_err(io)?;
    if bytes.len() as u64 > BYTES_MAX {
        let text = format!("{} is larger than {BYTES_MAX} bytes", file.display());
        let cure = "take out what is over, and pictures; or make a sheet for each plant";
        return Err(Failure::usage(text).cure(cure));
    }
    Ok(bytes)
}

fn content(bytes: &[u8], file: &Path, now: Timestamp) -> Result<Content, Failure> {
    let rows = table(bytes, file)?;
    let ended = bytes.is_empty() || bytes.ends_with(b"\n") || bytes.starts_with(WORKBOOK);
    Ok(if ended || is_quiet(file, now) { Content::Rows(rows) } else { Content::Unfinished })
}

/// The rows in the bytes of a sheet, which `file` names for people.
///
/// # Errors
/// What it is instead, with its cure.
pub fn table(bytes: &[u8], file: &Path) -> Result<Vec<SheetRow>, Failure> {
    if bytes.starts_with(WORKBOOK) {
        return workbook(bytes, file);
    }
    let wrong = |what: &str, cure: &str| {
        Failure::usage(format!("{} is {what}", file.display())).cure(cure.to_owned())
    };
    if let Some((what, cure)) = survey::foreign(bytes, None) {
        return Err(wrong(what, cure));
    }
    let Ok(text) = std::str::from_utf8(bytes) else {
        return Err(wrong("no text in UTF-8", "save the sheet as `CSV UTF-8`, or as .xlsx"));
    };
    // However a line ends, it is one.
    let text = text.trim_start_matches('\u{feff}').replace("\r\n", "\n").replace('\r', "\n");
    let first = text.lines().next().unwrap_or_default();
    let separator = if first.contains(';') { b';' } else { b',' };
    let mut lines = csv::ReaderBuilder::new();
    lines.has_headers(false).flexible(true).delimiter(separator);
    let rows = lines.from_reader(text.as_bytes()).into_records().map(|row| {
        let row = row.map_err(|error| wrong(&format!("no table: {error}"), "save it anew"))?;
        let number = row.position().map_or(0, |at| line(&text, at));
        let cells = row.iter().map(|cell| SheetCell::Text(cell.to_owned())).collect();
        Ok(SheetRow { number, cells })
    });
    rows.collect()
}

/// Visible sheets of a workbook that is read; one with more is refused.
const SHEETS_MAX: usize = 8;

/// Every sheet of `file`, by its name: the visible ones of a workbook, or the one of a CSV
/// file, which has none.
///
/// # Errors
/// When it can't be read, is no sheet, or has more visible sheets than are read.
pub fn tables(file: &Path) -> Result<Vec<(String, Vec<SheetRow>)>, Failure> {
    let bytes = bytes_of(file)?;
    if bytes.starts_with(WORKBOOK) {
        let mut sheets = understood(file, || visible_sheets(&bytes, SHEETS_MAX + 1))?;
        // What is not read is not passed over without a word.
        return match sheets.split_off(sheets.len().min(SHEETS_MAX)).first() {
            None => Ok(sheets),
            Some((beyond, _)) => Err(Failure::usage(format!(
                "{} has more than {SHEETS_MAX} visible sheets: `{beyond}` would not be read",
                file.display()
            ))
            .cure("hide or remove the sheets that hold no answers, or give it as several files")),
        };
    }
    Ok(vec![(String::new(), table(&bytes, file)?)])
}

/// The line in which a row begins: its place is told before the empty lines above it.
fn line(text: &str, at: &csv::Position) -> u64 {
    let from = usize::try_from(at.byte()).ok().and_then(|byte| text.as_bytes().get(byte..));
    let empty = from.unwrap_or_default().iter().take_while(|byte| **byte == b'\n');
    at.line() + empty.count() as u64
}

/// The first visible sheet of a workbook. The library stumbles over some bytes that no
/// program writes (a row number beyond all numbers): that is a fault of the sheet, and
/// must not end a bridge.
fn workbook(bytes: &[u8], file: &Path) -> Result<Vec<SheetRow>, Failure> {
    understood(file, || first_sheet(bytes))
}

fn understood<T>(
    file: &Path,
    read: impl FnOnce() -> Result<T, String> + panic::UnwindSafe,
) -> Result<T, Failure> {
    let read = panic::catch_unwind(read);
    let read = read.unwrap_or_else(|_| Err("its cells can't be read".to_owned()));
    read.map_err(|reason| {
        Failure::usage(format!("{} is no workbook that can be read: {reason}", file.display()))
            .cure("save it anew as .xlsx, or as `CSV UTF-8`")
    })
}

/// Unpacks every part of a workbook once, and keeps nothing: what it says of its own size
/// is not believed.
fn unpacks_within_bounds(bytes: &[u8]) -> Result<(), String> {
    let mut parts = ZipArchive::new(Cursor::new(bytes)).map_err(|error| error.to_string())?;
    let mut left = UNPACKED_MAX;
    for at in 0..parts.len() {
        let part = parts.by_index(at).map_err(|error| error.to_string())?;
        let unpacked = io::copy(&mut part.take(left + 1), &mut io::sink());
        left = left.checked_sub(unpacked.map_err(|error| error.to_string())?).ok_or_else(|| {
            format!("its parts are larger than {UNPACKED_MAX} bytes when they are unpacked")
        })?;
    }
    Ok(())
}

fn first_sheet(bytes: &[u8]) -> Result<Vec<SheetRow>, String> {
    Ok(visible_sheets(bytes, 1)?.remove(0).1)
}

/// The first visible sheets of a workbook, so many at most, by their names.
fn visible_sheets(bytes: &[u8], most: usize) -> Result<Vec<(String, Vec<SheetRow>)>, String> {
    unpacks_within_bounds(bytes)?;
    let mut book = Xlsx::new(Cursor::new(bytes)).map_err(|error| error.to_string())?;
    let sheets = book.sheets_metadata().iter();
    let visible = sheets.filter(|one| one.visible == SheetVisible::Visible).take(most);
    let names: Vec<String> = visible.map(|one| one.name.clone()).collect();
    if names.is_empty() {
        return Err("it has no visible sheet".to_owned());
    }
    names.into_iter().map(|name| rows_of(&mut book, &name).map(|rows| (name, rows))).collect()
}

fn rows_of(book: &mut Xlsx<Cursor<&[u8]>>, name: &str) -> Result<Vec<SheetRow>, String> {
    let mut cells = book.worksheet_cells_reader(name).map_err(|error| error.to_string())?;
    // Nothing makes a workbook list its rows in their order.
    let mut rows: BTreeMap<u64, Vec<SheetCell>> = BTreeMap::new();
    while let Some(cell) = cells.next_cell().map_err(|error| error.to_string())? {
        let (row, column) = cell.get_position();
        let value = of_cell(cell.get_value());
        if value.text().is_empty() {
            continue;
        }
        if row >= ROWS_MAX || column >= COLUMNS_MAX {
            return Err(format!(
                "`{}` stands in row {}, column {}: a sheet has {ROWS_MAX} rows and {COLUMNS_MAX} \
                 columns at most",
                value.text(),
                row + 1,
                column + 1
            ));
        }
        let (number, at) = (u64::from(row) + 1, column as usize);
        let cells: &mut Vec<SheetCell> = rows.entry(number).or_default();
        if cells.len() <= at {
            cells.resize(at + 1, SheetCell::Text(String::new()));
        }
        if !cells[at].text().is_empty() {
            let column = column + 1;
            return Err(format!("row {number} has two values in column {column}"));
        }
        cells[at] = value;
    }
    Ok(rows.into_iter().map(|(number, cells)| SheetRow { number, cells }).collect())
}

fn of_cell(value: &DataRef<'_>) -> SheetCell {
    let text = match value {
        DataRef::DateTime(at) if at.is_datetime() => match civil(at.to_ymd_hms_milli()) {
            Some(time) => return SheetCell::Time(time),
            None => at.as_f64().to_string(),
        },
        DataRef::DateTime(at) => at.as_f64().to_string(),
        DataRef::Int(number) => number.to_string(),
        DataRef::Float(number) => number.to_string(),
        DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => {
            text.clone()
        }
        DataRef::SharedString(text) => (*text).to_owned(),
        DataRef::Bool(value) => value.to_string(),
        DataRef::Error(error) => error.to_string(),
        DataRef::Empty => String::new(),
    };
    SheetCell::Text(text)
}

/// A time of a workbook, which counts in fractions of a day: to the second.
fn civil(
    (year, month, day, hour, minute, second, milli): (u16, u8, u8, u8, u8, u8, u16),
) -> Option<DateTime> {
    let small = |number: u8| i8::try_from(number).ok();
    let time = DateTime::new(
        i16::try_from(year).ok()?,
        small(month)?,
        small(day)?,
        small(hour)?,
        small(minute)?,
        small(second)?,
        i32::from(milli) * 1_000_000,
    );
    time.ok()?.round(jiff::Unit::Second).ok()
}
