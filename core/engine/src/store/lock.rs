//! One writer per state directory: a lock that dies with its process.
//!
//! The operating system's file lock decides; the text in the file only tells
//! people who holds it. A `kill -9` frees the lock, so a stale file is taken
//! over without anybody's help.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{Read as _, Seek as _, SeekFrom, Write as _},
    path::Path,
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{private, swap::LOCK};
use crate::{EngineError, error::Result};

/// Who writes, or wrote, a state directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Process id.
    pub pid: u32,
    /// When it opened the state.
    pub started: Timestamp,
}

/// The lock itself; freed when dropped or when the process ends.
#[derive(Debug)]
pub(crate) struct WriterLock {
    file: File,
    /// The folder, locked beside the file: somebody who tidies the file away
    /// lets no second writer in. Not every system can.
    folder: Option<File>,
}

impl WriterLock {
    /// Takes the lock; also says whose stale one was taken over, if any.
    pub(crate) fn take(dir: &Path, now: Timestamp) -> Result<(Self, Option<Holder>)> {
        let path = dir.join(LOCK);
        private::file(&path).map_err(EngineError::io(&path))?;
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .open(&path)
            .map_err(EngineError::io(&path))?;
        let (locked, folder) = match lock_folder(dir) {
            Ok(folder) => (file.try_lock(), folder),
            Err(held) => (Err(held), None),
        };
        let mut text = String::new();
        // The text is only for people: unreadable text never stops anybody.
        let _ = file.read_to_string(&mut text);
        let holder: Option<Holder> = serde_json::from_str(&text).ok();
        match locked {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let unknown = || "?".to_owned();
                return Err(EngineError::WriterHeld {
                    dir: dir.to_owned(),
                    pid: holder.as_ref().map_or_else(unknown, |h| h.pid.to_string()),
                    since: holder.as_ref().map_or_else(unknown, |h| h.started.to_string()),
                });
            }
            Err(TryLockError::Error(source)) => {
                return Err(EngineError::Io { path, source });
            }
        }
        let mine = Holder { pid: std::process::id(), started: now };
        let text = serde_json::to_string(&mine).map_err(|e| EngineError::Stored(e.to_string()))?;
        let mut write = || {
            file.set_len(0)?;
            file.seek(SeekFrom::Start(0))?;
            file.write_all(text.as_bytes())?;
            file.sync_all()
        };
        write().map_err(EngineError::io(&path))?;
        Ok((Self { file, folder }, holder))
    }
}

/// Locks a folder; `None` where a folder can't be locked.
pub(crate) fn lock_folder(dir: &Path) -> std::result::Result<Option<File>, TryLockError> {
    let Ok(folder) = File::open(dir) else { return Ok(None) };
    match folder.try_lock() {
        Ok(()) => Ok(Some(folder)),
        Err(TryLockError::WouldBlock) => Err(TryLockError::WouldBlock),
        Err(TryLockError::Error(_)) => Ok(None),
    }
}

/// An orderly end empties the file, so that the next writer has nobody to
/// take over from. Both locks are given back by name: a child that was just
/// started holds what is only closed until it has begun.
impl Drop for WriterLock {
    fn drop(&mut self) {
        let _ = self.file.set_len(0);
        let _ = self.file.unlock();
        if let Some(folder) = &self.folder {
            let _ = folder.unlock();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{TempDir, now};

    #[test]
    fn a_live_holder_is_refused_with_its_pid_and_a_stale_one_is_taken_over() {
        let dir = TempDir::new("lock");
        let (held, took_over) = WriterLock::take(dir.path(), now()).unwrap();
        assert_eq!(took_over, None);
        let refused = WriterLock::take(dir.path(), now()).unwrap_err().to_string();
        assert!(refused.contains(&std::process::id().to_string()), "{refused}");
        #[cfg(unix)]
        {
            std::fs::remove_file(dir.path().join("lock")).unwrap();
            let tidied = WriterLock::take(dir.path(), now());
            assert!(matches!(tidied, Err(EngineError::WriterHeld { .. })), "{tidied:?}");
        }
        drop(held);
        // What a killed process leaves behind: its text, but no lock.
        let text = r#"{"pid":4242,"started":"2026-11-22T21:00:00Z"}"#;
        std::fs::write(dir.path().join("lock"), text).unwrap();
        let (_held, took_over) = WriterLock::take(dir.path(), now()).unwrap();
        assert_eq!(took_over.map(|holder| holder.pid), Some(4242));
    }
}
