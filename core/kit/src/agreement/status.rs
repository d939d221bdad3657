//! How far an agreement has come, for people and for whoever asks before a write.

use std::{fmt, path::PathBuf};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::evidence::Evidence;

/// The states, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// There is none: dry run and pack.
    Unverified,
    /// Signed by a trusted key, in time, and its exchanges replay: it can be
    /// probed.
    Contracted,
    /// A probe landed and was read back: a person may enable it.
    Probed,
    /// It may be written.
    Enabled,
    /// It was there, and no longer holds.
    Suspended,
}

impl State {
    /// Its word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Unverified => "unverified",
            Self::Contracted => "contracted",
            Self::Probed => "probed",
            Self::Enabled => "enabled",
            Self::Suspended => "suspended",
        }
    }
}

/// Under which agreement a target is written, and what is missing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct AgreementStatus {
    /// How far it is.
    pub state: State,
    /// Its name and the beginning of its fingerprint.
    pub agreement: Option<String>,
    /// What it was verified against.
    pub reference: Option<String>,
    /// Until when it holds.
    pub expires: Option<Timestamp>,
    /// Why nothing more is allowed; empty when it is enabled.
    pub missing: String,
    /// What to do about it; empty when it is enabled.
    pub cure: String,
    /// Whether a person's probe of one cell group is under way.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub probing: bool,
    /// Where its evidence is kept; `None` where it does not hold by itself.
    #[serde(skip)]
    pub evidence: Option<Kept>,
}

/// Where the evidence of an agreement is kept, and of what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// The file.
    pub file: PathBuf,
    /// Fingerprint of the agreement.
    pub agreement: String,
    /// The host.
    pub host: String,
}

impl Kept {
    /// What is kept as of now.
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn read(&self) -> Result<Evidence, String> {
        Evidence::read(&self.file, &self.agreement, &self.host)
    }
}

impl AgreementStatus {
    /// Whether the target may be written.
    #[must_use]
    pub fn may_write(&self) -> bool {
        self.state == State::Enabled
    }
}

impl fmt::Display for AgreementStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.state.word())?;
        if let Some(agreement) = &self.agreement {
            write!(f, ", agreement {agreement}")?;
        }
        if let Some(expires) = self.expires {
            write!(f, " until {}", expires.strftime("%Y-%m-%d"))?;
        }
        if !self.missing.is_empty() {
            write!(f, ": {}", self.missing)?;
        }
        Ok(())
    }
}
