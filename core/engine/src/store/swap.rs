//! A state directory gets another state, whole or not at all.
//!
//! The folder itself stays: it may be a volume, and its lock is held. What comes
//! in waits in `.restore`, complete; from then on the change is decided, and
//! whoever opens the state for writing carries on with it. First what was there
//! is moved to the folder that the file `replaces` names, then `.restore` becomes
//! `.restored`, then what is in it moves out. Each step is one rename, and which
//! one comes next is seen by what is there.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::private::{make_folder, sync_dir};
use crate::{EngineError, error::Result};

/// Where the other state is made; nobody looks at it.
pub(crate) const MAKING: &str = ".restore.part";
/// The other state, complete: what is there goes.
pub(crate) const COMING: &str = ".restore";
/// What was there has gone.
const COME: &str = ".restored";
/// The file that names the folder to which the state before goes.
pub(crate) const REPLACES: &str = "replaces";
/// How such a folder is called, before its instant.
pub(crate) const KEPT: &str = "replaced-";
/// The file of the writer's lock: it belongs to the folder, not to a state.
pub(crate) const LOCK: &str = "lock";
/// The file of the audit trail: it belongs to the folder, and is never taken away.
pub(crate) const TRAIL: &str = "audit.ndjson";

/// Whether a change was decided that has not ended.
pub(crate) fn is_under_way(dir: &Path) -> bool {
    [COMING, COME].iter().any(|name| dir.join(name).exists())
}

/// Whether `dir` holds a state, or what people did before its first record: an audit
/// trail.
#[must_use]
pub fn is_there(dir: &Path) -> bool {
    [super::FILE, TRAIL].iter().any(|file| dir.join(file).exists()) || is_under_way(dir)
}

/// Whether `dir` is the state before, as a change kept it aside: its trail stayed with the
/// folder above.
pub(crate) fn is_kept_aside(dir: &Path) -> bool {
    let name = dir.file_name().and_then(|name| name.to_str());
    let above = dir.parent().map(|above| above.join(TRAIL));
    name.is_some_and(|name| name.starts_with(KEPT)) && above.is_some_and(|trail| trail.exists())
}

/// The records of people's decisions in `dir`: `ROOM/TARGET/TIME.json`, written once.
///
/// # Errors
/// When a folder can't be read.
pub(crate) fn decisions(dir: &Path) -> Result<Vec<PathBuf>> {
    let below = |folders: Vec<PathBuf>| -> Result<Vec<PathBuf>> {
        let inside = folders.iter().filter(|path| path.is_dir()).map(|path| entries(path));
        Ok(inside.collect::<Result<Vec<_>>>()?.concat())
    };
    let rooms = if dir.is_dir() { contents(dir)? } else { Vec::new() };
    let mut records = below(below(rooms)?)?;
    records.retain(|path| path.is_file() && path.extension().is_some_and(|kind| kind == "json"));
    Ok(records)
}

/// Carries a change on that was decided. Whoever calls it holds the writer's lock.
pub(crate) fn finish(dir: &Path) -> Result<()> {
    while step(dir)? {}
    Ok(())
}

/// What stands in `dir` of the state that is in force: all but the lock, the audit trail,
/// and what a change keeps there.
pub(crate) fn contents(dir: &Path) -> Result<Vec<PathBuf>> {
    // The folder may be a volume with a file system of its own.
    let no_part = [LOCK, TRAIL, MAKING, COMING, COME, "lost+found"];
    let is_trail = |name: &str| name.starts_with("audit-") && name.ends_with(".ndjson");
    let ours = |name: &str| no_part.contains(&name) || name.starts_with(KEPT) || is_trail(name);
    let mut found = entries(dir)?;
    found.retain(|path| !path.file_name().and_then(|name| name.to_str()).is_some_and(ours));
    Ok(found)
}

fn entries(dir: &Path) -> Result<Vec<PathBuf>> {
    let read = || fs::read_dir(dir)?.map(|entry| Ok(entry?.path())).collect::<io::Result<_>>();
    let mut found: Vec<PathBuf> = read().map_err(EngineError::io(dir))?;
    found.sort();
    Ok(found)
}

/// Does the next step; `false` where there is none.
pub(crate) fn step(dir: &Path) -> Result<bool> {
    let (coming, come) = (dir.join(COMING), dir.join(COME));
    if coming.exists() {
        let file = coming.join(REPLACES);
        let kept = fs::read_to_string(&file).map_err(EngineError::io(&file))?;
        match contents(dir)?.first() {
            Some(old) => {
                let kept = dir.join(kept.trim());
                make_folder(&kept)?;
                move_into(&kept, old)?;
                sync_dir(&kept)?;
            }
            None => fs::rename(&coming, &come).map_err(EngineError::io(&coming))?,
        }
    } else if come.exists() {
        let replaces = come.join(REPLACES);
        match entries(&come)?.iter().find(|path| **path != replaces) {
            Some(new) => move_into(dir, new)?,
            None => fs::remove_dir_all(&come).map_err(EngineError::io(&come))?,
        }
    } else {
        return Ok(false);
    }
    sync_dir(dir)?;
    Ok(true)
}

fn move_into(folder: &Path, path: &Path) -> Result<()> {
    let name = path.file_name().unwrap_or_default();
    fs::rename(path, folder.join(name)).map_err(EngineError::io(path))
}
