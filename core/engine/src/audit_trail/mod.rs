//! The audit trail: who did what, in a file that only grows.
//!
//! Each line of `audit.ndjson` in the state directory is one entry, and carries the
//! digest of the line before it. So the digest of the last line, the head, stands
//! for all of them: whoever wrote a head down can tell later, without this program's
//! word for it, whether an entry before it was changed, taken out, or put in.
//!
//! Any process may append, also beside the writer of the state: a lock on the file
//! puts them in order. What was appended is on the disk before the call returns.

mod check;

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

pub use self::check::{Checked, Fault, check, holds};
use crate::{
    EngineError,
    error::Result,
    store::{codec, make_folder, swap::TRAIL, sync_dir},
};

/// What one entry says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Act {
    /// When.
    pub at: Timestamp,
    /// Who answers for it: a person by `--who`, or the identity of the configuration.
    pub who: String,
    /// The account of the operating system under which the program ran.
    pub account: String,
    /// What was done, in one word: a verb of the program, `send` or `sent`.
    pub act: String,
    /// What it was done with: arguments, a plan, counts.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub about: BTreeMap<String, String>,
}

/// One line of the trail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Entry {
    /// Its place, from 1.
    pub number: u64,
    /// SHA-256 of the line before it, lower-case hex; 64 zeros in the first line.
    pub previous: String,
    /// What it says.
    #[serde(flatten)]
    pub act: Act,
}

/// The last entry of a trail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Head {
    /// Its place, from 1.
    pub number: u64,
    /// SHA-256 of its line, lower-case hex.
    pub digest: String,
}

/// A line may be so long, in bytes; what is longer is no entry.
const LONGEST: u64 = 64 * 1024;

/// The file of the trail in a state directory.
#[must_use]
pub fn file(dir: &Path) -> PathBuf {
    dir.join(TRAIL)
}

/// Appends `act` to the trail in `dir`, durably, and says where the trail ends now.
///
/// What stands behind the last line break was cut by a crash, or is of another hand. A
/// whole entry gets its line break; of less than a line can have, an entry says what was
/// taken out; more than that stays, and [`check`] names it.
///
/// # Errors
/// When the file can't be read or written, or the entry is too long.
pub fn append(dir: &Path, act: Act) -> Result<Head> {
    make_folder(dir)?;
    let path = file(dir);
    let failed = |error| EngineError::io(&path)(error);
    let mut trail = open(&path).map_err(failed)?;
    // Whoever appends at the same moment holds it for one line.
    trail.lock().map_err(failed)?;
    let mut last = last_line(&mut trail).map_err(failed)?;
    let rest = after(&mut trail, last.end).map_err(failed)?;
    if !rest.is_empty() {
        if last.leads_to(&rest) || rest.len() as u64 >= LONGEST {
            trail.seek(SeekFrom::End(0)).map_err(failed)?;
            write_line(&mut trail, Vec::new()).map_err(failed)?;
        } else {
            let told = taken_out(&last, &rest, &act)?;
            trail.set_len(last.end).map_err(failed)?;
            trail.seek(SeekFrom::Start(last.end)).map_err(failed)?;
            write_line(&mut trail, told).map_err(failed)?;
        }
        last = last_line(&mut trail).map_err(failed)?;
    }
    trail.seek(SeekFrom::Start(last.end)).map_err(failed)?;
    let entry = Entry { number: last.number + 1, previous: last.digest(), act };
    let line = line_of(&entry)?;
    let digest = digest(&line);
    write_line(&mut trail, line).map_err(failed)?;
    if entry.number == 1 {
        sync_dir(dir)?;
    }
    Ok(Head { number: entry.number, digest })
}

fn line_of(entry: &Entry) -> Result<Vec<u8>> {
    let line = serde_json::to_vec(entry)
        .map_err(|error| EngineError::Refused(format!("an entry can't be written: {error}")))?;
    if line.len() as u64 >= LONGEST {
        let reason = format!("an entry of the audit trail may have {LONGEST} bytes at most");
        return Err(EngineError::Refused(reason));
    }
    Ok(line)
}

