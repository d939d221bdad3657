//! One resource or line and period as one flat line, for people and scripts.

use planthread_contracts::{Period, Status};
use rust_decimal::{Decimal, prelude::ToPrimitive as _};
use serde::Serialize;

use super::{Figures, Phase};
use crate::calendar::round_half_even;

/// The line. Hours are plain numbers, rounded to four decimals for reading;
/// what lands is projected from the exact figures, never from these.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    /// The plant's resource or line.
    pub resource: String,
    /// The period.
    pub period: Period,
    /// Against `as_of`.
    pub phase: Phase,
    /// Hours that the calendar schedules.
    pub scheduled_hours: f64,
    /// Hours that people decided on top of the shifts, or took away.
    pub decided_hours: f64,
    /// Planned stops within scheduled hours.
    pub planned_maintenance_hours: f64,
    /// Measured unplanned down within scheduled hours; nothing foretold is in
    /// it, so it is 0 in the future.
    pub down_hours: f64,
    /// Expected unplanned down of the time that was not measured; a line has
    /// none of its own.
    pub expected_down_hours: Option<f64>,
    /// Scheduled − planned − attainable: for a machine its unplanned down, for
    /// a line all that its output falls short.
    pub lost_hours: Option<f64>,
    /// Scheduled − planned − down − expected down.
    pub attainable_hours: Option<f64>,
    /// Demonstrated availability, 0..1.
    pub demonstrated_availability: Option<f64>,
    /// Full weeks that it was pooled over.
    pub pooled_weeks: usize,
    /// Standard hours of the good output so far, not corrected for load.
    pub output_standard_hours: Option<f64>,
    /// The same corrected for load, where a source tells standby.
    pub demonstrated_standard_hours: Option<f64>,
    /// A line's composed bound.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub composed_bound_hours: Option<f64>,
    /// A line's measured output.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub measured_output_hours: Option<f64>,
    /// Bound − measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub difference_hours: Option<f64>,
    /// The stage that sets the bound.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limiting_stage: Option<String>,
    /// How far it can be trusted.
    pub status: Status,
}

impl Figures {
    /// The figures as one flat line.
    #[must_use]
    pub fn row(&self) -> Row {
        let line = self.line.as_ref();
        let open = self.scheduled_hours() - self.planned_maintenance_hours();
        Row {
            resource: self.resource.clone(),
            period: self.period,
            phase: self.phase,
            scheduled_hours: number(self.scheduled_hours()),
            decided_hours: number(self.decided_hours()),
            planned_maintenance_hours: number(self.planned_maintenance_hours()),
            down_hours: number(self.down_hours()),
            expected_down_hours: self.expected_down_hours.filter(|_| line.is_none()).map(number),
            lost_hours: self.attainable_hours.map(|own| number(open - own)),
            attainable_hours: self.attainable_hours.map(number),
            demonstrated_availability: self.demonstrated.as_ref().map(|d| number(d.availability)),
            pooled_weeks: self.demonstrated.as_ref().map_or(0, |d| d.weeks.len()),
            output_standard_hours: self.output_standard_hours.map(number),
            demonstrated_standard_hours: self.demonstrated_standard_hours.map(number),
            composed_bound_hours: line.and_then(|l| l.composed_bound_hours).map(number),
            measured_output_hours: line.and_then(|l| l.measured_output_hours).map(number),
            difference_hours: line.and_then(|l| l.difference_hours).map(number),
            limiting_stage: line.and_then(|l| l.limiting_stage.clone()),
            status: self.status,
        }
    }
}

/// Four decimals; a decimal of this size always has a nearest double.
fn number(value: Decimal) -> f64 {
    round_half_even(value, 4).to_f64().unwrap_or(f64::NAN)
}
