//! Files and standard input: newline-delimited CloudEvents, and the delimited
//! text that a source declares. A file is read on from where it was left.
//!
//! The last line of a file counts when its newline is there, or when nobody has
//! written to the file for a while: before that, nobody can tell whether it is
//! whole. A pipe that was closed is finished.
//!
//! A file is read as a stream, whatever its size.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::{self, BufReader, Read, Seek as _, SeekFrom},
    path::Path,
};

use jiff::Timestamp;
use planthread_contracts::{Origin, RejectedRecord};
use planthread_domain::{
    decode,
    model::{Plant, Repeats, Source, SourceFormat as Format},
};
use planthread_engine::{Reader, journal};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{
    Door, Kept,
    cloudevents::Arrival,
    lines::{Line, Lines, RECORD_BYTES_MAX, without_ends},
    region::{Content, Region, header, one_line, one_row},
    snapshot::Export,
    survey::{self, Survey},
};
use crate::failure::Failure;

/// Records in one commit. Their names lie scattered over an index, so a commit
/// writes up to one page of it for each: the more records share a commit, the
/// more of them share a page. A crash repeats one commit.
const RECORDS_PER_COMMIT: usize = 20_000;

/// Bytes of records in one commit: they are all in memory.
const BYTES_PER_COMMIT: usize = 16 << 20;

/// Bytes that are read ahead: a file gives this much to one commit at most.
pub(super) const READ_AHEAD: usize = 1 << 20;

/// What one file gave.
#[derive(Debug, Clone, Serialize, JsonSchema)]
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
    /// Of the lines that have their end.
    bytes: u64,
    /// Of the first `bytes`: a file that was replaced is read anew.
    sha256: String,
    /// Digest of the last line, where it counted without its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tail: Option<String>,
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
            reports.push(or_stopped(file, read_on(source, Path::new(file), door, mark.as_ref())));
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
    read_on(source, file, door, mark(source, file, reader)?.as_ref())
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
    mark: Option<&Mark>,
) -> Result<FileReport, Failure> {
    let place = file.display().to_string();
    let about = |failure: Failure| failure.about(&format!("source `{}`", source.name));
    survey::expect_text(file, Some(source)).map_err(about)?;
    let io = |error: io::Error| Failure::io("read", file, &error);
    let before = mark.map(|mark| (mark.bytes, mark.sha256.as_str()));
    let input = survey::open(file)?;
    let found = Survey::of(input.try_clone().map_err(io)?, before).map_err(io)?;
    let counts = !found.tail.is_empty() && survey::is_quiet(file, door.now());
    let report = FileReport {
        unfinished: !found.tail.is_empty() && !counts,
        ..FileReport::of(place.clone())
    };
    let tail = counts.then(|| hash(without_ends(&found.tail)));
    let next = Mark { bytes: found.whole, sha256: found.sha256.clone(), tail };
    let unchanged = found.behind.is_some() && mark == Some(&next);
    // The end of an export that is the whole truth moves with every row.
    let known = found.behind.filter(|_| source.snapshot.is_none());
    let (from, behind) = known.unwrap_or_default();
    let counted = mark.filter(|_| known.is_some()).and_then(|mark| mark.tail.as_deref());
    let length = found.whole + if counts { found.tail.len() as u64 } else { 0 };
    let now = door.now();
    let region = Region {
        source,
        file,
        input: &input,
        place: &place,
        now,
        from,
        behind,
        length,
        tail: counts,
        known: counted,
    };
    let arrivals = match region.content().map_err(about)? {
        // No mark moves: its rows come in when the header is put right.
        Content::WrongHeader(wrong) => {
            let kept = door.take(vec![Err(wrong)], None)?;
            return Ok(FileReport { kept, ..report });
        }
        Content::Arrivals(_) if unchanged => {
            return Ok(FileReport { unchanged, ..report });
        }
        Content::Arrivals(arrivals) => arrivals,
    };
    let written = written(source, file);
    let arrivals = arrivals.map(|arrival| {
        arrival.map(|arrival| {
            arrival.map(|mut record| {
                written.iter().for_each(|at| decode::modified(&mut record, *at));
                record
            })
        })
    });
    let next = serde_json::to_string(&next).map_err(|e| Failure::internal(e.to_string()))?;
    let kept = take_all(arrivals, &place, door, Some((checkpoint_key(source, file), next)))?;
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

/// Every record of the files of all sources, without a door. A last line
/// without its end is refused by name while its file is not quiet: nothing waits
/// here.
///
/// # Errors
/// When a file can't be read.
pub fn each(plant: &Plant, now: Timestamp, take: &mut dyn FnMut(Arrival)) -> Result<(), Failure> {
    for source in &plant.sources {
        for place in &source.files {
            let file = Path::new(place);
            let io = |error: io::Error| Failure::io("read", file, &error);
            let about = |failure: Failure| failure.about(&format!("source `{}`", source.name));
            survey::expect_text(file, Some(source)).map_err(about)?;
            let input = survey::open(file)?;
            let found = Survey::of(input.try_clone().map_err(io)?, None).map_err(io)?;
            let counts = survey::is_quiet(file, now);
            let length = found.whole + if counts { found.tail.len() as u64 } else { 0 };
            let region = Region::whole(source, file, &input, (place, now), (length, counts));
            match region.content()? {
                Content::WrongHeader(wrong) => take(Err(wrong)),
                Content::Arrivals(all) => {
                    for arrival in all {
                        take(arrival.map_err(io)?);
                    }
                }
            }
            if !counts && !found.tail.is_empty() {
                let origin = Origin { place: place.clone(), line: found.lines + 1 };
                take(Err(Box::new(unfinished(&found.tail, origin))));
            }
        }
    }
    Ok(())
}

/// A last line that waits for its newline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct WaitingLine {
    /// The file.
    pub place: String,
    /// When the file was written last.
    pub written: Timestamp,
    /// From when on the line counts without a newline.
    pub counts_at: Timestamp,
}

