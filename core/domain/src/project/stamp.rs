//! Instants as days, because a target compares days.
//!
//! A reader trusts a value while today is not after its valid-until. So the last
//! day that is valid as a whole lands, never the day inside which validity ends.

use jiff::{Timestamp, civil::Time};
use planthread_contracts::Carries;
use rust_decimal::Decimal;

use crate::{
    calendar::{Bounds, span::instant},
    derive::{
        Figures,
        explain::{day_number, day_of_truth, last_whole_day},
    },
};

/// The civil day of the truth behind a figure, as the number `yyyymmdd`.
pub(super) fn as_of(one: &Figures) -> Result<Decimal, String> {
    day_of_truth(one).map(day_number)
}

/// The last whole civil day on which a figure is valid, as the number `yyyymmdd`.
pub(super) fn last_day(one: &Figures) -> Result<Decimal, String> {
    last_whole_day(one).map(day_number)
}

/// When what lands of a figure runs out, so that it is renewed before: a
/// valid-until with the last day that it names, everything else with the figure.
pub(super) fn runs_out(carries: Carries, one: &Figures) -> Timestamp {
    let end_of_last_day = || {
        let bounds = Bounds::new(&one.zone, Time::midnight()).ok()?;
        let end = last_whole_day(one).ok()?.tomorrow().ok()?;
        bounds.day(end).ok().map(instant)
    };
    match carries {
        Carries::ValidUntil => end_of_last_day().unwrap_or(one.valid_until),
        _ => one.valid_until,
    }
}