/// Writes a line, durably.
fn write_line(trail: &mut File, mut line: Vec<u8>) -> io::Result<()> {
    line.push(b'\n');
    trail.write_all(&line).and_then(|()| trail.sync_data())
}

/// What stands behind the last whole line, as much as a line can have.
fn after(trail: &mut File, end: u64) -> io::Result<Vec<u8>> {
    trail.seek(SeekFrom::Start(end))?;
    let mut rest = Vec::new();
    trail.take(LONGEST).read_to_end(&mut rest)?;
    Ok(rest)
}

/// The entry that says what stood behind `last` and was no entry.
fn taken_out(last: &Last, rest: &[u8], by: &Act) -> Result<Vec<u8>> {
    let about = [("bytes", rest.len().to_string()), ("sha256", digest(rest))];
    let act = Act {
        act: "cut line taken out".to_owned(),
        about: about.map(|(word, text)| (word.to_owned(), text)).into(),
        ..by.clone()
    };
    line_of(&Entry { number: last.number + 1, previous: last.digest(), act })
}

/// Where the trail in `dir` ends; nothing where there is none.
///
/// # Errors
/// When the file can't be read.
pub fn head(dir: &Path) -> Result<Option<Head>> {
    let path = file(dir);
    let last = match File::open(&path) {
        Ok(mut trail) => last_line(&mut trail).map_err(EngineError::io(&path))?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(EngineError::io(&path)(error)),
    };
    Ok((last.end > 0).then(|| Head { number: last.number, digest: last.digest() }))
}

/// The last whole line of a trail.
struct Last {
    /// Without its line break.
    line: Vec<u8>,
    /// Where the next line begins.
    end: u64,
    /// The place of the entry; 0 where there is none. A line that can't be read is
    /// named by [`check`], and stops nobody who has to write down what he does: its place
    /// is counted.
    number: u64,
}

impl Last {
    /// Whether `line` is the entry that follows.
    fn leads_to(&self, line: &[u8]) -> bool {
        serde_json::from_slice::<Entry>(line)
            .is_ok_and(|entry| entry.number == self.number + 1 && entry.previous == self.digest())
    }

    fn digest(&self) -> String {
        if self.end == 0 { none() } else { digest(&self.line) }
    }
}

/// What the first line names as the line before it.
fn none() -> String {
    "0".repeat(64)
}

fn digest(line: &[u8]) -> String {
    codec::hex(&Sha256::digest(line))
}

/// Reads the end of a trail: as much as two lines can have. Where no line ends in there,
/// it begins with the file.
fn last_line(trail: &mut File) -> io::Result<Last> {
    let length = trail.seek(SeekFrom::End(0))?;
    let from = length.saturating_sub(2 * LONGEST);
    trail.seek(SeekFrom::Start(from))?;
    let mut tail = Vec::new();
    trail.take(2 * LONGEST).read_to_end(&mut tail)?;
    let Some(end) = tail.iter().rposition(|byte| *byte == b'\n') else {
        return Ok(Last { line: Vec::new(), end: 0, number: 0 });
    };
    let begin = tail[..end].iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let (line, end) = (tail[begin..end].to_vec(), from + end as u64 + 1);
    let number = match serde_json::from_slice::<Entry>(&line) {
        Ok(entry) => entry.number,
        Err(_) => lines_until(trail, end)?,
    };
    Ok(Last { line, end, number })
}

/// How many lines end in the first `end` bytes.
fn lines_until(trail: &mut File, end: u64) -> io::Result<u64> {
    trail.seek(SeekFrom::Start(0))?;
    let (mut lines, mut part) = (0, vec![0; 64 << 10]);
    let mut whole = trail.take(end);
    loop {
        match whole.read(&mut part)? {
            0 => return Ok(lines),
            read => {
                let ends = part.iter().take(read).filter(|byte| **byte == b'\n').count();
                lines += u64::try_from(ends).unwrap_or(u64::MAX);
            }
        }
    }
}

fn open(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(test)]
mod tests;
