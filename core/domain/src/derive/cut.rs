//! The plan cut: what was known at the cycle's cut-off, firm until the next.

use std::borrow::Cow;

use jiff::{Timestamp, ToSpan as _, civil::Date};
use planthread_contracts::PeriodKind;

use super::Deriver;
use crate::{
    calendar::{LocalTimeError, resolve, span::instant, zone},
    decode::Facts,
    model::{Disambiguation, Plant},
};

/// The instant of the last plan cut at or before `as_of`.
///
/// # Errors
/// When the plant's zone is unknown.
pub fn cut_off(plant: &Plant, as_of: Timestamp) -> Result<Timestamp, LocalTimeError> {
    let zone = zone(&plant.zone)?;
    let rule = &plant.rules.cut_off;
    let month = zone.to_datetime(as_of).date().first_of_month();
    let place = |month: Date| {
        let day = month.saturating_add((i64::from(rule.day) - 1).days());
        resolve(day.to_datetime(rule.time), &zone, Disambiguation::Compatible).map(instant)
    };
    let this = place(month)?;
    if this <= as_of { Ok(this) } else { place(month.saturating_sub(1.month())) }
}

impl<'a> Deriver<'a> {
    /// Prepares the plan cut that holds at `as_of`: only facts known at the cut-off
    /// count, and the periods reach as far ahead as those of [`Deriver::new`] at
    /// `as_of`.
    ///
    /// # Errors
    /// As [`Deriver::new`].
    pub fn of_cut(
        plant: Cow<'a, Plant>,
        facts: Cow<'a, Facts>,
        as_of: Timestamp,
        kinds: &[PeriodKind],
    ) -> Result<Self, LocalTimeError> {
        const WEEK_S: i64 = 7 * 86_400;
        let at = cut_off(&plant, as_of)?;
        let weeks = (as_of.as_second() - at.as_second()) / WEEK_S + 1;
        let more = u32::try_from(weeks).unwrap_or_default();
        let horizon = &plant.horizon;
        let horizon = (horizon.past_weeks, horizon.future_weeks.saturating_add(more));
        Self::over(horizon, plant, facts, at, kinds)
    }
}
