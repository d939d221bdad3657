//! Scheduled hours in words: the weekly shifts, and what people decided for
//! single days (law 9), each change with its reason, owner and cycle.

use std::fmt::Write as _;

use super::{Explanation, in_hours, shown};
use crate::{
    calendar::{
        Span,
        schedule::{Change, changes},
        span::hours,
    },
    derive::Figures,
    model::Plant,
};

/// Adds the step `scheduled`; where somebody decided something for the period,
/// after a step for the shifts and one for each change.
pub(super) fn explain(found: &mut Explanation, plant: &Plant, one: &Figures) {
    let window = Span { start: one.start.as_millisecond(), end: one.end.as_millisecond() };
    let calendar = plant.calendar(&one.calendar_id);
    let decided = calendar.and_then(|calendar| changes(calendar, plant, window).ok());
    let decided = decided.unwrap_or_default();
    let scheduled = one.elements.scheduled;
    if decided.is_empty() {
        let words = "Scheduled hours";
        found.step("scheduled", words, in_hours(scheduled), hours(scheduled));
        return;
    }
    let regular = one.elements.regular;
    let words = "Hours of the weekly shifts";
    found.step("regular", words, in_hours(regular), hours(regular));
    let mut formula = "regular".to_owned();
    for (index, change) in decided.iter().enumerate() {
        let (name, net) = (format!("decided_{}", index + 1), change.added - change.taken);
        found.step(&name, &words_of(change), in_hours(net), hours(net));
        formula.push_str(" + ");
        formula.push_str(&name);
    }
    let words = "Scheduled hours: the shifts, and what people decided";
    found.step("scheduled", words, formula, hours(scheduled));
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
    match &exception.cycle {
        Some(cycle) => {
            let _ = write!(words, ", cycle {cycle})");
        }
        None => words.push_str(", no cycle named)"),
    }
    words
}
