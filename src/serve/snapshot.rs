//! Exports that are the whole truth: a row that stood in the last whole export
//! and does not stand in this one was deleted at the source, so it is retracted.
//!
//! Nothing is retracted by an export that does not prove that it is whole, nor
//! before a person has agreed when it lost more than a twentieth of its rows: a
//! report with a narrower filter looks just like a thousand deletions.

use std::{collections::BTreeSet, fs, io::Read as _, path::Path};

use jiff::Timestamp;
use planthread_domain::{
    decode::{self, Decoder, Facts},
    model::{Complete, Plant, Snapshot, Source},
};
use planthread_engine::{
    Reader, State,
    journal::{self, Append, Verdict},
};
use serde::{Deserialize, Serialize};

use super::{files, survey};
use crate::failure::Failure;

/// An export that loses more than one row in so many is a question.
const SHRINKS_MOST: usize = 20;
const DAY_MS: i64 = 86_400_000;

/// What became of an export that is the whole truth.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Export {
    /// Rows that vanished from it, and count no more.
    pub retracted: usize,
    /// Why it retracts nothing, or what waits for a person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// The rows of the last whole export of a file. It stands in a checkpoint.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
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
#[derive(Debug, Clone, Serialize, Deserialize)]
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

/// The lines of `text` that are rows: without the last one where it only says
/// that the export is whole.
pub(super) fn rows<'t>(source: &Source, text: &'t [u8]) -> &'t [u8] {
    let Some(snapshot) = &source.snapshot else { return text };
    let (body, last) = last_line(text);
    if says_whole(snapshot, last) { body } else { text }
}

fn last_line(text: &[u8]) -> (&[u8], &[u8]) {
    let end = text.trim_ascii_end();
    let at = end.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    (&text[..at], &end[at..])
}

/// Whether a line is the one that says that an export is whole.
fn says_whole(snapshot: &Snapshot, line: &[u8]) -> bool {
    match &snapshot.complete {
        Complete::LastLine(mark) => line == mark.as_bytes(),
        Complete::RowCount(before) => line.starts_with(before.as_bytes()),
        Complete::Sibling(_) => false,
    }
}

/// Why an export does not prove that it is whole, if it does not.
fn doubt(snapshot: &Snapshot, text: &[u8], file: &Path) -> Option<String> {
    let (body, last) = last_line(text);
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
            let lines = body.split(|byte| *byte == b'\n').filter(|l| !l.trim_ascii().is_empty());
            let rows = lines.count().saturating_sub(1);
            (rows != count).then(|| format!("it has {rows} rows, and says {count}"))
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
    let mut text = Vec::new();
    let read = survey::open(path)?.read_to_end(&mut text);
    read.map_err(|error| Failure::io("read", path, &error))?;
    let note = |note: String| Ok(Some(Export { retracted: 0, note: Some(note) }));
    let reader = state.reader()?;
    let before = seen(&reader, source, file)?;
    let sha256 = files::hash(&text);
    if let Some(before) = &before {
        match &before.question {
            Some(open) if open.sha256 == sha256 => return note(open.told(file, before.ids.len())),
            None if before.sha256 == sha256 => return Ok(Some(Export::default())),
            Some(_) | None => {}
        }
    }
    if let Some(doubt) = doubt(snapshot, &text, path) {
        return note(format!(
            "{file} does not prove that it is whole, so it retracts nothing: {doubt}"
        ));
    }
    let records = decode::rows(rows(source, &text), source, file, now);
    let ids: Result<BTreeSet<String>, _> = records.map(|row| row.map(|record| record.id)).collect();
    let Ok(ids) = ids else {
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
