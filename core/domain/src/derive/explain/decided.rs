//! Scheduled hours in words: the weekly shifts, and what people decided for
//! single days and hours (law 9), each change with its reason, owner and cycle.

use std::fmt::Write as _;

use jiff::Timestamp;

use super::{Asked, Explanation, in_hours, shown};
use crate::{
    calendar::{
        Span,
        schedule::{Change, Layer, changes, layers},
        span::hours,
    },
    derive::Figures,
};

/// Adds the step `scheduled`; where somebody decided something for the period,
/// after a step for the shifts and one for each change.
pub(super) fn explain(found: &mut Explanation, asked: &Asked<'_>) {
    let Asked { plant, one, decided } = *asked;
    let window = Span { start: one.start.as_millisecond(), end: one.end.as_millisecond() };
    let calendar = plant.calendar(&one.calendar_id);
    let changed = calendar.and_then(|calendar| changes(calendar, plant, window).ok());
    let theirs = decided.iter().filter(|row| row.holds_for(plant, &one.resource));
    let rows = calendar.and_then(|calendar| layers(calendar, plant, theirs, window).ok());
    let changed = changed.unwrap_or_default().into_iter();
    let changed = changed.map(|change| (words_of(&change), change.added - change.taken));
    let rows = rows.unwrap_or_default().into_iter();
    let rows = rows.map(|layer| (words_of_row(&layer, one), layer.moved));
    let all: Vec<(String, i64)> = changed.chain(rows).collect();
    let scheduled = one.elements.scheduled;
    if all.is_empty() {
        let words = "Scheduled hours";
        found.step("scheduled", words, in_hours(scheduled), hours(scheduled));
        return;
    }
    let regular = one.elements.regular;
    let words = "Hours of the weekly shifts";
    found.step("regular", words, in_hours(regular), hours(regular));
    let mut formula = "regular".to_owned();
    for (index, (words, net)) in all.iter().enumerate() {
        let name = format!("decided_{}", index + 1);
        found.step(&name, words, in_hours(*net), hours(*net));
        formula.push_str(" + ");
        formula.push_str(&name);
    }
    let words = "Scheduled hours: the shifts, and what people decided";
    found.step("scheduled", words, formula, hours(scheduled));
}

/// Explains the decided hours alone: what is scheduled less the weekly shifts.
pub(super) fn hours_alone(found: &mut Explanation, asked: &Asked<'_>) {
    explain(found, asked);
    let (words, result) = ("Decided hours", asked.one.decided_hours());
    if found.steps.iter().any(|step| step.name == "regular") {
        found.step("decided", words, "scheduled - regular".to_owned(), result);
    } else {
        let words = "Decided hours: nobody decided anything for this period";
        found.step("decided", words, "scheduled - scheduled".to_owned(), result);
    }
}

fn words_of(change: &Change<'_>) -> String {
    let exception = change.exception;
    let hours_of = |ms| shown(hours(ms));
    let effect = match (change.added, change.taken) {
        (0, 0) => "no hour of this period moves".to_owned(),
        (added, 0) => format!("{} h more than the shifts", hours_of(added)),
        (0, taken) => format!("{} h less than the shifts", hours_of(taken)),
        (added, taken) => format!("{} h more and {} h less", hours_of(added), hours_of(taken)),
    };
    let mut words = format!("Decided for {}", exception.from);
    if exception.last() != exception.from {
        let _ = write!(words, " to {}", exception.last());
    }
    let _ = write!(words, ", {effect}: {} (owner {}", exception.reason, exception.owner);
    words.push_str(&of_cycle(exception.cycle.as_deref()));
    words
}

/// `Decided for LINE-4, extra shift from 2026-12-05 06:00 to 2026-12-05 14:00, 8 h more:
/// order backlog (owner A. Meier, cycle 2026-12)`.
fn words_of_row(layer: &Layer<'_>, one: &Figures) -> String {
    let row = layer.decided;
    let hours_of = |ms: i64| shown(hours(ms.abs()));
    let effect = match layer.moved {
        _ if !row.counts() => "counts nothing until it is confirmed".to_owned(),
        0 => "no hour of this period moves".to_owned(),
        moved if moved > 0 => format!("{} h more", hours_of(moved)),
        moved => format!("{} h less", hours_of(moved)),
    };
    let at = |instant: Timestamp| match instant.in_tz(&one.zone) {
        Ok(local) => local.strftime("%Y-%m-%d %H:%M").to_string(),
        Err(_) => instant.to_string(),
    };
    let word = if row.confirmed { "Decided" } else { "Proposed" };
    let (resource, kind, from, to) = (&row.resource, row.words(), at(row.from), at(row.to));
    let mut words = format!("{word} for {resource}, {kind} from {from} to {to}, {effect}");
    let _ = write!(words, ": {} (owner {}", row.reason, row.who);
    words.push_str(&of_cycle(row.cycle.as_deref()));
    words
}

fn of_cycle(cycle: Option<&str>) -> String {
    match cycle {
        Some(cycle) => format!(", cycle {cycle})"),
        None => ", no cycle named)".to_owned(),
    }
}
