//! A backup: the database as of one moment, and every record beside it.
//!
//! The database comes first. A record of a person's decision is written once and
//! never changed, so those that are copied after it are at least those that it
//! was written under.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use jiff::Timestamp;

use super::manifest::{self, BackedUp, BackupManifest};
use crate::{
    EngineError, Reader,
    error::Result,
    store::{self, lock_folder, make_folder, new_file, swap, sync_dir},
};

/// What is made anew by every cycle.
const PLANS: &str = "plans";

/// Copies the state in `state` into the new folder `to`, beside a bridge that
/// writes it. `program` is the version of this program.
///
/// # Errors
/// When there is no state, `to` holds something or lies in the state, another backup
/// into it is under way, or the disk refuses. Then there is no folder `to`.
pub fn backup(state: &Path, to: &Path, program: &str, now: Timestamp) -> Result<BackupManifest> {
    let reader = Reader::open(state)?;
    let (state, to) = (absolute(state)?, std::path::absolute(to).map_err(EngineError::io(to))?);
    let refuse = |why: &str| Err(EngineError::Refused(format!("{} {why}", to.display())));
    let (Some(above), Some(name)) = (to.parent(), to.file_name()) else {
        return refuse("is no folder for a backup; name one that is not there yet");
    };
    make_folder(above)?;
    if absolute(above)?.starts_with(&state) {
        return refuse("lies in the state directory; a backup belongs to another place");
    }
    match fs::read_dir(&to).map(|mut entries| entries.next().is_some()) {
        Ok(false) => {}
        Ok(true) => return refuse("is not empty; name a folder that is not there yet"),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(EngineError::io(&to)(error)),
    }
    let part = above.join(format!(".{}.part", name.to_string_lossy()));
    make_folder(&part)?;
    let Ok(_held) = lock_folder(&part) else {
        return refuse("is written by another backup; wait until it has ended");
    };
    let made = clear(&part).and_then(|()| fill(&reader, &state, &part, program, now));
    match made {
        Ok(manifest) => {
            fs::rename(&part, &to).map_err(EngineError::io(&to))?;
            sync_dir(above)?;
            Ok(manifest)
        }
        Err(error) => {
            // What is left of it has another name, and the next backup clears it.
            let _ = fs::remove_dir_all(&part);
            Err(error)
        }
    }
}

fn absolute(path: &Path) -> Result<PathBuf> {
    path.canonicalize().map_err(EngineError::io(path))
}

/// Takes away what a killed backup has left.
pub(super) fn clear(folder: &Path) -> Result<()> {
    for entry in fs::read_dir(folder).map_err(EngineError::io(folder))? {
        let path = entry.map_err(EngineError::io(folder))?.path();
        let gone = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
        gone.map_err(EngineError::io(&path))?;
    }
    Ok(())
}

fn fill(
    reader: &Reader,
    state: &Path,
    part: &Path,
    program: &str,
    now: Timestamp,
) -> Result<BackupManifest> {
    let database = part.join(store::FILE);
    reader.db().copy_to(&database)?;
    let copied = Reader::open(part)?;
    let (schema, counter, runs) =
        (store::schema_known(), copied.db().counter()?, copied.db().all_runs()?);
    drop(copied);
    let mut files = vec![manifest::digest(&database, store::FILE.to_owned())?];
    for path in swap::contents(state)?.into_iter().chain([state.join(swap::TRAIL)]) {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        // The database was copied, with what an earlier program left of it beside.
        if name != PLANS && !name.starts_with(store::FILE) {
            copy_all(&path, &name, part, &mut files)?;
        }
    }
    let manifest = BackupManifest {
        planthread_backup: manifest::FORMAT,
        program: program.to_owned(),
        schema,
        made_at: now,
        counter,
        runs,
        files,
        sha256: String::new(),
    };
    let manifest = manifest.sealed()?;
    let text = serde_json::to_vec_pretty(&manifest)
        .map_err(|error| EngineError::Stored(error.to_string()))?;
    let path = part.join(manifest::FILE);
    let write = || {
        let mut file = new_file(&path)?;
        io::Write::write_all(&mut file, &text)?;
        file.sync_all()
    };
    write().map_err(EngineError::io(&path))?;
    sync_dir(part)?;
    Ok(manifest)
}

/// Copies the file or folder `from`, which is called `name` in the state. What is
/// hidden is being written, and gets its name when it is whole.
fn copy_all(from: &Path, name: &str, part: &Path, files: &mut Vec<BackedUp>) -> Result<()> {
    let hidden = from.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
    let kind = match fs::symlink_metadata(from) {
        Ok(found) => found.file_type(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(EngineError::io(from)(error)),
    };
    if hidden {
        return Ok(());
    }
    let to = part.join(name);
    if kind.is_dir() {
        make_folder(&to)?;
        let mut entries = Vec::new();
        for entry in fs::read_dir(from).map_err(EngineError::io(from))? {
            entries.push(entry.map_err(EngineError::io(from))?.file_name());
        }
        entries.sort();
        for entry in entries {
            let name = format!("{name}/{}", entry.to_string_lossy());
            copy_all(&from.join(&entry), &name, part, files)?;
        }
        return sync_dir(&to);
    }
    if kind.is_file() {
        files.push(manifest::copy(from, &to, name.to_owned())?);
    }
    if kind.is_symlink() {
        return Err(EngineError::Refused(format!(
            "{} is a link, and a backup must hold what it leads to; put the file in its place",
            from.display()
        )));
    }
    Ok(())
}
