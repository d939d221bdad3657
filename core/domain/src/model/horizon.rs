//! How far back and ahead the derivation speaks.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The periods that are derived, counted in ISO weeks around `as_of`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Horizon {
    /// Weeks before the current one that are shown as measured.
    #[serde(default = "past_weeks")]
    #[schemars(range(max = 520))]
    pub past_weeks: u32,
    /// Weeks after the current one that are forecast.
    #[serde(default = "future_weeks")]
    #[schemars(range(max = 520))]
    pub future_weeks: u32,
    /// Minutes of a cycle: `as_of` is cut down to it.
    #[serde(default = "cycle_minutes")]
    #[schemars(range(min = 1, max = 1440))]
    pub cycle_minutes: u32,
}

const fn past_weeks() -> u32 {
    8
}

const fn future_weeks() -> u32 {
    26
}

const fn cycle_minutes() -> u32 {
    60
}

impl Default for Horizon {
    fn default() -> Self {
        Self {
            past_weeks: past_weeks(),
            future_weeks: future_weeks(),
            cycle_minutes: cycle_minutes(),
        }
    }
}
