//! Local civil time to instants, with an explicit policy for clock changes.

use jiff::{
    civil::{Date, DateTime, Time},
    tz::{Offset, TimeZone},
};

use super::{Span, span::instant};
use crate::model::Disambiguation;

const DAY_MS: i64 = 86_400_000;

/// No two offsets of a zone differ by three days: a local time that lies further than
/// that from any change of the clocks has one instant. So have those of a day, and of the
/// next one, whose midnight lies further from it than this.
const NEAR_MS: i64 = 5 * DAY_MS;

/// A local time that can't be placed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LocalTimeError {
    /// The zone is not in the tz database.
    #[error("`{0}` is no IANA time zone: write a name such as Europe/Berlin or UTC")]
    UnknownZone(String),
    /// The clocks skip or repeat it, and the policy is to refuse.
    #[error(
        "local time {local} in {zone} is skipped or repeated by a clock change: move it, or set `disambiguation` to earlier, later or compatible"
    )]
    Ambiguous {
        /// The local time.
        local: DateTime,
        /// The zone.
        zone: String,
    },
    /// The time lies outside of what the calendar can represent.
    #[error("local time {0} is out of range")]
    OutOfRange(DateTime),
}

/// Finds an IANA zone.
///
/// # Errors
/// When the tz database has none of that name.
pub fn zone(name: &str) -> Result<TimeZone, LocalTimeError> {
    TimeZone::get(name).map_err(|_| LocalTimeError::UnknownZone(name.to_owned()))
}

/// The instant of `local` in `zone`, in milliseconds since the Unix epoch.
///
/// # Errors
/// When a clock change makes it ambiguous and `policy` refuses that, or it is
/// out of range.
pub fn resolve(
    local: DateTime,
    zone: &TimeZone,
    policy: Disambiguation,
) -> Result<i64, LocalTimeError> {
    let ambiguous = zone.to_ambiguous_timestamp(local);
    let is_ambiguous = ambiguous.is_ambiguous();
    match policy {
        Disambiguation::Reject if is_ambiguous => Err(LocalTimeError::Ambiguous {
            local,
            zone: zone.iana_name().unwrap_or("the zone").to_owned(),
        }),
        Disambiguation::Earlier => {
            ambiguous.earlier().map_err(|_| LocalTimeError::OutOfRange(local))
        }
        Disambiguation::Later => ambiguous.later().map_err(|_| LocalTimeError::OutOfRange(local)),
        Disambiguation::Reject | Disambiguation::Compatible => {
            ambiguous.compatible().map_err(|_| LocalTimeError::OutOfRange(local))
        }
    }
    .map(jiff::Timestamp::as_millisecond)
}

/// The clocks of a zone. Over the days that they were made for, local times far from any
/// change are placed by their offset alone; the tz database is asked for the rest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clocks {
    zone: TimeZone,
    /// Midnights far from any change, as if they were UTC, in order, each with its
    /// offset in milliseconds.
    steady: Vec<(Span, i64)>,
}

impl Clocks {
    /// The clocks of `zone`, made for no days.
    #[must_use]
    pub const fn of(zone: TimeZone) -> Self {
        Self { zone, steady: Vec::new() }
    }

    /// The clocks of `zone`, made for the days `[from, to)`.
    #[must_use]
    pub fn over(zone: TimeZone, from: Date, to: Date) -> Self {
        let (Some(from), Some(to)) = (as_utc(from), as_utc(to)) else { return Self::of(zone) };
        let mut begin = from.saturating_sub(2 * NEAR_MS);
        let last = to.saturating_add(2 * NEAR_MS);
        let changes = zone.following(instant(begin)).map(|change| change.timestamp());
        let ends = changes.map(jiff::Timestamp::as_millisecond).take_while(|end| *end < last);
        let mut steady = Vec::new();
        for end in ends.chain([last]) {
            let offset = i64::from(zone.to_offset(instant(begin)).seconds()) * 1_000;
            let span = Span { start: begin + offset + NEAR_MS, end: end + offset - NEAR_MS };
            steady.push((span, offset));
            begin = end;
        }
        steady.retain(|(span, _)| !span.is_empty());
        Self { zone, steady }
    }

    /// The zone.
    #[must_use]
    pub const fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// The clocks on one day.
    #[must_use]
    pub fn on(&self, date: Date) -> Day<'_> {
        let midnight = as_utc(date).and_then(|at| {
            let next = self.steady.partition_point(|(span, _)| span.end <= at);
            let (_, offset) = self.steady.get(next).filter(|(span, _)| span.start <= at)?;
            Some(at - offset)
        });
        Day { zone: &self.zone, date, midnight }
    }
}

