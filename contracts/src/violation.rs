//! Violations: what is wrong with a record, where, and what to do about it.
//!
//! Every check of this crate answers with a list, so that a sender sees all
//! faults of a record at once. Paths are written `data.periods[2].start`.

use std::fmt;

use jiff::{Timestamp, tz::TimeZone};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::{Period, Quantity, Unit};

/// One broken rule of a contract.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Violation {
    /// The field at fault, as a path; empty when the whole record is.
    pub path: String,
    /// What is wrong with it.
    pub reason: String,
    /// What the sender can do about it.
    pub cure: String,
}

impl Violation {
    /// A violation at `path`.
    #[must_use]
    pub fn new(
        path: impl Into<String>,
        reason: impl Into<String>,
        cure: impl Into<String>,
    ) -> Self {
        Self { path: path.into(), reason: reason.into(), cure: cure.into() }
    }

    /// The same violation, seen from an outer record that holds this one in
    /// its field `outer`.
    #[must_use]
    pub fn under(mut self, outer: &str) -> Self {
        self.path = join(outer, &self.path);
        self
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = if self.path.is_empty() { "record" } else { &self.path };
        write!(f, "{path}: {}; {}", self.reason, self.cure)
    }
}

/// Joins two paths; an index (`[3]`) needs no dot.
pub(crate) fn join(outer: &str, inner: &str) -> String {
    match (outer.is_empty(), inner.is_empty()) {
        (true, _) => inner.to_owned(),
        (_, true) => outer.to_owned(),
        _ if inner.starts_with('[') => format!("{outer}{inner}"),
        _ => format!("{outer}.{inner}"),
    }
}

/// Collects the violations of one record.
#[derive(Debug, Default)]
pub(crate) struct Check(Vec<Violation>);

impl Check {
    pub(crate) fn done(self) -> Vec<Violation> {
        self.0
    }

    pub(crate) fn fail(&mut self, path: &str, reason: impl Into<String>, cure: impl Into<String>) {
        self.0.push(Violation::new(path, reason, cure));
    }

    /// Takes over the violations of the part that sits in field `path`.
    pub(crate) fn part(&mut self, path: &str, found: Vec<Violation>) {
        self.0.extend(found.into_iter().map(|violation| violation.under(path)));
    }

    pub(crate) fn text(&mut self, path: &str, value: &str) {
        if value.trim().is_empty() {
            self.fail(path, "is empty", "give the name, or leave an optional field out");
        } else if value.trim() != value || value.chars().any(char::is_control) {
            self.fail(
                path,
                format!("{value:?} has blanks around it or control characters in it"),
                "send the bare name",
            );
        }
    }

    pub(crate) fn opt_text(&mut self, path: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.text(path, value);
        }
    }

    pub(crate) fn not_negative(&mut self, path: &str, value: Decimal) {
        if value.is_sign_negative() && !value.is_zero() {
            self.fail(path, format!("{value} is negative"), "send zero or more");
        }
    }

    pub(crate) fn opt_not_negative(&mut self, path: &str, value: Option<Decimal>) {
        if let Some(value) = value {
            self.not_negative(path, value);
        }
    }

    pub(crate) fn positive(&mut self, path: &str, value: Decimal) {
        if value <= Decimal::ZERO {
            self.fail(path, format!("{value} is not above zero"), "send a value above zero");
        }
    }

    pub(crate) fn fraction(&mut self, path: &str, value: Decimal) {
        if value < Decimal::ZERO || value > Decimal::ONE {
            self.fail(
                path,
                format!("{value} is not a fraction from 0 to 1"),
                "send a fraction; a percentage is never guessed from its size",
            );
        }
    }

    pub(crate) fn opt_fraction(&mut self, path: &str, value: Option<Decimal>) {
        if let Some(value) = value {
            self.fraction(path, value);
        }
    }

    pub(crate) fn ordered(&mut self, path: &str, start: Timestamp, end: Timestamp) {
        if end <= start {
            self.fail(
                path,
                format!("{end} is not after the start {start}"),
                "send the first instant after the interval (half-open)",
            );
        }
    }

    /// Half-open bounds of a whole period, in the fields `start` and `end`.
    ///
    /// They may differ from midnight UTC by a zone offset (at most 14 hours)
    /// and a production day that starts in the morning, no more: one day of
    /// slack tells a wrong period from a far zone.
    pub(crate) fn bounds(&mut self, at: &str, period: Period, start: Timestamp, end: Timestamp) {
        self.ordered(&join(at, "end"), start, end);
        for (name, bound, day) in [("start", start, period.start()), ("end", end, period.end())] {
            let Ok(midnight) = day.to_zoned(TimeZone::UTC) else { continue };
            if bound.as_second().abs_diff(midnight.timestamp().as_second()) > 24 * 3_600 {
                self.fail(
                    &join(at, name),
                    format!("{bound} is not the {name} of period {period}"),
                    "send the bounds of the whole period, or correct the period",
                );
            }
        }
    }

    /// A ratio says by its unit that it is a fraction.
    pub(crate) fn ratio(&mut self, path: &str, ratio: Option<Quantity>) {
        let Some(ratio) = ratio else { return };
        if ratio.unit == Unit::One {
            self.fraction(&join(path, "value"), ratio.value);
        } else {
            self.fail(
                &join(path, "unit"),
                format!("{} is not the unit of a ratio", ratio.unit),
                "send a fraction from 0 to 1 with unit C62",
            );
        }
    }

    /// Zone names are checked by shape only: this crate reads no tz database.
    pub(crate) fn zone(&mut self, path: &str, name: &str) {
        let shaped = name == "UTC"
            || (name.contains('/')
                && name.split('/').all(|part| {
                    !part.is_empty()
                        && part.chars().all(|c| c.is_ascii_alphanumeric() || "_+-".contains(c))
                }));
        if !shaped {
            self.fail(
                path,
                format!("{name:?} is not an IANA zone name"),
                "use a name such as Europe/Berlin, or UTC; abbreviations and offsets hide \
                 daylight saving",
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_join_as_people_write_them() {
        assert_eq!(join("data", "[3].p"), "data[3].p");
        assert_eq!(join("data.list", "name"), "data.list.name");
        assert_eq!((join("", "a"), join("a", "")), ("a".into(), "a".into()));
    }

    #[test]
    fn abbreviations_and_offsets_are_no_zones() {
        for (name, faults) in [
            ("Europe/Berlin", 0),
            ("UTC", 0),
            ("America/Argentina/Ushuaia", 0),
            ("CET", 1),
            ("+01:00", 1),
            ("", 1),
            ("Europe/", 1),
        ] {
            let mut check = Check::default();
            check.zone("zone", name);
            assert_eq!(check.done().len(), faults, "{name}");
        }
    }

    #[test]
    fn negative_zero_is_zero() {
        let mut check = Check::default();
        check.not_negative("x", -Decimal::ZERO);
        assert!(check.done().is_empty());
    }
}
