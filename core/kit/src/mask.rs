//! Secrets by value: in whatever form one comes back, it shows as `***`.
//!
//! Vendors, proxies and libraries repeat what they were sent: in error texts,
//! pages, labels, links. So every [`Secret`](crate::Secret) is known from the
//! moment it exists, and so is every credential that goes out in a header
//! (`sent`) or comes in with a session (`received`). Whatever leaves the
//! process passes through [`text`] or a [`Masked`] writer: the terminal, the
//! log, the state's texts of other people, and every [`crate::ConnectorError`].
//!
//! Looked for are the value itself, its bytes as hex or as numbers, and its
//! base64 inside any longer base64; each of them also percent-encoded,
//! backslash-escaped or with HTML references, up to three times over, in any
//! case, and broken by white space.
//!
//! A value of fewer than six characters, or one of few digits, or the
//! sandbox's published password, can't be told from ordinary words and figures:
//! it is not masked by itself (its header still is).

mod finder;
mod forms;
mod layer;

use std::{
    borrow::Cow,
    collections::VecDeque,
    io::{self, Write},
    sync::{Arc, PoisonError, RwLock},
};

use bytes::Bytes;
use http::{HeaderMap, Request, header};
use sha2::{Digest as _, Sha256};

use self::{finder::Finder, layer::Layer};

/// What stands in the place of a secret.
const HIDDEN: &[u8] = b"***";

/// Characters below which a value is not masked by itself.
pub(crate) const SHORTEST: usize = 6;

/// Digits below which a value made of digits is not masked: figures and dates
/// look like that.
const DIGITS: usize = 12;

/// The password of every sandbox, which is also the name of the program.
const PUBLISHED: &str = "planthread";

/// A cookie says many things; one that says who we are is not short.
const COOKIE: usize = 16;

/// Credentials that come and go (tokens, sessions) are remembered so long.
const PASSING: usize = 256;

/// Text is searched in pieces of this size; they overlap by [`OVERLAP`], so that
/// a form of at most that length lies in one of them.
const PIECE: usize = 64 << 10;
const OVERLAP: usize = 16 << 10;

static KNOWN: RwLock<Known> = RwLock::new(Known::NONE);

/// One value, by digest, with the forms to look for.
type Value = ([u8; 32], Vec<Vec<u8>>);

struct Known {
    resolved: Vec<Value>,
    passing: VecDeque<Value>,
    finder: Option<Arc<Finder>>,
}

impl Known {
    const NONE: Self = Self { resolved: Vec::new(), passing: VecDeque::new(), finder: None };

    fn has(&self, digest: &[u8; 32]) -> bool {
        self.resolved.iter().chain(&self.passing).any(|(known, _)| known == digest)
    }
}

/// Whether `value` can be told from ordinary text, and so be masked.
#[must_use]
pub(crate) fn can_mask(value: &str) -> bool {
    let digits = value.chars().all(|c| c.is_ascii_digit());
    value.chars().count() >= if digits { DIGITS } else { SHORTEST }
        && !value.eq_ignore_ascii_case(PUBLISHED)
}

/// Takes a resolved secret into what is masked, until the process ends.
pub(crate) fn know(value: &str) {
    learn(value, true);
}

/// Takes the credentials of a request into what is masked: every header that is
/// marked as sensitive.
pub(crate) fn sent(request: &Request<Bytes>) {
    for (name, value) in request.headers() {
        let known = value.is_sensitive() || *name == header::AUTHORIZATION;
        let Ok(text) = value.to_str() else { continue };
        match *name {
            _ if !known => {}
            header::COOKIE => text.split(';').for_each(cookie),
            // Scheme and credential.
            _ => learn(text.split_once(' ').map_or(text, |(_, credential)| credential), false),
        }
    }
}

/// Takes the sessions that an answer opens into what is masked.
pub(crate) fn received(headers: &HeaderMap) {
    for line in headers.get_all(header::SET_COOKIE) {
        line.to_str().unwrap_or_default().split(';').take(1).for_each(cookie);
    }
}

fn cookie(pair: &str) {
    if let Some((_, value)) = pair.split_once('=').filter(|(_, value)| value.len() >= COOKIE) {
        learn(value.trim(), false);
    }
}

fn learn(value: &str, for_good: bool) {
    let digest: [u8; 32] = Sha256::digest(value).into();
    let known = || KNOWN.read().unwrap_or_else(PoisonError::into_inner);
    if !can_mask(value) || known().has(&digest) {
        return;
    }
    let value = (digest, forms::forms(value));
    let mut known = KNOWN.write().unwrap_or_else(PoisonError::into_inner);
    if for_good {
        known.resolved.push(value);
    } else {
        known.passing.push_back(value);
        if known.passing.len() > PASSING {
            known.passing.pop_front();
        }
    }
    let all = known.resolved.iter().chain(&known.passing).flat_map(|(_, forms)| forms);
    known.finder = Some(Arc::new(Finder::new(all)));
}

/// `text` without any known secret.
#[must_use]
pub fn text(text: &str) -> Cow<'_, str> {
    match bytes(text.as_bytes()) {
        Cow::Borrowed(_) => Cow::Borrowed(text),
        Cow::Owned(masked) => Cow::Owned(String::from_utf8_lossy(&masked).into_owned()),
    }
}

/// `bytes` without any known secret.
#[must_use]
pub fn bytes(bytes: &[u8]) -> Cow<'_, [u8]> {
    let finder = KNOWN.read().unwrap_or_else(PoisonError::into_inner).finder.clone();
    match finder {
        Some(finder) => masked(bytes, &finder),
        None => Cow::Borrowed(bytes),
    }
}

fn masked<'a>(bytes: &'a [u8], finder: &Finder) -> Cow<'a, [u8]> {
    let mut found = Vec::new();
    let mut from = 0;
    loop {
        let to = bytes.len().min(from + PIECE);
        Layer::of(&bytes[from..to]).search(finder, &mut |start, end| {
            found.push((from + start, from + end));
        });
        if to == bytes.len() {
            break;
        }
        from = to - OVERLAP;
    }
    if found.is_empty() {
        return Cow::Borrowed(bytes);
    }
    found.sort_unstable();
    let mut out = Vec::with_capacity(bytes.len());
    let mut done = 0;
    for (start, end) in found {
        if start >= done {
            out.extend_from_slice(&bytes[done..start]);
            let slashes = out.iter().rev().take_while(|byte| **byte == b'\\').count();
            if slashes % 2 == 1 {
                // Half of an escape would stay behind.
                out.pop();
            }
            out.extend_from_slice(HIDDEN);
        }
        done = done.max(end);
    }
    out.extend_from_slice(&bytes[done..]);
    Cow::Owned(out)
}

/// A writer that masks each piece of text that is handed to it as a whole: a
/// line, a document.
#[derive(Debug)]
pub struct Masked<W>(pub W);

impl<W: Write> Write for Masked<W> {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        self.0.write_all(&bytes(text))?;
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests;
