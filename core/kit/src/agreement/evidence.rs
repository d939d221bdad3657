//! Evidence beside an agreement: who probed it, and who enabled it after that.
//!
//! It stands in a file next to the agreement's, names the agreement by its
//! fingerprint and the host, and says nothing about another one.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Who did something, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Act {
    /// The person.
    pub who: String,
    /// When.
    pub at: Timestamp,
}

/// A person lets one cell group be written, to see what the target does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Probing {
    /// The person.
    pub who: String,
    /// Until when.
    pub until: Timestamp,
}

/// A read-back contradicted what was agreed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contradicted {
    /// What stood there instead.
    pub why: String,
    /// When it was read.
    pub at: Timestamp,
}

/// What is known of an agreement besides its own words.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// Fingerprint of the agreement.
    pub agreement: String,
    /// The host that was probed.
    pub host: String,
    /// A probe that is under way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probing: Option<Probing>,
    /// The probe whose cells were read back as written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probed: Option<Act>,
    /// The cells that it wrote.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cells: Vec<String>,
    /// Who let it be written after that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<Act>,
    /// Why it no longer holds, until a probe proves that it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contradicted: Option<Contradicted>,
}

impl Evidence {
    /// Whether a probe is under way as of `now`.
    #[must_use]
    pub fn is_probed_at(&self, now: Timestamp) -> bool {
        self.probing.as_ref().is_some_and(|probe| now < probe.until)
    }

    /// Its file, beside the agreement's: `NAME.evidence.json`.
    #[must_use]
    pub fn file(agreement: &Path) -> PathBuf {
        agreement.with_extension("evidence.json")
    }

    /// What the file says of this agreement at this host; nothing where there is
    /// none, or where it speaks of another.
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn read(file: &Path, agreement: &str, host: &str) -> Result<Self, String> {
        let fresh =
            || Self { agreement: agreement.to_owned(), host: host.to_owned(), ..Self::default() };
        let text = match fs::read_to_string(file) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(fresh()),
            Err(error) => return Err(format!("{}: {error}", file.display())),
        };
        let found: Self =
            serde_json::from_str(&text).map_err(|error| format!("{}: {error}", file.display()))?;
        let same = found.agreement == agreement && found.host == host;
        Ok(if same { found } else { fresh() })
    }

    /// Writes the file, whole or not at all.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn keep(&self, file: &Path) -> Result<(), String> {
        let fault = |error: &dyn std::fmt::Display| format!("{}: {error}", file.display());
        let text = serde_json::to_string_pretty(self).map_err(|error| fault(&error))?;
        let part = file.with_extension("part");
        fs::write(&part, text + "\n").map_err(|error| fault(&error))?;
        fs::rename(&part, file).map_err(|error| fault(&error))
    }
}
