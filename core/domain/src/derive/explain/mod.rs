//! The arithmetic of one figure of one resource and period, in words that can
//! be checked by hand.
//!
//! Every step carries its formula; a formula uses numbers and the names of
//! steps before it, and its value is the step's result. The last step is the
//! figure itself: an explanation that does not reproduce the number is a bug.

mod aside;
mod attainable;
mod decided;
mod decline;
mod line;
mod outlook;
mod output;
mod stamps;

use std::fmt;

use planthread_contracts::{Carries, Period};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::Serialize;

use super::{Derivation, Figures};
use crate::{calendar::round_half_even, decode::DecidedHours, model::Plant};

use attainable::in_hours;
pub use stamps::{day_number, day_of_truth, last_whole_day};

/// One step of the arithmetic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Step {
    /// Its name, used by later formulas.
    pub name: String,
    /// What it is, in words.
    pub words: String,
    /// Numbers, names of earlier steps, `+ - * /`, brackets, `min(a, b)`,
    /// `max(a, b)`, and `round(a, n)`: to n decimals, halves to even.
    pub formula: String,
    /// The value of the formula.
    pub result: Decimal,
}

/// Why a figure is what it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Explanation {
    /// The resource or line.
    pub resource: String,
    /// The period.
    pub period: Period,
    /// Which figure.
    pub figure: Carries,
    /// The steps; the last one is the figure.
    pub steps: Vec<Step>,
    /// What the numbers rest on, and what they leave out.
    pub notes: Vec<String>,
}

impl Explanation {
    pub(crate) fn step(&mut self, name: &str, words: &str, formula: String, result: Decimal) {
        let (name, words) = (name.to_owned(), words.to_owned());
        self.steps.push(Step { name, words, formula, result });
    }

    /// The formula of `step`, with names replaced by their rounded values.
    #[must_use]
    pub fn in_numbers(&self, step: &Step) -> String {
        // Four decimals may round the other way than the number itself.
        let rounds = step.formula.starts_with("round(");
        let shown = |value| if rounds { longer(value) } else { shown(value) };
        let mut text = String::new();
        let mut word = String::new();
        for c in step.formula.chars().chain([' ']) {
            if c.is_alphanumeric() || c == '_' || c == '.' {
                word.push(c);
                continue;
            }
            let step = self.steps.iter().find(|other| other.name == word);
            match (step, word.parse::<Decimal>()) {
                (Some(step), _) => text.push_str(&shown(step.result)),
                (None, Ok(number)) => text.push_str(&shown(number)),
                (None, Err(_)) => text.push_str(&word),
            }
            word.clear();
            text.push(c);
        }
        text.trim_end().to_owned()
    }
}

/// A figure to be rounded by hand.
fn longer(value: Decimal) -> String {
    round_half_even(value, 9).normalize().to_string()
}

/// A figure as people read it: four decimals, no trailing zeros. A fraction
/// keeps eight, so that hours multiplied by it still agree by hand.
pub(crate) fn shown(value: Decimal) -> String {
    let decimals = if value.abs() < Decimal::ONE { 8 } else { 4 };
    round_half_even(value, decimals).normalize().to_string()
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.figure {
            Carries::AttainableClockHours => writeln!(f, "{} in {}", self.resource, self.period)?,
            other => writeln!(f, "{} in {}: {}", self.resource, self.period, name(other))?,
        }
        for step in &self.steps {
            let (numbers, result) = (self.in_numbers(step), shown(step.result));
            if numbers == result {
                writeln!(f, "  {}: {result}", step.words)?;
            } else {
                writeln!(f, "  {}: {numbers} = {result}", step.words)?;
            }
        }
        for note in &self.notes {
            writeln!(f, "  Note: {note}")?;
        }
        Ok(())
    }
}

/// A figure, as people call it.
#[must_use]
pub const fn name(figure: Carries) -> &'static str {
    match figure {
        Carries::AttainableClockHours => "attainable hours",
        Carries::DemonstratedStandardHours => "demonstrated standard hours",
        Carries::PlanCut => "plan cut",
        Carries::LowHours => "low hours",
        Carries::ExpectedLostHours => "expected lost hours",
        Carries::GoodUnits => "good units",
        Carries::Severity => "severity",
        Carries::HoursAtRisk => "hours at risk",
        Carries::DecidedHours => "decided hours",
        Carries::Status => "status",
        Carries::Covered => "covered",
        Carries::AsOf => "as of",
        Carries::ValidUntil => "valid until",
        Carries::Heartbeat => "heartbeat",
        Carries::Observed => "observed",
    }
}

/// Explains one figure of one resource or line and period; `None` when that was
/// not derived, or nothing is known about it.
///
/// A plan cut is explained as the attainable hours of a derivation at the
/// cut-off: where the mapping expects the other figure of capacity, ask for that
/// one. A heartbeat and an observed measure are no figures of a resource: `None`.
#[must_use]
pub fn explain(
    plant: &Plant,
    derivation: &Derivation,
    resource: &str,
    period: Period,
    figure: Carries,
) -> Option<Explanation> {
    let one = derivation.get(resource, period)?;
    let mut found = Explanation {
        resource: resource.to_owned(),
        period,
        figure,
        steps: Vec::new(),
        notes: vec![format!(
            "{} to {}, calendar {} version {} in {}; as of {}; status {}.",
            one.start,
            one.end,
            one.calendar_id,
            one.calendar_version,
            one.zone,
            derivation.origin.as_of,
            one.status.word(),
        )],
    };
    let asked = Asked { plant, one, decided: &derivation.origin.decided };
    match figure {
        Carries::AttainableClockHours | Carries::PlanCut => {
            attainable::explain_hours(&mut found, &asked)?
        }
        Carries::ExpectedLostHours => attainable::lost(&mut found, &asked)?,
        Carries::DemonstratedStandardHours => output::standard_hours(&mut found, &asked)?,
        Carries::GoodUnits => output::good_units(&mut found, &asked)?,
        Carries::LowHours => outlook::low_hours(&mut found, &asked)?,
        Carries::Severity => outlook::severity(&mut found, one)?,
        Carries::HoursAtRisk => outlook::hours_at_risk(&mut found, one)?,
        Carries::DecidedHours => decided::hours_alone(&mut found, &asked),
        Carries::Status => stamps::status(&mut found, one),
        Carries::Covered => stamps::covered(&mut found, one),
        Carries::AsOf => stamps::as_of(&mut found, one)?,
        Carries::ValidUntil => stamps::valid_until(&mut found, one)?,
        Carries::Heartbeat | Carries::Observed => return None,
    }
    found.notes.extend(aside::notes(plant, derivation, one));
    Some(found)
}

/// What was doubtful or set aside of a resource in a period, in words: why nothing is known
/// where that is so. Nothing where the period was not derived.
#[must_use]
pub fn doubts(
    plant: &Plant,
    derivation: &Derivation,
    resource: &str,
    period: Period,
) -> Vec<String> {
    let one = derivation.get(resource, period);
    one.map(|one| aside::notes(plant, derivation, one)).unwrap_or_default()
}

/// What is explained, and where it comes from.
struct Asked<'a> {
    plant: &'a Plant,
    one: &'a Figures,
    decided: &'a [DecidedHours],
}

impl Asked<'_> {
    fn is_line(&self) -> bool {
        self.one.line.is_some() || self.plant.line(&self.one.resource).is_some()
    }
}
