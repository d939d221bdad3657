//! Maintenance risk horizon: when a forced stop becomes likely, and its price.
//!
//! A threshold that is not reached inside the model's horizon is *not reached
//! until then*, which is different from "no risk": the horizon is always named.

use jiff::Timestamp;
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Common, SAME_HOURS};
use crate::{
    CapacityBasis, Period, Provenance, Quality, Status,
    violation::{Check, Violation},
};

/// When the probability of a forced stop reaches a threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RiskThreshold {
    /// P(forced stop until then), strictly between 0 and 1.
    pub probability: Decimal,
    /// The instant; absent when it is not reached inside the model's horizon.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reached_at: Option<Timestamp>,
}

/// A window in which maintenance costs least.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MaintenanceWindow {
    /// First instant.
    pub start: Timestamp,
    /// First instant after it.
    pub end: Timestamp,
}

/// Maintenance risk of one resource in one period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MaintenanceRiskHorizon {
    /// The plant's resource ([`crate::Resource::id`]).
    pub resource: String,
    /// The asset that the forecast is about: a swapped machine does not
    /// inherit it.
    pub physical_asset: String,
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
    /// P(forced stop in the period), a fraction 0..1.
    #[schemars(range(min = 0, max = 1))]
    pub failure_probability: Decimal,
    /// Scheduled hours lost in the period if it happens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub lost_hours_if_failed: Option<Decimal>,
    /// Expected lost hours of the period; adds over periods and resources.
    #[schemars(range(min = 0))]
    pub hours_at_risk: Decimal,
    /// When the thresholds are reached, by rising probability.
    pub thresholds: Vec<RiskThreshold>,
    /// Up to here the model looks; what is later is unknown, not safe.
    pub model_horizon: Timestamp,
    /// When to maintain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recommended_window: Option<MaintenanceWindow>,
    /// What is expected to fail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure_mode: Option<String>,
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

impl MaintenanceRiskHorizon {
    /// All broken rules: probabilities in range, thresholds that rise in
    /// probability and time, none beyond the model's horizon, no more hours at
    /// risk than the period has.
    #[must_use]
    pub fn validate(&self) -> Vec<Violation> {
        let mut check = Check::default();
        self.common().check(&mut check);
        check.text("physical_asset", &self.physical_asset);
        check.fraction("failure_probability", self.failure_probability);
        check.opt_not_negative("lost_hours_if_failed", self.lost_hours_if_failed);
        check.not_negative("hours_at_risk", self.hours_at_risk);
        if self.end > self.start && self.hours_at_risk > self.common().hours() + SAME_HOURS {
            check.fail(
                "hours_at_risk",
                format!("{} is more than the period has", self.hours_at_risk),
                "count only the hours lost in this period",
            );
        }
        self.check_thresholds(&mut check);
        if let Some(window) = self.recommended_window {
            check.ordered("recommended_window.end", window.start, window.end);
        }
        check.opt_text("failure_mode", self.failure_mode.as_deref());
        check.done()
    }

    fn check_thresholds(&self, check: &mut Check) {
        for (i, threshold) in self.thresholds.iter().enumerate() {
            let path = format!("thresholds[{i}].probability");
            let p = threshold.probability;
            if p <= Decimal::ZERO || p >= Decimal::ONE {
                check.fail(
                    &path,
                    format!("{p} is not strictly between 0 and 1"),
                    "send a fraction such as 0.1 or 0.5",
                );
            }
            let reached = format!("thresholds[{i}].reached_at");
            if threshold.reached_at.is_some_and(|at| at > self.model_horizon) {
                check.fail(
                    &reached,
                    format!("lies beyond the model's horizon {}", self.model_horizon),
                    "leave it out: not reached inside the horizon",
                );
            }
            let Some(before) = i.checked_sub(1).and_then(|i| self.thresholds.get(i)) else {
                continue;
            };
            if p <= before.probability {
                check.fail(&path, "does not rise", "sort by probability, each one once");
            }
            let earlier = match (before.reached_at, threshold.reached_at) {
                (Some(low), Some(high)) => high < low,
                (None, Some(_)) => true,
                (_, None) => false,
            };
            if earlier {
                check.fail(
                    &reached,
                    "a higher probability is reached before a lower one",
                    "correct the instants",
                );
            }
        }
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
