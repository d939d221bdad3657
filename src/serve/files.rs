//! Files and standard input: newline-delimited CloudEvents, and the delimited
//! text that a source declares. A file is read on from where it was left.
//!
//! The last line of a file counts when its newline is there: before that,
//! nobody can tell whether it is whole. It waits, whichever verb reads it, and
//! nothing is remembered of it. A pipe that was closed is finished.

use std::{
    fs,
    io::{BufReader, Read},
    path::Path,
};

use jiff::Timestamp;
use planthread_contracts::{Origin, RejectedRecord};
use planthread_domain::{
    decode,
    model::{Plant, Reader as Format, Repeats, Source},
};
use planthread_engine::{Reader, journal};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{
    Door, Kept,
    cloudevents::{self, Arrival},
    lines::{Line, Lines, RECORD_BYTES_MAX},
    snapshot::{self, Export},
};
use crate::failure::Failure;

/// Records in one commit. Their names lie scattered over an index, so a commit
/// writes up to one page of it for each: the more records share a commit, the
/// more of them share a page. A crash repeats one commit.
const RECORDS_PER_COMMIT: usize = 20_000;

/// Bytes of records in one commit: they are all in memory.
const BYTES_PER_COMMIT: usize = 16 << 20;

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
    /// The last line has no newline yet: it waits.
    pub unfinished: bool,
    /// What became of an export that is the whole truth.
    #[serde(flatten)]
    pub export: Option<Export>,
    /// Why it could not be read, or not kept; it is read on the next time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stopped: Option<Failure>,
}

impl FileReport {
    fn of(place: String) -> Self {
        Self {
            place,
            kept: Kept::default(),
            unchanged: false,
            unfinished: false,
            export: None,
            stopped: None,
        }
    }
}

/// How far a file has been read. It commits with the records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Mark {
    bytes: usize,
    /// Of the first `bytes`: a file that was replaced is read anew.
    sha256: String,
}

/// Reads every file of every source of `plant`. A file that can't be read, or
/// not kept, says so in its report and stops no other.
///
/// # Errors
/// When the state can't be read.
pub fn sources(
    plant: &Plant,
    door: &dyn Door,
    reader: &Reader,
) -> Result<Vec<FileReport>, Failure> {
    let mut reports = Vec::new();
    for source in &plant.sources {
        for file in &source.files {
            let mark = mark(source, Path::new(file), reader)?;
            reports.push(or_stopped(file, read_on(source, Path::new(file), door, mark)));
        }
    }
    Ok(reports)
}

/// Reads every file of every source from its beginning: what is known already
/// is known by its id.
pub fn sources_again(plant: &Plant, door: &dyn Door) -> Vec<FileReport> {
    let files = plant.sources.iter().flat_map(|s| s.files.iter().map(move |file| (s, file)));
    let again = |(source, file): (&Source, &String)| {
        or_stopped(file, read_on(source, Path::new(file), door, None))
    };
    files.map(again).collect()
}

fn or_stopped(file: &str, report: Result<FileReport, Failure>) -> FileReport {
    report.unwrap_or_else(|failure| FileReport {
        stopped: Some(failure),
        ..FileReport::of(Path::new(file).display().to_string())
    })
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
) -> Result<FileReport, Failure> {
    read_on(source, file, door, mark(source, file, reader)?)
}

fn mark(source: &Source, file: &Path, reader: &Reader) -> Result<Option<Mark>, Failure> {
    let text = journal::checkpoint(reader, &checkpoint_key(source, file))?;
    Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
}

fn checkpoint_key(source: &Source, file: &Path) -> String {
    format!("file:{}:{}", source.name, file.display())
}

fn read_on(
    source: &Source,
    file: &Path,
    door: &dyn Door,
    mark: Option<Mark>,
) -> Result<FileReport, Failure> {
    let place = file.display().to_string();
    let text = read(source, file)?;
    let (text, rest) = whole_lines(&text);
    let report = FileReport { unfinished: !rest.is_empty(), ..FileReport::of(place.clone()) };
    let mark =
        mark.filter(|mark| mark.bytes <= text.len() && mark.sha256 == hash(&text[..mark.bytes]));
    if mark.as_ref().is_some_and(|mark| mark.bytes == text.len()) {
        return Ok(FileReport { unchanged: true, ..report });
    }
    // The end of an export that is the whole truth moves with every row.
    let mark = mark.filter(|_| source.snapshot.is_none());
    let behind = mark.map_or(0, |mark| line_ends(&text[..mark.bytes]));
    let mark = Mark { bytes: text.len(), sha256: hash(text) };
    let mark = serde_json::to_string(&mark).map_err(|e| Failure::internal(e.to_string()))?;
    let written = written(source, file);
    let arrivals = arrivals(source, text, &place, door.now()).map(|arrival| {
        arrival.map(|mut record| {
            written.iter().for_each(|at| decode::modified(&mut record, *at));
            record
        })
    });
    let kept = take_all(
        arrivals.filter(|arrival| line_of(arrival) > behind),
        door,
        Some((checkpoint_key(source, file), mark)),
    )?;
    Ok(FileReport { kept, ..report })
}

