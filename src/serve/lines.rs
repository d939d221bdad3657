//! Records that stand one a line, with the number of the line.

use std::io::{self, BufRead, BufReader, Read};

use memchr::memchr;
use planthread_contracts::{Origin, RejectedRecord};
use sha2::{Digest as _, Sha256};

use super::files::{hash, hex};

/// Longest record that is taken, in bytes; more is refused instead of filling
/// the memory.
pub const RECORD_BYTES_MAX: usize = 1 << 20;

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Its number, from 1.
    pub number: u64,
    /// Its bytes, without the line end.
    pub bytes: Result<Vec<u8>, TooLong>,
    /// Whether its newline was there; only the last line may lack it.
    pub ended: bool,
}

/// A record that is longer than [`RECORD_BYTES_MAX`]: what is left to tell it from
/// another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TooLong {
    bytes: u64,
    sha256: String,
}

impl TooLong {
    fn of(bytes: u64, hash: Sha256) -> Self {
        Self { bytes, sha256: hex(hash) }
    }

    /// The refusal of such a record.
    #[must_use]
    pub fn refused(&self, origin: Origin) -> Box<RejectedRecord> {
        let Self { bytes, sha256 } = self;
        Box::new(RejectedRecord {
            origin,
            field: String::new(),
            reason: format!(
                "the record is longer than {RECORD_BYTES_MAX} bytes: it has {bytes} (SHA-256 {:.16})",
                sha256
            ),
            cure: "send smaller records; a quote or a line end may be missing".to_owned(),
            body: Vec::new(),
        })
    }
}

/// `body`, unless it is too long for a record.
///
/// # Errors
/// What is to be said of it then.
pub fn not_too_long(body: &[u8]) -> Result<(), TooLong> {
    let bytes = body.len() as u64;
    let short = body.len() <= RECORD_BYTES_MAX;
    if short { Ok(()) } else { Err(TooLong::of(bytes, Sha256::new_with_prefix(body))) }
}

impl Line {
    /// Whether its bytes have this digest.
    pub(super) fn is(&self, sha256: &str) -> bool {
        self.bytes.as_ref().is_ok_and(|bytes| hash(bytes) == sha256)
    }
}

/// Reads line by line. Empty lines are counted and left out.
#[derive(Debug)]
pub struct Lines<R> {
    input: R,
    number: u64,
    exact: bool,
}

impl<R: BufRead> Lines<R> {
    /// Reads `input` from its first line.
    pub const fn new(input: R) -> Self {
        Self { input, number: 0, exact: false }
    }

    /// Reads rows from `input`, which stands behind so many lines; a space may
    /// be a value, so that only line ends are cut off.
    pub const fn rows(input: R, behind: u64) -> Self {
        Self { input, number: behind, exact: true }
    }

    fn read(&mut self) -> io::Result<Option<Line>> {
        loop {
            let (mut bytes, mut some, mut ended) = (Vec::new(), false, false);
            let mut long: Option<(u64, Sha256)> = None;
            loop {
                let buffer = self.input.fill_buf()?;
                if buffer.is_empty() {
                    break;
                }
                some = true;
                let end = memchr(b'\n', buffer);
                let part = &buffer[..end.unwrap_or(buffer.len())];
                if long.is_none() && bytes.len() + part.len() > RECORD_BYTES_MAX {
                    long = Some((bytes.len() as u64, Sha256::new_with_prefix(&bytes)));
                }
                match &mut long {
                    Some((length, hash)) => {
                        *length += part.len() as u64;
                        hash.update(part);
                    }
                    None => bytes.extend_from_slice(part),
                }
                let used = end.map_or(buffer.len(), |at| at + 1);
                self.input.consume(used);
                if end.is_some() {
                    ended = true;
                    break;
                }
            }
            if !some {
                return Ok(None);
            }
            self.number += 1;
            let line = if self.exact { without_ends(&bytes) } else { bytes.trim_ascii_end() };
            let bytes = match long {
                Some((length, hash)) => Err(TooLong::of(length, hash)),
                None if line.is_empty() => continue,
                None => Ok(line.to_vec()),
            };
            return Ok(Some(Line { number: self.number, bytes, ended }));
        }
    }
}

/// `line` without the carriage returns around it.
pub(super) fn without_ends(line: &[u8]) -> &[u8] {
    let start = line.iter().take_while(|byte| **byte == b'\r').count();
    let end = line.iter().rposition(|byte| *byte != b'\r').map_or(start, |last| last + 1);
    &line[start..end]
}

impl<R: Read> Lines<BufReader<R>> {
    /// Whether nothing more is there right now: the next line may take a while.
    pub fn idle(&self) -> bool {
        self.input.buffer().is_empty()
    }
}

impl<R: BufRead> Iterator for Lines<R> {
    type Item = io::Result<Line>;

    fn next(&mut self) -> Option<Self::Item> {
        self.read().transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &[u8]) -> Vec<(u64, Option<String>)> {
        let text_of = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Lines::new(text)
            .map(Result::unwrap)
            .map(|line| (line.number, line.bytes.ok().map(text_of)))
            .collect()
    }

    #[test]
    fn numbers_count_empty_lines_and_the_last_needs_no_end() {
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(all(b"one\r\n\n  \ntwo"), [(1, some("one")), (4, some("two"))]);
        assert!(all(b"").is_empty());
    }

    #[test]
    fn an_endless_line_does_not_fill_the_memory() {
        let mut text = vec![b'x'; RECORD_BYTES_MAX + 10];
        text.extend_from_slice(b"\nnext\n");
        assert_eq!(all(&text), [(1, None), (2, Some("next".to_owned()))]);
    }

    #[test]
    fn two_long_lines_are_told_apart() {
        let refused = |last: &[u8]| {
            let mut text = vec![b'x'; RECORD_BYTES_MAX * 2];
            text.extend_from_slice(last);
            let long = Lines::new(&text[..]).next().unwrap().unwrap().bytes.unwrap_err();
            assert_eq!(long, not_too_long(&text).unwrap_err(), "however it was read");
            long.refused(Origin { place: "f".into(), line: 1 })
        };
        assert_eq!(refused(b"a"), refused(b"a"));
        assert_ne!(refused(b"a").reason, refused(b"b").reason);
        assert!(refused(b"a").reason.contains("it has 2097153"), "{}", refused(b"a").reason);
    }
}
