//! Planning periods: calendar days, ISO weeks, weeks split at month end, months.
//!
//! A period is a *label* in plant-local civil time. Its UTC instants need a
//! zone and are computed by the domain crate, because a week has 167, 168 or
//! 169 hours depending on where it is.

use std::{borrow::Cow, fmt, str::FromStr};

use jiff::{
    ToSpan as _,
    civil::{Date, ISOWeekDate, Weekday},
};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The kinds of period that planning systems store.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum PeriodKind {
    /// One civil day.
    Day,
    /// ISO 8601 week, Monday to Sunday.
    Week,
    /// ISO week cut at the month end: rolls up to weeks and to months.
    TechnicalWeek,
    /// Calendar month.
    Month,
}

/// One planning period, identified by its kind and first civil day.
///
/// Text form: `2026-10-26` (day), `2026-W43` (week), `2026-W05a` and
/// `2026-W05b` (technical week: before and from the first of the month; an
/// unsplit week is `a`), `2026-10` (month).
///
/// ```
/// use planthread_contracts::Period;
/// let week: Period = "2026-W43".parse()?;
/// assert_eq!(week.start().to_string(), "2026-10-19");
/// assert_eq!(week.end().to_string(), "2026-10-26");
/// # Ok::<(), planthread_contracts::PeriodError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Period {
    kind: PeriodKind,
    start: Date,
}

/// The text names no period.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a period: use 2026-10-26, 2026-W43, 2026-W05a or 2026-10")]
pub struct PeriodError(pub String);

impl Period {
    /// The period of `kind` that contains the civil day `date`.
    #[must_use]
    pub fn containing(kind: PeriodKind, date: Date) -> Self {
        let start = match kind {
            PeriodKind::Day => date,
            PeriodKind::Week => monday(date),
            PeriodKind::TechnicalWeek => monday(date).max(date.first_of_month()),
            PeriodKind::Month => date.first_of_month(),
        };
        Self { kind, start }
    }

    /// The kind of period.
    #[must_use]
    pub const fn kind(self) -> PeriodKind {
        self.kind
    }

    /// First civil day, inclusive.
    #[must_use]
    pub const fn start(self) -> Date {
        self.start
    }

    /// First civil day after the period.
    #[must_use]
    pub fn end(self) -> Date {
        let next_month = self.start.first_of_month().saturating_add(1.month());
        match self.kind {
            PeriodKind::Day => self.start.saturating_add(1.day()),
            PeriodKind::Week => self.start.saturating_add(7.days()),
            PeriodKind::TechnicalWeek => {
                monday(self.start).saturating_add(7.days()).min(next_month)
            }
            PeriodKind::Month => next_month,
        }
    }

    /// The period of the same kind that starts where this one ends.
    #[must_use]
    pub fn next(self) -> Self {
        Self { kind: self.kind, start: self.end() }
    }

    /// Every civil day of the period, in order.
    pub fn days(self) -> impl Iterator<Item = Date> {
        let end = self.end();
        self.start.series(1.day()).take_while(move |day| *day < end)
    }
}

fn monday(date: Date) -> Date {
    let back = i64::from(date.weekday().to_monday_zero_offset());
    date.saturating_sub(back.days())
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let iso = self.start.iso_week_date();
        match self.kind {
            PeriodKind::Day => write!(f, "{}", self.start),
            PeriodKind::Week => write!(f, "{:04}-W{:02}", iso.year(), iso.week()),
            PeriodKind::TechnicalWeek => {
                let part = if iso.weekday() == Weekday::Monday { 'a' } else { 'b' };
                write!(f, "{:04}-W{:02}{part}", iso.year(), iso.week())
            }
            PeriodKind::Month => write!(f, "{:04}-{:02}", self.start.year(), self.start.month()),
        }
    }
}

impl FromStr for Period {
    type Err = PeriodError;

    fn from_str(text: &str) -> Result<Self, PeriodError> {
        parse(text).ok_or_else(|| PeriodError(text.to_owned()))
    }
}

