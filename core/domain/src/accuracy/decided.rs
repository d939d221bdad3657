//! What people decided of hours, against what happened in them (law 9).
//!
//! Behind the present instant facts rule, so a decision that nobody kept shows nowhere
//! in a figure of today. Here each confirmed row that is over stands beside what was
//! told of the hours that it moved.

use std::borrow::Cow;

use jiff::{Timestamp, ToSpan as _};
use planthread_contracts::{Name, Period, PeriodKind};
use rust_decimal::Decimal;

use super::Days;
use crate::{
    calendar::{LocalTimeError, Span, Spans, schedule::layers},
    decode::{DecidedHours, Facts},
    derive::{Deriver, Happened},
    model::Plant,
};

/// One confirmed row of a sheet that is over, for one line or machine that it holds for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecidedAgainst {
    /// The line or machine.
    pub resource: Name,
    /// The zone in which it works.
    pub zone: String,
    /// The row.
    pub decided: DecidedHours,
    /// Milliseconds that it moved against the calendar and the rows before it; less
    /// than nothing where it took hours away.
    pub moved: i64,
    /// What the machine did in them; `None` of a line, whose machines stand by
    /// themselves.
    pub happened: Option<Happened>,
    /// Standard hours of the good output that was counted in them; `None` where nobody
    /// counted all of it.
    pub made: Option<Decimal>,
}

/// Confirmed rows of the last `weeks` weeks before the week of `as_of`, and of that week,
/// that are over: resources in the plant's order, then lines; each by time. `facts` must
/// be sealed.
///
/// # Errors
/// As [`Deriver::new`].
pub fn decided_against(
    plant: &Plant,
    facts: &Facts,
    as_of: Timestamp,
    weeks: u32,
) -> Result<Vec<DecidedAgainst>, LocalTimeError> {
    let now = as_of.as_millisecond();
    let days = Days::of(plant)?;
    let back = i64::from(weeks.saturating_sub(1)) * 7;
    let first = days.last_week_over(now)?.start().saturating_sub(back.days());
    let from = days.begin(Period::containing(PeriodKind::Week, first))?;
    let over =
        |one: &&DecidedHours| one.confirmed && one.span().end <= now && one.span().start >= from;
    if !facts.decided.iter().any(|one| over(&one)) {
        return Ok(Vec::new());
    }
    let deriver = {
        let (plant, facts) = (Cow::Borrowed(plant), Cow::Borrowed(facts));
        Deriver::over((weeks.saturating_add(1), 0), plant, facts, as_of, &[PeriodKind::Week])?
    };
    let ids = plant.resources.iter().map(|one| (&one.id, &one.calendar));
    let ids = ids.chain(plant.lines.iter().map(|one| (&one.id, &one.calendar)));
    let mut found = Vec::new();
    for (id, calendar) in ids {
        // All that is confirmed, so that hours that two rows add count once, as in the figures.
        let theirs = facts.decided.iter().filter(|one| one.confirmed && one.holds_for(plant, id));
        let Some(calendar) = plant.calendar(calendar) else { continue };
        let layers = layers(calendar, plant, theirs, Span { start: from, end: now })?;
        let theirs: Vec<_> = layers.into_iter().filter(|layer| over(&layer.decided)).collect();
        let hours: Vec<Spans> = theirs.iter().map(|layer| layer.hours.clone()).collect();
        let happened = deriver.happened(id, &hours);
        let own =
            theirs.into_iter().zip(happened).map(|(layer, (happened, made))| DecidedAgainst {
                resource: id.into(),
                zone: calendar.zone_in(plant).to_owned(),
                decided: layer.decided.clone(),
                moved: layer.moved,
                happened,
                made,
            });
        let mut own: Vec<DecidedAgainst> = own.collect();
        own.sort_by(|a, b| a.decided.from.cmp(&b.decided.from).then(a.decided.cmp(&b.decided)));
        found.append(&mut own);
    }
    Ok(found)
}

#[cfg(test)]
#[path = "decided_tests.rs"]
mod tests;
