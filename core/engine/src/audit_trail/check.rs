//! Whether a trail is whole, by itself and against a head that somebody kept.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read as _},
    path::Path,
};

use schemars::JsonSchema;
use serde::Serialize;

use super::{Entry, Head, LONGEST, digest, file, none};
use crate::{EngineError, error::Result};

/// What a trail was found to be.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Checked {
    /// Entries that were read, the first bad one not counted.
    pub entries: u64,
    /// The last good entry; none where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub head: Option<Head>,
    /// The first thing that is wrong; none where the trail is whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<Fault>,
}

/// The first entry that is not what was appended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Fault {
    /// The place of the entry, from 1.
    pub number: u64,
    /// What is wrong with it.
    pub reason: String,
}

/// Reads the whole trail in `dir` and tells every good entry, and behind the first bad one
/// what stands there, each by its true place: nothing proves it. Where a `kept` digest is
/// given, an entry of the trail must have it: it is the head that somebody wrote down.
///
/// # Errors
/// When the file can't be read, or `tell` fails.
pub fn check(
    dir: &Path,
    kept: Option<&str>,
    mut tell: impl FnMut(&Entry) -> Result<()>,
) -> Result<Checked> {
    let path = file(dir);
    let mut lines = match File::open(&path) {
        Ok(trail) => BufReader::new(trail),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(missing(kept)),
        Err(error) => return Err(EngineError::io(&path)(error)),
    };
    let mut checked = Checked::default();
    let (mut before, mut met) = (none(), kept.is_none());
    while let Some(line) = next(&mut lines).map_err(EngineError::io(&path))? {
        let (number, ended) = (checked.entries + 1, line.ends_with(b"\n"));
        let entry = match good(line, number, &before) {
            Ok((entry, digest)) => {
                before = digest;
                entry
            }
            Err(reason) => {
                checked.fault = Some(Fault { number, reason });
                rest(&mut lines, &path, number + u64::from(ended), tell)?;
                return Ok(checked);
            }
        };
        checked.entries = number;
        checked.head = Some(Head { number, digest: before.clone() });
        met |= kept.is_some_and(|kept| kept.eq_ignore_ascii_case(&before));
        tell(&entry)?;
    }
    if !met {
        let reason = "no entry has the digest of the head that was kept: what follows this entry \
                      is missing, or all of it is another trail";
        checked.fault = Some(Fault { number: checked.entries + 1, reason: reason.to_owned() });
    }
    Ok(checked)
}

/// Tells what stands behind a bad line, as far as it can be read; the next line is the
/// one at `place`.
fn rest(
    lines: &mut impl BufRead,
    path: &Path,
    mut place: u64,
    mut tell: impl FnMut(&Entry) -> Result<()>,
) -> Result<()> {
    while let Some(mut line) = next(lines).map_err(EngineError::io(path))? {
        if line.pop() != Some(b'\n') {
            // A part of a line that is longer than one can be.
            continue;
        }
        if let Ok(entry) = serde_json::from_slice::<Entry>(&line) {
            tell(&Entry { number: place, ..entry })?;
        }
        place += 1;
    }
    Ok(())
}

/// Whether a good entry of the trail in `dir` has this digest.
///
/// # Errors
/// When the file can't be read.
pub fn holds(dir: &Path, digest: &str) -> Result<bool> {
    Ok(check(dir, Some(digest), |_| Ok(()))?.fault.is_none())
}

fn missing(kept: Option<&str>) -> Checked {
    let fault = kept.map(|_| Fault { number: 1, reason: "there is no trail".to_owned() });
    Checked { fault, ..Checked::default() }
}

/// A line with its line break; nothing at the end.
fn next(lines: &mut impl BufRead) -> io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    let read = lines.take(LONGEST + 1).read_until(b'\n', &mut line)?;
    Ok((read > 0).then_some(line))
}

/// The entry of a line and the line's digest, or what is wrong with it.
fn good(
    mut line: Vec<u8>,
    number: u64,
    before: &str,
) -> std::result::Result<(Entry, String), String> {
    if line.pop() != Some(b'\n') {
        return Err("it is not whole: a crash cut it, or somebody did; nobody was told that it \
                    is there"
            .to_owned());
    }
    let entry: Entry =
        serde_json::from_slice(&line).map_err(|error| format!("it is no entry: {error}"))?;
    if entry.number != number {
        return Err(format!("it says that it is entry {}: entries are missing", entry.number));
    }
    if entry.previous != before {
        return Err("it does not follow the entry before it: one of the two was changed".to_owned());
    }
    Ok((entry, digest(&line)))
}
