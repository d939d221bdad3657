//! Evidence beside an agreement: who probed it, and who enabled it after that.
//!
//! It stands in a file next to the agreement's, names the agreement by its
//! fingerprint and the host, and says nothing about another one.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::files;

/// How long a look at what a target offers counts.
const LOOKED_EVERY: SignedDuration = SignedDuration::from_hours(24);

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

/// What was read, answered or found contradicts what was agreed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contradicted {
    /// What there was instead.
    pub why: String,
    /// When.
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
    /// Digest of what the target offered then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub surface: Option<String>,
    /// When somebody last looked at what it offers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub looked: Option<Timestamp>,
    /// Who let it be written after that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<Act>,
    /// The last write met what the agreement does not explain: the first time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub surprised: Option<Contradicted>,
    /// Why it no longer holds, until a probe proves that it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contradicted: Option<Contradicted>,
}

impl Evidence {
    /// Whether a probe is under way as of `now`.
    #[must_use]
    pub(crate) fn is_probed_at(&self, now: Timestamp) -> bool {
        self.probing.as_ref().is_some_and(|probe| now < probe.until)
    }

    /// A write met what the agreement does not explain: an answer of another shape, a
    /// target that is not as it was. The second one in a row contradicts it.
    pub fn surprise(&mut self, met: Contradicted) {
        match self.surprised.take() {
            None => self.surprised = Some(met),
            Some(first) => {
                let why = format!("a second write met what it does not explain: {}", met.why);
                let first = format!("{why} (on {}: {})", first.at.strftime("%Y-%m-%d"), first.why);
                self.contradicted = Some(Contradicted { why: first, ..met });
            }
        }
    }

    /// The target offers `surface`: another than when it was probed contradicts what
    /// was proven. Whether it does.
    pub fn offered(&mut self, surface: &str, at: Timestamp) -> bool {
        self.looked = Some(at);
        let other = self.surface.as_deref().is_some_and(|probed| probed != surface);
        if other && self.contradicted.is_none() {
            let why = "the target offers something else than when it was probed".to_owned();
            self.contradicted = Some(Contradicted { why, at });
        }
        other
    }

    /// Whether what the target offers is to be looked at before it is written: it was
    /// probed, and nobody looked for a day.
    #[must_use]
    pub fn is_due_to_be_looked_at(&self, now: Timestamp) -> bool {
        let recent = |at: Timestamp| at <= now && now.duration_since(at) < LOOKED_EVERY;
        self.surface.is_some() && !self.looked.is_some_and(recent)
    }

    /// `who` probed it: what contradicted it before is settled, and who let it be
    /// written before did not know of that.
    pub fn prove(&mut self, who: &str, at: Timestamp, surface: Option<String>) {
        self.probed = Some(Act { who: who.to_owned(), at });
        self.surface = surface;
        self.looked = Some(at);
        self.surprised = None;
        if self.contradicted.take().is_some() {
            self.enabled = None;
        }
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
        let text = match files::text(file) {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn at(day: i8) -> Timestamp {
        format!("2026-11-{day:02}T06:00:00Z").parse().unwrap()
    }

    fn met(day: i8) -> Contradicted {
        Contradicted { why: "an answer of HTML".to_owned(), at: at(day) }
    }

    #[test]
    fn two_surprises_in_a_row_or_another_surface_contradict_and_a_probe_settles_them() {
        let mut evidence = Evidence::default();
        evidence.surprise(met(1));
        assert!(evidence.contradicted.is_none(), "once may be a proxy's");
        evidence.surprise(met(2));
        let why = evidence.contradicted.clone().unwrap().why;
        assert!(why.contains("a second write") && why.contains("2026-11-01"), "{why}");
        evidence.enabled = Some(Act { who: "Ada".to_owned(), at: at(1) });
        evidence.prove("Bea", at(3), Some("5f".to_owned()));
        assert!(evidence.contradicted.is_none() && evidence.enabled.is_none());
        assert!(!evidence.offered("5f", at(4)) && evidence.contradicted.is_none());
        assert!(evidence.offered("60", at(5)) && evidence.contradicted.is_some());
        assert!(!Evidence::default().offered("60", at(5)), "nobody probed: nothing to compare");
    }
}
