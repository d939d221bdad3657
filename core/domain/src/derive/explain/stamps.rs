//! Status, covered and stamps: codes and civil days, as numbers that a target can hold.

use jiff::{
    Timestamp,
    civil::{Date, Time},
};
use planthread_contracts::Status;
use rust_decimal::Decimal;

use super::Explanation;
use crate::{calendar::Bounds, derive::Figures};

/// The civil day of the truth behind a figure, in its zone.
///
/// # Errors
/// When the zone is unknown.
pub fn day_of_truth(one: &Figures) -> Result<Date, String> {
    civil_day(one, one.as_of)
}

/// The last whole civil day on which a figure is valid, in its zone. A reader
/// trusts a value while today is not after it, so never the day inside which
/// validity ends.
///
/// # Errors
/// When the zone is unknown.
pub fn last_whole_day(one: &Figures) -> Result<Date, String> {
    civil_day(one, one.valid_until)?.yesterday().map_err(|error| error.to_string())
}

fn civil_day(one: &Figures, at: Timestamp) -> Result<Date, String> {
    let bounds = Bounds::new(&one.zone, Time::midnight()).map_err(|error| error.to_string())?;
    Ok(bounds.zone().to_datetime(at).date())
}

/// A day as the number `yyyymmdd`.
#[must_use]
pub fn day_number(day: Date) -> Decimal {
    let months = i64::from(day.year()) * 100 + i64::from(day.month());
    Decimal::from(months * 100 + i64::from(day.day()))
}

pub(super) fn status(found: &mut Explanation, one: &Figures) {
    let code = one.status.code().into();
    let words = format!("Code of the status {}", one.status.word());
    found.step("status", &words, format!("{code}"), code);
    let words = Status::ALL.map(|one| format!("{} {}", one.code(), one.word()));
    found.notes.push(format!("codes: {}.", words.join(", ")));
}

pub(super) fn covered(found: &mut Explanation, one: &Figures) {
    let (value, does) =
        if one.status.is_measured() { (1, "stands") } else { (0, "does not stand") };
    let words = format!("Factory truth {does} behind it: its status is {}", one.status.word());
    found.step("covered", &words, format!("{value}"), value.into());
    found.notes.push("1 where the status is live or held; it adds up over any total.".to_owned());
}

pub(super) fn as_of(found: &mut Explanation, one: &Figures) -> Option<()> {
    let day = day_of_truth(one).ok()?;
    let words = format!("Instant of the truth behind the figures: {}, which is {day}", one.as_of);
    stamp(found, "as_of", &format!("{words} in {}", one.zone), day);
    Some(())
}

pub(super) fn valid_until(found: &mut Explanation, one: &Figures) -> Option<()> {
    let day = last_whole_day(one).ok()?;
    let words = format!("Stale from {} on; the last whole day before is {day}", one.valid_until);
    stamp(found, "valid_until", &format!("{words} in {}", one.zone), day);
    Some(())
}

fn stamp(found: &mut Explanation, name: &str, words: &str, day: Date) {
    let formula = format!("{} * 10000 + {} * 100 + {}", day.year(), day.month(), day.day());
    found.step(name, &format!("{words}, as yyyymmdd"), formula, day_number(day));
}
