//! Instants as days, because a target compares days.
//!
//! A reader trusts a value while today is not after its valid-until. So the last
//! day that is valid as a whole lands, never the day inside which validity ends.

use jiff::{
    Timestamp,
    civil::{Date, Time},
};
use planthread_contracts::Carries;
use rust_decimal::Decimal;

use crate::{
    calendar::{Bounds, span::instant},
    derive::Figures,
};

/// The civil day of the truth behind a figure, as the number `yyyymmdd`.
pub(super) fn as_of(one: &Figures) -> Result<Decimal, String> {
    Ok(number(bounds(one)?.zone().to_datetime(one.as_of).date()))
}

/// The last whole civil day on which a figure is valid, as the number `yyyymmdd`.
pub(super) fn last_day(one: &Figures) -> Result<Decimal, String> {
    let end = bounds(one)?.zone().to_datetime(one.valid_until).date();
    end.yesterday().map(number).map_err(|error| error.to_string())
}

/// When what lands of a figure runs out, so that it is renewed before: a
/// valid-until with the last day that it names, everything else with the figure.
pub(super) fn runs_out(carries: Carries, one: &Figures) -> Timestamp {
    let end_of_last_day = || {
        let bounds = bounds(one).ok()?;
        let end = bounds.zone().to_datetime(one.valid_until).date();
        bounds.day(end).ok().map(instant)
    };
    match carries {
        Carries::ValidUntil => end_of_last_day().unwrap_or(one.valid_until),
        _ => one.valid_until,
    }
}

/// Civil days of the resource's zone.
fn bounds(one: &Figures) -> Result<Bounds, String> {
    Bounds::new(&one.zone, Time::midnight()).map_err(|error| error.to_string())
}

fn number(day: Date) -> Decimal {
    let months = i64::from(day.year()) * 100 + i64::from(day.month());
    Decimal::from(months * 100 + i64::from(day.day()))
}
