//! Opens files that a configuration names.
//!
//! A pipe waits for somebody who writes, and a device may never end: whoever only looks
//! whether a file is there would wait for ever. A link to a file is a file.

use std::{
    fs::{self, File, FileType},
    io::{self, ErrorKind},
    path::Path,
};

/// What stands in the place of a regular file; `None` where one does.
#[must_use]
pub fn instead(kind: FileType) -> Option<&'static str> {
    match () {
        () if kind.is_file() => None,
        () if kind.is_dir() => Some("a folder"),
        () => Some("a pipe, a socket or a device"),
    }
}

/// Opens the regular file at `path`, or that its link leads to, for reading.
///
/// # Errors
/// When it can't be opened; of the kind `InvalidInput` when it is no regular file.
pub fn open(path: &Path) -> io::Result<File> {
    match instead(fs::metadata(path)?.file_type()) {
        Some(what) => Err(io::Error::new(ErrorKind::InvalidInput, format!("it is {what}"))),
        None => File::open(path),
    }
}

/// All bytes of the regular file at `path`.
///
/// # Errors
/// As [`open`], and when it can't be read.
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    io::Read::read_to_end(&mut open(path)?, &mut bytes)?;
    Ok(bytes)
}

/// The text of the regular file at `path`.
///
/// # Errors
/// As [`read`], and when it is no UTF-8.
pub fn text(path: &Path) -> io::Result<String> {
    io::read_to_string(open(path)?)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn only_what_ends_is_opened_and_a_link_to_it() {
        let folder = std::env::temp_dir().join(format!("planthread-files-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let (file, link, pipe) = (folder.join("a"), folder.join("link"), folder.join("pipe"));
        fs::write(&file, "secret").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let to_pipe = folder.join("to-pipe");
        std::os::unix::fs::symlink(&pipe, &to_pipe).unwrap();
        assert_eq!(
            (text(&file).unwrap(), read(&link).unwrap()),
            ("secret".into(), b"secret".into())
        );
        for other in [&pipe, &to_pipe, Path::new("/dev/zero"), &folder] {
            let error = open(other).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput, "{}", other.display());
        }
        assert_eq!(open(&folder.join("gone")).unwrap_err().kind(), ErrorKind::NotFound);
        fs::remove_dir_all(&folder).unwrap();
    }
}
