//! Status and stamps: codes and civil days, as numbers that a target can hold.

use jiff::{Timestamp, civil::Date};
use planthread_contracts::Status;
use rust_decimal::Decimal;

use super::{Asked, Explanation};
use crate::{calendar::Bounds, derive::Figures, model::Plant};

/// An instant as the number `yyyymmdd` of its civil day in the figure's zone.
///
/// # Errors
/// When the zone is unknown.
pub fn day_number(one: &Figures, plant: &Plant, at: Timestamp) -> Result<Decimal, String> {
    let day = civil_day(one, plant, at)?;
    let number = i64::from(day.year()) * 10_000 + i64::from(day.month()) * 100;
    Ok(Decimal::from(number + i64::from(day.day())))
}

fn civil_day(one: &Figures, plant: &Plant, at: Timestamp) -> Result<Date, String> {
    let bounds = Bounds::new(&one.zone, plant.day_start).map_err(|error| error.to_string())?;
    Ok(bounds.zone().to_datetime(at).date())
}

pub(super) fn status(found: &mut Explanation, one: &Figures) {
    let code = one.status.code().into();
    let words = format!("Code of the status {}", one.status.word());
    found.step("status", &words, format!("{code}"), code);
    let legend =
        "codes: 1 live, 2 held, 3 assumed, 4 conflicting; nothing lands of what is unknown";
    found.notes.push(format!("{legend}."));
    if one.status == Status::Unknown {
        found.notes.push("nothing is known of it, so it does not land.".to_owned());
    }
}

pub(super) fn as_of(found: &mut Explanation, asked: &Asked<'_>) -> Option<()> {
    let words = "Instant of the truth behind the figures";
    stamp(found, asked, "as_of", words, asked.one.as_of)
}

pub(super) fn valid_until(found: &mut Explanation, asked: &Asked<'_>) -> Option<()> {
    let words = "From here on the figures are stale";
    stamp(found, asked, "valid_until", words, asked.one.valid_until)
}

fn stamp(
    found: &mut Explanation,
    asked: &Asked<'_>,
    name: &str,
    words: &str,
    at: Timestamp,
) -> Option<()> {
    let (one, plant) = (asked.one, asked.plant);
    let day = civil_day(one, plant, at).ok()?;
    let words = format!("{words}: {at}, which is {day} in {}, as yyyymmdd", one.zone);
    let formula = format!("{} * 10000 + {} * 100 + {}", day.year(), day.month(), day.day());
    found.step(name, &words, formula, day_number(one, plant, at).ok()?);
    Some(())
}
