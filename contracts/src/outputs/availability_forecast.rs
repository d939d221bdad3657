//! Availability forecast: a distribution of up time for each coming period.
//!
//! Planned maintenance is subtracted through the calendar, never here again.
//! Periods of one machine are correlated (a long repair spans two weeks), so
//! only means are added, never quantiles.

use jiff::Timestamp;
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Distribution, EquipmentRef, Period, Quality, TwinSource, Unit,
    violation::{Check, Violation},
};

/// The forecast of one period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PeriodForecast {
    /// The period.
    pub period: Period,
    /// First instant of the period.
    pub start: Timestamp,
    /// First instant after it.
    pub end: Timestamp,
    /// Hours scheduled in it, as the twin knows them.
    #[schemars(range(min = 0))]
    pub scheduled_hours: Decimal,
    /// Up time within scheduled hours, in the forecast's unit; left out where
    /// `two_state` says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub up: Option<Distribution>,
    /// In place of `up`: how the machine fails and is repaired.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub two_state: Option<TwoState>,
    /// P(at least one failure in the period), a fraction 0..1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 1))]
    pub failure_probability: Option<Decimal>,
    /// Hours to repair a failure, elapsed; the cautious side is the high one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repair_hours: Option<Distribution>,
}

/// A machine that is up or down, with exponential times to failure and to repair
/// that count in scheduled hours. The distribution of its up time follows from
/// these three numbers and the period's scheduled hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TwoState {
    /// MTTF: mean scheduled hours from a repair to the next failure; above 0.
    #[schemars(range(min = 0))]
    pub mean_time_to_failure_hours: Decimal,
    /// MTTR: mean scheduled hours from a failure to the end of its repair; above 0.
    #[schemars(range(min = 0))]
    pub mean_time_to_repair_hours: Decimal,
    /// P(up as the period begins), a fraction 0..1: 1 or 0 where it begins now,
    /// and between them where it begins later.
    #[schemars(range(min = 0, max = 1))]
    pub up_at_start: Decimal,
}

/// Availability of one resource over coming periods.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AvailabilityForecast {
    /// The equipment; its asset says whose failures are forecast.
    pub resource: EquipmentRef,
    /// When the model ran: the origin of the forecast.
    pub issued_at: Timestamp,
    /// IANA zone in which the periods are civil time.
    pub zone: String,
    /// `C62`: `up` is a fraction of scheduled hours. `HUR`: `up` is in hours.
    pub unit: Unit,
    /// The periods, in order.
    pub periods: Vec<PeriodForecast>,
    /// Resources with the same name fail together (power, crew, tool).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dependence_group: Option<String>,
    /// The twin.
    pub source: TwinSource,
    /// How well the input was seen.
    pub quality: Quality,
}

impl AvailabilityForecast {
    /// All broken rules: periods in order, without overlap, each distribution
    /// inside what its period can hold.
    #[must_use]
    pub fn validate(&self) -> Vec<Violation> {
        let mut check = Check::default();
        check.part("resource", self.resource.validate());
        check.zone("zone", &self.zone);
        if !matches!(self.unit, Unit::Hour | Unit::One) {
            check.fail(
                "unit",
                format!("{} is not the unit of an availability", self.unit),
                "send fractions of scheduled hours (C62) or hours (HUR)",
            );
        }
        if self.periods.is_empty() {
            check.fail("periods", "is empty", "send at least one period");
        }
        for (i, one) in self.periods.iter().enumerate() {
            let at = format!("periods[{i}]");
            check.part(&at, self.check_period(one));
            let before = i.checked_sub(1).and_then(|before| self.periods.get(before));
            if before.is_some_and(|before| one.start < before.end) {
                check.fail(
                    &format!("{at}.start"),
                    "overlaps the period before",
                    "send periods in order, each instant once",
                );
            }
        }
        check.opt_text("dependence_group", self.dependence_group.as_deref());
        check.part("source", self.source.validate());
        check.part("quality", self.quality.validate());
        check.done()
    }

    fn check_period(&self, one: &PeriodForecast) -> Vec<Violation> {
        let mut check = Check::default();
        check.bounds("", one.period, one.start, one.end);
        check.not_negative("scheduled_hours", one.scheduled_hours);
        let hours =
            Decimal::from(one.end.as_second() - one.start.as_second()) / Decimal::from(3_600);
        if one.end > one.start && one.scheduled_hours > hours {
            check.fail(
                "scheduled_hours",
                format!("{} is more than the period's {hours} hours", one.scheduled_hours),
                "unite overlapping shifts",
            );
        }
        let most = if self.unit == Unit::One { Decimal::ONE } else { one.scheduled_hours };
        match (&one.up, one.two_state) {
            (Some(up), None) => check.part("up", up.validate_within(Decimal::ZERO, most)),
            (None, Some(model)) => {
                let mut field =
                    |name: &str, hours| check.positive(&format!("two_state.{name}"), hours);
                field("mean_time_to_failure_hours", model.mean_time_to_failure_hours);
                field("mean_time_to_repair_hours", model.mean_time_to_repair_hours);
                check.fraction("two_state.up_at_start", model.up_at_start);
            }
            (Some(_), Some(_)) => check.fail(
                "two_state",
                "stands beside `up`, and both say how long the machine is up",
                "send one of them",
            ),
            (None, None) => check.fail(
                "up",
                "is missing, and so is `two_state`",
                "send a distribution of up time, or how the machine fails and is repaired",
            ),
        }
        check.opt_fraction("failure_probability", one.failure_probability);
        if let Some(repair) = &one.repair_hours {
            check.part("repair_hours", repair.validate_within(Decimal::ZERO, Decimal::MAX));
        }
        check.done()
    }
}
