//! Files and standard input: newline-delimited CloudEvents, and the delimited
//! text that a source declares. A file is read on from where it was left.

use std::{
    fs,
    io::{BufReader, Read},
    path::Path,
};

use jiff::Timestamp;
use planthread_contracts::{Origin, RejectedRecord};
use planthread_domain::{
    decode,
    model::{Plant, Reader as Format, Source},
};
use planthread_engine::{Reader, journal};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{
    Door, Kept,
    cloudevents::{self, Arrival},
    lines::{Line, Lines, RECORD_BYTES_MAX},
};
use crate::failure::Failure;

/// Records in one commit: large enough that the disk does not decide the
/// speed, small enough that a crash repeats little.
const RECORDS_PER_COMMIT: usize = 5_000;

/// Bytes that are read ahead: a file gives this much to one commit at most.
const READ_AHEAD: usize = 1 << 20;

/// What one file gave.
#[derive(Debug, Clone, Serialize)]
pub struct FileReport {
    /// The file, or `stdin`.
    pub place: String,
    /// What became of its records.
    #[serde(flatten)]
    pub kept: Kept,
    /// Nothing was added since the last time.
    pub unchanged: bool,
}

/// How far a file has been read. It commits with the records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Mark {
    bytes: usize,
    lines: u64,
    /// Of the first `bytes`: a file that was replaced is read anew.
    sha256: String,
}

/// Reads every file of every source of `plant`.
///
/// `growing` leaves a last line without its end alone, because somebody is
/// writing it.
///
/// # Errors
/// When a file can't be read, or the state can't be written.
pub fn sources(
    plant: &Plant,
    door: &dyn Door,
    reader: &Reader,
    growing: bool,
) -> Result<Vec<FileReport>, Failure> {
    let mut reports = Vec::new();
    for source in &plant.sources {
        for file in &source.files {
            reports.push(source_file(source, Path::new(file), door, reader, growing)?);
        }
    }
    Ok(reports)
}

/// Reads one file of `source` on from where it was left.
///
/// # Errors
/// When the file can't be read, or the state can't be written.
pub fn source_file(
    source: &Source,
    file: &Path,
    door: &dyn Door,
    reader: &Reader,
    growing: bool,
) -> Result<FileReport, Failure> {
    let key = checkpoint_key(source, file);
    let mark = journal::checkpoint(reader, &key)?.and_then(|text| serde_json::from_str(&text).ok());
    read_on(source, file, door, mark, growing)
}

/// Reads one file of `source` from its beginning: what is known already is
/// known by its id.
///
/// # Errors
/// When the file can't be read, or the state can't be written.
pub fn source_file_again(
    source: &Source,
    file: &Path,
    door: &dyn Door,
) -> Result<FileReport, Failure> {
    read_on(source, file, door, None, true)
}

fn checkpoint_key(source: &Source, file: &Path) -> String {
    format!("file:{}:{}", source.name, file.display())
}

fn read_on(
    source: &Source,
    file: &Path,
    door: &dyn Door,
    mark: Option<Mark>,
    growing: bool,
) -> Result<FileReport, Failure> {
    let place = file.display().to_string();
    let text = read(source, file)?;
    let whole_lines = || text.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let end = if growing { whole_lines() } else { text.len() };
    let text = &text[..end];
    let mark =
        mark.filter(|mark| mark.bytes <= text.len() && mark.sha256 == hash(&text[..mark.bytes]));
    if mark.as_ref().is_some_and(|mark| mark.bytes == text.len()) {
        return Ok(FileReport { place, kept: Kept::default(), unchanged: true });
    }
    let behind = mark.map_or(0, |mark| mark.lines);
    let lines = text.split_inclusive(|byte| *byte == b'\n').count() as u64;
    let mark = Mark { bytes: text.len(), lines, sha256: hash(text) };
    let mark = serde_json::to_string(&mark).map_err(|e| Failure::internal(e.to_string()))?;
    let arrivals = arrivals(source, text, &place, door.now());
    let kept = take_all(
        arrivals.filter(|arrival| line_of(arrival) > behind),
        door,
        Some((checkpoint_key(source, file), mark)),
    )?;
    Ok(FileReport { place, kept, unchanged: false })
}

/// Every record of the files of all sources, without a door.
///
/// # Errors
/// When a file can't be read.
pub fn each(plant: &Plant, now: Timestamp, take: &mut dyn FnMut(Arrival)) -> Result<(), Failure> {
    for source in &plant.sources {
        for place in &source.files {
            let text = read(source, Path::new(place))?;
            arrivals(source, &text, place, now).for_each(&mut *take);
        }
    }
    Ok(())
}

fn read(source: &Source, file: &Path) -> Result<Vec<u8>, Failure> {
    fs::read(file).map_err(|error| {
        Failure::io("read", file, &error)
            .cure(format!("correct `files` of the source `{}`", source.name))
    })
}

fn arrivals<'a>(
    source: &'a Source,
    text: &'a [u8],
    place: &'a str,
    now: Timestamp,
) -> Box<dyn Iterator<Item = Arrival> + 'a> {
    match &source.reader {
        Format::MachineEvents(_) | Format::Counts(_) => {
            Box::new(decode::rows(text, source, place, now).map(|row| row.map_err(Box::new)))
        }
        Format::Cloudevents(_) => {
            Box::new(Lines::new(text).flatten().map(move |line| one_line(line, place, now)))
        }
    }
}

fn one_line(line: Line, place: &str, now: Timestamp) -> Arrival {
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

/// Reads newline-delimited CloudEvents from `input` to its end.
///
/// # Errors
/// When the input can't be read, or the state can't be written. What was read
/// before is kept.
pub fn events(input: impl Read, place: &str, door: &dyn Door) -> Result<FileReport, Failure> {
    let mut lines = Lines::new(BufReader::with_capacity(READ_AHEAD, input));
    let (mut kept, mut batch) = (Kept::default(), Vec::new());
    while let Some(line) = lines.next() {
        let line = match line {
            Ok(line) => line,
            Err(error) => {
                door.take(batch, None)?;
                return Err(Failure::usage(format!("can't read {place}: {error}")));
            }
        };
        batch.push(one_line(line, place, door.now()));
        // A pipe may say nothing for hours: what came is kept before we wait.
        if batch.len() == RECORDS_PER_COMMIT || lines.idle() {
            kept.add(door.take(std::mem::take(&mut batch), None)?);
        }
    }
    if !batch.is_empty() {
        kept.add(door.take(batch, None)?);
    }
    Ok(FileReport { place: place.to_owned(), kept, unchanged: false })
}

/// Hands over `arrivals` in commits of a good size; the checkpoint goes with
/// the last one.
fn take_all(
    arrivals: impl Iterator<Item = Arrival>,
    door: &dyn Door,
    checkpoint: Option<(String, String)>,
) -> Result<Kept, Failure> {
    let mut kept = Kept::default();
    let mut batch = Vec::new();
    for arrival in arrivals {
        if batch.len() == RECORDS_PER_COMMIT {
            kept.add(door.take(std::mem::take(&mut batch), None)?);
        }
        batch.push(arrival);
    }
    if !batch.is_empty() || checkpoint.is_some() {
        kept.add(door.take(batch, checkpoint)?);
    }
    Ok(kept)
}

fn hash(bytes: &[u8]) -> String {
    decode::fact::hex(&Sha256::digest(bytes))
}
