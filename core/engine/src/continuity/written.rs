//! What we may have written at a target, kept outside of the state.
//!
//! A state that was put back from a copy does not know what it sent since. So the
//! values that are about to go out are noted beside the witness first, each as eight
//! bytes of a digest of its cell and value. After a copy was put back, what stands
//! at the target and is neither in the state nor here was written by somebody else.
//!
//! The file begins with eight bytes that name its format and the number of values of
//! its last whole writing. What was noted since follows; the file is written whole
//! again when that is more than twice as much.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
    sync::OnceLock,
};

use planthread_contracts::{CellKey, RevisionState};
use planthread_kit::files;
use rust_decimal::Decimal;
use sha2::{Digest as _, Sha256};

use crate::{
    Reader,
    error::Result,
    plan::scan,
    store::{Db, cells::Cell, groups::Groups, names::GroupRef, sync_dir},
};

/// The file beside the witness.
const FILE: &str = "witness.values";
/// The first bytes of the file: its format.
const FORMAT: &[u8; 8] = b"PTVALUE1";
/// Bytes before the first value.
const HEAD: usize = 16;
/// Bytes of a value.
const WIDTH: usize = 8;
/// So many values may be noted before the file is written whole again, at least.
const LEAST: u64 = 8192;
/// Most bytes that are read: sixteen million values.
const MOST: u64 = 128 << 20;

/// Notes the values of `target` that are wanted and not yet seen. Called before they
/// leave, to the target or into a pack. A place that can't be written stops nobody: of
/// a copy that is put back then, more is asked than must be.
///
/// # Errors
/// When the state can't be read.
pub fn note_written(reader: &Reader, target: &str, folder: Option<&Path>) -> Result<()> {
    let Some(folder) = folder else { return Ok(()) };
    let file = folder.join(FILE);
    let written = match room(&file) {
        Some(room) => {
            let open = reader.at_once(|db| collect(db, target, Part::Open))?;
            match u64::try_from(open.len()).is_ok_and(|open| open <= room) {
                true => append(&file, &open),
                false => whole(folder, &reader.at_once(|db| collect(db, target, Part::All))?),
            }
        }
        None => whole(folder, &reader.at_once(|db| collect(db, target, Part::All))?),
    };
    if let Err(error) = written {
        tracing::warn!(file = %file.display(), %error, "what is sent can't be noted outside");
    }
    Ok(())
}

/// What was noted beside the witness of a target; read when it is first asked.
#[derive(Debug)]
pub struct Written {
    folder: PathBuf,
    values: OnceLock<Option<Vec<u64>>>,
}

impl Written {
    /// What was noted in `folder`.
    #[must_use]
    pub const fn new(folder: PathBuf) -> Self {
        Self { folder, values: OnceLock::new() }
    }

    /// Whether anything was noted, so that a value that is not here is somebody else's.
    #[must_use]
    pub fn is_there(&self) -> bool {
        self.values().is_some()
    }

    /// Whether `value` was noted for the cell.
    pub(crate) fn holds(&self, key: &CellKey, value: Decimal) -> bool {
        let mark = fingerprint(key, value);
        self.values().is_some_and(|values| values.binary_search(&mark).is_ok())
    }

    fn values(&self) -> Option<&Vec<u64>> {
        let load = || {
            let mut bytes = Vec::new();
            let file = files::open(&self.folder.join(FILE)).ok()?;
            file.take(MOST + 1).read_to_end(&mut bytes).ok()?;
            // Longer than any of ours: it is not what was written.
            let mut values = parse(&bytes).filter(|_| bytes.len() as u64 <= MOST)?;
            values.sort_unstable();
            Some(values)
        };
        self.values.get_or_init(load).as_ref()
    }
}

/// Of a cell with a value, the same on every machine.
fn fingerprint(key: &CellKey, value: Decimal) -> u64 {
    let product = key.product.as_deref().unwrap_or_default();
    let (period, value) = (key.period.to_string(), value.normalize().to_string());
    let (target, scope): (&str, &str) = (&key.target, &key.scope);
    let parts = [target, scope, &key.resource, &key.location, product, &period, &key.measure];
    let mut digest = Sha256::new();
    for part in parts.into_iter().chain([value.as_str()]) {
        digest.update(part.as_bytes());
        digest.update([0]);
    }
    let digest: [u8; 32] = digest.finalize().into();
    digest.first_chunk().map_or(0, |first| u64::from_be_bytes(*first))
}

/// Which cells are noted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// Those that are not seen as they are wanted.
    Open,
    /// All, with what may stand there of earlier revisions.
    All,
}

fn collect(db: &Db, target: &str, part: Part) -> Result<Vec<u64>> {
    let measures = db.measures()?;
    let mut found = Vec::new();
    let mut each = |group: GroupRef| -> Result<()> {
        for (measure, cell) in scan::cells(db, group.id, &measures)? {
            note(db, &group.cell(measure), &cell, part, &mut found)?;
        }
        Ok(())
    };
    for (scope, ..) in db.scopes()?.into_iter().filter(|(_, of, _)| of == target) {
        match part {
            Part::All => Groups::of(db, scope)?.all(&mut each)?,
            Part::Open => {
                for group in db.waiting_groups(scope)? {
                    each(db.group(group)?)?;
                }
            }
        }
    }
    Ok(found)
}

