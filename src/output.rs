//! Files that a person names for an answer: what somebody else wrote is never
//! overwritten.

use std::{
    fs::{self, File},
    io::{ErrorKind, Read as _},
    path::Path,
};

use crate::failure::Failure;

/// Bytes that tell whether a file is one of ours.
const FIRST: u64 = 64 << 10;

/// Lets `path` be written when nothing is there, nothing is in it, it is no
/// regular file (`/dev/stdout`), or its first bytes are what the same verb
/// writes.
///
/// # Errors
/// When it holds something else, or can't be read.
pub fn only_over_ours(path: &Path, ours: impl FnOnce(&[u8]) -> bool) -> Result<(), Failure> {
    let io = |error| Failure::io("read", path, &error);
    match fs::metadata(path) {
        Ok(of) if !of.is_file() || of.len() == 0 => return Ok(()),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        of => of.map_err(io)?,
    };
    let mut first = Vec::new();
    File::open(path).and_then(|file| file.take(FIRST).read_to_end(&mut first)).map_err(io)?;
    if ours(&first) {
        return Ok(());
    }
    Err(Failure::usage(format!("{} is there, and this verb did not write it", path.display()))
        .cure("name another file, or move that one away"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_verb_wrote_is_overwritten() {
        let path = std::env::temp_dir().join(format!("planthread-output-{}", std::process::id()));
        let _ = fs::remove_file(&path);
        let ours = |first: &[u8]| first.starts_with(b"{\"planthread_plan\":");
        assert!(only_over_ours(&path, ours).is_ok(), "nothing is there");
        for (text, may) in [
            ("", true),
            ("{\"planthread_plan\":1}\n", true),
            ("plant:\n  id: p\n", false),
            ("{}", false),
        ] {
            fs::write(&path, text).unwrap();
            let answer = only_over_ours(&path, ours);
            assert_eq!(answer.is_ok(), may, "{text}");
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
            if let Err(refused) = answer {
                assert!(refused.to_string().contains("name another file"), "{refused}");
            }
        }
        fs::remove_file(&path).unwrap();
        assert!(only_over_ours(Path::new("/dev/null"), |_| false).is_ok());
    }
}
