//! What is read once, from its beginning to its end: standard input, and files of
//! CloudEvents that no source names. A pipe that was closed is finished; the last
//! line of a file counts when its newline is there.

use std::{
    io::{self, BufReader, Read},
    path::Path,
};

use planthread_domain::model::{Source, SourceFormat as Format};

use super::{
    Door,
    cloudevents::Arrival,
    files::{Commit, FileReport, READ_AHEAD},
    lines::{Line, Lines},
    region::{header, one_line, one_row},
    survey,
};
use crate::failure::Failure;

/// Reads newline-delimited CloudEvents from `input` to its end, which ends the
/// last line, too.
///
/// # Errors
/// When the input can't be read, or the state can't be written. What was read
/// before is kept.
pub fn events(input: impl Read, place: &str, door: &dyn Door) -> Result<FileReport, Failure> {
    each_event(input, place, door, false)
}

/// Reads newline-delimited CloudEvents from a file, which somebody may still
/// be writing.
///
/// # Errors
/// When it can't be read, or the state can't be written. What was read before
/// is kept.
pub fn events_file(file: &Path, door: &dyn Door) -> Result<FileReport, Failure> {
    survey::expect_text(file, None)?;
    each_event(survey::open(file)?, &file.display().to_string(), door, true)
}

/// Reads the rows or events of `source` from `input` to its end, which ends the
/// last line, too. The order of a pipe says nothing of an hour that the clocks
/// repeat: such rows need an offset.
///
/// # Errors
/// When `source` is an export that is the whole truth, the input can't be read,
/// or the state can't be written. What was read before is kept.
pub fn piped(
    source: &Source,
    input: impl Read,
    place: &str,
    door: &dyn Door,
) -> Result<FileReport, Failure> {
    if source.reader.is_decisions() {
        let text = format!("source `{}` is a sheet of decisions, and a pipe is none", source.name);
        return Err(
            Failure::usage(text).cure("name its file: `planthread ingest --source NAME FILE`")
        );
    }
    if source.snapshot.is_some() {
        return Err(Failure::usage(format!(
            "source `{}` is the whole truth of its file, and a pipe is none",
            source.name
        ))
        .cure("write it to a file, and name that"));
    }
    if matches!(source.reader, Format::Cloudevents(_)) {
        return events(input, place, door);
    }
    let mut lines = Lines::rows(BufReader::with_capacity(READ_AHEAD, input), 0);
    let unread = |error: io::Error| Failure::usage(format!("can't read {place}: {error}"));
    if let Some(wrong) = header(&mut lines, source, place).map_err(unread)? {
        let kept = door.take(vec![Err(wrong)], None)?;
        return Ok(FileReport { kept, ..FileReport::of(place.to_owned()) });
    }
    each_line(lines, place, door, false, |line| one_row(line, source, place, door.now()))
}

fn each_event(
    input: impl Read,
    place: &str,
    door: &dyn Door,
    growing: bool,
) -> Result<FileReport, Failure> {
    let lines = Lines::new(BufReader::with_capacity(READ_AHEAD, input));
    each_line(lines, place, door, growing, |line| one_line(line, place, door.now()))
}

fn each_line<R: Read>(
    mut lines: Lines<BufReader<R>>,
    place: &str,
    door: &dyn Door,
    growing: bool,
    arrival: impl Fn(Line) -> Arrival,
) -> Result<FileReport, Failure> {
    let mut report = FileReport::of(place.to_owned());
    let mut batch = Commit::default();
    while let Some(line) = lines.next() {
        let line = match line {
            Ok(line) => line,
            Err(error) => {
                door.take(batch.take(), None)?;
                return Err(Failure::usage(format!("can't read {place}: {error}")));
            }
        };
        if growing && !line.ended {
            report.unfinished = true;
            break;
        }
        batch.push(arrival(line));
        // A pipe may say nothing for hours: what came is kept before we wait.
        if batch.is_full() || lines.idle() {
            report.kept.add(door.take(batch.take(), None)?);
        }
    }
    if !batch.is_empty() {
        report.kept.add(door.take(batch.take(), None)?);
    }
    Ok(report)
}
