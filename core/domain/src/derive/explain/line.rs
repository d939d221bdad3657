//! The arithmetic of a line in words: counted, filled, bounded.

use rust_decimal::Decimal;

use super::{Explanation, decided, in_hours, shown};
use crate::{
    calendar::span::hours,
    derive::{Derivation, Figures, LineFigures, Load},
    model::{Line, Plant, Stage},
};

/// Explains the attainable hours of a line; `None` when nothing is known.
pub(super) fn explain(
    found: &mut Explanation,
    plant: &Plant,
    derivation: &Derivation,
    one: &Figures,
) -> Option<()> {
    let line = plant.line(&one.resource)?;
    let figures = one.line.as_ref()?;
    decided::explain(found, plant, one);
    if let Some(measured) = figures.measured_output_hours {
        explain_measured(found, line, one, figures, measured)?;
    }
    if let Some(bound) = figures.composed_bound_hours {
        explain_bound(found, plant, derivation, line, one, bound)?;
    }
    if let Some(difference) = figures.difference_hours {
        let words = "Difference: bound − measured";
        found.step("difference", words, "bound - measured".to_owned(), difference);
    }
    let rated = one.elements.unknown + one.elements.ahead + one.elements.standby > 0;
    let (words, formula) = match (figures.measured_output_hours, figures.composed_bound_hours) {
        (Some(_), Some(_)) if rated => (
            "Hours that land: measured, where what was not counted stays below the bound",
            "max(counted, min(measured, bound))",
        ),
        (Some(_), _) => ("Hours that land: measured", "measured"),
        (None, _) => ("Hours that land: the bound, because nothing was counted", "bound"),
    };
    found.step("attainable", words, formula.to_owned(), one.attainable_hours?);
    notes(found, line, one, figures);
    Some(())
}

/// Standard hours at the line's end: counted, and the demonstrated rate for time
/// that was not counted, lies ahead, or in which nobody asked for parts.
fn explain_measured(
    found: &mut Explanation,
    line: &Line,
    one: &Figures,
    figures: &LineFigures,
    measured: Decimal,
) -> Option<()> {
    let cycle = line.ideal_cycle_seconds;
    let counted = one.output_standard_hours.unwrap_or_default();
    let parts = (counted * Decimal::from(3_600)).checked_div(cycle)?.round_dp(9).normalize();
    let words = format!("Good parts at {} × the line's cycle of {cycle} s", line.counter);
    found.step("counted", &words, format!("{parts} * {cycle} / 3600"), counted);
    let mut formula = "counted".to_owned();
    let (open, unasked) = (one.elements.unknown + one.elements.ahead, one.elements.standby);
    let rate = figures.pool.as_ref().and_then(|pool| Some((pool, pool.ratio()?)));
    if let Some((pool, ratio)) = rate.filter(|_| open + unasked > 0) {
        let (asked, less) = if pool.unasked > 0 {
            (" in which parts were asked for", format!(" - {}", in_hours(pool.unasked)))
        } else {
            ("", String::new())
        };
        let weeks = pool.weeks;
        let words = if pool.partly {
            format!(
                "Assumed output per scheduled hour{asked} (no week was counted fully enough), over what was counted of {weeks} weeks"
            )
        } else {
            format!(
                "Demonstrated output per scheduled hour that was counted{asked}, over {weeks} weeks"
            )
        };
        let made = pool.output_hours.normalize();
        let rate = format!("min(1, {made} / ({}{less}))", in_hours(pool.scheduled));
        found.step("ratio", &words, rate, ratio);
        if unasked > 0 {
            let words = "Counted hours without order or operator, which are no loss";
            found.step("unasked", words, in_hours(unasked), hours(unasked));
            formula.push_str(" + ratio * unasked");
        }
        if open > 0 {
            formula.push_str(&format!(" + ratio * ({})", in_hours(open)));
        }
    }
    found.step("measured", "Standard hours at the line's end", formula, measured);
    Some(())
}

/// What the machines compose to, stage by stage.
fn explain_bound(
    found: &mut Explanation,
    plant: &Plant,
    derivation: &Derivation,
    line: &Line,
    one: &Figures,
    bound: Decimal,
) -> Option<()> {
    let mut stages = Vec::new();
    for (index, stage) in line.stages.iter().enumerate() {
        let (formula, result) = stage_formula(plant, derivation, one, stage, line)?;
        let name = format!("stage_{}", index + 1);
        let words = format!("Stage {} in hours of the line's cycle", stage.name);
        found.step(&name, &words, formula, result);
        stages.push(name);
    }
    let formula = format!("min(scheduled, {})", stages.join(", "));
    found.step("bound", "Composed bound: the weakest stage", formula, bound);
    Some(())
}

fn stage_formula(
    plant: &Plant,
    derivation: &Derivation,
    one: &Figures,
    stage: &Stage,
    line: &Line,
) -> Option<(String, Decimal)> {
    let cycle = line.ideal_cycle_seconds;
    let mut terms = Vec::new();
    let mut sum = Decimal::ZERO;
    for id in &stage.machines {
        let resource = plant.resource(id)?;
        let own = derivation.get(id, one.period)?.attainable_hours?;
        let part = resource.ideal_cycle_seconds?.checked_div(resource.parts_per_cycle.into())?;
        let units = Decimal::from(resource.parallel_units);
        let own_text = own.normalize();
        terms.push(format!("{own_text} * {units} * {cycle} / {part}"));
        sum += (own * units * cycle).checked_div(part)?;
    }
    Some((terms.join(" + "), sum))
}

fn notes(found: &mut Explanation, line: &Line, one: &Figures, figures: &LineFigures) {
    let mut note = |text: String| found.notes.push(text);
    if figures.difference_hours.is_some_and(|difference| difference < Decimal::ZERO) {
        note("the difference is below zero: the line's end gave out more than its machines could make in this time. Buffers held it from before, or a cycle of the master data is too long. What was counted is not cut.".to_owned());
    }
    let measured = figures.measured_output_hours.is_some();
    if one.elements.unknown > 0 && measured {
        let uncounted = shown(hours(one.elements.unknown));
        note(format!("{uncounted} h were not counted: they are filled at the demonstrated rate."));
    }
    let rated = figures.pool.as_ref().is_some_and(|pool| pool.ratio().is_some());
    let counter = &line.counter;
    note(match figures.load {
        Load::Told if rated => format!(
            "the source of {counter} tells missing orders or operators: that time counts at the demonstrated rate. Starving and blocking inside the line are its own losses."
        ),
        Load::Told => format!(
            "the source of {counter} tells missing orders or operators, but no rate was demonstrated yet: nothing is corrected for load, the figure is a floor."
        ),
        Load::ToldElsewhere => format!(
            "only sources of other machines than {counter}, where output is counted, tell missing orders or operators: nothing is corrected for load, the figure is a floor."
        ),
        Load::Untold => "no source of the line tells missing orders: nothing is corrected for load, the figure is a floor.".to_owned(),
    });
}
