//! Delimited text to raw records: one journal record a row, as it arrived.

use jiff::Timestamp;
use planthread_contracts::{Origin, RawRecord, RejectedRecord};
use sha2::{Digest as _, Sha256};

use super::{
    fact::hex,
    repeated::{Passes, RepeatedHour},
};
use crate::model::{Source, SourceFormat};

/// The field of a refusal that is about the first line of a file, and so about all
/// of its rows.
pub const HEADER: &str = "header";

/// What the splitter needs of a delimited source.
#[derive(Debug, Clone, Copy)]
pub(super) struct Layout<'a> {
    /// Header names in file order.
    pub(super) header: &'a [String],
    /// Between fields.
    pub(super) separator: u8,
    /// Columns of the stable id; all when empty.
    pub(super) key: &'a [String],
}

impl<'a> Layout<'a> {
    /// The layout of a source; `None` when it is not delimited text.
    pub(super) fn of(reader: &'a SourceFormat) -> Option<Self> {
        let (header, separator, key) = match reader {
            SourceFormat::MachineEvents(r) => (&r.header, r.separator, &r.key),
            SourceFormat::Counts(r) => (&r.header, r.separator, &r.key),
            SourceFormat::Cloudevents(_) | SourceFormat::Decisions(_) => return None,
        };
        Some(Self { header, separator: u8::try_from(separator).unwrap_or(b','), key })
    }

    /// Position of a column.
    pub(super) fn position(&self, name: &str) -> Option<usize> {
        self.header.iter().position(|column| column == name)
    }
}

/// Whether the time of a row of `source` is part of its id.
pub(super) fn tells_time_in_its_id(source: &Source) -> bool {
    let (time, key) = match &source.reader {
        SourceFormat::MachineEvents(r) => (&r.columns.time, &r.key),
        SourceFormat::Counts(r) => (&r.columns.time, &r.key),
        SourceFormat::Cloudevents(_) | SourceFormat::Decisions(_) => return false,
    };
    key.is_empty() || key.contains(time)
}

/// Splits a delimited file into raw records, in file order.
///
/// `place` names the file for people. The first line must be the declared
/// header; if it is not, one rejection says so and nothing else is read. One
/// line is one row: a quoted field ends on its line, so that a stray quote costs
/// its own row and none behind it. A row's id is a digest of its key columns, so
/// reading a file twice yields the same ids. Whether a row makes sense is
/// decided when it is decoded; only what the order of the file tells of a
/// repeated hour is noted here, where the whole file is at hand.
///
/// Nothing comes out of a source that is not delimited text.
pub fn rows<'a>(
    text: &'a [u8],
    source: &'a Source,
    place: &'a str,
    received_at: Timestamp,
) -> impl Iterator<Item = Result<RawRecord, RejectedRecord>> + 'a {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let lines = || (1_u64..).zip(text.split(|byte| *byte == b'\n').map(trim));
    let rows = lines().filter(|(_, body)| !body.is_empty());
    let mut passes = Passes::default();
    if let Some(hour) = RepeatedHour::of(source) {
        let mut order = hour.file(received_at);
        // What is too much to be told is refused row by row.
        let _ = lines().all(|(line, row)| order.read(line, row));
        passes = order.passes();
    }
    let (mut first, mut over) = (true, Layout::of(&source.reader).is_none());
    rows.map_while(move |(line, body)| {
        if over {
            return None;
        }
        let origin = Origin { place: place.to_owned(), line };
        if std::mem::take(&mut first) {
            let wrong = wrong_header(body, source, origin);
            over = wrong.is_some();
            return Some(wrong.map(Err));
        }
        let row = row(body, source, origin, received_at)?;
        Some(Some(row.map_err(|refused| *refused).map(|mut record| {
            passes.note(&mut record, source);
            record
        })))
    })
    .flatten()
}

/// The record that one row of `source` makes; `None` when the source is not
/// delimited text.
///
/// # Errors
/// When a quote is open at the end of the row.
#[must_use]
pub fn row(
    body: &[u8],
    source: &Source,
    origin: Origin,
    received_at: Timestamp,
) -> Option<Result<RawRecord, Box<RejectedRecord>>> {
    let layout = Layout::of(&source.reader)?;
    let mut fields = csv::ByteRecord::new();
    Some(read_row(body, source, layout, origin, received_at, &mut fields))
}

/// What is wrong with `body` as the first line of a file of `source`, if it is not
/// the header that is declared.
#[must_use]
pub fn wrong_header(body: &[u8], source: &Source, origin: Origin) -> Option<RejectedRecord> {
    let layout = Layout::of(&source.reader)?;
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let mut fields = csv::ByteRecord::new();
    let right = split(body, layout.separator, &mut fields).is_some()
        && fields.iter().eq(layout.header.iter().map(String::as_bytes));
    (!right).then(|| RejectedRecord {
        origin,
        field: HEADER.to_owned(),
        reason: format!(
            "the first line is `{}`, but the source declares `{}`",
            String::from_utf8_lossy(body),
            layout.header.join(","),
        ),
        cure: "declare the file's own header in the source's `header`, in its order".to_owned(),
        body: body.to_vec(),
    })
}

