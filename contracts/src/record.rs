//! Raw records: what arrived, byte for byte, before anybody understood it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Where a record came from, for people who must find it again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// File name, `stdin`, or the endpoint.
    pub place: String,
    /// Line number from 1, or the index in a batch from 1.
    pub line: u64,
}

/// One raw record, kept as it arrived. Decoding is a later, versioned step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RawRecord {
    /// CloudEvents `source`, or the configured source name of a reader.
    pub source: String,
    /// CloudEvents `id`, or a reader's stable id; with `source` it is unique.
    pub id: String,
    /// Media type of `body`: `application/cloudevents+json`, or `text/csv`.
    pub media_type: String,
    /// The bytes as they arrived.
    pub body: Vec<u8>,
    /// When we received it.
    pub received_at: Timestamp,
    /// Where it came from.
    pub origin: Origin,
}

/// A record that could not be understood: kept, with its reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RejectedRecord {
    /// Where it came from.
    pub origin: Origin,
    /// The field at fault, as a path; empty when the whole record is.
    pub field: String,
    /// Why it was refused.
    pub reason: String,
    /// What to do about it.
    pub cure: String,
    /// The bytes as they arrived.
    pub body: Vec<u8>,
}