/// The clocks of a zone on one day.
#[derive(Debug, Clone, Copy)]
pub struct Day<'a> {
    zone: &'a TimeZone,
    date: Date,
    /// Its midnight, where no change of the clocks is near.
    midnight: Option<i64>,
}

impl Day<'_> {
    /// The instant of a time of this day, as [`resolve`] says.
    ///
    /// # Errors
    /// As [`resolve`].
    pub fn at(&self, time: Time, policy: Disambiguation) -> Result<i64, LocalTimeError> {
        match self.midnight {
            Some(midnight) => Ok(midnight + since_midnight(time)),
            None => resolve(self.date.to_datetime(time), self.zone, policy),
        }
    }

    /// The day after it.
    #[must_use]
    pub fn next(&self) -> Self {
        let date = self.date.tomorrow().unwrap_or(self.date);
        Self { date, midnight: self.midnight.map(|midnight| midnight + DAY_MS), ..*self }
    }
}

/// Midnight as if it were UTC, in milliseconds.
fn as_utc(day: Date) -> Option<i64> {
    let midnight = Offset::UTC.to_timestamp(day.to_datetime(Time::midnight()));
    midnight.ok().map(jiff::Timestamp::as_millisecond)
}

fn since_midnight(time: Time) -> i64 {
    let minutes = i64::from(time.hour()) * 60 + i64::from(time.minute());
    (minutes * 60 + i64::from(time.second())) * 1_000 + i64::from(time.millisecond())
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan as _;
    use proptest::prelude::*;

    use super::*;

    fn at(local: &str, policy: Disambiguation) -> Result<String, LocalTimeError> {
        let berlin = zone("Europe/Berlin").unwrap();
        resolve(local.parse().unwrap(), &berlin, policy).map(|ms| instant(ms).to_string())
    }

    #[test]
    fn gap_and_fold_follow_the_declared_policy() {
        use Disambiguation::{Compatible, Earlier, Later, Reject};
        let gap = "2026-03-29T02:30:00";
        assert_eq!(at(gap, Earlier).unwrap(), "2026-03-29T00:30:00Z");
        assert_eq!(at(gap, Later).unwrap(), "2026-03-29T01:30:00Z");
        assert_eq!(at(gap, Compatible).unwrap(), "2026-03-29T01:30:00Z");
        assert!(at(gap, Reject).unwrap_err().to_string().contains("clock change"));
        let fold = "2026-10-25T02:30:00";
        assert_eq!(at(fold, Earlier).unwrap(), "2026-10-25T00:30:00Z");
        assert_eq!(at(fold, Later).unwrap(), "2026-10-25T01:30:00Z");
        assert_eq!(at(fold, Compatible).unwrap(), "2026-10-25T00:30:00Z");
        assert!(at("2026-10-25T04:30:00", Reject).is_ok());
    }

    proptest! {
        #[test]
        fn clocks_made_for_some_days_say_what_the_tz_database_says(
            zone_name in proptest::sample::select(vec![
                "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC",
                // They left out a day in 2011, and have no summer time since 2021.
                "Pacific/Apia",
                // Four changes a year: summer time pauses in Ramadan.
                "Africa/Casablanca",
            ]),
            year in 1960i16..2040,
            days in 1i64..900,
            minutes in proptest::collection::vec(-40_000i64..1_400_000, 1..60),
        ) {
            let zone = zone(zone_name).unwrap();
            let from = jiff::civil::date(year, 3, 1);
            let clocks = Clocks::over(zone.clone(), from, from.saturating_add(days.days()));
            for minutes in minutes {
                let local = from.at(0, 0, 0, 0).saturating_add(minutes.minutes());
                let day = clocks.on(local.date());
                for policy in [Disambiguation::Reject, Disambiguation::Later] {
                    let right = resolve(local, &zone, policy);
                    prop_assert_eq!(day.at(local.time(), policy), right);
                    let right = resolve(local.saturating_add(1.day()), &zone, policy);
                    prop_assert_eq!(day.next().at(local.time(), policy), right);
                }
            }
        }
    }

    #[test]
    fn an_unknown_zone_is_refused() {
        assert!(zone("Europe/Bielefeld").unwrap_err().to_string().contains("IANA"));
    }
}
