//! Restore: a backup becomes the state.
//!
//! It is copied and checked aside, brought to this program's schema, and begins
//! anew there: what it had seen has expired, and it is another writer. Then it
//! is swapped in. Killed at any point, the state before is in force, or all of
//! this one.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
};

use jiff::Timestamp;

use super::{
    make::clear,
    manifest::{self, BackupManifest},
};
use crate::{
    EngineError, State,
    audit_trail::{self, Act},
    continuity,
    error::Result,
    store::{WriterLock, make_folder, new_file, swap, sync_dir},
};

/// Who puts what where, and why.
#[derive(Debug, Clone, Copy)]
pub struct RestoreRequest<'a> {
    /// The folder of the backup.
    pub from: &'a Path,
    /// The state directory.
    pub state: &'a Path,
    /// Whether a state that is there is kept aside for it.
    pub replace: bool,
    /// Who answers for it.
    pub who: &'a str,
    /// Why.
    pub why: &'a str,
    /// The account of the operating system, for the audit trail.
    pub account: &'a str,
    /// Makes the new identity.
    pub random: u64,
}

/// What was put back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// What the backup says of itself.
    pub backup: BackupManifest,
    /// Where the state before is now; `None` where there was none.
    pub kept: Option<PathBuf>,
    /// Values that it had seen, and does not believe any more.
    pub expired: u64,
    /// Pushes that were open in it: their end is unclear, and is read back.
    pub unclear: u64,
    /// The number of the new writer.
    pub identity: u32,
}

/// Makes the backup in `request.from` the state.
///
/// # Errors
/// When the backup is not whole or of a newer program, somebody writes the state, it
/// holds something and may not be replaced, or the disk refuses. Then nothing has
/// changed.
pub fn restore(request: &RestoreRequest<'_>, now: Timestamp) -> Result<Restored> {
    // Before a folder is made for it.
    BackupManifest::read(request.from)?;
    make_folder(request.state)?;
    let (_lock, _) = WriterLock::take(request.state, now)?;
    swap::finish(request.state)?;
    let restored = decide(request, now)?;
    swap::finish(request.state)?;
    Ok(restored)
}

/// Makes the other state ready: what is left are renames.
pub(super) fn decide(request: &RestoreRequest<'_>, now: Timestamp) -> Result<Restored> {
    let RestoreRequest { from, state, replace, .. } = *request;
    let backup = BackupManifest::read(from)?;
    let holds_something = !swap::contents(state)?.is_empty();
    if holds_something && !replace {
        return Err(EngineError::Refused(format!(
            "{} holds a state; with --replace it is kept aside, and the backup takes its place",
            state.display()
        )));
    }
    let part = state.join(swap::MAKING);
    make_folder(&part)?;
    let made = clear(&part).and_then(|()| prepare(request, &backup, &part, now));
    let (begun, identity) = match made {
        Ok(made) => made,
        Err(error) => {
            let _ = fs::remove_dir_all(&part);
            return Err(error);
        }
    };
    let kept = free_name(state, now);
    name_what_goes(&part, &kept)?;
    fs::rename(&part, state.join(swap::COMING)).map_err(EngineError::io(&part))?;
    sync_dir(state)?;
    let kept = holds_something.then(|| state.join(kept));
    Ok(Restored { backup, kept, expired: begun.expired, unclear: begun.unclear, identity })
}

/// Copies the backup, checks it, and lets it begin anew.
fn prepare(
    request: &RestoreRequest<'_>,
    backup: &BackupManifest,
    part: &Path,
    now: Timestamp,
) -> Result<(continuity::Begun, u32)> {
    for file in &backup.files {
        let (source, to) = (file.below(request.from), file.below(part));
        make_folder(to.parent().unwrap_or(part))?;
        if !source.is_file() {
            let reason = "it is missing".to_owned();
            return Err(EngineError::Backup { file: source, reason });
        }
        let copied = manifest::copy(&source, &to, file.name.clone())?;
        if copied != *file {
            let reason = format!(
                "its digest differs: it holds {} bytes with SHA-256 {}, the backup says {} with {}",
                copied.bytes, copied.sha256, file.bytes, file.sha256
            );
            return Err(EngineError::Backup { file: source, reason });
        }
    }
    let text = format!(
        "the state was put back from the backup of {} by {}: {}; what it had seen is read anew, \
         and another one that still runs must be stopped",
        backup.made_at, request.who, request.why
    );
    // A schema that is older is brought up here, before anything is replaced.
    let state = State::open(part, now)?;
    let random = request.random;
    keep_decisions(request.state, part)?;
    carry_trail_on(request, backup, part, now)?;
    let begun = continuity::anew(&state, text, random, now)?;
    let identity = state.identity(random)?;
    drop(state);
    let lock = part.join(swap::LOCK);
    fs::remove_file(&lock).map_err(EngineError::io(&lock))?;
    Ok((begun, identity))
}

