//! Delimited text to raw records: one journal record a row, as it arrived.

use std::ops::Range;

use jiff::Timestamp;
use planthread_contracts::{Origin, RawRecord, RejectedRecord};
use sha2::{Digest as _, Sha256};

use super::fact::hex;
use crate::model::{Reader, Source};

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
    pub(super) fn of(reader: &'a Reader) -> Option<Self> {
        let (header, separator, key) = match reader {
            Reader::MachineEvents(r) => (&r.header, r.separator, &r.key),
            Reader::Counts(r) => (&r.header, r.separator, &r.key),
            Reader::Cloudevents(_) => return None,
        };
        Some(Self { header, separator: u8::try_from(separator).unwrap_or(b','), key })
    }

    /// Position of a column.
    pub(super) fn position(&self, name: &str) -> Option<usize> {
        self.header.iter().position(|column| column == name)
    }
}

/// Splits a delimited file into raw records, in file order.
///
/// `place` names the file for people. The first line must be the declared
/// header; if it is not, one rejection says so and nothing else is read. A
/// row's id is a digest of its key columns, so reading a file twice yields the
/// same ids. Whether a row makes sense is decided when it is decoded.
///
/// Nothing comes out of a source that is not delimited text.
pub fn rows<'a>(
    text: &'a [u8],
    source: &'a Source,
    place: &'a str,
    received_at: Timestamp,
) -> impl Iterator<Item = Result<RawRecord, RejectedRecord>> + 'a {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let layout = Layout::of(&source.reader);
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(layout.map_or(b',', |layout| layout.separator))
        .from_reader(text);
    let mut row = csv::ByteRecord::new();
    let mut lines = Lines { counted: 0, line: 1 };
    let mut before_header = true;
    let mut over = layout.is_none();
    std::iter::from_fn(move || {
        let layout = layout?;
        while !over {
            let from = byte_position(&reader, text);
            match reader.read_byte_record(&mut row) {
                Ok(true) => {}
                Ok(false) | Err(_) => {
                    over = true;
                    break;
                }
            }
            let body = trim(text, from..byte_position(&reader, text));
            let origin = Origin { place: place.to_owned(), line: lines.line_of(text, &body) };
            if before_header {
                before_header = false;
                if row.iter().eq(layout.header.iter().map(String::as_bytes)) {
                    continue;
                }
                over = true;
                return Some(Err(wrong_header(origin, &text[body], layout.header)));
            }
            return Some(Ok(RawRecord {
                source: source.name.clone(),
                id: stable_id(&row, layout),
                media_type: "text/csv".to_owned(),
                body: text[body].to_vec(),
                received_at,
                origin,
            }));
        }
        None
    })
}

fn byte_position(reader: &csv::Reader<&[u8]>, text: &[u8]) -> usize {
    usize::try_from(reader.position().byte()).map_or(text.len(), |byte| byte.min(text.len()))
}

/// The part of `text` without the line ends around it, as a range of bytes.
fn trim(text: &[u8], row: Range<usize>) -> Range<usize> {
    let newline = |byte: &u8| *byte == b'\n' || *byte == b'\r';
    let bytes = &text[row.clone()];
    let start = bytes.iter().position(|byte| !newline(byte)).unwrap_or(bytes.len());
    let end = bytes.iter().rposition(|byte| !newline(byte)).map_or(start, |last| last + 1);
    row.start + start..row.start + end
}

/// Counts lines once, from the front to the back.
struct Lines {
    counted: usize,
    line: u64,
}

impl Lines {
    /// The line, from 1, on which `row` begins; rows come in order.
    fn line_of(&mut self, text: &[u8], row: &Range<usize>) -> u64 {
        let between = &text[self.counted..row.start.max(self.counted)];
        self.line += between.iter().filter(|byte| **byte == b'\n').count() as u64;
        self.counted = self.counted.max(row.start);
        self.line
    }
}

/// Digest of the key columns, 32 hex digits; a missing column counts as empty.
fn stable_id(row: &csv::ByteRecord, layout: Layout<'_>) -> String {
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
    hex(&hash.finalize()[..16])
}

fn wrong_header(origin: Origin, body: &[u8], declared: &[String]) -> RejectedRecord {
    RejectedRecord {
        origin,
        field: "header".to_owned(),
        reason: format!(
            "the first line is `{}`, but the source declares `{}`",
            String::from_utf8_lossy(body),
            declared.join(","),
        ),
        cure: "declare the file's own header in the source's `header`, in its order".to_owned(),
        body: body.to_vec(),
    }
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
}
