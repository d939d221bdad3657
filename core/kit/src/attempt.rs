//! Attempts: one try to push one batch, durable before it starts.

use std::{collections::BTreeMap, fmt, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::{Class, Clock, ConnectorError};

/// 32 hex digits, made by the engine and committed before `push`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
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

/// Where an attempt's notes are kept. Durable when it returns.
pub trait NoteSink: Send + Sync + fmt::Debug {
    /// Keeps `key = value` for the attempt, replacing an older value.
    ///
    /// # Errors
    /// When the note could not be made durable, with the reason.
    fn note(&self, attempt: &AttemptId, key: &str, value: &str) -> Result<(), String>;
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
        self.sink
            .note(&self.id, key, value)
            .map_err(|reason| ConnectorError::new(Class::Fatal, "note attempt", reason))
    }
}

/// An attempt read back from the ledger, to be settled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptRecord {
    /// The id.
    pub id: AttemptId,
    /// Its notes.
    pub notes: BTreeMap<String, String>,
}
