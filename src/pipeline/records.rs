//! Records of people's decisions: a folder of the state, a file each, never
//! written again. Their names begin with the instant, so they sort by it.

use std::{
    fmt,
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use jiff::{SignedDuration, Timestamp, civil::DateTime, tz::TimeZone};
use planthread_engine::EngineError;

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
        let file = entry.map_err(|error| read(error, folder))?.path();
        // A record gets this name when it is whole.
        if file.extension().is_some_and(|extension| extension == "json") {
            files.push(file);
        }
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

/// The same, each with the instant at which it was made, by its name.
///
/// # Errors
/// When a record can't be read or understood.
pub(super) fn read_with_time<T, E: fmt::Display>(
    folder: &Path,
    understand: impl Fn(&str) -> Result<T, E>,
) -> Result<Vec<(Option<Timestamp>, T)>, Failure> {
    let times: Vec<Option<Timestamp>> =
        all(folder)?.iter().map(|(file, _)| instant_of(file)).collect();
    Ok(times.into_iter().zip(read(folder, understand)?).collect())
}

/// Keeps `record` in `folder`, durably, and says where. Whoever reads beside it sees
/// the whole record or none.
///
/// # Errors
/// When it can't be written.
pub(super) fn keep(folder: &Path, record: &str, now: Timestamp) -> Result<PathBuf, Failure> {
    // A later decision sorts behind the earlier ones, also after the clock was set back.
    let last = all(folder)?.pop().and_then(|(file, _)| stamp_of(&file));
    let stamp = now.strftime("%Y%m%dT%H%M%S%3fZ").to_string().max(last.unwrap_or_default());
    let part = folder.join(format!(".{stamp}-{}.part", std::process::id()));
    may_be_kept(folder)?;
    planthread_engine::make_folder(folder)?;
    let whole = || {
        let mut options = File::options();
        options.write(true).create(true).truncate(true);
        // Names and reasons are for whoever may read the state.
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut text = options.open(&part)?;
        text.write_all(format!("{record}\n").as_bytes())?;
        text.sync_all()?;
        let kept = link(folder, &stamp, &part)?;
        File::open(folder)?.sync_all()?;
        Ok(kept)
    };
    let kept = whole().map_err(|error| Failure::io("write the record", &part, &error));
    // What is left of it is no record, and nobody reads it.
    let _ = fs::remove_file(&part);
    // Who began meanwhile to put another state here took no record of it along.
    if let (Ok(record), Err(refused)) = (&kept, may_be_kept(folder)) {
        let _ = fs::remove_file(record);
        return Err(refused);
    }
    kept
}

/// A record that is written while another state is put in would be lost with the old one.
fn may_be_kept(folder: &Path) -> Result<(), Failure> {
    let state = folder.ancestors().nth(2).unwrap_or(folder);
    if planthread_engine::is_replaced(state) {
        return Err(EngineError::Restoring(state.to_owned()).into());
    }
    Ok(())
}

/// The instant in the name of a record.
fn stamp_of(file: &Path) -> Option<String> {
    let name = file.file_stem()?.to_str()?;
    Some(name.split('_').next()?.to_owned())
}

/// The same, as an instant.
fn instant_of(file: &Path) -> Option<Timestamp> {
    let stamp = stamp_of(file)?;
    let (seconds, millis) = (stamp.get(..15)?, stamp.get(15..18)?.parse::<i64>().ok()?);
    let at = DateTime::strptime("%Y%m%dT%H%M%S", seconds).ok()?.to_zoned(TimeZone::UTC).ok()?;
    at.timestamp().checked_add(SignedDuration::from_millis(millis)).ok()
}

/// Gives a finished file its name, the next one in order where another record has it.
fn link(folder: &Path, stamp: &str, part: &Path) -> io::Result<PathBuf> {
    let names = (0..u8::MAX).map(|more| match more {
        0 => format!("{stamp}.json"),
        more => format!("{stamp}_{more:03}.json"),
    });
    for file in names.map(|name| folder.join(name)) {
        match fs::hard_link(part, &file) {
            Ok(()) => return Ok(file),
            Err(_) if file.exists() => {}
            // A file system without hard links.
            Err(_) => return fs::rename(part, &file).map(|()| file),
        }
    }
    Err(io::Error::new(io::ErrorKind::AlreadyExists, "too many records of one instant"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_later_decision_sorts_behind_an_earlier_one_whatever_the_clock_says() {
        let folder = std::env::temp_dir().join(format!("planthread-later-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        let now: Timestamp = "2026-11-26T10:00:00Z".parse().unwrap();
        let hours = [40 * 24, 0, 0, 41 * 24, -5, 40 * 24];
        for (number, hours) in hours.into_iter().enumerate() {
            let at = now + SignedDuration::from_hours(hours);
            keep(&folder, &number.to_string(), at).unwrap();
        }
        let kept: Vec<String> = all(&folder).unwrap().into_iter().map(|(_, text)| text).collect();
        assert_eq!(kept, (0..hours.len()).map(|number| format!("{number}\n")).collect::<Vec<_>>());
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_record_is_called_by_the_instant_at_which_it_was_made() {
        let folder = std::env::temp_dir().join(format!("planthread-when-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        let times = ["2026-11-26T10:00:00.25Z", "2026-12-31T23:59:59.999Z", "2027-01-01T00:00:00Z"]
            .map(|at| at.parse::<Timestamp>().unwrap());
        for at in times {
            keep(&folder, "{}", at).unwrap();
        }
        // A second one of the same instant.
        keep(&folder, "{}", times[2]).unwrap();
        let read = |_: &str| Ok::<(), String>(());
        let found = read_with_time(&folder, read).unwrap().into_iter().map(|(at, ())| at);
        let all = times.into_iter().chain([times[2]]).map(Some);
        assert_eq!(found.collect::<Vec<_>>(), all.collect::<Vec<_>>());
        assert_eq!(instant_of(Path::new("by-hand.json")), None);
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn records_of_one_instant_both_stay_and_half_a_record_is_none() {
        let folder =
            std::env::temp_dir().join(format!("planthread-records-{}/a/b", std::process::id()));
        let now: Timestamp = "2026-11-26T10:00:00Z".parse().unwrap();
        let first = keep(&folder, r#"{"of":1}"#, now).unwrap();
        let second = keep(&folder, r#"{"of":2}"#, now).unwrap();
        assert!(first < second, "{} and {}", first.display(), second.display());
        // What a process leaves behind that ends in the middle of one.
        fs::write(folder.join(".20261126T100000000Z-1.part"), "{\"of\"").unwrap();
        let texts: Vec<String> = all(&folder).unwrap().into_iter().map(|(_, text)| text).collect();
        assert_eq!(texts, ["{\"of\":1}\n", "{\"of\":2}\n"]);
        fs::remove_dir_all(folder.ancestors().nth(2).unwrap()).unwrap();
    }
}
