//! How good the figures were: past weeks as they were foretold, against what
//! happened.
//!
//! Each past week is derived again as of its own beginning, and as of the
//! beginning of the week three weeks earlier, from the facts that spoke of the
//! time until then. What was foretold stands beside two plain forecasts, the
//! hours of the calendar and the mean of the last four weeks: a figure that does
//! not beat the latter has shown no skill. Calendars, planned stops and decided
//! changes are those of today's configuration.

mod decided;
mod score;
#[cfg(test)]
mod tests;

use std::{borrow::Cow, collections::BTreeMap};

use jiff::{Timestamp, ToSpan as _};
use planthread_contracts::{Name, Period, PeriodKind};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    calendar::{Bounds, LocalTimeError, span::hours, span::instant},
    decode::Facts,
    derive::{Deriver, Figures, Phase, is_known},
    model::Plant,
    quantile::quantile,
};
pub use decided::{DecidedAgainst, decided_against};
pub use score::{Coverage, Score, Skill, Summary};

/// How many weeks ahead weeks are looked at: the one that begins, and the fourth.
pub const AHEAD: [u32; 2] = [1, 4];

/// Weeks of the trailing mean.
const TRAILING_WEEKS: usize = 4;

/// One past week of a resource or line, as it was foretold and as it was. Hours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct WeekForetold {
    /// The week.
    pub period: Period,
    /// 1: foretold as it began; 4: three weeks earlier.
    pub ahead: u32,
    /// Hours of the calendar, as it stood for the forecast.
    pub rated: Decimal,
    /// Mean of the last four weeks that were over and measured, or of as many as
    /// there were.
    pub trailing: Decimal,
    /// Attainable hours as derived then: what would have landed.
    pub landed: Decimal,
    /// The low figure as derived then.
    pub low: Option<Decimal>,
    /// The value that the twin's distribution exceeds with probability 0.1.
    pub high: Option<Decimal>,
    /// Attainable hours as measured.
    pub happened: Decimal,
}

/// The past weeks of one resource or line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ResourceWeeks {
    /// The plant's id.
    pub resource: Name,
    /// Weeks that were foretold and measured, in order; of one week the nearest
    /// forecast first.
    pub weeks: Vec<WeekForetold>,
}

impl ResourceWeeks {
    /// How good its figures were, for each of [`AHEAD`] that has weeks.
    #[must_use]
    pub fn summaries(&self) -> Vec<Summary> {
        let of = |ahead| {
            let weeks: Vec<&WeekForetold> =
                self.weeks.iter().filter(|week| week.ahead == ahead).collect();
            Summary::of(ahead, &weeks)
        };
        AHEAD.into_iter().filter_map(of).collect()
    }
}

/// Looks at the last `weeks` weeks that are over at `as_of`; resources in the
/// plant's order, then lines. `facts` must be sealed.
///
/// # Errors
/// As [`Deriver::new`].
pub fn accuracy(
    plant: &Plant,
    facts: &Facts,
    as_of: Timestamp,
    weeks: u32,
) -> Result<Vec<ResourceWeeks>, LocalTimeError> {
    let farthest = AHEAD.into_iter().max().unwrap_or(1);
    let days = Days::of(plant)?;
    let last = days.last_week_over(as_of.as_millisecond())?;
    let back = |count: u32| {
        let day = last.start().saturating_sub((i64::from(count) * 7).days());
        Period::containing(PeriodKind::Week, day)
    };
    let happened = happened(plant, facts, as_of, weeks.saturating_add(farthest + 4))?;
    let asked: Vec<Period> = (0..weeks).rev().map(back).collect();
    let ids = plant.resources.iter().map(|one| &one.id);
    let ids = ids.chain(plant.lines.iter().map(|one| &one.id));
    let mut found: Vec<ResourceWeeks> =
        ids.map(|id| ResourceWeeks { resource: id.into(), weeks: Vec::new() }).collect();
    for from in (0..weeks.saturating_add(farthest - 1)).rev().map(back) {
        let begin = days.begin(from)?;
        let (week, horizon) = (&[PeriodKind::Week], (0, farthest));
        let (plant, facts) = (Cow::Borrowed(plant), Cow::Borrowed(facts));
        let then = Deriver::over(horizon, plant, facts, instant(begin), week)?;
        for of in &mut found {
            for one in then.of([&*of.resource]).figures {
                let ahead = AHEAD.into_iter().find(|ahead| nth(from, *ahead) == one.period);
                let Some(ahead) = ahead.filter(|_| asked.contains(&one.period)) else { continue };
                of.weeks.extend(compare(&one, ahead, begin, &happened));
            }
        }
    }
    for one in &mut found {
        one.weeks.sort_by_key(|week| (week.period.start(), week.ahead));
    }
    Ok(found)
}