/// The last lines that wait in the files of the sources.
///
/// # Errors
/// When the state can't be read; a file that can't be is no line that waits.
pub fn waiting(plant: &Plant, reader: &Reader) -> Result<Vec<WaitingLine>, Failure> {
    let mut all = Vec::new();
    for source in &plant.sources {
        for file in &source.files {
            let path = Path::new(file);
            let mark = mark(source, path, reader)?;
            let Some((written, tail)) = last_line(path) else { continue };
            let known = mark.and_then(|mark| mark.tail);
            if !tail.is_empty() && known != Some(hash(without_ends(&tail))) {
                let counts_at = written.saturating_add(survey::QUIET).unwrap_or(Timestamp::MAX);
                all.push(WaitingLine { place: path.display().to_string(), written, counts_at });
            }
        }
    }
    Ok(all)
}

/// When a file was written, and what stands in it behind the last newline.
fn last_line(path: &Path) -> Option<(Timestamp, Vec<u8>)> {
    let mut input = survey::open(path).ok()?;
    let of = input.metadata().ok()?;
    let from = of.len().saturating_sub(RECORD_BYTES_MAX as u64 + 1);
    input.seek(SeekFrom::Start(from)).ok()?;
    let mut end = Vec::new();
    input.take(RECORD_BYTES_MAX as u64 + 1).read_to_end(&mut end).ok()?;
    Some((survey::instant(of.modified().ok()?)?, whole_lines(&end).1.to_vec()))
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

/// Lines of a file as they stand now, by their numbers; none when it can't be
/// read, and none that is too long for a record or has no end.
pub fn lines_now(file: &Path, numbers: &BTreeSet<u64>) -> BTreeMap<u64, Vec<u8>> {
    // A file that is gone has no lines.
    let Ok(input) = survey::open(file) else { return BTreeMap::new() };
    let lines = Lines::rows(BufReader::with_capacity(READ_AHEAD, input), 0).map_while(Result::ok);
    let wanted = lines.filter(|line| line.ended && numbers.contains(&line.number));
    wanted.filter_map(|line| Some((line.number, line.bytes.ok()?))).collect()
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

/// Hands over `arrivals` in commits of a good size; the checkpoint goes with
/// the last one.
fn take_all(
    arrivals: impl Iterator<Item = io::Result<Arrival>>,
    place: &str,
    door: &dyn Door,
    checkpoint: Option<(String, String)>,
) -> Result<Kept, Failure> {
    let mut kept = Kept::default();
    let mut batch = Commit::default();
    for arrival in arrivals {
        if batch.is_full() {
            kept.add(door.take(batch.take(), None)?);
        }
        match arrival {
            Ok(arrival) => batch.push(arrival),
            Err(error) => {
                door.take(batch.take(), None)?;
                return Err(Failure::io("read", Path::new(place), &error));
            }
        }
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
    hex(Sha256::new_with_prefix(bytes))
}

pub(super) fn hex(hash: Sha256) -> String {
    decode::fact::hex(&hash.finalize())
}