/// What people have decided is what stands here, not what stood in the backup: who paused
/// a target since did not take that back, and a promotion that was removed stays removed.
/// Such records are `ROOM/TARGET/TIME.json`, written once.
fn keep_decisions(state: &Path, part: &Path) -> Result<()> {
    for room in swap::contents(state)?.into_iter().filter(|path| path.is_dir()) {
        for target in folders(&room)? {
            let Ok(inside) = target.strip_prefix(state) else { continue };
            let to = part.join(inside);
            make_folder(&to)?;
            for record in records(&to)? {
                fs::remove_file(&record).map_err(EngineError::io(&record))?;
            }
            for record in records(&target)? {
                let Some(name) = record.file_name() else { continue };
                manifest::copy(&record, &to.join(name), String::new())?;
            }
            sync_dir(&to)?;
        }
    }
    Ok(())
}

fn records(dir: &Path) -> Result<Vec<PathBuf>> {
    let is_record =
        |path: &PathBuf| path.is_file() && path.extension().is_some_and(|kind| kind == "json");
    Ok(entries(dir)?.into_iter().filter(is_record).collect())
}

fn folders(dir: &Path) -> Result<Vec<PathBuf>> {
    Ok(entries(dir)?.into_iter().filter(|path| path.is_dir()).collect())
}

fn entries(dir: &Path) -> Result<Vec<PathBuf>> {
    let read = fs::read_dir(dir).map_err(EngineError::io(dir))?;
    read.map(|entry| Ok(entry.map_err(EngineError::io(dir))?.path())).collect()
}

/// The trail of the state directory goes on, else the one of the backup: an entry whose
/// digest somebody wrote down must not go missing. It says first what is done.
fn carry_trail_on(
    request: &RestoreRequest<'_>,
    backup: &BackupManifest,
    part: &Path,
    now: Timestamp,
) -> Result<()> {
    let (ours, theirs) = (audit_trail::file(request.state), audit_trail::file(part));
    if theirs.exists() {
        // A trail that only begins here, on a new machine, does not hold what theirs holds:
        // somebody may have kept a head of it.
        let to = match audit_trail::head(part)? {
            _ if !ours.exists() => Some(ours),
            Some(head) if !audit_trail::holds(request.state, &head.digest)? => {
                let stamp = backup.made_at.strftime("%Y%m%dT%H%M%SZ");
                Some(request.state.join(format!("audit-{stamp}.ndjson")))
            }
            _ => None,
        };
        let done = match to {
            Some(to) => fs::rename(&theirs, to),
            None => fs::remove_file(&theirs),
        };
        done.map_err(EngineError::io(&theirs))?;
    }
    let about = [
        ("from", request.from.display().to_string()),
        ("of", backup.made_at.to_string()),
        ("why", request.why.to_owned()),
    ];
    let act = Act {
        at: now,
        who: request.who.to_owned(),
        account: request.account.to_owned(),
        act: "restore".to_owned(),
        about: about.into_iter().map(|(word, text)| (word.to_owned(), text)).collect(),
    };
    audit_trail::append(request.state, act)?;
    Ok(())
}

/// A name in `state` that nothing has yet.
fn free_name(state: &Path, now: Timestamp) -> String {
    let stamp = now.strftime("%Y%m%dT%H%M%SZ");
    let names = (0_u32..).map(|more| match more {
        0 => format!("{}{stamp}", swap::KEPT),
        more => format!("{}{stamp}-{more}", swap::KEPT),
    });
    names.into_iter().find(|name| !state.join(name).exists()).unwrap_or_default()
}

fn name_what_goes(part: &Path, kept: &str) -> Result<()> {
    let path = part.join(swap::REPLACES);
    let write = || {
        let mut file = new_file(&path)?;
        file.write_all(kept.as_bytes())?;
        file.sync_all()
    };
    write().map_err(EngineError::io(&path))?;
    sync_dir(part)
}
