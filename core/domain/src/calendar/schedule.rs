//! The scheduled time of one calendar, as sets of instants.

use jiff::{
    ToSpan as _,
    civil::{Date, Time},
};

use super::{Bounds, Clocks, Day, LocalTimeError, Span, Spans, resolve, zone};
use crate::decode::DecidedHours;
use crate::model::{Calendar, CalendarException, Disambiguation, Moment, Plant, Shift};

/// What a calendar schedules between two days, with and without what people
/// decided for single days.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// The weekly shifts alone.
    pub regular: Spans,
    /// What holds: shifts, less closed days, plus extra hours.
    pub scheduled: Spans,
}

impl Schedule {
    /// Nothing is scheduled.
    #[must_use]
    pub const fn nothing() -> Self {
        Self { regular: Spans::none(), scheduled: Spans::none() }
    }

    /// Integrates `calendar` over the civil days `[from, to)`; shifts that
    /// start the day before `from` and cross midnight are included.
    ///
    /// # Errors
    /// When the zone is unknown, or a clock change makes a shift's time
    /// ambiguous and the calendar refuses that.
    pub fn build(
        calendar: &Calendar,
        plant: &Plant,
        from: Date,
        to: Date,
    ) -> Result<Self, LocalTimeError> {
        let first = from.saturating_sub(1.day());
        let clocks = Clocks::over(zone(calendar.zone_in(plant))?, first, to);
        let (mut regular, mut scheduled) = (Vec::new(), Vec::new());
        let days = std::iter::successors(Some(first), |day| day.tomorrow().ok());
        for day in days.take_while(|day| *day < to) {
            let (so_far, on) = (regular.len(), clocks.on(day));
            regular_hours(calendar, (day, on), &mut regular)?;
            if !calendar.exceptions.iter().any(|e| e.closed && e.covers(day)) {
                scheduled.extend_from_slice(&regular[so_far..]);
            }
            for exception in calendar.exceptions.iter().filter(|e| e.covers(day)) {
                for extra in &exception.extra {
                    let policy = calendar.disambiguation;
                    scheduled.push(hours_of(on, extra.start, extra.end, policy)?);
                }
            }
        }
        Ok(Self { regular: Spans::union(regular), scheduled: Spans::union(scheduled) })
    }

    /// The same with what people decided of one line or machine inside `inside`: what
    /// counts adds hours, then takes hours away. So no order of decisions moves an
    /// hour, and what one closes no other opens.
    #[must_use]
    pub fn with<'d>(&self, decided: impl Iterator<Item = &'d DecidedHours>, inside: Span) -> Self {
        let counting = decided.filter(|one| one.counts());
        let (closed, added): (Vec<_>, Vec<_>) =
            counting.map(|one| (one.closes(), one.span().and(inside))).partition(|(c, _)| *c);
        let spans = |all: Vec<(bool, Span)>| all.into_iter().map(|(_, span)| span);
        let worked = self.scheduled.as_slice().iter().copied().chain(spans(added)).collect();
        let closed = Spans::union(spans(closed).collect());
        Self { regular: self.regular.clone(), scheduled: Spans::union(worked).without(&closed) }
    }
}

/// What one decided change does inside a window, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Change<'a> {
    /// The change.
    pub exception: &'a CalendarException,
    /// Scheduled by it, and by nothing before it.
    pub added: i64,
    /// No longer scheduled because of it.
    pub taken: i64,
}

/// The decided changes of `calendar` that speak of a day of `window` or move
/// hours of it, in order. Each counts against the shifts and the changes before
/// it, so what they add and take sums to scheduled less regular hours.
///
/// # Errors
/// As [`Schedule::build`].
pub fn changes<'a>(
    calendar: &'a Calendar,
    plant: &Plant,
    window: Span,
) -> Result<Vec<Change<'a>>, LocalTimeError> {
    let zone = calendar.zone_in(plant);
    let days = Bounds::new(zone, Time::midnight())?;
    let (first, last) = (days.date(window.start)?, days.date(window.end - 1)?);
    // Hours that start on the day before may reach into the window.
    let (from, to) = (first.saturating_sub(1.day()), last.saturating_add(1.day()));
    let mut so_far = Calendar { exceptions: Vec::new(), ..calendar.clone() };
    let mut before = Schedule::build(&so_far, plant, from, to)?.scheduled;
    let mut found = Vec::new();
    for exception in calendar.exceptions.iter().filter(|e| from <= e.last() && e.from <= last) {
        so_far.exceptions.push(exception.clone());
        let after = Schedule::build(&so_far, plant, from, to)?.scheduled;
        let added = after.without(&before).ms_within(window);
        let taken = before.without(&after).ms_within(window);
        if added + taken > 0 || first <= exception.last() {
            found.push(Change { exception, added, taken });
        }
        before = after;
    }
    Ok(found)
}

