//! Rights of what a state consists of: only its owner reads it.
//!
//! SQLite gives its `-wal` and `-shm` files the rights of the database.

use std::{
    fs::{DirBuilder, File, OpenOptions},
    io,
    path::Path,
};

use crate::{EngineError, error::Result};

/// Makes a folder, with those above it, for its owner alone, and durably: it is a
/// line of the one above it. A folder that is there keeps its rights: somebody
/// else may look for packs in it.
///
/// # Errors
/// When one of them can't be made.
pub fn make_folder(path: &Path) -> Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let above = match path.parent() {
        Some(above) if above.as_os_str().is_empty() => Path::new("."),
        Some(above) => above,
        None => return Ok(()),
    };
    make_folder(above)?;
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    match builder.create(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        made => made.map_err(EngineError::io(path))?,
    }
    sync_dir(above)
}

/// Makes what changed in `dir` durable, where the system can sync a folder.
pub(crate) fn sync_dir(dir: &Path) -> Result<()> {
    #[cfg(unix)]
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(EngineError::io(dir))?;
    #[cfg(not(unix))]
    let _ = dir;
    Ok(())
}

/// Makes a file that is not there yet, for its owner alone.
pub(crate) fn new_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Makes the file, empty, for its owner alone; one that is there is only given
/// these rights. It is never opened: closing it would free SQLite's locks.
pub(super) fn file(path: &Path) -> io::Result<()> {
    match new_file(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => restrict(path),
        made => made.map(drop),
    }
}

/// Takes the rights of others from a file that an older program made.
#[cfg(unix)]
pub(super) fn restrict(path: &Path) -> io::Result<()> {
    use std::{
        fs::{Permissions, metadata, set_permissions},
        os::unix::fs::PermissionsExt as _,
    };

    let restrict = || {
        let mode = metadata(path)?.permissions().mode();
        let open = mode & 0o077 != 0;
        if open { set_permissions(path, Permissions::from_mode(mode & 0o700)) } else { Ok(()) }
    };
    match restrict() {
        // Only its owner can, and whoever writes somebody else's file may go on.
        // SQLite takes its files away when the last one leaves: nobody reads them.
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::PermissionDenied | io::ErrorKind::NotFound
            ) =>
        {
            Ok(())
        }
        done => done,
    }
}

/// Elsewhere a file has the rights of its folder.
#[cfg(not(unix))]
pub(super) fn restrict(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _};

    use crate::{
        State,
        testing::{TempDir, now},
    };

    /// The rights of everything in `dir`, by name.
    fn rights(dir: &std::path::Path) -> Vec<(String, u32)> {
        let entries = fs::read_dir(dir).unwrap().map(Result::unwrap);
        let right = |entry: fs::DirEntry| {
            let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
            (entry.file_name().to_string_lossy().into_owned(), mode)
        };
        entries.map(right).collect()
    }

    #[test]
    fn nobody_else_reads_a_state_whoever_made_it() {
        let above = TempDir::new("private");
        let dir = above.path().join("a/state");
        let state = State::open(&dir, now()).unwrap();
        state.change(|tx| tx.put_checkpoint("s", "1")).unwrap();
        let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode(&dir) & 0o777, 0o700);
        let names = rights(&dir);
        assert!(names.iter().any(|(name, _)| name == "state.db-wal"), "{names:?}");
        assert!(names.iter().all(|(_, mode)| *mode == 0o600), "{names:?}");
        drop(state);
        // An older program left it open to everybody.
        for (name, _) in rights(&dir) {
            fs::set_permissions(dir.join(name), fs::Permissions::from_mode(0o644)).unwrap();
        }
        let _state = State::open(&dir, now()).unwrap();
        assert!(rights(&dir).iter().all(|(_, mode)| *mode == 0o600), "{:?}", rights(&dir));
    }

    #[test]
    fn a_file_that_vanished_has_no_rights_to_take() {
        let dir = TempDir::new("vanished");
        super::restrict(&dir.path().join("state.db-wal")).unwrap();
    }
}
