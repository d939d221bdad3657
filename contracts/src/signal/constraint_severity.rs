//! Constraint severity: how much one resource limits the flow in a period.

use jiff::Timestamp;
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Common;
use crate::{
    CapacityBasis, Mix, Period, Provenance, Quality, SeverityMethod, Status,
    violation::{Check, Violation},
};

/// Severity of one resource in one period, for one product mix.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConstraintSeverity {
    /// The plant's resource ([`crate::Resource::id`]).
    pub resource: String,
    /// The period.
    pub period: Period,
    /// First instant of the whole period.
    pub start: Timestamp,
    /// First instant after it.
    pub end: Timestamp,
    /// IANA zone in which the period is civil time.
    pub zone: String,
    /// The shift calendar.
    pub calendar_id: String,
    /// Its version.
    pub calendar_version: String,
    /// Only a part of the period counts.
    pub partial: bool,
    /// Where the figure comes from.
    pub basis: CapacityBasis,
    /// Normalised severity, 0 none to 1 full.
    #[schemars(range(min = 0, max = 1))]
    pub severity: Decimal,
    /// How it was found: severities of different methods are never compared.
    pub method: SeverityMethod,
    /// The product mix it holds for.
    pub mix: Mix,
    /// 1 for the most severe resource of the period.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rank: Option<u32>,
    /// Load placed on the resource, in hours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub load_hours: Option<Decimal>,
    /// The capacity that the load was compared with, in hours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub capacity_hours: Option<Decimal>,
    /// P(load > capacity), a fraction 0..1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 1))]
    pub shortage_probability: Option<Decimal>,
    /// How far it can be trusted.
    pub status: Status,
    /// How well the input was seen.
    pub quality: Quality,
    /// The recipe.
    pub provenance: Provenance,
    /// Instant of the truth behind it.
    pub as_of: Timestamp,
    /// From here on it is stale.
    pub valid_until: Timestamp,
    /// Set where a revision is recorded; a later one replaces an earlier one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<u64>,
}

impl ConstraintSeverity {
    /// Load over capacity; above 1 is legal and is the signal itself. `None`
    /// when a part is missing or there is no capacity.
    #[must_use]
    pub fn utilization(&self) -> Option<Decimal> {
        self.load_hours?.checked_div(self.capacity_hours?)
    }

    /// Capacity left in hours, negative when overloaded.
    #[must_use]
    pub fn headroom_hours(&self) -> Option<Decimal> {
        self.capacity_hours?.checked_sub(self.load_hours?)
    }

    /// All broken rules.
    #[must_use]
    pub fn validate(&self) -> Vec<Violation> {
        let mut check = Check::default();
        self.common().check(&mut check);
        check.fraction("severity", self.severity);
        check.part("mix", self.mix.validate());
        if self.rank == Some(0) {
            check.fail("rank", "is 0", "the most severe resource has rank 1");
        }
        check.opt_not_negative("load_hours", self.load_hours);
        check.opt_not_negative("capacity_hours", self.capacity_hours);
        check.opt_fraction("shortage_probability", self.shortage_probability);
        check.done()
    }

    fn common(&self) -> Common<'_> {
        Common {
            resource: &self.resource,
            period: self.period,
            start: self.start,
            end: self.end,
            zone: &self.zone,
            calendar_id: &self.calendar_id,
            calendar_version: &self.calendar_version,
            status: self.status,
            quality: &self.quality,
            provenance: &self.provenance,
            as_of: self.as_of,
            valid_until: self.valid_until,
        }
    }
}
