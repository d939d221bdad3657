//! Pure: import files with separated columns (CSV, TSV).

use std::fmt::Display;

use crate::{Class, ConnectorError};

/// How a file separates its columns and lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delimited {
    /// Between columns; an ASCII character.
    pub separator: char,
    /// Between lines.
    pub line_end: LineEnd,
    /// Whether a field may stand in quotes where it holds a separator (RFC 4180). Without quotes
    /// such a field can't be written.
    pub quotes: bool,
}

/// Ends of lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineEnd {
    /// A line feed.
    Lf,
    /// Carriage return and line feed.
    CrLf,
}

impl Delimited {
    /// Commas, quotes where needed, line feeds.
    pub const CSV: Self = Self { separator: ',', line_end: LineEnd::Lf, quotes: true };
    /// Tabs, no quotes, line feeds.
    pub const TSV: Self = Self { separator: '\t', line_end: LineEnd::Lf, quotes: false };

    /// A file of `header` and `rows`: UTF-8 without byte order mark.
    ///
    /// # Errors
    /// `Fatal` when a row has another number of fields than the header, or a
    /// field can't be written without quotes; the text names the row.
    pub fn write<R: AsRef<str>>(
        self,
        header: &[R],
        rows: impl IntoIterator<Item = Vec<String>>,
    ) -> Result<Vec<u8>, ConnectorError> {
        let separator = u8::try_from(self.separator).map_err(|_| fault(0, &"no such separator"))?;
        let mut writer = csv::WriterBuilder::new()
            .delimiter(separator)
            .terminator(match self.line_end {
                LineEnd::Lf => csv::Terminator::Any(b'\n'),
                LineEnd::CrLf => csv::Terminator::CRLF,
            })
            .quote_style(if self.quotes {
                csv::QuoteStyle::Necessary
            } else {
                csv::QuoteStyle::Never
            })
            .from_writer(Vec::new());
        let header = header.iter().map(|name| name.as_ref().to_owned()).collect();
        for (number, fields) in std::iter::once(header).chain(rows).enumerate() {
            let field = fields.iter().find(|field| !self.quotes && self.breaks(field));
            if let Some(field) = field {
                return Err(fault(number, &format!("`{field}` holds a separator or a line break")));
            }
            writer.write_record(&fields).map_err(|error| fault(number, &error))?;
        }
        writer.into_inner().map_err(|error| fault(0, &error))
    }

    fn breaks(self, field: &str) -> bool {
        field.contains([self.separator, '\n', '\r'])
    }
}

fn fault(row: usize, reason: &dyn Display) -> ConnectorError {
    ConnectorError::new(Class::Fatal, "write pack", format!("row {row}: {reason}"))
        .cure("choose another separator, or a target name without it")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(form: Delimited, rows: &[[&str; 2]]) -> Result<String, ConnectorError> {
        let rows = rows.iter().map(|row| row.map(str::to_owned).to_vec());
        form.write(&["RESOURCE", "HOURS"], rows).map(|bytes| String::from_utf8(bytes).unwrap())
    }

    #[test]
    fn quotes_stand_only_where_they_must() {
        let rows = [["LINE-1", "1.50"], ["LINE;2", "0"], ["a,\"b\"", "1"]];
        assert_eq!(
            text(Delimited::CSV, &rows).unwrap(),
            "RESOURCE,HOURS\nLINE-1,1.50\nLINE;2,0\n\"a,\"\"b\"\"\",1\n"
        );
        let windows = Delimited { separator: ';', line_end: LineEnd::CrLf, quotes: true };
        assert_eq!(text(windows, &rows[1..2]).unwrap(), "RESOURCE;HOURS\r\n\"LINE;2\";0\r\n");
        assert_eq!(text(Delimited::TSV, &rows[..1]).unwrap(), "RESOURCE\tHOURS\nLINE-1\t1.50\n");
    }

    #[test]
    fn a_field_that_can_not_be_written_is_named() {
        let error = text(Delimited::TSV, &[["A", "1"], ["LINE\t2", "1"]]).unwrap_err();
        assert!(error.message.contains("row 2") && error.message.contains("LINE\t2"), "{error}");
        let short = Delimited::CSV.write(&["A", "B"], [vec!["1".to_owned()]]);
        assert!(short.is_err());
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(
            rows in proptest::collection::vec(("[ -~\\n]{1,9}", "[0-9.]{1,6}"), 0..6),
        ) {
            let lines: Vec<Vec<String>> =
                rows.iter().map(|(a, b)| vec![a.clone(), b.clone()]).collect();
            let bytes = Delimited::CSV.write(&["A", "B"], lines.clone()).unwrap();
            let mut reader = csv::Reader::from_reader(bytes.as_slice());
            let back: Vec<Vec<String>> = reader
                .records()
                .map(|row| row.unwrap().iter().map(str::to_owned).collect())
                .collect();
            prop_assert_eq!(back, lines);
        }
    }
}