/// The text of one column of a row; `None` when the row has none.
pub(super) fn cell(body: &[u8], source: &Source, column: &str) -> Option<String> {
    let layout = Layout::of(&source.reader)?;
    let mut fields = csv::ByteRecord::new();
    split(body, layout.separator, &mut fields)?;
    let text = fields.get(layout.position(column)?)?;
    Some(std::str::from_utf8(text).ok()?.trim().to_owned())
}

/// Whether `now` is the refused row `was`, put right: everything but the refused
/// `field` is what it was. Where the whole row was refused, only quotes and
/// separators differ, or something stands behind it.
#[must_use]
pub fn corrected(was: &[u8], now: &[u8], field: &str, source: &Source) -> bool {
    let Some(layout) = Layout::of(&source.reader) else { return false };
    let Some(at) = layout.position(field) else {
        let bare = |row: &[u8]| -> Vec<u8> {
            let letter = |byte: &u8| *byte != b'"' && *byte != layout.separator && *byte != b' ';
            row.iter().copied().filter(letter).collect()
        };
        let (was, now) = (bare(was), bare(now));
        return !was.is_empty() && now.starts_with(&was);
    };
    let (mut old, mut new) = (csv::ByteRecord::new(), csv::ByteRecord::new());
    let read = split(was, layout.separator, &mut old).is_some()
        && split(now, layout.separator, &mut new).is_some();
    let others = |row: &csv::ByteRecord| -> Vec<Vec<u8>> {
        let other = row.iter().enumerate().filter(|(place, _)| *place != at);
        other.map(|(_, field)| field.to_vec()).collect()
    };
    read && old.len() == new.len() && others(&old) == others(&new)
}

fn read_row(
    body: &[u8],
    source: &Source,
    layout: Layout<'_>,
    origin: Origin,
    received_at: Timestamp,
    fields: &mut csv::ByteRecord,
) -> Result<RawRecord, Box<RejectedRecord>> {
    if split(body, layout.separator, fields).is_none() {
        return Err(Box::new(open_quote(origin, body)));
    }
    Ok(RawRecord {
        source: source.name.clone(),
        id: stable_id(fields, layout, None),
        media_type: "text/csv".to_owned(),
        body: body.to_vec(),
        received_at,
        origin,
    })
}

/// Splits one row into its fields; `None` when a quote is open at its end, or
/// when it is more than one row.
pub(super) fn split(row: &[u8], separator: u8, fields: &mut csv::ByteRecord) -> Option<()> {
    fields.clear();
    if !row.contains(&b'"') {
        row.split(|byte| *byte == separator).for_each(|field| fields.push_field(field));
        return Some(());
    }
    if ends_inside_quotes(row, separator) {
        return None;
    }
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(separator)
        .from_reader(row);
    let read = reader.read_byte_record(fields).ok()?;
    let whole = usize::try_from(reader.position().byte()).ok()? >= row.len();
    (read && whole).then_some(())
}

/// Whether a field that began with a quote has no quote that ends it. A quote
/// inside a field that began without one is a letter like any other.
fn ends_inside_quotes(row: &[u8], separator: u8) -> bool {
    let (mut begins, mut quoted, mut after_quote) = (true, false, false);
    for &byte in row {
        match (quoted, byte) {
            // Two quotes inside a quoted field are one that belongs to it.
            (true, b'"') => after_quote = !after_quote,
            (true, _) if !after_quote => {}
            (false, b'"') if begins => (quoted, begins) = (true, false),
            _ => {
                (quoted, after_quote) = (false, false);
                begins = byte == separator;
            }
        }
    }
    quoted && !after_quote
}

/// `row` without the line ends around it.
fn trim(row: &[u8]) -> &[u8] {
    let newline = |byte: &u8| *byte == b'\n' || *byte == b'\r';
    let start = row.iter().position(|byte| !newline(byte)).unwrap_or(row.len());
    let end = row.iter().rposition(|byte| !newline(byte)).map_or(start, |last| last + 1);
    &row[start..end]
}

/// The id of a row of the second pass, whose time is part of it.
pub(super) fn second_pass_id(body: &[u8], source: &Source) -> Option<String> {
    let mut fields = csv::ByteRecord::new();
    let layout = Layout::of(&source.reader)?;
    split(body, layout.separator, &mut fields)?;
    Some(stable_id(&fields, layout, Some(SECOND_PASS)))
}

/// What the id of a row of the second pass says besides its columns: the same
/// local time an hour before is another row.
const SECOND_PASS: &[u8] = b"second pass";

/// Digest of the key columns, 32 hex digits; a missing column counts as empty.
fn stable_id(row: &csv::ByteRecord, layout: Layout<'_>, more: Option<&[u8]>) -> String {
    let mut hash = Sha256::new();
    let mut field = |bytes: &[u8]| {
        hash.update((bytes.len() as u64).to_le_bytes());
        hash.update(bytes);
    };
    if layout.key.is_empty() {
        row.iter().for_each(&mut field);
    } else {
        for name in layout.key {
            field(layout.position(name).and_then(|at| row.get(at)).unwrap_or_default());
        }
    }
    more.into_iter().for_each(field);
    hex(&hash.finalize()[..16])
}

