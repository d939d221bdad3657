//! The status lattice that travels with every landed value.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How far a landed number can be trusted today, the best first: of two, the
/// greater one is the worse, in this type and in the codes that land. So a
/// target that aggregates by maximum shows the worst of what it adds up.
///
/// Unknown never becomes zero, nor green: it is the state of a cell about
/// which nothing is known, not the state of a machine that stands still.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Fresh factory truth.
    Live,
    /// A person set the value that stands there. A state of a landed cell, never
    /// of a signal.
    #[schemars(skip)]
    Planner,
    /// The last good value, within its time to live.
    Held,
    /// Fallen back to the cautious value after the time to live.
    Assumed,
    /// Two sources of the same authority disagree.
    Conflicting,
    /// Nothing is known.
    Unknown,
}

impl Status {
    /// Every status, the best first.
    pub const ALL: [Self; 6] =
        [Self::Live, Self::Planner, Self::Held, Self::Assumed, Self::Conflicting, Self::Unknown];

    /// The number that lands in a status measure: 1 live, 2 planner, 3 held,
    /// 4 assumed, 5 conflicting, 6 unknown. Nothing at all means that nothing of
    /// ours lands there.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Live => 1,
            Self::Planner => 2,
            Self::Held => 3,
            Self::Assumed => 4,
            Self::Conflicting => 5,
            Self::Unknown => 6,
        }
    }

    /// Reads a status measure back. Anything that is not a known code is
    /// [`Status::Unknown`].
    #[must_use]
    pub const fn from_code(code: i64) -> Self {
        match code {
            1 => Self::Live,
            2 => Self::Planner,
            3 => Self::Held,
            4 => Self::Assumed,
            5 => Self::Conflicting,
            _ => Self::Unknown,
        }
    }

    /// Whether factory truth stands behind the value that is there: measured
    /// now, or the last good value within its time to live. This is what lands
    /// as *covered*. A person's value, an assumed one, and one that two sources
    /// dispute are none.
    #[must_use]
    pub const fn is_measured(self) -> bool {
        matches!(self, Self::Live | Self::Held)
    }

    /// The word people read.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Planner => "planner",
            Self::Held => "held",
            Self::Assumed => "assumed",
            Self::Conflicting => "conflicting",
            Self::Unknown => "unknown",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_the_published_ones_and_the_worse_is_the_greater() {
        let codes = [
            ("live", 1),
            ("planner", 2),
            ("held", 3),
            ("assumed", 4),
            ("conflicting", 5),
            ("unknown", 6),
        ];
        assert_eq!(Status::ALL.map(|one| (one.word(), one.code())), codes);
        for pair in Status::ALL.windows(2) {
            assert!(pair[0] < pair[1] && pair[0].code() < pair[1].code(), "{pair:?}");
        }
        for one in Status::ALL {
            assert_eq!(Status::from_code(one.code().into()), one);
        }
        assert_eq!([-1, 0, 7].map(Status::from_code), [Status::Unknown; 3]);
    }
}
