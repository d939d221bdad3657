//! Daily windows in which a tenant wants no requests from us.

use std::time::Duration;

use jiff::{
    Timestamp, ToSpan,
    civil::{Date, Time},
    tz::TimeZone,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::QuotaError;

/// A daily window, from `from` until just before `to`; past midnight when
/// `to` is the earlier one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Blackout {
    /// Local time of its start: `22:00`.
    pub from: Time,
    /// Local time of its end: `04:30`.
    pub to: Time,
    /// IANA time zone of both: `Europe/Berlin`.
    pub zone: String,
}

impl Blackout {
    /// The windows that touch the days from `now`'s eve on, `days` of them:
    /// from, inclusive, and until, exclusive.
    ///
    /// # Errors
    /// When the zone is unknown, or both ends are the same.
    pub fn windows(
        &self,
        now: Timestamp,
        days: i32,
    ) -> Result<Vec<(Timestamp, Timestamp)>, QuotaError> {
        let window = Window::new(self)?;
        let today = window.zone.to_datetime(now).date();
        let dates = (-1..days).filter_map(|day| today.checked_add(day.days()).ok());
        Ok(dates.filter_map(|date| window.on(date)).collect())
    }
}

/// A blackout with its zone looked up.
#[derive(Debug)]
pub(super) struct Window {
    from: Time,
    to: Time,
    zone: TimeZone,
}

impl Window {
    pub(super) fn new(blackout: &Blackout) -> Result<Self, QuotaError> {
        let Blackout { from, to, ref zone } = *blackout;
        if from == to {
            return Err(QuotaError::EmptyBlackout { from, to });
        }
        let zone = TimeZone::get(zone).map_err(|_| QuotaError::Zone(zone.clone()))?;
        Ok(Self { from, to, zone })
    }

    /// What is left of the window at `now`; `None` outside of it.
    pub(super) fn left(&self, now: Timestamp) -> Option<Duration> {
        let today = self.zone.to_datetime(now).date();
        [today.yesterday().ok(), Some(today)].into_iter().flatten().find_map(|date| {
            let (start, end) = self.on(date)?;
            (start <= now && now < end).then(|| end.duration_since(now).unsigned_abs())
        })
    }

    /// The window that begins on `date`.
    ///
    /// A local time that a clock change skips counts as the later reading, one
    /// that it repeats as the first.
    fn on(&self, date: Date) -> Option<(Timestamp, Timestamp)> {
        let last = if self.to > self.from { date } else { date.checked_add(1.day()).ok()? };
        let instant = |datetime| self.zone.to_timestamp(datetime).ok();
        Some((instant(date.to_datetime(self.from))?, instant(last.to_datetime(self.to))?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left(from: &str, to: &str, now: &str) -> Option<u64> {
        let blackout = Blackout {
            from: from.parse().unwrap(),
            to: to.parse().unwrap(),
            zone: "Europe/Berlin".to_owned(),
        };
        let window = Window::new(&blackout).unwrap();
        window.left(now.parse().unwrap()).map(|left| left.as_secs() / 60)
    }

    #[test]
    fn the_window_is_half_open() {
        assert_eq!(left("01:00", "03:00", "2026-11-22T23:59:59Z"), None);
        assert_eq!(left("01:00", "03:00", "2026-11-23T00:00:00Z"), Some(120));
        assert_eq!(left("01:00", "03:00", "2026-11-23T01:59:00Z"), Some(1));
        assert_eq!(left("01:00", "03:00", "2026-11-23T02:00:00Z"), None);
    }

    #[test]
    fn windows_to_come_are_told_beforehand() {
        let time = |text: &str| text.parse().unwrap();
        let zone = "Europe/Berlin".to_owned();
        let nightly = Blackout { from: time("22:00"), to: time("04:30"), zone };
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        assert_eq!(
            nightly.windows(at("2026-11-23T02:00:00Z"), 1).unwrap(),
            [
                (at("2026-11-22T21:00:00Z"), at("2026-11-23T03:30:00Z")),
                (at("2026-11-23T21:00:00Z"), at("2026-11-24T03:30:00Z")),
            ]
        );
    }

    #[test]
    fn it_may_pass_midnight() {
        assert_eq!(left("22:00", "04:30", "2026-11-22T21:00:00Z"), Some(390));
        assert_eq!(left("22:00", "04:30", "2026-11-23T03:00:00Z"), Some(30));
        assert_eq!(left("22:00", "04:30", "2026-11-23T03:30:00Z"), None);
        assert_eq!(left("22:00", "04:30", "2026-11-23T12:00:00Z"), None);
    }

    #[test]
    fn it_follows_the_wall_clock_over_a_clock_change() {
        // 2026-03-29: 02:00 to 03:00 does not exist in Berlin.
        assert_eq!(left("01:00", "04:00", "2026-03-29T00:00:00Z"), Some(120));
        // 2026-10-25: it exists twice.
        assert_eq!(left("01:00", "04:00", "2026-10-24T23:00:00Z"), Some(240));
    }

    #[test]
    fn nonsense_is_refused() {
        let midnight = Time::midnight();
        let zone = "Europe/Atlantis".to_owned();
        let noon = Time::constant(12, 0, 0, 0);
        let odd = Blackout { from: midnight, to: noon, zone: zone.clone() };
        assert_eq!(Window::new(&odd).unwrap_err(), QuotaError::Zone(zone.clone()));
        let empty = Blackout { from: noon, to: noon, zone };
        assert!(matches!(Window::new(&empty), Err(QuotaError::EmptyBlackout { .. })));
    }
}
