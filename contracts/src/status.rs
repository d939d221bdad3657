//! The status lattice that travels with every landed value.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How far a landed number can be trusted today.
///
/// Unknown never becomes zero, nor green: it is the state of a cell about
/// which nothing is known, not the state of a machine that stands still.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Nothing is known.
    Unknown,
    /// Fresh factory truth.
    Live,
    /// The last good value, within its time to live.
    Held,
    /// Fallen back to the cautious value after the time to live.
    Assumed,
    /// Two sources of the same authority disagree.
    Conflicting,
}

impl Status {
    /// The number that lands in a status measure: 0 unknown, 1 live, 2 held,
    /// 3 assumed, 4 conflicting.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Unknown => 0,
            Self::Live => 1,
            Self::Held => 2,
            Self::Assumed => 3,
            Self::Conflicting => 4,
        }
    }

    /// Reads a status measure back. Anything that is not a known code is
    /// [`Status::Unknown`].
    #[must_use]
    pub const fn from_code(code: i64) -> Self {
        match code {
            1 => Self::Live,
            2 => Self::Held,
            3 => Self::Assumed,
            4 => Self::Conflicting,
            _ => Self::Unknown,
        }
    }

    /// The word people read.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Live => "live",
            Self::Held => "held",
            Self::Assumed => "assumed",
            Self::Conflicting => "conflicting",
        }
    }
}