/// What one row of a sheet of decisions does inside a window, in milliseconds.
#[derive(Debug, Clone, PartialEq)]
pub struct Layer<'a> {
    /// The row.
    pub decided: &'a DecidedHours,
    /// Scheduled by it, and by nothing before it; less than nothing where it takes hours
    /// away.
    pub moved: i64,
    /// The time that it adds, or takes away.
    pub hours: Spans,
}

/// The decisions of one line or machine, by `calendar`, that speak of `window`: what adds
/// hours, then what takes hours away. Each counts against the calendar and those before
/// it, so what they move sums to the scheduled hours less those of the calendar. What
/// does not count moves nothing.
///
/// # Errors
/// As [`Schedule::build`].
pub fn layers<'a>(
    calendar: &Calendar,
    plant: &Plant,
    decided: impl Iterator<Item = &'a DecidedHours>,
    window: Span,
) -> Result<Vec<Layer<'a>>, LocalTimeError> {
    let mut theirs: Vec<_> = decided.filter(|one| !one.span().and(window).is_empty()).collect();
    if theirs.is_empty() {
        return Ok(Vec::new());
    }
    theirs.sort_by_key(|one| (one.closes(), *one));
    let days = Bounds::new(calendar.zone_in(plant), Time::midnight())?;
    let from = days.date(window.start)?.saturating_sub(1.day());
    let to = days.date(window.end)?.saturating_add(1.day());
    let mut before = Schedule::build(calendar, plant, from, to)?;
    let layer = |decided: &'a DecidedHours| {
        let after = before.with(std::iter::once(decided), window);
        let (was, is) = (before.scheduled.clip(window), after.scheduled.clip(window));
        before = after;
        let hours = is.without(&was).or(&was.without(&is));
        Layer { decided, moved: is.ms() - was.ms(), hours }
    };
    Ok(theirs.into_iter().map(layer).collect())
}

/// Adds the hours that the weekly shifts schedule from `day` on.
fn regular_hours(
    calendar: &Calendar,
    (day, on): (Date, Day<'_>),
    hours: &mut Vec<Span>,
) -> Result<(), LocalTimeError> {
    if calendar.round_the_clock {
        // A midnight that a clock change skips is no shift that anybody wrote:
        // the day then begins with its first instant.
        let midnight = Time::midnight();
        hours.push(hours_of(on, midnight, midnight, Disambiguation::Compatible)?);
        return Ok(());
    }
    let weekday = day.weekday();
    let starts = |shift: &&Shift| shift.days.iter().any(|d| d.weekday() == weekday);
    for shift in calendar.shifts.iter().filter(starts) {
        let policy = calendar.disambiguation;
        let whole = hours_of(on, shift.start, shift.end, policy)?;
        if shift.breaks.is_empty() {
            hours.push(whole);
            continue;
        }
        let breaks = shift.breaks.iter().map(|pause| {
            let on = if pause.start < shift.start { on.next() } else { on };
            hours_of(on, pause.start, pause.end, policy)
        });
        let breaks = Spans::union(breaks.collect::<Result<_, _>>()?);
        hours.extend_from_slice(Spans::one(whole).without(&breaks).as_slice());
    }
    Ok(())
}

/// The instants of local hours that start on `day`; an end at or before the
/// start lies on the next day.
fn hours_of(
    day: Day<'_>,
    start: Time,
    end: Time,
    policy: Disambiguation,
) -> Result<Span, LocalTimeError> {
    let last = if end <= start { day.next() } else { day };
    Ok(Span { start: day.at(start, policy)?, end: last.at(end, policy)? })
}

/// The instant of a moment that may be local time of `calendar`, in
/// milliseconds.
///
/// # Errors
/// When the local time can't be placed.
pub fn place(moment: Moment, calendar: &Calendar, plant: &Plant) -> Result<i64, LocalTimeError> {
    match moment {
        Moment::Utc(at) => Ok(at.as_millisecond()),
        Moment::Local(local) => {
            let zone = zone(calendar.zone_in(plant))?;
            resolve(local, &zone, calendar.disambiguation)
        }
    }
}

#[cfg(test)]
mod tests;
