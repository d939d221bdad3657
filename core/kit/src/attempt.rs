//! Attempts: one try to push one batch, durable before it starts.

use std::{collections::BTreeMap, fmt, sync::Arc, time::Duration};

use jiff::Timestamp;
use planthread_contracts::Receipt;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::{Class, Clock, ConnectorError, Poll};

/// 32 hex digits, made by the engine and committed before `submit`.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, JsonSchema, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct AttemptId(String);

impl AttemptId {
    /// Draws a new id from the clock's randomness.
    #[must_use]
    pub fn draw(clock: &dyn Clock) -> Self {
        Self(format!("{:016x}{:016x}", clock.random(), clock.random()))
    }

    /// Reads an id back from the ledger; `None` unless it is 32 hex digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        (text.len() == 32 && text.bytes().all(hex)).then(|| Self(text.to_owned()))
    }

    /// The digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AttemptId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a note could not be made durable.
pub type NoteError = Box<dyn std::error::Error + Send + Sync>;

/// Where an attempt's notes are kept. Durable when it returns.
pub trait NoteSink: Send + Sync + fmt::Debug {
    /// Keeps `key = value` for the attempt, replacing an older value.
    ///
    /// # Errors
    /// When the note could not be made durable, with the reason.
    fn note(&self, attempt: &AttemptId, key: &str, value: &str) -> Result<(), NoteError>;
}

/// One open attempt, as a connector sees it.
#[derive(Debug, Clone)]
pub struct Attempt {
    id: AttemptId,
    sink: Arc<dyn NoteSink>,
}

impl Attempt {
    /// An attempt whose notes go to `sink`. The caller has committed `id`.
    #[must_use]
    pub const fn new(id: AttemptId, sink: Arc<dyn NoteSink>) -> Self {
        Self { id, sink }
    }

    /// The id.
    #[must_use]
    pub const fn id(&self) -> &AttemptId {
        &self.id
    }

    /// Durably records a vendor handle (transaction, upload, job) before the
    /// next request.
    ///
    /// # Errors
    /// `Fatal` when the note can't be kept: without it nothing may be sent.
    pub fn note(&self, key: &str, value: &str) -> Result<(), ConnectorError> {
        self.sink.note(&self.id, key, value).map_err(|error| {
            ConnectorError::new(Class::Fatal, "note attempt", error.to_string()).caused_by(error)
        })
    }

    /// Durably records how the batch was encoded, before its first row goes
    /// out: where [`AttemptRecord::encoded_as`] finds another digest later, a
    /// row's position says nothing about its cell.
    ///
    /// # Errors
    /// `Fatal` when the note can't be kept.
    pub fn note_encoding(&self, digest: &EncodingDigest) -> Result<(), ConnectorError> {
        self.note(ENCODING, digest.as_str())
    }

    /// Durably records, before a write, until when it may take effect: where no
    /// endpoint tells what became of it, a read-back does, once that time has passed.
    ///
    /// # Errors
    /// `Fatal` when the note can't be kept.
    pub fn note_effect_until(&self, until: Timestamp) -> Result<(), ConnectorError> {
        self.note(EFFECT, &until.to_string())
    }

    /// Makes write `nth` of a push, from 0, which may take effect until `settle` from
    /// `now`: a note says so before.
    ///
    /// # Errors
    /// Those of `write`, as [`ConnectorError::of_write`] has them; where the note can't
    /// be kept, nothing is written.
    pub async fn write<T>(
        &self,
        nth: usize,
        (now, settle): (Timestamp, Duration),
        write: impl Future<Output = Result<T, ConnectorError>>,
    ) -> Result<T, ConnectorError> {
        let until = now.saturating_add(settle).unwrap_or(Timestamp::MAX);
        let done = match self.note_effect_until(until) {
            Ok(()) => write.await,
            Err(error) => Err(error.took_nothing()),
        };
        done.map_err(|error| error.of_write(nth))
    }

    /// A receipt of ours, where the target hands out none: its handle is the attempt.
    #[must_use]
    pub fn receipt(&self, verdict: impl Into<String>, at: Timestamp) -> Receipt {
        Receipt { handle: self.id.to_string(), verdict: verdict.into(), at }
    }
}

/// Key of the note that says until when the last write may take effect.
const EFFECT: &str = "may_take_effect_until";
/// Key of the note that holds the digest of the encoding.
const ENCODING: &str = "encoding";

/// A digest of the rows of a batch as they go out: what the target is told,
/// in which order, and which cells each row came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncodingDigest(String);

impl EncodingDigest {
    /// The digest of `parts`, told apart from each other by their length.
    pub fn of<P: AsRef<[u8]>>(parts: impl IntoIterator<Item = P>) -> Self {
        let mut hash = Sha256::new();
        for part in parts {
            let part = part.as_ref();
            hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_le_bytes());
            hash.update(part);
        }
        Self(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// 64 hex digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// An attempt read back from where attempts are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptRecord {
    /// The id.
    pub id: AttemptId,
    /// Its notes.
    pub notes: BTreeMap<String, String>,
}

impl AttemptRecord {
    /// Whether a write that can take effect was noted.
    #[must_use]
    pub fn may_have_written(&self) -> bool {
        self.notes.contains_key(EFFECT)
    }

    /// What became of it as of `now`, where nobody can tell: a read-back decides, once
    /// what was noted last can't take effect any more.
    #[must_use]
    pub fn unclear(&self, now: Timestamp) -> Poll {
        let until = self.notes.get(EFFECT).and_then(|text| text.parse().ok());
        Poll::Unknown { until: until.filter(|until| *until > now).unwrap_or(now) }
    }

    /// Whether the batch was encoded with this digest when it was submitted. An
    /// attempt without a digest was not encoded in any known way.
    #[must_use]
    pub fn encoded_as(&self, digest: &EncodingDigest) -> bool {
        self.notes.get(ENCODING).map(String::as_str) == Some(digest.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_tells_apart_what_is_cut_elsewhere() {
        let of = |parts: &[&str]| EncodingDigest::of(parts);
        assert_eq!(of(&["ab", "c"]), of(&["ab", "c"]));
        assert_ne!(of(&["ab", "c"]), of(&["a", "bc"]));
        assert_ne!(of(&["ab", "c"]), of(&["c", "ab"]));
        assert_eq!(of(&[]).as_str().len(), 64);
    }

    #[test]
    fn an_attempt_knows_its_own_encoding_and_no_other() {
        let (ours, other) = (EncodingDigest::of(["a"]), EncodingDigest::of(["b"]));
        let notes = BTreeMap::from([(ENCODING.to_owned(), ours.as_str().to_owned())]);
        let id = AttemptId::parse(&"0".repeat(32)).unwrap();
        let record = AttemptRecord { id: id.clone(), notes };
        assert!(record.encoded_as(&ours) && !record.encoded_as(&other));
        assert!(!AttemptRecord { id, notes: BTreeMap::new() }.encoded_as(&ours));
    }
}
