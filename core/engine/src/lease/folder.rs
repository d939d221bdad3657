//! The folder of a lease: a file for each term.
//!
//! `create_new` lets one make a term, on a local disk as on a shared volume. A renewal
//! writes over the file in place and syncs it: whoever opens it afterwards reads it
//! anew, where a renamed one could be served from a cache of names.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
};

use super::Record;
use crate::{
    EngineError,
    error::Result,
    store::{make_folder, new_file, sync_dir},
};

/// Terms that are kept for people: a later one is never taken away.
const KEPT: u64 = 20;
/// Digits of a term in the name of its file.
const DIGITS: usize = 12;
/// More bytes than any file of ours has: what is behind them is not read.
const BYTES_MAX: u64 = 64 << 10;
const BEFORE: &str = "term-";
const AFTER: &str = ".json";

fn file(dir: &Path, term: u64) -> PathBuf {
    dir.join(format!("{BEFORE}{term:0DIGITS$}{AFTER}"))
}

fn terms(dir: &Path) -> io::Result<Vec<u64>> {
    let mut terms = Vec::new();
    for entry in fs::read_dir(dir)? {
        let name = entry?.file_name();
        let term = name.to_str().and_then(|name| name.strip_prefix(BEFORE)?.strip_suffix(AFTER));
        // Only as we write them: no sign, and no number after which there is none.
        let term = term.filter(|term| term.len() == DIGITS && !term.starts_with('+'));
        terms.extend(term.and_then(|term| term.parse::<u64>().ok()));
    }
    Ok(terms)
}

/// The newest term; nothing where there is none.
///
/// # Errors
/// When the folder can't be read.
pub fn newest(dir: &Path) -> Result<Option<u64>> {
    Ok(terms(dir).map_err(EngineError::io(dir))?.into_iter().max())
}

/// What the file of a term says; nothing where it is not there.
///
/// # Errors
/// When it can't be read.
pub fn read(dir: &Path, term: u64) -> Result<Option<Vec<u8>>> {
    let file = file(dir, term);
    let mut bytes = Vec::new();
    let read = |open: File| open.take(BYTES_MAX).read_to_end(&mut bytes);
    match File::open(&file).and_then(read) {
        Ok(_) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(EngineError::io(file)(error)),
    }
}

/// Who holds the lease, or held it last, with its term.
///
/// # Errors
/// When the folder can't be read.
pub fn holder(dir: &Path) -> Result<Option<(u64, Option<Record>)>> {
    let Some(term) = newest(dir)? else { return Ok(None) };
    Ok(Some((term, read(dir, term)?.and_then(|bytes| Record::of(&bytes)))))
}

/// Makes the folder, where it is not there.
pub(super) fn make(dir: &Path) -> Result<()> {
    make_folder(dir)
}

/// Makes the file of a term; `false` where somebody has.
pub(super) fn claim(dir: &Path, term: u64) -> Result<bool> {
    let file = file(dir, term);
    match new_file(&file) {
        Ok(made) => {
            made.sync_all().map_err(EngineError::io(&file))?;
            sync_dir(dir)?;
            Ok(true)
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(EngineError::io(file)(error)),
    }
}

/// Writes the file of a term anew; `false` where it is gone.
pub(super) fn write(dir: &Path, term: u64, record: &Record) -> Result<bool> {
    let file = file(dir, term);
    let write = || {
        let mut open = OpenOptions::new().write(true).open(&file)?;
        open.write_all(&record.bytes())?;
        open.sync_all()
    };
    match write() {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(EngineError::io(file)(error)),
    }
}

/// Takes old terms away, for whoever holds `term`. What can't be is there another time.
pub(super) fn tidy(dir: &Path, term: u64) {
    let old = terms(dir).unwrap_or_default().into_iter().filter(|old| old + KEPT < term);
    for old in old {
        let _ = fs::remove_file(file(dir, old));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::TempDir;

    #[test]
    fn a_file_that_we_would_not_write_is_no_term_and_a_huge_one_is_read_in_part() {
        let dir = TempDir::new("lease-names");
        assert!(claim(dir.path(), 7).unwrap());
        let huge = format!("term-{}.json", u64::MAX);
        for name in ["term-9.json", "term-+00000000009.json", "term-000000000009.json.part", &huge]
        {
            fs::write(dir.path().join(name), "{}").unwrap();
        }
        assert_eq!(newest(dir.path()).unwrap(), Some(7));
        File::create(file(dir.path(), 8)).unwrap().set_len(1 << 34).unwrap();
        assert_eq!(read(dir.path(), 8).unwrap().map(|bytes| bytes.len() as u64), Some(BYTES_MAX));
        assert_eq!(holder(dir.path()).unwrap(), Some((8, None)));
    }
}
