//! The grid: every step of time, its civil day, and whether a calendar works in it.

use std::collections::BTreeMap;

use jiff::{
    ToSpan as _,
    civil::{Date, Weekday},
};

use super::{
    plant::{instant, zone},
    world::{Calendar, HOUR, SLOT, World},
};

/// The steps of a world, first to last.
#[derive(Debug)]
pub(crate) struct Grid {
    pub(crate) start: i64,
    pub(crate) slots: usize,
    /// The first step at or after `now`.
    pub(crate) now: usize,
    /// The production day of each step.
    pub(crate) days: Vec<Date>,
    /// For each calendar, whether it works in each step.
    works: Vec<Vec<bool>>,
}

/// The Monday of the week of `now`.
pub(crate) fn monday(world: &World) -> Date {
    let local = zone(world).to_datetime(instant(world.now - i64::from(world.day_start) * HOUR));
    let back = i64::from(local.weekday().since(Weekday::Monday));
    local.date().saturating_sub(back.days())
}

impl Grid {
    pub(crate) fn new(world: &World) -> Self {
        let zone = zone(world);
        let monday = monday(world);
        // The oldest week of a pool that ends with the first word, and the months
        // of the horizon's edges.
        let past = (7 * (world.past_weeks + 1) + 31).max(7 * (world.pool_weeks + 15));
        let ahead = 7 * (world.future_weeks + 1) + 31;
        let at = |day: Date| {
            let midnight = day.to_datetime(jiff::civil::Time::midnight());
            zone.to_timestamp(midnight).unwrap().as_millisecond()
        };
        let start = at(monday.saturating_sub(past.days()));
        let end = at(monday.saturating_add(ahead.days()));
        let slots = usize::try_from((end - start) / SLOT).unwrap();
        let now = usize::try_from((world.now - start) / SLOT).unwrap();
        let mut days = Vec::with_capacity(slots);
        let mut works = vec![Vec::with_capacity(slots); world.calendars.len()];
        for slot in 0..slots {
            let local = zone.to_datetime(instant(start + SLOT * i64::try_from(slot).unwrap()));
            let before = i64::from(local.hour() < world.day_start);
            days.push(local.date().saturating_sub(before.days()));
            for (calendar, works) in world.calendars.iter().zip(&mut works) {
                works.push(is_working(calendar, local.date(), local.hour()));
            }
        }
        Self { start, slots, now, days, works }
    }

    pub(crate) fn time(&self, slot: usize) -> i64 {
        self.start + SLOT * i64::try_from(slot).unwrap()
    }

    /// The step that begins at `at`, within the grid.
    pub(crate) fn slot(&self, at: i64) -> usize {
        usize::try_from((at - self.start) / SLOT).unwrap_or(0).min(self.slots)
    }

    pub(crate) fn works(&self, calendar: usize, slot: usize) -> bool {
        self.works[calendar][slot]
    }

    /// The steps of each production day.
    pub(crate) fn by_day(&self) -> BTreeMap<Date, (usize, usize)> {
        let mut days: BTreeMap<Date, (usize, usize)> = BTreeMap::new();
        for (slot, day) in self.days.iter().enumerate() {
            days.entry(*day).or_insert((slot, slot)).1 = slot + 1;
        }
        days
    }

    /// The Monday of the week of an instant.
    pub(crate) fn monday(&self, at: i64) -> Date {
        let day = self.days[self.slot(at).min(self.slots - 1)];
        day.saturating_sub(i64::from(day.weekday().since(Weekday::Monday)).days())
    }

    /// The steps of the week that begins on `monday`.
    pub(crate) fn week(&self, monday: Date) -> (usize, usize) {
        let next = monday.saturating_add(7.days());
        let first = self.days.partition_point(|day| *day < monday);
        (first, self.days.partition_point(|day| *day < next))
    }
}

/// Whether a shift runs at that local hour: one of today, or one of yesterday that
/// crosses midnight.
fn is_working(calendar: &Calendar, date: Date, hour: i8) -> bool {
    let is_open = |date: Date| !calendar.closed.contains(&date);
    if calendar.round_the_clock {
        return is_open(date);
    }
    let before = date.saturating_sub(1.day());
    calendar.shifts.iter().any(|(start, end, last)| {
        let weekday = |date: Date| i64::from(date.weekday().since(Weekday::Monday));
        let runs = |date: Date| weekday(date) <= *last && is_open(date);
        let crosses = end <= start;
        let today = runs(date) && *start <= hour && (crosses || hour < *end);
        let yesterday = crosses && runs(before) && hour < *end;
        today || yesterday
    })
}