fn parse(text: &str) -> Option<Period> {
    let (year, rest) = text.split_once('-')?;
    // A sign is a number to whoever reads numbers.
    if year.len() != 4 || !text.is_ascii() || text.contains('+') {
        return None;
    }
    let year: i16 = year.parse().ok()?;
    if let Some(week) = rest.strip_prefix('W') {
        let (number, part) = week.split_at_checked(2)?;
        let first = ISOWeekDate::new(year, number.parse().ok()?, Weekday::Monday).ok()?.date();
        let technical = |start| Period { kind: PeriodKind::TechnicalWeek, start };
        return match part {
            "" => Some(Period { kind: PeriodKind::Week, start: first }),
            "a" => Some(technical(first)),
            "b" => {
                let second = technical(first).end();
                (second < first.saturating_add(7.days())).then(|| technical(second))
            }
            _ => None,
        };
    }
    let (month, day) = match rest.split_once('-') {
        Some((month, day)) => (month, Some(day)),
        None => (rest, None),
    };
    let two = |part: &str| (part.len() == 2).then(|| part.parse::<i8>().ok())?;
    let kind = if day.is_some() { PeriodKind::Day } else { PeriodKind::Month };
    let start = Date::new(year, two(month)?, two(day.unwrap_or("01"))?).ok()?;
    Some(Period { kind, start })
}

impl Serialize for Period {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Period {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

impl JsonSchema for Period {
    fn schema_name() -> Cow<'static, str> {
        "Period".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string",
            "pattern": "^[0-9]{4}-(W[0-9]{2}[ab]?|[0-9]{2}(-[0-9]{2})?)$",
            "description": "Planning period: 2026-10-26, 2026-W43, 2026-W05a or 2026-10." })
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn iso_week_year_is_not_the_calendar_year() {
        let text = |y, m, d| Period::containing(PeriodKind::Week, date(y, m, d)).to_string();
        assert_eq!(text(2024, 12, 30), "2025-W01");
        assert_eq!(text(2027, 1, 1), "2026-W53");
    }

    #[test]
    fn technical_weeks_of_the_fact_sheet() {
        let days = |text: &str| text.parse::<Period>().unwrap().days().count();
        assert_eq!((days("2026-W27a"), days("2026-W27b")), (2, 5));
        assert_eq!((days("2026-W05a"), days("2026-W05b")), (6, 1));
        assert_eq!((days("2026-W09a"), days("2026-W09b")), (6, 1));
        assert_eq!((days("2026-W53a"), days("2026-W53b")), (4, 3));
        assert!("2026-W10b".parse::<Period>().is_err(), "W10 is not split");
    }

    #[test]
    fn garbage_is_refused() {
        let signs = ["+026-W05", "2026-W+5", "2026-+1", "2026-01-+1", "-026-01"];
        let wrong = ["", "2026", "2026-W54", "2026-13", "2026-10-32", "26-W01", "2026-W1", "W01"];
        for text in wrong.into_iter().chain(signs) {
            assert!(text.parse::<Period>().is_err(), "{text}");
        }
    }

    proptest! {
        /// Whatever is read as a period is printed as it was written.
        #[test]
        fn what_is_read_is_printed_again(
            text in "[0-9+-][0-9]{2}[0-9+]-(W[0-9+][0-9][ab]?|[01+][0-9](-[0-3+][0-9])?)",
        ) {
            if let Ok(period) = text.parse::<Period>() {
                prop_assert_eq!(period.to_string(), text);
            }
        }

        #[test]
        fn text_round_trips_and_periods_tile(offset in 0i64..20_000, kind in 0usize..4) {
            use PeriodKind::{Day, Month, TechnicalWeek, Week};
            let kind = [Day, Week, TechnicalWeek, Month][kind];
            let day = date(2000, 1, 1).saturating_add(offset.days());
            let period = Period::containing(kind, day);
            prop_assert!(period.start() <= day && day < period.end());
            prop_assert_eq!(period.to_string().parse::<Period>().unwrap(), period);
            prop_assert_eq!(period.next(), Period::containing(kind, period.end()));
        }
    }
}
