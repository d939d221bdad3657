//! Measures: what a target stores for a cell, declared before anything lands.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{PeriodKind, Unit};

/// Which figure of which planning signal a measure carries.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Carries {
    /// Available capacity: scheduled − planned stops − expected unplanned down.
    AttainableClockHours,
    /// Available capacity: ideal cycle × good output, corrected for load.
    DemonstratedStandardHours,
    /// The expected value taken at the cycle's cut-off, firm until the next.
    PlanCut,
    /// The cautious (low) quantile of attainable hours.
    LowHours,
    /// Expected hours lost to unplanned stops.
    ExpectedLostHours,
    /// Good units that the attainable hours make.
    GoodUnits,
    /// Constraint severity, 0..1.
    Severity,
    /// Hours at risk inside the maintenance risk horizon.
    HoursAtRisk,
    /// Scheduled hours that people decided beside the weekly shifts: less than nothing
    /// where they take hours away.
    DecidedHours,
    /// [`crate::Status`] code, from 1 live to 6 unknown: also where nothing is
    /// known, so that a total shows the worst of its parts.
    Status,
    /// 1 where factory truth stands behind the value (live or held), else 0. It
    /// adds up, so that a total says how many of its parts were measured.
    Covered,
    /// The `as_of` of the value, as a number `yyyymmdd`.
    AsOf,
    /// The day after which the value is stale, as a number `yyyymmdd`.
    ValidUntil,
    /// Writer identity and beat, so that a second writer is noticed.
    Heartbeat,
    /// Not ours: read only, to compare (the assumed capacity, the load).
    Observed,
}

impl Carries {
    /// Whether it tells how the values beside it stand, and is no value itself.
    #[must_use]
    pub const fn accompanies(self) -> bool {
        self.vouches() || matches!(self, Self::AsOf | Self::ValidUntil | Self::Heartbeat)
    }

    /// Whether it says how far the values beside it can be trusted: it lands for
    /// every mapped resource and period, also where no value does.
    #[must_use]
    pub const fn vouches(self) -> bool {
        matches!(self, Self::Status | Self::Covered)
    }
}

/// How the target adds a measure up when a planner looks at a coarser level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Aggregation {
    /// Values add.
    Sum,
    /// The largest value shows.
    Max,
    /// The smallest value shows.
    Min,
    /// Nothing shows at a coarser level.
    None,
}

/// Whether a measure is a value in itself, or only travels with values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// A difference in this measure is a change worth sending.
    Value,
    /// Age, validity, heartbeat: lands with its cell group, never alone.
    Stamp,
}

/// Who owns a measure in a scope.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Owner {
    /// Planthread writes it.
    Bridge,
    /// A person or another interface writes it; named for the people who ask.
    Other(String),
}

/// Declaration of one measure of one target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MeasureDecl {
    /// Our word for it, unique in the target: `live`, `plan_cut`, `status`, ...
    pub name: String,
    /// What the target calls it. A tenant-specific name: `check` verifies it.
    pub surface: String,
    /// The figure it carries.
    pub carries: Carries,
    /// The unit in which the target stores it.
    pub unit: Unit,
    /// Decimals that the target keeps, 0..=6.
    #[schemars(range(min = 0, max = 6))]
    pub scale: u32,
    /// The period kind at which it is stored.
    pub level: PeriodKind,
    /// How it adds up over time.
    pub over_time: Aggregation,
    /// How it adds up over resources.
    pub over_resources: Aggregation,
    /// Whether an absent cell reads as zero.
    #[serde(default)]
    pub absent_is_zero: bool,
    /// Who writes it.
    pub owner: Owner,
    /// Value or stamp.
    pub role: Role,
}

impl MeasureDecl {
    /// Whether it only travels with values. Status and covered never do, whatever
    /// their role says: a status that changed is a change worth sending.
    #[must_use]
    pub fn is_stamp(&self) -> bool {
        self.role == Role::Stamp && !self.carries.vouches()
    }
}
