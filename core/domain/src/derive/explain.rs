//! The arithmetic of one resource and period, in words that can be checked by
//! hand.
//!
//! Every step carries its formula; a formula uses numbers and the names of
//! steps before it, and its value is the step's result. The last step is the
//! landed figure: an explanation that does not reproduce the number is a bug.

use std::fmt;

use planthread_contracts::Period;
use rust_decimal::Decimal;
use serde::Serialize;

mod decided;
mod line;

use super::{Derivation, Elements, Figures, Phase, RestsOn};
use crate::calendar::{round_half_even, span::hours};
use crate::model::Plant;

/// One step of the arithmetic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// Its name, used by later formulas.
    pub name: String,
    /// What it is, in words.
    pub words: String,
    /// Numbers, names of earlier steps, `+ - * /`, brackets, `min(a, b)`,
    /// `max(a, b)`.
    pub formula: String,
    /// The value of the formula.
    pub result: Decimal,
}

/// Why a figure is what it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// The resource or line.
    pub resource: String,
    /// The period.
    pub period: Period,
    /// The steps; the last one is the attainable hours.
    pub steps: Vec<Step>,
    /// What the numbers rest on, and what they leave out.
    pub notes: Vec<String>,
}

impl Explanation {
    fn step(&mut self, name: &str, words: &str, formula: String, result: Decimal) {
        let (name, words) = (name.to_owned(), words.to_owned());
        self.steps.push(Step { name, words, formula, result });
    }

