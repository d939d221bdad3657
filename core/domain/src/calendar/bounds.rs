//! From the label of a period to its instants.

use jiff::{
    civil::{Date, Time},
    tz::TimeZone,
};
use planthread_contracts::{Period, PeriodKind};

use super::{Clocks, LocalTimeError, Span, span::instant, zone};
use crate::model::Disambiguation;

/// Where days begin: a zone and a local time of day.
///
/// A day start that a clock change skips or repeats is placed by the
/// compatible rule, so that periods tile time without gap or overlap whatever
/// a calendar's own policy for shifts is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bounds {
    clocks: Clocks,
    day_start: Time,
}

impl Bounds {
    /// Days of `zone_name` that begin at `day_start`.
    ///
    /// # Errors
    /// When the zone is unknown.
    pub fn new(zone_name: &str, day_start: Time) -> Result<Self, LocalTimeError> {
        Ok(Self { clocks: Clocks::of(zone(zone_name)?), day_start })
    }

    /// The same, made to be asked often for days of `[from, to)`.
    ///
    /// # Errors
    /// When the zone is unknown.
    pub fn over(
        zone_name: &str,
        day_start: Time,
        (from, to): (Date, Date),
    ) -> Result<Self, LocalTimeError> {
        Ok(Self { clocks: Clocks::over(zone(zone_name)?, from, to), day_start })
    }

    /// The zone.
    #[must_use]
    pub const fn zone(&self) -> &TimeZone {
        self.clocks.zone()
    }

    /// The instant at which the production day `date` begins, in milliseconds.
    ///
    /// # Errors
    /// When the date is at the edge of what the calendar can represent.
    pub fn day(&self, date: Date) -> Result<i64, LocalTimeError> {
        self.clocks.on(date).at(self.day_start, Disambiguation::Compatible)
    }

    /// The instants of `period`, half-open.
    ///
    /// # Errors
    /// When the period is at the edge of what the calendar can represent.
    pub fn span(&self, period: Period) -> Result<Span, LocalTimeError> {
        Ok(Span { start: self.day(period.start())?, end: self.day(period.end())? })
    }

    /// The production day in which `ms` lies.
    ///
    /// # Errors
    /// When the instant is at the edge of what the calendar can represent.
    pub fn date(&self, ms: i64) -> Result<Date, LocalTimeError> {
        let local = self.zone().to_datetime(instant(ms));
        let date = local.date();
        let yesterday = || date.yesterday().map_err(|_| LocalTimeError::OutOfRange(local));
        if self.day(date)? <= ms { Ok(date) } else { yesterday() }
    }
}

/// All periods of `kind` that hold a day of `[from, to)`, in order.
pub fn periods(kind: PeriodKind, from: Date, to: Date) -> impl Iterator<Item = Period> {
    std::iter::successors(Some(Period::containing(kind, from)), |period| Some(period.next()))
        .take_while(move |period| period.start() < to)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_six_clock_change_vectors() {
        for (zone, week, from, to, tenths) in [
            ("Europe/Berlin", "2026-W13", "2026-03-22T23:00:00Z", "2026-03-29T22:00:00Z", 1670),
            ("Europe/Berlin", "2026-W43", "2026-10-18T22:00:00Z", "2026-10-25T23:00:00Z", 1690),
            ("America/New_York", "2026-W10", "2026-03-02T05:00:00Z", "2026-03-09T04:00:00Z", 1670),
            ("America/New_York", "2026-W44", "2026-10-26T04:00:00Z", "2026-11-02T05:00:00Z", 1690),
            ("Asia/Kolkata", "2026-W43", "2026-10-18T18:30:00Z", "2026-10-25T18:30:00Z", 1680),
            (
                "Australia/Lord_Howe",
                "2026-W40",
                "2026-09-27T13:30:00Z",
                "2026-10-04T13:00:00Z",
                1675,
            ),
        ] {
            let span =
                Bounds::new(zone, Time::midnight()).unwrap().span(week.parse().unwrap()).unwrap();
            assert_eq!(instant(span.start).to_string(), from, "{zone} {week}");
            assert_eq!(instant(span.end).to_string(), to, "{zone} {week}");
            assert_eq!(span.ms(), tenths * 360_000, "{zone} {week}");
        }
    }

    #[test]
    fn technical_weeks_hold_their_days() {
        let bounds = Bounds::new("Europe/Berlin", Time::midnight()).unwrap();
        let hours = |text: &str| bounds.span(text.parse().unwrap()).unwrap().ms() / 3_600_000;
        assert_eq!((hours("2026-W27a"), hours("2026-W27b")), (48, 120));
        assert_eq!((hours("2026-W05a"), hours("2026-W05b")), (144, 24));
        assert_eq!((hours("2026-W53a"), hours("2026-W53b")), (96, 72));
    }

    #[test]
    fn a_production_day_may_begin_in_the_morning() {
        let bounds = Bounds::new("Europe/Berlin", jiff::civil::time(6, 0, 0, 0)).unwrap();
        let ms = |text: &str| text.parse::<jiff::Timestamp>().unwrap().as_millisecond();
        let day = |text: &str| bounds.date(ms(text)).unwrap().to_string();
        assert_eq!(day("2026-11-22T04:59:59Z"), "2026-11-21");
        assert_eq!(day("2026-11-22T05:00:00Z"), "2026-11-22");
    }
}
