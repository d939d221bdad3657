//! The part of a file that was added since the last time, record by record.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read as _, Seek as _, SeekFrom},
    path::Path,
};

use jiff::Timestamp;
use planthread_contracts::{Origin, RejectedRecord};
use planthread_domain::{
    decode::{self, HEADER, Passes, RepeatedHour},
    model::{Source, SourceFormat as Format},
};

use super::{
    cloudevents::{self, Arrival},
    files::READ_AHEAD,
    lines::{Line, Lines},
    snapshot,
};
use crate::failure::Failure;

/// Records, one by one; a file may become unreadable on the way.
pub(super) type Arrivals<'a> = Box<dyn Iterator<Item = io::Result<Arrival>> + 'a>;

/// What stands in a region.
pub(super) enum Content<'a> {
    /// Rows or events, in their order.
    Arrivals(Arrivals<'a>),
    /// Nothing that can be told: the first line of the file is not the declared
    /// header, so that nobody knows what any row of it says.
    WrongHeader(Box<RejectedRecord>),
}

/// The part of a file that is read now.
#[derive(Debug, Clone, Copy)]
pub(super) struct Region<'a> {
    pub(super) source: &'a Source,
    pub(super) file: &'a Path,
    /// The file as it was opened: whoever puts another one in its place changes nothing.
    pub(super) input: &'a File,
    pub(super) place: &'a str,
    pub(super) now: Timestamp,
    /// Bytes and lines that stand before it.
    pub(super) from: u64,
    pub(super) behind: u64,
    /// Where it ends.
    pub(super) length: u64,
    /// Whether a last line counts that has no newline.
    pub(super) tail: bool,
    /// Digest of its first line, where that counted already, without its newline.
    pub(super) known: Option<&'a str>,
}

impl<'a> Region<'a> {
    /// The whole of a file, up to a length; a last line may count that has no
    /// newline.
    pub(super) const fn whole(
        source: &'a Source,
        file: &'a Path,
        input: &'a File,
        (place, now): (&'a str, Timestamp),
        (length, tail): (u64, bool),
    ) -> Self {
        let (from, behind, known) = (0, 0, None);
        Self { source, file, input, place, now, from, behind, length, tail, known }
    }

    /// Its lines, of which none fills the memory.
    fn lines(&self) -> Result<Lines<impl BufRead + use<>>, Failure> {
        let io = |error: io::Error| Failure::io("read", self.file, &error);
        let mut input = self.input.try_clone().map_err(io)?;
        input.seek(SeekFrom::Start(self.from)).map_err(io)?;
        let input = input.take(self.length - self.from);
        Ok(Lines::rows(BufReader::with_capacity(READ_AHEAD, input), self.behind))
    }

    /// What stands in it, after a look at the header of its file.
    ///
    /// # Errors
    /// When the file can't be read, or too many of its rows wait for one another.
    pub(super) fn content(self) -> Result<Content<'a>, Failure> {
        let Self { source, place, now, tail, known, .. } = self;
        let rows = !matches!(source.reader, Format::Cloudevents(_));
        let head = Self { from: 0, behind: 0, ..self };
        if rows {
            let io = |error: io::Error| Failure::io("read", self.file, &error);
            let wrong = header(&mut head.lines()?, source, place).map_err(io)?;
            if let Some(wrong) = wrong {
                return Ok(Content::WrongHeader(wrong));
            }
        }
        let passes = self.passes(head)?;
        let header_lines = usize::from(rows && self.from == 0);
        let lines = self.lines()?.skip(header_lines);
        let lines = lines.enumerate().filter(move |(at, line)| {
            *at > 0 || known.is_none_or(|known| !line.as_ref().is_ok_and(|line| line.is(known)))
        });
        let mut lines = lines.map(move |(_, line)| whole(line, tail)).peekable();
        let arrivals = std::iter::from_fn(move || {
            let line = lines.next()?;
            // Only the last line may say that an export is whole.
            if lines.peek().is_none() && line.as_ref().is_ok_and(|l| snapshot::is_mark(source, l)) {
                return None;
            }
            Some(line.map(|line| match rows {
                true => one_row(line, source, place, now).map(|mut record| {
                    passes.note(&mut record, source);
                    record
                }),
                false => one_line(line, place, now),
            }))
        });
        Ok(Content::Arrivals(Box::new(arrivals)))
    }

    /// Of which pass its rows are, where only the order of the file, which begins
    /// with `head`, tells the time of one of them.
    fn passes(self, head: Self) -> Result<Passes, Failure> {
        let Some(hour) = RepeatedHour::of(self.source) else { return Ok(Passes::default()) };
        let rows = |region: Self| -> Result<_, Failure> {
            let lines = region.lines()?.map_while(Result::ok);
            Ok(lines.filter_map(|line| Some((line.number, line.bytes.ok()?))))
        };
        if !rows(self)?.any(|(_, row)| hour.holds(&row)) {
            return Ok(Passes::default());
        }
        let mut order = hour.file(self.now);
        if rows(head)?.all(|(line, row)| order.read(line, &row)) {
            return Ok(order.passes());
        }
        Err(Failure::usage(format!(
            "{} has more than {} rows of hours that the clocks repeat, and nothing but their order \
             tells their time",
            self.place,
            decode::ROWS_MAX
        ))
        .cure("write the times with an offset, such as +02:00, or keep one year in a file"))
    }
}

/// A line that was cut off is none: it ended when the file was surveyed.
fn whole(line: io::Result<Line>, tail: bool) -> io::Result<Line> {
    let line = line?;
    if line.ended || tail { Ok(line) } else { Err(changed()) }
}

fn changed() -> io::Error {
    io::Error::other("it was written anew while it was read; the next round reads it again")
}

/// Takes the header off `lines`; what is wrong with it, if something is.
pub(super) fn header(
    lines: &mut Lines<impl BufRead>,
    source: &Source,
    place: &str,
) -> io::Result<Option<Box<RejectedRecord>>> {
    let Some(line) = lines.next().transpose()? else { return Ok(None) };
    let origin = Origin { place: place.to_owned(), line: line.number };
    Ok(match &line.bytes {
        Ok(bytes) => decode::wrong_header(bytes, source, origin).map(Box::new),
        Err(long) => {
            let field = HEADER.to_owned();
            Some(Box::new(RejectedRecord { field, ..*long.refused(origin) }))
        }
    })
}

/// One row of a delimited source.
pub(super) fn one_row(line: Line, source: &Source, place: &str, now: Timestamp) -> Arrival {
    let origin = Origin { place: place.to_owned(), line: line.number };
    let row = line.bytes.as_ref().ok().and_then(|row| decode::row(row, source, origin, now));
    row.unwrap_or_else(|| one_line(line, place, now))
}

/// One event.
pub(super) fn one_line(line: Line, place: &str, now: Timestamp) -> Arrival {
    let origin = Origin { place: place.to_owned(), line: line.number };
    match line.bytes {
        Ok(bytes) => cloudevents::event(&bytes, origin, now),
        Err(long) => Err(long.refused(origin)),
    }
}
