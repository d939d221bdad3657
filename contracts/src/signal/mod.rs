//! The three planning signals: what is derived, and what lands.
//!
//! Their fields are flat on purpose, so that a signal reads as one line. The
//! fields that all three share (key, bounds, standing) are checked here, once.

pub mod available_capacity;
pub mod constraint_severity;
pub mod maintenance_risk;

use jiff::Timestamp;
use rust_decimal::Decimal;

use crate::{Period, Provenance, Quality, Status, violation::Check};

/// Two figures of hours that differ by less are the same: 1e-9 h, 3.6 µs.
/// Repeating decimals (a third of a week) keep 28 digits, not all of them.
const SAME_HOURS: Decimal = Decimal::from_parts(1, 0, 0, false, 9);

/// The fields that every signal has, borrowed for the check.
struct Common<'a> {
    resource: &'a str,
    period: Period,
    start: Timestamp,
    end: Timestamp,
    zone: &'a str,
    calendar_id: &'a str,
    calendar_version: &'a str,
    status: Status,
    quality: &'a Quality,
    provenance: &'a Provenance,
    as_of: Timestamp,
    valid_until: Timestamp,
}

impl Common<'_> {
    fn check(&self, check: &mut Check) {
        check.text("resource", self.resource);
        check.bounds("", self.period, self.start, self.end);
        check.zone("zone", self.zone);
        check.text("calendar_id", self.calendar_id);
        check.text("calendar_version", self.calendar_version);
        if self.status == Status::Planner {
            check.fail(
                "status",
                "`planner` is said of a landed cell that a person set, never of a signal",
                "state what factory truth says: live, held, assumed, conflicting or unknown",
            );
        }
        check.part("quality", self.quality.validate());
        check.part("provenance", self.provenance.validate());
        if self.valid_until <= self.as_of {
            check.fail(
                "valid_until",
                format!("{} is not after as_of {}", self.valid_until, self.as_of),
                "a value carries its own end: state when it becomes stale",
            );
        }
    }

    fn hours(&self) -> Decimal {
        let seconds = self.end.as_second() - self.start.as_second();
        Decimal::from(seconds) / Decimal::from(3_600)
    }
}