fn note(db: &Db, key: &CellKey, cell: &Cell, part: Part, to: &mut Vec<u64>) -> Result<()> {
    let seen = cell.state == RevisionState::Seen;
    if part == Part::All || !seen {
        to.push(fingerprint(key, cell.value));
    }
    if part == Part::All && !seen && cell.sent_rev > 0 {
        let past = db.past_revisions(cell.id)?;
        to.extend(past.iter().map(|past| fingerprint(key, past.value)));
    }
    Ok(())
}

/// How many values may still be noted in the file; none where it must be written whole.
fn room(file: &Path) -> Option<u64> {
    let mut head = [0; HEAD];
    files::open(file).and_then(|mut file| file.read_exact(&mut head)).ok()?;
    let (format, count) = head.split_at(WIDTH);
    let count = u64::from_le_bytes(count.try_into().ok()?);
    let bytes = fs::metadata(file).ok()?.len().checked_sub(HEAD as u64)?;
    // A last value that was cut off would shift all that follow.
    let good = format == FORMAT && bytes % WIDTH as u64 == 0;
    let noted = bytes / WIDTH as u64;
    let most = count.saturating_mul(3).saturating_add(LEAST);
    good.then(|| most.saturating_sub(noted)).filter(|room| *room > 0)
}

fn bytes(values: &[u64]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

fn append(file: &Path, values: &[u64]) -> io::Result<()> {
    if values.is_empty() {
        return Ok(());
    }
    let mut file = OpenOptions::new().append(true).open(file)?;
    file.write_all(&bytes(values))?;
    file.sync_data()
}

/// Writes the file, whole or not at all.
fn whole(folder: &Path, values: &[u64]) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let aside = folder.join(".witness.values.part");
    let mut file = File::create(&aside)?;
    file.write_all(FORMAT)?;
    file.write_all(&u64::try_from(values.len()).unwrap_or(u64::MAX).to_le_bytes())?;
    file.write_all(&bytes(values))?;
    file.sync_all()?;
    fs::rename(&aside, folder.join(FILE))?;
    sync_dir(folder).map_err(|error| io::Error::other(error.to_string()))
}

/// The values of a file; `None` where it is of another format.
fn parse(bytes: &[u8]) -> Option<Vec<u64>> {
    let values = bytes.get(HEAD..).filter(|_| bytes.starts_with(FORMAT))?;
    let value = |value: &[u8]| value.try_into().map(u64::from_le_bytes).ok();
    values.chunks_exact(WIDTH).map(value).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        State,
        testing::{TempDir, decl, landed, now},
    };

    fn key(week: &str) -> CellKey {
        CellKey {
            target: "t".into(),
            scope: String::new().into(),
            resource: "R".into(),
            location: "L".into(),
            product: None,
            period: week.parse().unwrap(),
            measure: "live".into(),
        }
    }

    #[test]
    fn a_value_is_the_same_on_every_machine_however_it_is_written() {
        let mark = |value: &str| fingerprint(&key("2026-W49"), value.parse().unwrap());
        // The first eight bytes of SHA-256 over each part and a zero byte.
        assert_eq!(mark("12.5"), 17_831_858_847_560_135_617);
        assert_eq!(mark("12.5"), mark("12.500"));
        assert_ne!(mark("12.5"), mark("12.6"));
        assert_ne!(mark("12.5"), fingerprint(&key("2026-W50"), "12.5".parse().unwrap()));
    }

    #[test]
    fn the_list_grows_by_what_is_open_and_is_written_whole_before_it_is_three_times_as_long() {
        let (dir, outside) = (TempDir::new("written"), TempDir::new("written-outside"));
        let folder = Some(outside.path());
        let file = outside.path().join(FILE);
        let values = || (fs::metadata(&file).unwrap().len() - HEAD as u64) / WIDTH as u64;
        let state = State::open(dir.path(), now()).unwrap();
        landed(&state, &decl("live", "attainable_clock_hours", "value"), 40);
        let note = || note_written(&state.reader().unwrap(), "t", folder).unwrap();
        note();
        assert_eq!(values(), 40, "all that may stand there");
        note();
        assert_eq!(values(), 40, "nothing is open");
        // A value that was cut off, and a list that has grown too long.
        let whole = fs::read(&file).unwrap();
        let long = [&whole[..], &vec![0; WIDTH * LEAST as usize * 4]].concat();
        for broken in [&whole[..whole.len() - 3], &whole[..5], b"other", &long] {
            fs::write(&file, broken).unwrap();
            note();
            assert_eq!(fs::read(&file).unwrap(), whole);
        }
        let written = Written::new(outside.path().to_owned());
        assert!(written.is_there() && !written.holds(&key("2026-W49"), "99".parse().unwrap()));
        fs::remove_file(&file).unwrap();
        assert!(!Written::new(outside.path().to_owned()).is_there());
        // What never ends is no list, and is replaced by one.
        #[cfg(unix)]
        {
            assert!(std::process::Command::new("mkfifo").arg(&file).status().unwrap().success());
            assert!(!Written::new(outside.path().to_owned()).is_there());
            note();
            assert_eq!(fs::read(&file).unwrap(), whole);
        }
    }
}
