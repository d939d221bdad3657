//! Files of the sources: newline-delimited CloudEvents, and the delimited text that
//! a source declares. A file is read on from where it was left.
//!
//! The last line of a file counts when its newline is there, or when nobody has
//! written to the file for a while: before that, nobody can tell whether it is
//! whole.
//!
//! A file is read as a stream, whatever its size.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File},
    io::{self, BufReader, Read, Seek as _, SeekFrom},
    path::Path,
};

use jiff::Timestamp;
use memchr::memrchr;
use planthread_contracts::{Origin, RejectedRecord};
use planthread_domain::{
    decode,
    model::{Plant, Repeats, Source},
};
use planthread_engine::{Reader, journal};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{
    Door, Kept,
    cloudevents::Arrival,
    lines::{Lines, RECORD_BYTES_MAX, without_ends},
    region::{Content, Region},
    sheet::{self, Sheet},
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
    pub(super) fn of(place: String) -> Self {
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
    for (source, file) in files_of(plant) {
        reports.push(or_stopped(file, source_file(plant, source, file, door, reader)));
    }
    Ok(reports)
}

/// Reads every file of every source from its beginning: what is known already
/// is known by its id.
pub fn sources_again(plant: &Plant, door: &dyn Door) -> Vec<FileReport> {
    let again = |(source, file): (&Source, &Path)| {
        let report = if source.reader.is_decisions() {
            sheet::take(plant, source, file, door, None)
        } else {
            read_on(source, file, door, None)
        };
        or_stopped(file, report)
    };
    files_of(plant).map(again).collect()
}

/// Every file of every source.
fn files_of(plant: &Plant) -> impl Iterator<Item = (&Source, &Path)> {
    plant.sources.iter().flat_map(|s| s.files.iter().map(move |file| (s, Path::new(file))))
}

fn or_stopped(file: &Path, report: Result<FileReport, Failure>) -> FileReport {
    report.unwrap_or_else(|failure| FileReport {
        stopped: Some(failure),
        ..FileReport::of(file.display().to_string())
    })
}

/// Reads one file of `source` on from where it was left.
///
/// # Errors
/// When the file can't be read, or the state can't be written.
pub fn source_file(
    plant: &Plant,
    source: &Source,
    file: &Path,
    door: &dyn Door,
    reader: &Reader,
) -> Result<FileReport, Failure> {
    if source.reader.is_decisions() {
        return sheet::take(plant, source, file, door, Some(reader));
    }
    read_on(source, file, door, mark(source, file, reader)?.as_ref())
}

fn mark(source: &Source, file: &Path, reader: &Reader) -> Result<Option<Mark>, Failure> {
    let text = journal::checkpoint(reader, &checkpoint_key(source, file))?;
    Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
}

fn checkpoint_key(source: &Source, file: &Path) -> String {
    format!("file:{}:{}", source.name, file.display())
}

/// A file that was looked at, and is about to be read.
struct Opened {
    input: File,
    survey: Survey,
    /// Whether its last line counts, though it has no newline.
    counts: bool,
    /// Where what counts of it ends.
    length: u64,
}

impl Opened {
    /// Opens `file`, of which so many bytes with that digest were read `before`.
    fn of(
        source: &Source,
        file: &Path,
        now: Timestamp,
        before: Option<(u64, &str)>,
    ) -> Result<Self, Failure> {
        let io = |error: io::Error| Failure::io("read", file, &error);
        survey::expect_text(file, Some(source))
            .map_err(|failure| failure.about(&format!("source `{}`", source.name)))?;
        let input = survey::open(file)?;
        let survey = Survey::of(input.try_clone().map_err(io)?, before).map_err(io)?;
        let counts = !survey.tail.is_empty() && survey::is_quiet(file, now);
        let length = survey.whole + if counts { survey.tail.len() as u64 } else { 0 };
        Ok(Self { input, survey, counts, length })
    }
}

fn read_on(
    source: &Source,
    file: &Path,
    door: &dyn Door,
    mark: Option<&Mark>,
) -> Result<FileReport, Failure> {
    let (place, now) = (file.display().to_string(), door.now());
    let before = mark.map(|mark| (mark.bytes, mark.sha256.as_str()));
    let Opened { input, survey: found, counts, length } = Opened::of(source, file, now, before)?;
    let report = FileReport {
        unfinished: !found.tail.is_empty() && !counts,
        ..FileReport::of(place.clone())
    };
    let tail = counts.then(|| hash(without_ends(&found.tail)));
    let next = Mark { bytes: found.whole, sha256: found.sha256, tail };
    let unchanged = found.behind.is_some() && mark == Some(&next);
    // The end of an export that is the whole truth moves with every row.
    let known = found.behind.filter(|_| source.snapshot.is_none());
    let (from, behind) = known.unwrap_or_default();
    let counted = mark.filter(|_| known.is_some()).and_then(|mark| mark.tail.as_deref());
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
    let about = |failure: Failure| failure.about(&format!("source `{}`", source.name));
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
    text.split_at(memrchr(b'\n', text).map_or(0, |at| at + 1))
}

/// Every record of the files of all sources, without a door. A last line
/// without its end is refused by name while its file is not quiet: nothing waits
/// here.
///
/// # Errors
/// When a file can't be read.
pub fn each(plant: &Plant, now: Timestamp, take: &mut dyn FnMut(Arrival)) -> Result<(), Failure> {
    for (source, file) in files_of(plant) {
        let place = file.display().to_string();
        if source.reader.is_decisions() {
            match sheet::read(plant, source, file, now)? {
                Sheet::Whole(record) => take(Ok(record)),
                Sheet::Faulty(rows) => rows.into_iter().for_each(|row| take(Err(Box::new(row)))),
                Sheet::Unfinished => {
                    take(Err(Box::new(unfinished(&[], Origin { place, line: 0 }))));
                }
            }
            continue;
        }
        let Opened { input, survey, counts, length } = Opened::of(source, file, now, None)?;
        let region = Region::whole(source, file, &input, (&place, now), (length, counts));
        match region.content()? {
            Content::WrongHeader(wrong) => take(Err(wrong)),
            Content::Arrivals(all) => {
                for arrival in all {
                    take(arrival.map_err(|error| Failure::io("read", file, &error))?);
                }
            }
        }
        if !counts && !survey.tail.is_empty() {
            let origin = Origin { place, line: survey.lines + 1 };
            take(Err(Box::new(unfinished(&survey.tail, origin))));
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
    for (source, path) in files_of(plant).filter(|(source, _)| !source.reader.is_decisions()) {
        let mark = mark(source, path, reader)?;
        let Some((written, tail)) = last_line(path) else { continue };
        let known = mark.and_then(|mark| mark.tail);
        if !tail.is_empty() && known != Some(hash(without_ends(&tail))) {
            let counts_at = written.saturating_add(survey::QUIET).unwrap_or(Timestamp::MAX);
            all.push(WaitingLine { place: path.display().to_string(), written, counts_at });
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
pub(super) struct Commit {
    arrivals: Vec<Arrival>,
    bytes: usize,
}

impl Commit {
    pub(super) fn push(&mut self, arrival: Arrival) {
        self.bytes += match &arrival {
            Ok(record) => record.body.len(),
            Err(rejected) => rejected.body.len(),
        };
        self.arrivals.push(arrival);
    }

    pub(super) const fn is_full(&self) -> bool {
        self.arrivals.len() >= RECORDS_PER_COMMIT || self.bytes >= BYTES_PER_COMMIT
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.arrivals.is_empty()
    }

    /// Takes out what it holds.
    pub(super) fn take(&mut self) -> Vec<Arrival> {
        std::mem::take(self).arrivals
    }
}

pub(super) fn hash(bytes: &[u8]) -> String {
    hex(Sha256::new_with_prefix(bytes))
}

pub(super) fn hex(hash: Sha256) -> String {
    decode::fact::hex(&hash.finalize())
}
