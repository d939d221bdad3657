//! Hours that move from one line or machine to another: what one end gives up the other
//! gains, at the same time, so that no hour is won or lost.

use std::collections::BTreeMap;

use jiff::{ToSpan as _, civil::Time};

use super::{DecidedHours, SheetFault, sheet::fault};
use crate::{
    calendar::{Bounds, Schedule, Spans},
    model::Plant,
};

/// A column, what is wrong with it, and what to do.
type Wrong = (&'static str, String, &'static str);

/// Whether the hours of `one` can move to `to`: the one end works through all of them, and
/// the other not at all. Else the sum of the hours would change.
pub(super) fn movable(plant: &Plant, one: &DecidedHours, to: &str) -> Result<(), Wrong> {
    if one.resource == to {
        let reason = format!("{to} is where the hours are");
        return Err(("moves_to", reason, "write the line or machine that gets them"));
    }
    let within = |holder: &str, part: &str| plant.line(holder).is_some_and(|line| line.has(part));
    if within(&one.resource, to) || within(to, &one.resource) {
        let reason = format!("{to} and {} work as one line", one.resource);
        return Err(("moves_to", reason, "write a line or machine outside of it"));
    }
    let asked = Spans::one(one.span());
    let idle = asked.without(&worked(plant, one, &one.resource)?);
    if idle.ms() > 0 {
        let reason = format!("{} does not work at all of this time", one.resource);
        return Err(("from", reason, "write the time in which it works by its calendar"));
    }
    if worked(plant, one, to)?.ms_within(one.span()) > 0 {
        let reason = format!("{to} works at some of this time already: it can't gain that");
        return Err((
            "moves_to",
            reason,
            "write a time in which it does not work; for hours at two times, write closed for \
             the one line and extra shift for the other",
        ));
    }
    Ok(())
}

/// What the calendar of `resource` schedules around the hours of `one`.
fn worked(plant: &Plant, one: &DecidedHours, resource: &str) -> Result<Spans, Wrong> {
    let line = plant.line(resource).map(|line| &line.calendar);
    let calendar = line.or_else(|| plant.resource(resource).map(|one| &one.calendar));
    let calendar = calendar.and_then(|calendar| plant.calendar(calendar));
    let Some(calendar) = calendar else { return Ok(Spans::none()) };
    let wrong = |error: crate::calendar::LocalTimeError| {
        ("from", error.to_string(), "correct the calendar of the plant")
    };
    let days = Bounds::new(calendar.zone_in(plant), Time::midnight()).map_err(wrong)?;
    let span = one.span();
    let from = days.date(span.start).map_err(wrong)?.saturating_sub(1.day());
    let to = days.date(span.end).map_err(wrong)?.saturating_add(2.days());
    Ok(Schedule::build(calendar, plant, from, to).map_err(wrong)?.scheduled)
}

/// Confirmed transfers of which an end is moved by another confirmed row, too: an hour
/// that two rows take, or give, counts once, and the sum of the hours would change.
pub(super) fn doubled(found: &[(u64, DecidedHours)]) -> Vec<SheetFault> {
    // What opens and what closes the same time is a contradiction, and told as one.
    let mut of: BTreeMap<(&str, bool), Vec<&(u64, DecidedHours)>> = BTreeMap::new();
    for row in found.iter().filter(|(_, decided)| decided.confirmed) {
        of.entry((&row.1.resource, row.1.closes())).or_default().push(row);
    }
    let mut faults = Vec::new();
    for ((resource, _), mut rows) in of {
        rows.sort_by_key(|(number, decided)| (decided.from, *number));
        // How far transfers, and rows of any kind, reach so far, with the row of it.
        let mut reach: [Option<(jiff::Timestamp, u64)>; 2] = [None, None];
        for (number, decided) in rows {
            let moves = decided.other.is_some();
            let met = if moves { reach[1] } else { reach[0] };
            if let Some((_, before)) = met.filter(|(end, _)| *end > decided.from) {
                let (first, last) = (before.min(*number), before.max(*number));
                let reason = format!("moves hours of {resource} that row {first} moves, too");
                let cure = "correct the times, or leave one of them proposed";
                faults.push(fault(last, "kind", reason, cure));
            }
            for reach in reach.iter_mut().skip(usize::from(!moves)) {
                if reach.is_none_or(|(end, _)| end < decided.to) {
                    *reach = Some((decided.to, *number));
                }
            }
        }
    }
    faults
}
