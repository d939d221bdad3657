//! Rights of what a state consists of: only its owner reads it.
//!
//! SQLite gives its `-wal` and `-shm` files the rights of the database.

use std::{
    fs::{DirBuilder, OpenOptions},
    io,
    path::Path,
};

/// Makes the folder, with those above it, for its owner alone. A folder that is
/// there keeps its rights: somebody else may look for packs in it.
pub(super) fn folder(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Makes the file, empty, for its owner alone; one that is there is only given
/// these rights. It is never opened: closing it would free SQLite's locks.
pub(super) fn file(path: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
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

    let mode = metadata(path)?.permissions().mode();
    if mode & 0o077 == 0 {
        return Ok(());
    }
    match set_permissions(path, Permissions::from_mode(mode & 0o700)) {
        // Only its owner can; whoever writes somebody else's file may go on.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
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
}
