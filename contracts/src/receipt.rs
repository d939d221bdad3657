//! What a target said about what it was sent.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The vendor's proof that it took something. Never a landing by itself.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct Receipt {
    /// The vendor's handle: a transaction, upload or job id.
    pub handle: String,
    /// The vendor's own final word, as it was spelt.
    pub verdict: String,
    /// When we read it.
    pub at: Timestamp,
}

/// Why one row was refused.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct Rejection {
    /// The reason in the vendor's words, shortened and redacted.
    pub reason: String,
    /// The vendor's code, where it gives one.
    pub vendor_code: Option<String>,
    /// What a person can do about it.
    pub cure: String,
}

/// The outcome of one row of a batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RowOutcome {
    /// The target says it took the row.
    Accepted,
    /// The target refused the row.
    Rejected(Rejection),
    /// The target said nothing about the row: only a read-back decides.
    Unproven,
}
