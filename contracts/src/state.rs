//! The states of a wanted revision.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Each wanted revision of a cell is in exactly one of these.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum RevisionState {
    /// Wanted, not yet sent.
    Pending,
    /// Wanted, but a policy holds it (the reason stands beside it).
    Held,
    /// Part of an open attempt.
    InFlight,
    /// Sent, and the end is not known: a read-back decides.
    Unproven,
    /// Read back from the target, equal to what was encoded.
    Seen,
    /// Refused by the target, with a reason.
    Rejected,
    /// Replaced by a newer revision before it was sent.
    Superseded,
    /// Replaced by a newer revision after it was sent.
    Overtaken,
    /// The cell left wanted.
    Withdrawn,
}

impl RevisionState {
    /// All states, in the order of the report.
    pub const ALL: [Self; 9] = [
        Self::Pending,
        Self::Held,
        Self::InFlight,
        Self::Unproven,
        Self::Seen,
        Self::Rejected,
        Self::Superseded,
        Self::Overtaken,
        Self::Withdrawn,
    ];

    /// The word in reports and in the ledger.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Held => "held",
            Self::InFlight => "in_flight",
            Self::Unproven => "unproven",
            Self::Seen => "seen",
            Self::Rejected => "rejected",
            Self::Superseded => "superseded",
            Self::Overtaken => "overtaken",
            Self::Withdrawn => "withdrawn",
        }
    }
}
