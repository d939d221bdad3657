//! Exports that are the whole truth: a row that stood in the last whole export
//! and does not stand in this one was deleted at the source, so it is retracted.
//!
//! Nothing is retracted by an export that does not prove that it is whole, nor
//! before a person has agreed when it lost more than a twentieth of its rows: a
//! report with a narrower filter looks just like a thousand deletions.

use std::{
    collections::BTreeSet,
    fs,
    io::{self, Read, Seek as _, SeekFrom},
    path::Path,
};

use jiff::Timestamp;
use planthread_domain::{
    decode::{Decoder, Facts},
    model::{Complete, Plant, Snapshot, Source},
};
use planthread_engine::{
    Reader, State,
    journal::{self, Append, Verdict},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{
    files,
    lines::{Line, RECORD_BYTES_MAX},
    region::{Content, Region},
    survey,
};
use crate::failure::Failure;

/// An export that loses more than one row in so many is a question.
const SHRINKS_MOST: usize = 20;
/// Most rows of an export that is compared with the last one: their ids are in
/// memory.
const ROWS_MAX: usize = 500_000;
const DAY_MS: i64 = 86_400_000;

/// What became of an export that is the whole truth.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Export {
    /// Rows that vanished from it, and count no more.
    pub retracted: usize,
    /// Why it retracts nothing, or what waits for a person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// The rows of the last whole export of a file. It stands in a checkpoint.
#[derive(Debug, Clone, Default, JsonSchema, Serialize, Deserialize)]
struct Seen {
    sha256: String,
    ids: BTreeSet<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    question: Option<Question>,
    /// What persons said of exports that lost too many rows, the last one last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    answers: Vec<String>,
}

/// An export that lost too many rows to be believed.
#[derive(Debug, Clone, JsonSchema, Serialize, Deserialize)]
struct Question {
    /// The rows that it lost.
    gone: BTreeSet<String>,
    /// The rows that it has.
    ids: BTreeSet<String>,
    sha256: String,
}

impl Question {
    fn told(&self, file: &str, before: usize) -> String {
        format!(
            "{file} lost {} of {before} rows since its last whole export: `planthread rejects accept \
             {file}` if they were deleted, `refuse` if they still count",
            self.gone.len()
        )
    }
}

/// Whether `line`, the last one of an export of `source`, is no row and only says
/// that the export is whole.
pub(super) fn is_mark(source: &Source, line: &Line) -> bool {
    let snapshot = source.snapshot.as_ref().zip(line.bytes.as_ref().ok());
    snapshot.is_some_and(|(snapshot, line)| says_whole(snapshot, line.trim_ascii_end()))
}

/// Whether a line is the one that says that an export is whole.
fn says_whole(snapshot: &Snapshot, line: &[u8]) -> bool {
    match &snapshot.complete {
        Complete::LastLine(mark) => line == mark.as_bytes(),
        Complete::RowCount(before) => line.starts_with(before.as_bytes()),
        Complete::Sibling(_) => false,
    }
}

/// What stands in an export.
struct Contents {
    sha256: String,
    /// Its last line, which may say that it is whole.
    last: Vec<u8>,
    /// The rows that are no such line, counted to one more than can be compared.
    rows: usize,
    /// Their ids; none when one of them can't be read.
    ids: Option<BTreeSet<String>>,
}

/// How far an export was read.
enum Look {
    /// It is the one that was seen last, or asked about last.
    Known,
    Read(Contents),
}

/// Reads the export `file`; only its digest where that is `known`.
fn look(
    source: &Source,
    file: &Path,
    known: Option<&str>,
    now: Timestamp,
) -> Result<Look, Failure> {
    let io = |error: io::Error| Failure::io("read", file, &error);
    let mut input = survey::open(file)?;
    let mut hash = Sha256::new();
    let length = io::copy(&mut input, &mut hash).map_err(io)?;
    let sha256 = files::hex(hash);
    if known == Some(sha256.as_str()) {
        return Ok(Look::Known);
    }
    let end = length.saturating_sub(RECORD_BYTES_MAX as u64);
    let mut last = Vec::new();
    input.seek(SeekFrom::Start(end)).map_err(io)?;
    Read::by_ref(&mut input).read_to_end(&mut last).map_err(io)?;
    let last = last.trim_ascii_end().rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
    let place = file.display().to_string();
    let whole = Region::whole(source, file, &input, (&place, now), (length, true));
    let (mut rows, mut ids) = (0, Some(BTreeSet::new()));
    match whole.content()? {
        Content::WrongHeader(_) => ids = None,
        Content::Arrivals(arrivals) => {
            for arrival in arrivals.take(ROWS_MAX + 1) {
                rows += 1;
                match arrival.map_err(io)? {
                    Ok(record) => ids.as_mut().map(|ids| ids.insert(record.id)),
                    Err(_) => ids.take().map(|_| false),
                };
            }
        }
    }
    Ok(Look::Read(Contents { sha256, last: last.to_vec(), rows, ids }))
}

/// Why an export does not prove that it is whole, if it does not.
fn doubt(
    snapshot: &Snapshot,
    Contents { last, rows, .. }: &Contents,
    file: &Path,
) -> Option<String> {
    match &snapshot.complete {
        Complete::LastLine(mark) => {
            (last != mark.as_bytes()).then(|| format!("its last line is not `{mark}`"))
        }
        Complete::RowCount(before) => {
            let count = last.strip_prefix(before.as_bytes());
            let count = count.and_then(|count| std::str::from_utf8(count).ok());
            let Some(count) = count.and_then(|count| count.trim().parse::<usize>().ok()) else {
                return Some(format!("its last line does not begin with `{before}` and a number"));
            };
            (*rows != count).then(|| format!("it has {rows} rows, and says {count}"))
        }
        Complete::Sibling(suffix) => {
            let mut name = file.as_os_str().to_owned();
            name.push(suffix);
            let written = |path: &Path| fs::metadata(path).and_then(|of| of.modified()).ok();
            let proves = written(Path::new(&name)).is_some_and(|at| Some(at) >= written(file));
            let name = Path::new(&name).display();
            (!proves).then(|| format!("{name} is not there, or older"))
        }
    }
}

fn key(source: &Source, file: &str) -> String {
    format!("export:{}:{file}", source.name)
}

fn seen(reader: &Reader, source: &Source, file: &str) -> Result<Option<Seen>, Failure> {
    let text = journal::checkpoint(reader, &key(source, file))?;
    Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
}

fn remember(
    state: &State,
    source: &Source,
    file: &str,
    seen: &Seen,
    now: Timestamp,
) -> Result<(), Failure> {
    let text = serde_json::to_string(seen).map_err(|e| Failure::internal(e.to_string()))?;
    let checkpoint = Some((key(source, file), text));
    journal::append(state, Append { checkpoint, ..Append::default() }, now)?;
    Ok(())
}

/// Compares an export with the last whole one of its file, and retracts what
/// vanished; `None` where the source declares no snapshot.
///
/// # Errors
/// When the file or the state can't be read, or the state can't be written.
pub(crate) fn compare(
    state: &State,
    plant: &Plant,
    source: &Source,
    file: &str,
    now: Timestamp,
) -> Result<Option<Export>, Failure> {
    let Some(snapshot) = &source.snapshot else { return Ok(None) };
    let path = Path::new(file);
    let note = |note: String| Ok(Some(Export { retracted: 0, note: Some(note) }));
    let reader = state.reader()?;
    let before = seen(&reader, source, file)?;
    let open = before.as_ref().and_then(|before| before.question.as_ref());
    let last = before.as_ref().map(|before| before.sha256.as_str());
    let known = open.map(|open| open.sha256.as_str()).or(last);
    let contents = match (look(source, path, known, now)?, open, &before) {
        (Look::Read(contents), ..) => contents,
        (Look::Known, Some(open), Some(before)) => return note(open.told(file, before.ids.len())),
        (Look::Known, ..) => return Ok(Some(Export::default())),
    };
    if contents.rows > ROWS_MAX {
        return note(format!(
            "{file} has more than {ROWS_MAX} rows, which are too many to compare, so it retracts \
             nothing: export fewer days, or a file for each line of the plant"
        ));
    }
    if let Some(doubt) = doubt(snapshot, &contents, path) {
        return note(format!(
            "{file} does not prove that it is whole, so it retracts nothing: {doubt}"
        ));
    }
    let Contents { sha256, ids: Some(ids), .. } = contents else {
        return note(format!("{file} has rows that can't be read, so it retracts nothing"));
    };
    let Some(before) = before else {
        let first = Seen { sha256, ids, ..Seen::default() };
        remember(state, source, file, &first, now)?;
        return Ok(Some(Export::default()));
    };
    let gone = gone(&reader, plant, source, file, (&before.ids, &ids), now)?;
    if gone.len() * SHRINKS_MOST > before.ids.len() {
        let question = Question { gone, ids, sha256 };
        let told = question.told(file, before.ids.len());
        remember(state, source, file, &Seen { question: Some(question), ..before }, now)?;
        return note(told);
    }
    let who = format!("`snapshot` of {}", source.name);
    let why = format!("it is not in {file} any more");
    let retracted = retract(state, source, &gone, (who, why), now)?;
    let whole = Seen { sha256, ids, question: None, ..before };
    remember(state, source, file, &whole, now)?;
    Ok(Some(Export { retracted, note: None }))
}

/// The rows that stood in the last export of `file`, stand in none now, and lie
/// in the days that it covers.
fn gone(
    reader: &Reader,
    plant: &Plant,
    source: &Source,
    file: &str,
    (before, ids): (&BTreeSet<String>, &BTreeSet<String>),
    now: Timestamp,
) -> Result<BTreeSet<String>, Failure> {
    let mut gone: BTreeSet<String> = before.difference(ids).cloned().collect();
    for other in source.files.iter().filter(|other| *other != file) {
        if let Some(other) = seen(reader, source, other)? {
            gone.retain(|id| !other.ids.contains(id));
        }
    }
    let Some(days) = source.snapshot.as_ref().and_then(|snapshot| snapshot.days) else {
        return Ok(gone);
    };
    let from = now.as_millisecond() - i64::from(days) * DAY_MS;
    let decoder = Decoder::new(plant).map_err(|error| Failure::usage(error.to_string()))?;
    let mut inside = BTreeSet::new();
    for id in gone {
        let Some(record) = journal::counting(reader, &source.name, &id)? else { continue };
        let mut facts = Facts::default();
        // A row of which nobody knows the time stays.
        if decoder.decode(&record, &mut facts).is_ok() {
            let states = facts.states.iter().map(|fact| fact.at);
            let counts = facts.counts.iter().map(|fact| fact.interval.start);
            if states.chain(counts).all(|at| at >= from) {
                inside.insert(id);
            }
        }
    }
    Ok(inside)
}

fn retract(
    state: &State,
    source: &Source,
    ids: &BTreeSet<String>,
    (who, why): (String, String),
    now: Timestamp,
) -> Result<usize, Failure> {
    if ids.is_empty() {
        return Ok(0);
    }
    let names = ids.iter().map(|id| (source.name.clone(), id.clone())).collect();
    Ok(journal::retract(state, names, Verdict { accepted: true, who, why }, now)?)
}

/// Every export that waits for a person, in words.
///
/// # Errors
/// When the state can't be read.
pub fn waiting(reader: &Reader, plant: &Plant) -> Result<Vec<String>, Failure> {
    let mut all = Vec::new();
    for (source, file) in exports(plant) {
        if let Some(Seen { ids, question: Some(open), .. }) = seen(reader, source, file)? {
            all.push(open.told(file, ids.len()));
        }
    }
    Ok(all)
}

/// What persons said of exports that had lost too many rows.
///
/// # Errors
/// When the state can't be read.
pub(crate) fn answered(reader: &Reader, plant: &Plant) -> Result<Vec<String>, Failure> {
    let mut all = Vec::new();
    for (source, file) in exports(plant) {
        all.extend(seen(reader, source, file)?.into_iter().flat_map(|seen| seen.answers));
    }
    Ok(all)
}

/// The files that are the whole truth.
fn exports(plant: &Plant) -> impl Iterator<Item = (&Source, &String)> {
    let sources = plant.sources.iter().filter(|source| source.snapshot.is_some());
    sources.flat_map(|source| source.files.iter().map(move |file| (source, file)))
}

/// A person says whether the rows that the export called `name` lost were deleted; returns how
/// many count no more, or `None` when nothing waits there.
///
/// # Errors
/// When the state can't be read or written.
pub fn answer(
    state: &State,
    plant: &Plant,
    name: &str,
    verdict: Verdict,
    now: Timestamp,
) -> Result<Option<usize>, Failure> {
    let reader = state.reader()?;
    for (source, file) in exports(plant) {
        let named = file == name || Path::new(file).file_name().is_some_and(|last| last == name);
        let Some(mut seen) = seen(&reader, source, file)?.filter(|_| named) else { continue };
        let Some(Question { gone, ids, sha256 }) = seen.question.take() else { continue };
        let Verdict { accepted, who, why } = verdict;
        let word = if accepted { "were deleted" } else { "still count" };
        seen.answers.push(format!("{file}: {} rows {word}, by {who} at {now}: {why}", gone.len()));
        let gone = if accepted { gone } else { BTreeSet::new() };
        let retracted = retract(state, source, &gone, (who, why), now)?;
        remember(state, source, file, &Seen { sha256, ids, ..seen }, now)?;
        return Ok(Some(retracted));
    }
    Ok(None)
}
