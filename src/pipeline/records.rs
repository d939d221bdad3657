//! Records of people's decisions: a folder of the state, a file each, never
//! written again. Their names begin with the instant, so they sort by it.

use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
};

use jiff::Timestamp;

use crate::failure::Failure;

/// Every record in `folder`, the oldest first; none where there is no folder.
///
/// # Errors
/// When the folder or a record can't be read: a decision that can't be read must
/// not be taken for one that nobody made.
fn all(folder: &Path) -> Result<Vec<(PathBuf, String)>, Failure> {
    let read = |error: io::Error, what: &Path| Failure::io("read the record", what, &error);
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(read(error, folder)),
    };
    let mut files = Vec::new();
    for entry in entries {
        files.push(entry.map_err(|error| read(error, folder))?.path());
    }
    files.sort();
    let text = |file: PathBuf| match fs::read_to_string(&file) {
        Ok(text) => Ok((file, text)),
        Err(error) => Err(read(error, &file)),
    };
    files.into_iter().map(text).collect()
}

/// Every record in `folder`, as `read` understands it, the oldest first.
///
/// # Errors
/// When a record can't be read or understood.
pub(super) fn read<T, E: fmt::Display>(
    folder: &Path,
    read: impl Fn(&str) -> Result<T, E>,
) -> Result<Vec<T>, Failure> {
    let record = |(file, text): (PathBuf, String)| {
        read(&text).map_err(|error| {
            Failure::usage(format!("{}: {error}", file.display()))
                .cure("correct the record, or remove it")
        })
    };
    all(folder)?.into_iter().map(record).collect()
}

/// Keeps `record` in `folder`, and says where.
///
/// # Errors
/// When it can't be written.
pub(super) fn keep(folder: &Path, record: &str, now: Timestamp) -> Result<PathBuf, Failure> {
    let file = folder.join(format!("{}.json", now.strftime("%Y%m%dT%H%M%S%3fZ")));
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(&file, format!("{record}\n")))
        .map_err(|error| Failure::io("write the record", &file, &error))?;
    Ok(file)
}