/// Reason and cure of a row whose quote is open.
pub(super) const OPEN_QUOTE: (&str, &str) = (
    "a quote is opened and not closed on its line",
    "close the quote, or write `\"\"` for one that belongs to the text; a field can't go on on the \
     next line",
);

fn open_quote(origin: Origin, body: &[u8]) -> RejectedRecord {
    let (reason, cure) = (OPEN_QUOTE.0.to_owned(), OPEN_QUOTE.1.to_owned());
    RejectedRecord { origin, field: String::new(), reason, cure, body: body.to_vec() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    fn split(text: &str) -> Vec<Result<RawRecord, RejectedRecord>> {
        let plant = fixture::plant();
        rows(text.as_bytes(), &plant.sources[0], "e.csv", Timestamp::UNIX_EPOCH).collect()
    }

    #[test]
    fn one_record_a_row_with_its_line_and_bytes() {
        let text = "\u{feff}time,machine,event\r\n2026-10-01T00:00:00Z,M1,failure\r\n\r\n2026-10-01T01:00:00Z,\"M1\",restored\n";
        let records: Vec<RawRecord> = split(text).into_iter().map(Result::unwrap).collect();
        assert_eq!(records.len(), 2);
        assert_eq!(records[0].body, b"2026-10-01T00:00:00Z,M1,failure");
        assert_eq!(records[0].origin, Origin { place: "e.csv".into(), line: 2 });
        assert_eq!(records[1].body, b"2026-10-01T01:00:00Z,\"M1\",restored");
        assert_eq!(records[1].origin.line, 4);
        let again: Vec<RawRecord> = split(text).into_iter().map(Result::unwrap).collect();
        assert_eq!(records, again);
        assert_ne!(records[0].id, records[1].id);
        assert_eq!(records[0].id.len(), 32);
    }

    #[test]
    fn a_foreign_header_is_refused_by_name() {
        let refused = split("when,machine,event\n2026-10-01T00:00:00Z,M1,failure\n");
        assert_eq!(refused.len(), 1);
        let error = refused[0].as_ref().unwrap_err();
        assert_eq!((error.origin.line, error.field.as_str()), (1, "header"));
        assert!(error.reason.contains("when,machine,event"), "{}", error.reason);
    }

    #[test]
    fn law_13_a_stray_quote_costs_its_own_row_and_none_behind_it() {
        let good = "2026-10-01T02:00:00Z,M1,restored";
        for stray in ["2026-10-01T01:00:00Z,\"M1,failure", "\"", "2026-10-01T01:00:00Z,M1,\"a\"\""]
        {
            let read = split(&format!("time,machine,event\r\n{stray}\r\n{good}\r\n{good}\n"));
            let refused = read[0].as_ref().unwrap_err();
            assert_eq!((refused.origin.line, refused.body.as_slice()), (2, stray.as_bytes()));
            assert!(refused.reason.contains("quote") && refused.cure.contains("close"), "{stray}");
            let behind = [read[1].as_ref().unwrap(), read[2].as_ref().unwrap()];
            assert_eq!(behind.map(|row| row.body.as_slice()), [good.as_bytes(); 2], "{stray}");
            assert_eq!(behind.map(|row| row.origin.line), [3, 4], "{stray}");
        }
        let inside = ["2026-10-01T01:00:00Z,M\"1,x", "a,\"b \"\"c\"\", d\",e", "a,\"\",c"];
        for fine in inside {
            let read = split(&format!("time,machine,event\n{fine}\n{good}"));
            assert_eq!(read[0].as_ref().unwrap().body, fine.as_bytes());
            assert_eq!(read.len(), 2, "{fine}");
        }
    }

    #[test]
    fn a_row_that_was_put_right_is_told_from_another_row_on_its_line() {
        let plant = fixture::plant();
        let is = |was: &str, now: &str, field: &str| {
            corrected(was.as_bytes(), now.as_bytes(), field, &plant.sources[0])
        };
        assert!(is("2026-10-01T01:00:00Z,M9,x", "2026-10-01T01:00:00Z,M1,x", "machine"));
        assert!(!is("2026-10-01T01:00:00Z,M9,x", "2026-10-02T01:00:00Z,M1,x", "machine"));
        assert!(is("2026-10-01T01:00:00Z,\"M1,x", "2026-10-01T01:00:00Z,M1,x", ""));
        assert!(is("2026-10-01T01:00:00Z,M1", "2026-10-01T01:00:00Z,M1,x", ""));
        assert!(!is("2026-10-01T01:00:00Z,M1", "2026-10-02T01:00:00Z,M1,x", ""));
        assert!(!is("\"", "2026-10-02T01:00:00Z,M1,x", ""));
    }
}
