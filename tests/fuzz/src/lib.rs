//! Every parser of bytes from outside, as a function of bytes that must not panic.
//!
//! The tests feed each of them its seeds, seeds that were changed by chance, and what
//! was once found; `cargo xtask fuzz` lets a driver look for bytes that reach more
//! code.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test may stop where its own set-up is wrong")]

pub mod answers;
pub mod chance;
pub mod folders;
pub mod records;
mod targets;
pub mod written;

use std::fmt;

/// A parser of bytes from outside.
#[derive(Clone, Copy)]
pub struct Parser {
    /// Its name on the command line.
    pub name: &'static str,
    /// Feeds it. Whatever the bytes are, it ends, and does not panic.
    pub feed: fn(&[u8]),
    /// Bytes that it understands.
    pub seeds: fn() -> Vec<Vec<u8>>,
}

impl fmt::Debug for Parser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// Every parser.
#[must_use]
pub fn parsers() -> Vec<Parser> {
    [records::PARSERS, written::PARSERS, answers::PARSERS, folders::PARSERS].concat()
}

/// The parser called `name`.
#[must_use]
pub fn parser(name: &str) -> Option<Parser> {
    parsers().into_iter().find(|parser| parser.name == name)
}

/// The bytes as text, as a file is read that must be UTF-8.
fn text(bytes: &[u8], feed: impl FnOnce(&str)) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        feed(text);
    }
}

/// Several seeds.
fn seeds(texts: &[&str]) -> Vec<Vec<u8>> {
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}
