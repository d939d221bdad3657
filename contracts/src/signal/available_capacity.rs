//! Available capacity: what a resource can really give in a period.
//!
//! Two figures, never mixed. *Attainable clock hours* = scheduled − planned
//! stops − unplanned down. *Demonstrated standard hours* = ideal cycle × good
//! output, corrected for load. The mapping says which one a target's own
//! consumption rates expect.

use std::collections::BTreeSet;

use jiff::Timestamp;
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Common, SAME_HOURS};
use crate::{
    CapabilityBalance, CapacityBasis, CapacityFigure, Distribution, Loss, Period, Provenance,
    Quality, Quantile, Status,
    violation::{Check, Violation},
};

/// Capacity of one resource in one period. Hours are decimal clock hours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AvailableCapacity {
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
    /// Only a part of the period counts (the current one, from `as_of` on, or
    /// the observed part of a past one).
    pub partial: bool,
    /// Which of the two meanings of "available" this is.
    pub capability: CapacityFigure,
    /// Where the figure comes from.
    pub basis: CapacityBasis,
    /// Hours that the calendar schedules.
    #[schemars(range(min = 0))]
    pub scheduled_hours: Decimal,
    /// Planned maintenance within scheduled hours.
    #[schemars(range(min = 0))]
    pub planned_stop_hours: Decimal,
    /// Unplanned down within scheduled hours: measured for the past, expected
    /// for the future.
    #[schemars(range(min = 0))]
    pub down_hours: Decimal,
    /// `scheduled − planned stops − down`.
    #[schemars(range(min = 0))]
    pub attainable_hours: Decimal,
    /// Ideal cycle × good output, corrected for load.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub demonstrated_standard_hours: Option<Decimal>,
    /// Good units that the attainable hours make.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub good_units: Option<Decimal>,
    /// `1 − unplanned down / (scheduled − planned maintenance)`, pooled over
    /// the last full weeks; a fraction 0..1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 1))]
    pub demonstrated_availability: Option<Decimal>,
    /// The cautious figure of attainable hours, with its probability.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub low_hours: Option<Quantile>,
    /// Distribution of attainable hours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distribution: Option<Distribution>,
    /// Hours by ISA-95 capability type, where the commitments are known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub balance: Option<CapabilityBalance>,
    /// The losses that `attainable_hours` has already paid.
    pub netted_losses: BTreeSet<Loss>,
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

impl AvailableCapacity {
    /// Length of the whole period in hours (167 and 169 in weeks of clock
    /// change).
    #[must_use]
    pub fn period_hours(&self) -> Decimal {
        self.common().hours()
    }

