//! Shift calendars in local time, decided changes, and planned stops.

use jiff::civil::{Date, Time, Weekday};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Moment;

/// When a group of resources is scheduled to work, in local time.
///
/// A shift belongs to the civil day on which it starts. What two shifts have
/// in common counts once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Calendar {
    /// Name, referred to by resources.
    pub id: String,
    /// Version of the calendar, into provenance: raise it with every change.
    pub version: String,
    /// The site at which it is worked by; the plant itself when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<String>,
    /// IANA zone of the shifts, and of nothing else; the site's zone when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// Works every hour of every day; then there are no `shifts`.
    #[serde(default)]
    pub round_the_clock: bool,
    /// The weekly shifts.
    #[serde(default)]
    pub shifts: Vec<Shift>,
    /// Holidays from iCalendar files: each closes its days, as an exception does.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub holidays: Vec<Holidays>,
    /// What people decided for single days: their own layer above the shifts.
    #[serde(default)]
    pub exceptions: Vec<CalendarException>,
    /// What a local time means that a clock change skips or repeats.
    #[serde(default)]
    pub disambiguation: Disambiguation,
}

/// A file of holidays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Holidays {
    /// The iCalendar file (`.ics`), relative to the configuration: whole days with
    /// their names.
    pub file: String,
    /// Who answers for it.
    pub owner: String,
}

/// A shift that returns every week.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Shift {
    /// What people call it: `early`, `night`.
    pub name: String,
    /// The days on which it starts.
    pub days: Vec<WeekDay>,
    /// Local time of its start.
    pub start: Time,
    /// Local time of its end; at or before `start` it ends on the next day.
    pub end: Time,
    /// Breaks in which nobody works and nothing runs: they are not scheduled time.
    /// A break that begins before `start` lies on the next day.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub breaks: Vec<ShiftHours>,
}

/// Local hours of one day; may cross midnight as a shift may.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ShiftHours {
    /// Local time of the start.
    pub start: Time,
    /// Local time of the end; at or before `start` it ends on the next day.
    pub end: Time,
}

/// A decided change of single days: a holiday, overtime, a moved shift.
///
/// Decided changes outrank telemetry, survive every derivation, and show as
/// their own layer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CalendarException {
    /// First civil day.
    pub from: Date,
    /// Last civil day, inclusive; the first when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Date>,
    /// Drops every regular shift that starts on these days.
    #[serde(default)]
    pub closed: bool,
    /// Works these hours on each of the days, besides the shifts that remain.
    #[serde(default)]
    pub extra: Vec<ShiftHours>,
    /// Why it was decided.
    pub reason: String,
    /// Who answers for it.
    pub owner: String,
    /// The planning cycle in which it was decided, such as `2026-11`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cycle: Option<String>,
}

/// A planned stop of one resource: deterministic, never discounted again
/// through availability.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlannedMaintenance {
    /// The resource that stops.
    pub resource: String,
    /// Its start: an instant, or local time of the resource's calendar.
    pub start: Moment,
    /// Its end, exclusive.
    pub end: Moment,
    /// What is done.
    pub reason: String,
    /// Who answers for it.
    pub owner: String,
}

/// What to do with a local time that a clock change skips or repeats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Disambiguation {
    /// Refuse it, naming the day.
    Reject,
    /// The earlier instant.
    Earlier,
    /// The later instant.
    Later,
    /// The later instant of a gap, the earlier of a fold (RFC 5545).
    #[default]
    Compatible,
}

/// A day of the week.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum WeekDay {
    /// Monday.
    Mon,
    /// Tuesday.
    Tue,
    /// Wednesday.
    Wed,
    /// Thursday.
    Thu,
    /// Friday.
    Fri,
    /// Saturday.
    Sat,
    /// Sunday.
    Sun,
}

impl WeekDay {
    /// The weekday of the calendar library.
    #[must_use]
    pub const fn weekday(self) -> Weekday {
        match self {
            Self::Mon => Weekday::Monday,
            Self::Tue => Weekday::Tuesday,
            Self::Wed => Weekday::Wednesday,
            Self::Thu => Weekday::Thursday,
            Self::Fri => Weekday::Friday,
            Self::Sat => Weekday::Saturday,
            Self::Sun => Weekday::Sunday,
        }
    }
}

impl CalendarException {
    /// The last day, inclusive.
    #[must_use]
    pub fn last(&self) -> Date {
        self.to.unwrap_or(self.from)
    }

    /// Whether the exception speaks of `day`.
    #[must_use]
    pub fn covers(&self, day: Date) -> bool {
        self.from <= day && day <= self.last()
    }
}