/// The `ahead`th week from `from` on: the first is `from` itself.
fn nth(from: Period, ahead: u32) -> Period {
    (1..ahead).fold(from, |week, _| week.next())
}

/// A week as it was measured: its end in milliseconds, and its hours.
type Measured = BTreeMap<(Name, Period), (i64, Decimal)>;

/// The weeks before `as_of` that were seen fully enough to be compared with.
fn happened(
    plant: &Plant,
    facts: &Facts,
    as_of: Timestamp,
    weeks: u32,
) -> Result<Measured, LocalTimeError> {
    let deriver = {
        let (plant, facts) = (Cow::Borrowed(plant), Cow::Borrowed(facts));
        Deriver::over((weeks, 0), plant, facts, as_of, &[PeriodKind::Week])?
    };
    let measured = |one: &Figures| {
        let scheduled = Decimal::from(one.elements.scheduled);
        let seen = scheduled - Decimal::from(one.elements.unknown);
        let enough = scheduled > Decimal::ZERO && seen >= scheduled * plant.rules.min_coverage;
        one.phase == Phase::Past && enough && is_known(one)
    };
    let figures = deriver.names().flat_map(|name| deriver.of([name]).figures);
    Ok(figures
        .filter(measured)
        .filter_map(|one| {
            let end = one.end.as_millisecond();
            Some(((one.resource, one.period), (end, one.attainable_hours?)))
        })
        .collect())
}

/// What was foretold at `begin` against what happened; `None` where either is
/// missing, or no week was over by then.
fn compare(one: &Figures, ahead: u32, begin: i64, happened: &Measured) -> Option<WeekForetold> {
    if !is_known(one) {
        return None;
    }
    let (_, measured) = happened.get(&(one.resource.clone(), one.period))?;
    let over = happened.range(..(one.resource.clone(), one.period)).rev();
    let over = over.take_while(|((resource, _), _)| *resource == one.resource);
    let last: Vec<Decimal> = over
        .filter(|(_, (end, _))| *end <= begin)
        .map(|(_, (_, hours))| *hours)
        .take(TRAILING_WEEKS)
        .collect();
    let trailing = last.iter().sum::<Decimal>().checked_div(last.len().into())?;
    Some(WeekForetold {
        period: one.period,
        ahead,
        rated: one.scheduled_hours(),
        trailing,
        landed: one.attainable_hours?,
        low: one.low_hours.map(|low| low.value),
        high: high(one),
        happened: *measured,
    })
}

/// The high figure, where one forecast of a twin covers the whole week.
fn high(one: &Figures) -> Option<Decimal> {
    match one.foreseen.as_slice() {
        [part] if part.ms == one.elements.ahead => {
            let share = quantile(part.distribution.as_ref()?, Decimal::new(9, 1))?;
            Some(hours(part.ms) * share)
        }
        _ => None,
    }
}

/// Where the weeks of a plant's calendars begin.
struct Days(Vec<Bounds>);

impl Days {
    fn of(plant: &Plant) -> Result<Self, LocalTimeError> {
        let sites = plant.calendars.iter().map(|calendar| plant.days_of(&calendar.id));
        let days = sites.chain([(plant.zone.as_str(), plant.day_start)]);
        Ok(Self(days.map(|(zone, start)| Bounds::new(zone, start)).collect::<Result<_, _>>()?))
    }

    /// When the first of the zones enters `week`, so that it lies ahead in all.
    fn begin(&self, week: Period) -> Result<i64, LocalTimeError> {
        let begins = self.0.iter().map(|bounds| bounds.day(week.start()));
        begins.reduce(|a, b| Ok(a?.min(b?))).unwrap_or(Ok(0))
    }

    /// The last week that is over in all of them.
    fn last_week_over(&self, now: i64) -> Result<Period, LocalTimeError> {
        let last = |bounds: &Bounds| {
            let week = Period::containing(PeriodKind::Week, bounds.date(now)?);
            let before = week.start().saturating_sub(1.day());
            Ok(Period::containing(PeriodKind::Week, before))
        };
        let weeks: Vec<Period> = self.0.iter().map(last).collect::<Result<_, LocalTimeError>>()?;
        let first = weeks.into_iter().min_by_key(|week| week.start());
        Ok(first.unwrap_or_else(|| Period::containing(PeriodKind::Week, jiff::civil::Date::ZERO)))
    }
}
