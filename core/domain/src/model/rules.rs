//! The rules of derivation that a plant may set, with their defaults.

use std::collections::BTreeMap;

use jiff::civil::Time;
use planthread_contracts::Carries;
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Numbers that decide how facts become signals.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    /// Version of these rules, into provenance: raise it with every change.
    #[serde(default = "version")]
    pub version: String,
    /// Full weeks before `as_of` over which demonstrated availability is pooled.
    #[serde(default = "pool_weeks")]
    #[schemars(range(min = 1, max = 104))]
    pub pool_weeks: u32,
    /// Least share of a week's scheduled hours that must have been observed
    /// for the week to join the pool, 0..1.
    #[serde(default = "min_coverage")]
    pub min_coverage: Decimal,
    /// Hours for which the truth of a silent source is held before the value
    /// falls back to the cautious one.
    #[serde(default = "time_to_live_hours")]
    #[schemars(range(max = 87_600))]
    pub time_to_live_hours: u32,
    /// Hours without word from a source after which its truth is no longer live.
    #[serde(default = "live_hours")]
    #[schemars(range(max = 87_600))]
    pub live_hours: u32,
    /// Hours of down time in one period by which two sources of the same
    /// authority may differ before they are in conflict.
    #[serde(default = "conflict_hours")]
    pub conflict_hours: Decimal,
    /// Hours on top of the cycle for which a landed value is valid.
    #[serde(default = "valid_hours")]
    #[schemars(range(max = 87_600))]
    pub valid_hours: u32,
    /// When the plan cut is taken.
    #[serde(default)]
    pub cut_off: CutOff,
    /// Which changes are worth landing.
    #[serde(default)]
    pub significance: Significance,
}

/// Which changes of figures are worth landing, for all targets. A change of
/// status, a decided change and the end of a period always are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Significance {
    /// Largest change of hours that stays away, as a share of the hours that are
    /// scheduled in the period, 0..1.
    pub hours_share: Decimal,
    /// Largest change of good units that stays away, as a share of them, 0..1.
    pub units_share: Decimal,
    /// Largest change of a severity that stays away, 0..1.
    pub ratio: Decimal,
    /// The same for single figures, by the word that their measures carry, in place
    /// of the above: `low_hours: 0.05`. Hours as a share of the scheduled hours, units
    /// as a share of the units, a severity as a step.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub bands: BTreeMap<Carries, Decimal>,
    /// Weeks ahead in which these hold. Twice as much stays away beyond, four
    /// times as much beyond three times as many weeks.
    #[schemars(range(max = 520))]
    pub near_weeks: u32,
    /// Hours for which a released figure stands before a better one replaces it; a
    /// worse one does at once.
    #[schemars(range(max = 8_760))]
    pub stand_hours: u32,
}

impl Default for Significance {
    fn default() -> Self {
        Self {
            hours_share: Decimal::new(1, 2),
            units_share: Decimal::new(1, 2),
            ratio: Decimal::new(2, 2),
            bands: BTreeMap::new(),
            near_weeks: 4,
            stand_hours: 8,
        }
    }
}

/// The monthly instant at which the plan cut is taken: the values known then
/// stay firm until the next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CutOff {
    /// Day of the month.
    #[serde(default = "cut_day")]
    #[schemars(range(min = 1, max = 28))]
    pub day: i8,
    /// Local time in the plant's zone.
    #[serde(default)]
    pub time: Time,
}

fn version() -> String {
    "1".to_owned()
}

const fn pool_weeks() -> u32 {
    8
}

/// 0.8: the coverage below which a figure is an estimate.
fn min_coverage() -> Decimal {
    Decimal::new(8, 1)
}

const fn time_to_live_hours() -> u32 {
    72
}

const fn live_hours() -> u32 {
    24
}

fn conflict_hours() -> Decimal {
    Decimal::new(25, 2)
}

const fn valid_hours() -> u32 {
    72
}

const fn cut_day() -> i8 {
    1
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            version: version(),
            pool_weeks: pool_weeks(),
            min_coverage: min_coverage(),
            time_to_live_hours: time_to_live_hours(),
            live_hours: live_hours(),
            conflict_hours: conflict_hours(),
            valid_hours: valid_hours(),
            cut_off: CutOff::default(),
            significance: Significance::default(),
        }
    }
}

impl Default for CutOff {
    fn default() -> Self {
        Self { day: cut_day(), time: Time::default() }
    }
}
