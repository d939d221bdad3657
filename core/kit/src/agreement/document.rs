//! What an agreement says: the request, the target's answers, and who stands for it.

use std::{collections::BTreeMap, time::Duration};

use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{golden::Golden, reply::Reply, template::Operation};

/// The form of the file that this program reads.
pub(crate) const SCHEMA: u32 = 1;

/// An agreement with its signature: the file.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signed {
    /// The agreement, as it was signed.
    pub document: Value,
    /// Who signed it.
    pub signature: Signature,
}

/// The document of a file that nobody signed: all of it, or what would be signed where it
/// has the form of a signed one and no signature.
#[must_use]
pub fn unsigned(file: &Value) -> &Value {
    let document = file.get("document").filter(|_| file.get("signature").is_none());
    document.unwrap_or(file)
}

/// A signature over the document.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signature {
    /// Public half of the key, hex.
    pub key: String,
    /// The signature, hex.
    pub value: String,
}

/// What a customer's integration team states about one target.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Agreement {
    /// Its name, for people.
    pub agreement: String,
    /// Form of this file; 1 is the only one.
    pub schema: u32,
    /// The connector that it is for.
    pub connector: String,
    /// Scheme and name of the hosts that it speaks of; `loopback` is this
    /// machine at any port.
    pub hosts: Vec<String>,
    /// What stands there.
    pub environment: Environment,
    /// On what it rests.
    pub product: Product,
    /// What the target can do there. What is not named is not supported.
    pub capabilities: BTreeMap<String, Support>,
    /// How much the target takes.
    pub limits: Limits,
    /// What a write means there, in words: unit, empty cells, saving.
    pub semantics: BTreeMap<String, String>,
    /// Settings of the target that no public material confirms, as the team states
    /// them: by path below `settings`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub settings: BTreeMap<String, Value>,
    /// How the request is built, and what the answer says, where the connector has no
    /// requests of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<Profile>,
    /// Recorded exchanges.
    pub golden: Vec<Golden>,
    /// Who stands for it.
    pub approved: Approved,
}

impl Agreement {
    /// Whether a capability was said to be there; *unknown* is absent.
    #[must_use]
    pub(crate) fn supports(&self, capability: &str) -> bool {
        self.capabilities.get(capability) == Some(&Support::Supported)
    }

    /// How a write is asked for.
    ///
    /// # Errors
    /// Says that it has no profile.
    pub fn profile(&self) -> Result<&Profile, String> {
        self.profile.as_ref().ok_or_else(|| "it does not say how a request is built".to_owned())
    }

    /// On what it rests, in a line.
    #[must_use]
    pub fn reference(&self) -> String {
        let Product { release, document, version, page, date, read_by } = &self.product;
        format!("{document} {version}, page {page} ({release}), read by {read_by} on {date}")
    }
}

/// What stands at the hosts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Environment {
    /// A sandbox on this machine: its signature is enough.
    Sandbox,
    /// A tenant that nobody plans with.
    NonProduction,
    /// The tenant that drives the plan.
    Production,
}

/// The licensed documentation that was read.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Product {
    /// The vendor's release.
    pub release: String,
    /// Title of the document.
    pub document: String,
    /// Its version.
    pub version: String,
    /// Where in it.
    pub page: String,
    /// Its date.
    pub date: Date,
    /// Who read it.
    pub read_by: String,
}

/// Whether the target can do something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Support {
    /// Yes.
    Supported,
    /// No.
    NotSupported,
    /// Nobody knows: treated as no.
    Unknown,
}

/// How much the target takes.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Rows of one request.
    pub rows: usize,
    /// Kilobytes of one body.
    pub body_kb: usize,
    /// Seconds that one request may take.
    pub seconds: u64,
}

impl Limits {
    /// How long one request may take: no longer than agreed, nor than a person
    /// configured.
    #[must_use]
    pub fn patience(&self, configured: Option<u64>) -> Duration {
        Duration::from_secs(configured.map_or(self.seconds, |own| own.min(self.seconds)))
    }

    /// Whether a request of so many rows and bytes is within them.
    ///
    /// # Errors
    /// Says which limit it exceeds.
    pub fn fit(&self, rows: usize, body: usize) -> Result<(), String> {
        if rows > self.rows {
            return Err(format!("{rows} rows are more than the agreed {}", self.rows));
        }
        if body > self.body_kb.saturating_mul(1_024) {
            return Err(format!("{body} bytes are more than the agreed {} kB", self.body_kb));
        }
        Ok(())
    }
}

/// How a write is asked for.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// Its name, for people.
    pub profile: String,
    /// The way in, in the connector's words.
    pub route: String,
    /// Names that never change: they may stand in path, body and row.
    #[serde(default)]
    pub constants: BTreeMap<String, String>,
    /// Where each slot of a cell's place stands: dimension and leaf level.
    #[serde(default)]
    pub grain: Vec<Level>,
    /// The request.
    pub request: Operation,
    /// The answer.
    pub reply: Reply,
}

/// The dimension and level that a slot names members of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Level {
    /// The slot.
    pub slot: String,
    /// The dimension.
    pub dimension: String,
    /// Its leaf level, at which the measures are stored.
    pub level: String,
}

/// Who stands for an agreement, and until when.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approved {
    /// The integration lead.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// Until when; from then on nothing is written.
    pub expires: Timestamp,
}
