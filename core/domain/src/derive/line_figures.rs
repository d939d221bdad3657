//! What the figures of a line have, and those of a machine have not.

use planthread_contracts::Period;
use rust_decimal::Decimal;
use serde::Serialize;

use super::{compose::Level, decline::Decline};
use crate::calendar::span::hours;

/// What only a line has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LineFigures {
    /// Standard hours at the line's end: measured, and for the time ahead at
    /// the demonstrated rate. `None` when nothing was counted.
    pub measured_output_hours: Option<Decimal>,
    /// Upper bound composed from the machines at each instant: the weakest stage,
    /// where parallel machines add, and a machine of which nobody knows gives all
    /// that it can.
    pub composed_bound_hours: Option<Decimal>,
    /// Bound − measured: lost between the machines (buffers, starving,
    /// blocking, speed), or made from stock when negative.
    pub difference_hours: Option<Decimal>,
    /// The stage that sets the bound.
    pub limiting_stage: Option<String>,
    /// Demonstrated output per scheduled hour.
    pub pool: Option<LinePool>,
    /// Whether missing orders and operators are corrected for.
    pub load: Load,
    /// What the machines allow in all of the scheduled time.
    pub composed: Vec<Level>,
    /// The same in counted time without order or operator.
    pub unasked: Vec<Level>,
    /// Of a line that nobody counts, what the machines gave in the time that all
    /// of them told.
    pub seen: Vec<Level>,
    /// The same in time that was not counted, or lies ahead: it counts at the
    /// demonstrated rate, and never above what they allow. Without a rate, what
    /// is expected of them.
    pub open: Vec<Level>,
}

/// Who tells when nobody asked a line for parts: no order, no operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Load {
    /// The source of the machine where output is counted: it is corrected for.
    Told,
    /// Only sources of other machines of the line: nothing is corrected.
    ToldElsewhere,
    /// Nobody: nothing is corrected.
    Untold,
}

/// What was counted at a line's end in the last full weeks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct LinePool {
    /// Standard hours at the line's end.
    pub output_hours: Decimal,
    /// Scheduled milliseconds in which it was counted.
    pub scheduled: i64,
    /// Milliseconds of them in which nobody asked for parts.
    pub unasked: i64,
    /// How many weeks.
    pub weeks: u32,
    /// The first and the last of them.
    #[serde(skip)]
    pub ends: Option<(Period, Period)>,
    /// What is taken off because they get worse; `None` where nothing is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decline: Option<Decline>,
    /// Whether none of them was counted fully enough, so that the rate is only
    /// assumed.
    pub partly: bool,
    /// Whether nobody counts the line: the rate is what its machines composed to
    /// while all of them told.
    pub composed: bool,
}

impl LinePool {
    /// Both together.
    pub(super) fn and(self, other: Self) -> Self {
        let ends = self.ends.zip(other.ends);
        let ends = ends.map(|(one, two)| (one.0.min(two.0), one.1.max(two.1)));
        Self {
            ends: ends.or(self.ends).or(other.ends),
            output_hours: self.output_hours + other.output_hours,
            scheduled: self.scheduled + other.scheduled,
            unasked: self.unasked + other.unasked,
            weeks: self.weeks + other.weeks,
            ..self
        }
    }

    /// Standard hours per scheduled hour in which parts were asked for, less what
    /// is taken off because they get worse, at most one: what a line made from buffers it does
    /// not make in every hour. `None` when there was no such hour.
    #[must_use]
    pub fn ratio(&self) -> Option<Decimal> {
        let ratio = self.output_hours.checked_div(hours(self.scheduled - self.unasked))?;
        let lowered = self.decline.map_or(Decimal::ZERO, |decline| decline.lowered);
        Some((ratio - lowered).clamp(Decimal::ZERO, Decimal::ONE))
    }
}