    /// The formula of `step`, with names replaced by their rounded values.
    #[must_use]
    pub fn in_numbers(&self, step: &Step) -> String {
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

/// A figure as people read it: four decimals, no trailing zeros. A fraction
/// keeps eight, so that hours multiplied by it still agree by hand.
fn shown(value: Decimal) -> String {
    let decimals = if value.abs() < Decimal::ONE { 8 } else { 4 };
    round_half_even(value, decimals).normalize().to_string()
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} in {}", self.resource, self.period)?;
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

/// Explains the attainable hours of one resource or line and period; `None`
/// when that was not derived, or nothing is known about it.
#[must_use]
pub fn explain(
    plant: &Plant,
    derivation: &Derivation,
    resource: &str,
    period: Period,
) -> Option<Explanation> {
    let one = derivation.get(resource, period)?;
    let mut found = Explanation {
        resource: resource.to_owned(),
        period,
        steps: Vec::new(),
        notes: vec![format!(
            "{} to {}, calendar {} version {} in {}; as of {}; status {}.",
            one.start,
            one.end,
            one.calendar_id,
            one.calendar_version,
            one.zone,
            derivation.as_of,
            one.status.word(),
        )],
    };
    match (&one.line, plant.line(resource)) {
        (Some(_), _) | (_, Some(_)) => line::explain(&mut found, plant, derivation, one)?,
        (None, None) => explain_machine(&mut found, plant, one)?,
    }
    Some(found)
}

/// Minutes of so many milliseconds, written without loss.
fn minutes(ms: i64) -> String {
    if ms % 60_000 == 0 { (ms / 60_000).to_string() } else { format!("({ms} / 60000)") }
}

fn in_hours(ms: i64) -> String {
    format!("{} / 60", minutes(ms))
}

fn explain_machine(found: &mut Explanation, plant: &Plant, one: &Figures) -> Option<()> {
    let Elements { planned, down, unknown, .. } = one.elements;
    let attainable = one.attainable_hours?;
    decided::explain(found, plant, one);
    let mut step = |name: &str, words: &str, ms| found.step(name, words, in_hours(ms), hours(ms));
    step("planned", "Planned maintenance within scheduled hours", planned);
    step("down", "Unplanned down within scheduled hours, measured", down);
    let mut parts = Vec::new();
    for (index, part) in one.foreseen.iter().enumerate() {
        let name = format!("foretold_{}", index + 1);
        let words =
            format!("Lost in the time for which {} foretold {} up", part.source, part.up_fraction);
        let formula = format!("{} * (1 - {})", in_hours(part.ms), part.up_fraction);
        let result = hours(part.ms) * (Decimal::ONE - part.up_fraction);
        found.step(&name, &words, formula, result);
        parts.push(name);
    }
    let foretold: i64 = one.foreseen.iter().map(|part| part.ms).sum();
    let open = unknown + one.elements.ahead - foretold;
    if open > 0 {
        explain_pool(found, one)?;
        let words = "Open hours: not measured, and nothing foretold (less planned stops)";
        found.step("open", words, in_hours(open), hours(open));
        parts.push("open * (1 - availability)".to_owned());
    }
    let formula = if parts.is_empty() { "0".to_owned() } else { parts.join(" + ") };
    let words = "Expected unplanned down of what is not measured";
    found.step("expected_down", words, formula, one.expected_down_hours?);
    let words = "Attainable hours = scheduled − planned − down − expected down";
    let formula = "scheduled - planned - down - expected_down".to_owned();
    found.step("attainable", words, formula, attainable);
    notes(found, one);
    Some(())
}

/// The pool of demonstrated availability, week by week.
fn explain_pool(found: &mut Explanation, one: &Figures) -> Option<()> {
    let pool = one.demonstrated.as_ref()?;
    let list = |of: fn(&super::PoolWeek) -> i64| {
        pool.weeks.iter().map(|week| minutes(of(week))).collect::<Vec<_>>().join(" + ")
    };
    let weeks = pool.weeks.len();
    let span = pool.weeks.first().zip(pool.weeks.last());
    let span = span.map(|(first, last)| format!("{} to {}", first.period, last.period));
    let span = span.unwrap_or_default();
    let shown =
        || format!("1 - ({}) / ({})", list(|week| week.elements.down), list(super::PoolWeek::base));
    let (words, formula) = match pool.rests_on {
        RestsOn::MasterData => (
            "Standard availability of the master data (no history)".to_owned(),
            pool.availability.to_string(),
        ),
        RestsOn::FullWeeks => (
            format!(
                "Demonstrated availability over {weeks} full weeks, {span}: 1 − minutes down ÷ minutes scheduled less planned maintenance"
            ),
            shown(),
        ),
        RestsOn::PartWeeks { standard } => {
            let (cap, formula) = match standard {
                Some(standard) => (
                    format!(
                        ", never above the standard availability {standard} of the master data"
                    ),
                    format!("min({}, {standard})", shown()),
                ),
                None => (String::new(), shown()),
            };
            let words = format!(
                "Assumed availability (no week was seen fully enough) over what was seen of {weeks} weeks, {span}: 1 − minutes down ÷ minutes seen and scheduled, less planned maintenance{cap}"
            );
            (words, formula)
        }
    };
    found.step("availability", &words, formula, pool.availability);
    Some(())
}

fn notes(found: &mut Explanation, one: &Figures) {
    let pooled = one.demonstrated.iter().flat_map(|pool| &pool.weeks);
    let planned: i64 = pooled.map(|week| week.elements.planned).sum();
    if one.phase != Phase::Past && planned > 0 {
        found.notes.push(format!(
            "the pooled weeks held {} h of planned maintenance; ahead only declared stops are subtracted.",
            shown(hours(planned)),
        ));
    }
    if let Some(since) = one.down_since {
        found.notes.push(format!(
            "the machine is down since {since}, and nobody said until when: the time ahead counts at demonstrated availability all the same, which is too much while the stop lasts.",
        ));
    }
    let mut note = |text: &str| found.notes.push(text.to_owned());
    if one.elements.unknown > 0 {
        note(
            "unknown time counts neither as up nor as down: it is filled at demonstrated availability.",
        );
    }
    if one.elements.standby > 0 {
        note("standby (starved, blocked, no order, no operator) is no loss of capacity.");
    }
    if one.output_standard_hours.is_some() && one.demonstrated_standard_hours.is_none() {
        note(
            "standard hours are not corrected for load: no source tells standby from slow running.",
        );
    }
    if one.phase == Phase::Current {
        note("the period is measured to `as of`; an open stop is cut off there.");
    }
}
