//! A folder of a rehearsal, gone at its end.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

use crate::failure::Failure;

static FOLDERS: AtomicU64 = AtomicU64::new(0);

/// A temporary folder.
#[derive(Debug)]
pub(super) struct Folder(pub(super) PathBuf);

impl Folder {
    /// A new one.
    pub(super) fn new() -> Result<Self, Failure> {
        let number = FOLDERS.fetch_add(1, Ordering::Relaxed);
        let name = format!("planthread-drill-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        // Of a process that had the same number, and was killed.
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).map_err(|error| Failure::io("make the folder", &path, &error))?;
        Ok(Self(path))
    }

    /// Writes a file in it.
    pub(super) fn put(&self, name: &str, text: &str) -> Result<PathBuf, Failure> {
        let path = self.0.join(name);
        let folder = path.parent().unwrap_or(&self.0);
        fs::create_dir_all(folder)
            .and_then(|()| fs::write(&path, text))
            .map_err(|error| Failure::io("write", &path, &error))?;
        Ok(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A leftover in the system's temporary folder harms nobody.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Makes `to` what the folder `from` is.
pub(super) fn copy(from: &Path, to: &Path) -> Result<(), Failure> {
    let io = |error| Failure::io("copy", from, &error);
    let _ = fs::remove_dir_all(to);
    fs::create_dir_all(to).map_err(io)?;
    for entry in fs::read_dir(from).map_err(io)? {
        let path = entry.map_err(io)?.path();
        let Some(name) = path.file_name() else { continue };
        if path.is_dir() {
            copy(&path, &to.join(name))?;
        } else {
            fs::copy(&path, to.join(name)).map_err(io)?;
        }
    }
    Ok(())
}