    /// All broken rules: `0 ≤ attainable ≤ scheduled ≤ calendar hours`, hours
    /// that add up, fractions, distribution and balance that fit, and losses
    /// that are declared where hours were taken off.
    #[must_use]
    pub fn validate(&self) -> Vec<Violation> {
        let mut check = Check::default();
        self.common().check(&mut check);
        self.check_hours(&mut check);
        self.check_losses(&mut check);
        check.opt_not_negative("demonstrated_standard_hours", self.demonstrated_standard_hours);
        check.opt_not_negative("good_units", self.good_units);
        check.opt_fraction("demonstrated_availability", self.demonstrated_availability);
        self.check_uncertainty(&mut check);
        if let Some(balance) = &self.balance {
            check.part("balance", balance.validate());
            self.check_balance(&mut check, balance);
        }
        let free = self.balance.as_ref().and_then(|balance| balance.available);
        if self.capability == CapacityFigure::Available && free.is_none() {
            check.fail(
                "balance",
                "`available` means free for additional work, but no commitments are stated",
                "state the balance, or call the figure `attainable`",
            );
        }
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

    fn check_hours(&self, check: &mut Check) {
        check.not_negative("scheduled_hours", self.scheduled_hours);
        check.not_negative("planned_stop_hours", self.planned_stop_hours);
        check.not_negative("down_hours", self.down_hours);
        check.not_negative("attainable_hours", self.attainable_hours);
        let calendar = self.period_hours();
        if self.end > self.start && self.scheduled_hours > calendar + SAME_HOURS {
            check.fail(
                "scheduled_hours",
                format!("{} is more than the period's {calendar} hours", self.scheduled_hours),
                "unite overlapping shifts; parallel machines are resources of their own",
            );
        }
        let left = self
            .scheduled_hours
            .saturating_sub(self.planned_stop_hours)
            .saturating_sub(self.down_hours);
        if self.attainable_hours.saturating_sub(left).abs() > SAME_HOURS {
            check.fail(
                "attainable_hours",
                format!(
                    "{} is not {} scheduled − {} planned stops − {} down = {left}",
                    self.attainable_hours,
                    self.scheduled_hours,
                    self.planned_stop_hours,
                    self.down_hours
                ),
                "make the four figures agree",
            );
        }
    }

    /// Law 10: a loss that was taken off must be declared, or the target takes
    /// it off again.
    fn check_losses(&self, check: &mut Check) {
        for (hours, loss, name) in [
            (self.planned_stop_hours, Loss::PlannedMaintenance, "planned_maintenance"),
            (self.down_hours, Loss::UnplannedDown, "unplanned_down"),
        ] {
            if !hours.is_zero() && !self.netted_losses.contains(&loss) {
                check.fail(
                    "netted_losses",
                    format!("{hours} h were taken off, but `{name}` is not declared"),
                    format!("add `{name}`, so that no target takes it off again"),
                );
            }
        }
    }

    fn check_uncertainty(&self, check: &mut Check) {
        let most =
            self.scheduled_hours.saturating_sub(self.planned_stop_hours).saturating_add(SAME_HOURS);
        if let Some(low) = self.low_hours {
            let p = low.probability_not_exceeded;
            if p <= Decimal::ZERO || p >= Decimal::ONE {
                check.fail(
                    "low_hours.probability_not_exceeded",
                    format!("{p} is not strictly between 0 and 1"),
                    "send P(X ≤ value) as a fraction",
                );
            }
            if low.value < Decimal::ZERO || low.value > most {
                check.fail(
                    "low_hours.value",
                    format!("{} leaves the range 0 to {most}", low.value),
                    "a low figure can't exceed scheduled less planned hours",
                );
            }
        }
        if let Some(distribution) = &self.distribution {
            check.part("distribution", distribution.validate_within(Decimal::ZERO, most));
        }
    }

    /// Attainable is `total − unattainable` whatever the figure is called; ISA
    /// available needs the balance that tells what is committed.
    fn check_balance(&self, check: &mut Check, balance: &CapabilityBalance) {
        if let Some(attainable) = balance.attainable()
            && attainable.saturating_sub(self.attainable_hours).abs() > SAME_HOURS
        {
            check.fail(
                "balance.unattainable",
                format!(
                    "total − unattainable = {attainable}, but attainable_hours = {}",
                    self.attainable_hours
                ),
                "make the balance and the hours agree",
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn week() -> AvailableCapacity {
        serde_json::from_str(
            r#"{"resource":"PRESS-3","period":"2026-W43","start":"2026-10-18T22:00:00Z",
            "end":"2026-10-25T23:00:00Z","zone":"Europe/Berlin","calendar_id":"24x7",
            "calendar_version":"1","partial":false,"capability":"attainable","basis":"actual",
            "scheduled_hours":"169","planned_stop_hours":"8","down_hours":"16.1",
            "attainable_hours":"144.9","netted_losses":["planned_maintenance","unplanned_down"],
            "status":"live","quality":{"coverage":"1","worst":"good"},
            "provenance":{"sources":[],"input_window":"ab12","rules_version":"1",
            "mapping_version":"1","tzdb_version":"2026a"},
            "as_of":"2026-11-22T22:00:00Z","valid_until":"2026-11-29T22:00:00Z"}"#,
        )
        .unwrap()
    }

    fn paths(signal: &AvailableCapacity) -> Vec<String> {
        signal.validate().into_iter().map(|found| found.path).collect()
    }

    #[test]
    fn a_week_of_clock_change_has_169_hours() {
        let week = week();
        assert_eq!(week.validate(), []);
        assert_eq!(week.period_hours(), Decimal::from(169));
        let text = serde_json::to_string(&week).unwrap();
        assert_eq!(serde_json::from_str::<AvailableCapacity>(&text).unwrap(), week);
    }

    #[test]
    fn hours_that_do_not_add_up_are_named() {
        let long = AvailableCapacity { scheduled_hours: 170.into(), ..week() };
        assert_eq!(paths(&long), ["scheduled_hours", "attainable_hours"]);
        let negative =
            AvailableCapacity { down_hours: 170.into(), attainable_hours: (-9).into(), ..week() };
        assert_eq!(paths(&negative), ["attainable_hours"]);
    }

    #[test]
    fn a_netted_loss_must_be_declared() {
        let silent = AvailableCapacity { netted_losses: BTreeSet::new(), ..week() };
        assert_eq!(paths(&silent), ["netted_losses", "netted_losses"]);
    }

    #[test]
    fn bounds_of_another_week_are_refused() {
        let moved = AvailableCapacity { period: "2026-W42".parse().unwrap(), ..week() };
        assert_eq!(paths(&moved), ["start", "end"]);
        let ended = AvailableCapacity { valid_until: week().as_of, ..week() };
        assert_eq!(paths(&ended), ["valid_until"]);
    }

    #[test]
    fn available_needs_the_commitments() {
        let isa = AvailableCapacity { capability: CapacityFigure::Available, ..week() };
        assert_eq!(paths(&isa), ["balance"]);
        let balance = |total: u32| CapabilityBalance {
            total: total.into(),
            unattainable: Some(Decimal::new(241, 1)),
            committed: Some(100.into()),
            available: Some(Decimal::from(total) - Decimal::new(1_241, 1)),
            ..CapabilityBalance::default()
        };
        let known = |total| AvailableCapacity { balance: Some(balance(total)), ..isa.clone() };
        assert_eq!(known(169).validate(), []);
        assert_eq!(paths(&known(168)), ["balance.unattainable"]);
    }
}
