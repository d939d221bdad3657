//! The part of a file that was added since the last time, record by record.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read as _, Seek as _, SeekFrom},
    path::Path,
};

use jiff::Timestamp;
use planthread_contracts::{Origin, RejectedRecord};
use planthread_domain::{
    decode::{self, RepeatedHour},
    model::{Source, SourceFormat as Format},
};

use super::{
    cloudevents::{self, Arrival},
    files::READ_AHEAD,
    lines::{Line, Lines, RECORD_BYTES_MAX},
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
}

impl<'a> Region<'a> {
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
    /// When the file can't be opened, or its header can't be read.
    pub(super) fn content(self) -> Result<Content<'a>, Failure> {
        let Self { source, place, now, tail, .. } = self;
        if matches!(source.reader, Format::Cloudevents(_)) {
            let events =
                self.lines()?.map(move |line| Ok(one_line(whole(line, tail)?, place, now)));
            return Ok(Content::Arrivals(Box::new(events)));
        }
        let io = |error: io::Error| Failure::io("read", self.file, &error);
        let mut lines = Self { from: 0, behind: 0, ..self }.lines()?;
        if let Some(wrong) = header(&mut lines, source, place, now).map_err(io)? {
            return Ok(Content::WrongHeader(wrong));
        }
        if source.snapshot.is_some() || self.repeats_an_hour()? {
            return Ok(Content::Arrivals(self.at_once()?));
        }
        let rows = if self.from == 0 { lines } else { self.lines()? };
        let rows = rows.map(move |line| Ok(one_row(whole(line, tail)?, source, place, now)));
        Ok(Content::Arrivals(Box::new(rows)))
    }

    /// Whether only the order of the file tells the time of one of its rows.
    fn repeats_an_hour(&self) -> Result<bool, Failure> {
        let Some(hour) = RepeatedHour::of(self.source) else { return Ok(false) };
        let mut lines = self.lines()?.map_while(Result::ok).filter_map(|line| line.bytes);
        Ok(lines.any(|row| hour.holds(&row)))
    }

    /// The same of a file that must be seen as a whole.
    fn at_once(self) -> Result<Arrivals<'a>, Failure> {
        let io = |error: io::Error| Failure::io("read", self.file, &error);
        let mut text = Vec::new();
        let mut input = self.input.try_clone().map_err(io)?;
        input.rewind().map_err(io)?;
        input.take(self.length).read_to_end(&mut text).map_err(io)?;
        if !self.tail && text.last().is_some_and(|byte| *byte != b'\n') {
            return Err(io(changed()));
        }
        let rows = snapshot::rows(self.source, &text);
        let rows = decode::rows(rows, self.source, self.place, self.now);
        let new = rows.map(|row| row.map_err(Box::new)).filter(|row| line_of(row) > self.behind);
        let all: Vec<Arrival> = new.collect();
        Ok(Box::new(all.into_iter().map(Ok)))
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
    now: Timestamp,
) -> io::Result<Option<Box<RejectedRecord>>> {
    let Some(line) = lines.next().transpose()? else { return Ok(None) };
    let number = line.number;
    let Some(bytes) = &line.bytes else { return Ok(one_line(line, place, now).err()) };
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let wrong = decode::rows(bytes, source, place, now).find_map(Result::err);
    Ok(wrong.map(|mut wrong| {
        wrong.origin.line = number;
        Box::new(wrong)
    }))
}

/// One row of a delimited source.
pub(super) fn one_row(line: Line, source: &Source, place: &str, now: Timestamp) -> Arrival {
    let origin = Origin { place: place.to_owned(), line: line.number };
    let row = line.bytes.as_ref().and_then(|row| decode::row(row, source, origin, now));
    row.unwrap_or_else(|| one_line(line, place, now))
}

/// One event.
pub(super) fn one_line(line: Line, place: &str, now: Timestamp) -> Arrival {
    let origin = Origin { place: place.to_owned(), line: line.number };
    match line.bytes {
        Some(bytes) => cloudevents::event(&bytes, origin, now),
        None => Err(Box::new(RejectedRecord {
            origin,
            field: String::new(),
            reason: format!("the line is longer than {RECORD_BYTES_MAX} bytes"),
            cure: "send smaller events".to_owned(),
            body: Vec::new(),
        })),
    }
}

fn line_of(arrival: &Arrival) -> u64 {
    match arrival {
        Ok(record) => record.origin.line,
        Err(rejected) => rejected.origin.line,
    }
}