/// When `file` was written, for a source whose rows are ordered by that.
fn written(source: &Source, file: &Path) -> Option<Timestamp> {
    let by_file = source.repeats == Repeats::Latest && source.version_column.is_none();
    let modified = || Timestamp::try_from(fs::metadata(file).ok()?.modified().ok()?).ok();
    by_file.then(modified).flatten()
}

/// Lines that have their end, and what stands behind them.
fn whole_lines(text: &[u8]) -> (&[u8], &[u8]) {
    text.split_at(text.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1))
}

fn line_ends(text: &[u8]) -> u64 {
    text.iter().filter(|byte| **byte == b'\n').count() as u64
}

/// Every record of the files of all sources, without a door. A last line
/// without its end is refused by name: nothing waits here.
///
/// # Errors
/// When a file can't be read.
pub fn each(plant: &Plant, now: Timestamp, take: &mut dyn FnMut(Arrival)) -> Result<(), Failure> {
    for source in &plant.sources {
        for place in &source.files {
            let text = read(source, Path::new(place))?;
            let (text, rest) = whole_lines(&text);
            arrivals(source, text, place, now).for_each(&mut *take);
            if !rest.is_empty() {
                let line = line_ends(text) + 1;
                take(Err(Box::new(unfinished(rest, Origin { place: place.clone(), line }))));
            }
        }
    }
    Ok(())
}

fn unfinished(body: &[u8], origin: Origin) -> RejectedRecord {
    RejectedRecord {
        origin,
        field: String::new(),
        reason: "the last line has no end: it may be half written".to_owned(),
        cure: "end it with a newline".to_owned(),
        body: body.to_vec(),
    }
}

/// The lines of a file as they stand now, for whoever looks for one by its
/// number; nothing when it can't be read.
pub fn lines_now(file: &Path) -> Vec<Vec<u8>> {
    let text = fs::read(file).unwrap_or_default();
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&text);
    let (text, _) = whole_lines(text);
    text.split(|byte| *byte == b'\n').map(|line| line.trim_ascii_end().to_vec()).collect()
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
            let text = snapshot::rows(source, text);
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
    let input = fs::File::open(file).map_err(|error| Failure::io("read", file, &error))?;
    each_event(input, &file.display().to_string(), door, true)
}

fn each_event(
    input: impl Read,
    place: &str,
    door: &dyn Door,
    growing: bool,
) -> Result<FileReport, Failure> {
    let mut lines = Lines::new(BufReader::with_capacity(READ_AHEAD, input));
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
        batch.push(one_line(line, place, door.now()));
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

/// Hands over `arrivals` in commits of a good size; the checkpoint goes with
/// the last one.
fn take_all(
    arrivals: impl Iterator<Item = Arrival>,
    door: &dyn Door,
    checkpoint: Option<(String, String)>,
) -> Result<Kept, Failure> {
    let mut kept = Kept::default();
    let mut batch = Commit::default();
    for arrival in arrivals {
        if batch.is_full() {
            kept.add(door.take(batch.take(), None)?);
        }
        batch.push(arrival);
    }
    if !batch.is_empty() || checkpoint.is_some() {
        kept.add(door.take(batch.take(), checkpoint)?);
    }
    Ok(kept)
}

/// What goes into one commit.
#[derive(Debug, Default)]
struct Commit {
    arrivals: Vec<Arrival>,
    bytes: usize,
}

impl Commit {
    fn push(&mut self, arrival: Arrival) {
        self.bytes += match &arrival {
            Ok(record) => record.body.len(),
            Err(rejected) => rejected.body.len(),
        };
        self.arrivals.push(arrival);
    }

    const fn is_full(&self) -> bool {
        self.arrivals.len() >= RECORDS_PER_COMMIT || self.bytes >= BYTES_PER_COMMIT
    }

    const fn is_empty(&self) -> bool {
        self.arrivals.is_empty()
    }

    /// Takes out what it holds.
    fn take(&mut self) -> Vec<Arrival> {
        std::mem::take(self).arrivals
    }
}

pub(super) fn hash(bytes: &[u8]) -> String {
    decode::fact::hex(&Sha256::digest(bytes))
}
