//! Attainable hours: scheduled time, less planned stops, less what is down.

use planthread_contracts::Period;
use rust_decimal::Decimal;

use super::{Asked, Explanation, shown};
use crate::{
    calendar::span::hours,
    derive::{Derivation, Elements, Figures, Phase, PoolWeek},
    model::Plant,
};

/// The attainable hours of a resource, or of a line.
pub(super) fn explain_hours(found: &mut Explanation, asked: &Asked<'_>) -> Option<()> {
    if asked.is_line() {
        explain_line(found, asked.plant, asked.derivation, asked.one)
    } else {
        explain_machine(found, asked.one)
    }
}

/// What is lost on top of planned stops.
pub(super) fn lost(found: &mut Explanation, asked: &Asked<'_>) -> Option<()> {
    explain_hours(found, asked)?;
    let one = asked.one;
    let words = "Hours lost on top of planned stops = scheduled − planned − attainable";
    let planned = in_hours(one.elements.planned);
    let formula = format!("scheduled - ({planned}) - attainable");
    found.step("lost", words, formula, one.lost_hours()?);
    Some(())
}

/// Minutes of so many milliseconds, written without loss.
pub(super) fn minutes(ms: i64) -> String {
    if ms % 60_000 == 0 { (ms / 60_000).to_string() } else { format!("({ms} / 60000)") }
}

pub(super) fn in_hours(ms: i64) -> String {
    format!("{} / 60", minutes(ms))
}

fn explain_machine(found: &mut Explanation, one: &Figures) -> Option<()> {
    let Elements { scheduled, regular, planned, down, unknown, .. } = one.elements;
    let attainable = one.attainable_hours?;
    let mut step = |name: &str, words: &str, ms| found.step(name, words, in_hours(ms), hours(ms));
    step("scheduled", "Scheduled hours (minutes ÷ 60)", scheduled);
    step("planned", "Planned maintenance within scheduled hours", planned);
    step("down", "Unplanned down within scheduled hours, measured", down);
    if scheduled != regular {
        let decided = hours(scheduled - regular);
        let note = format!("people decided {} h on top of the shifts.", shown(decided));
        found.notes.push(note);
    }
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
    if pool.weeks.is_empty() {
        let words = "Standard availability of the master data (no history)";
        found.step("availability", words, pool.availability.to_string(), pool.availability);
        return Some(());
    }
    let list = |of: fn(&PoolWeek) -> i64| {
        pool.weeks.iter().map(|week| minutes(of(week))).collect::<Vec<_>>().join(" + ")
    };
    let words = format!(
        "Demonstrated availability over {} full weeks, {} to {}: 1 − minutes down ÷ minutes scheduled less planned maintenance",
        pool.weeks.len(),
        pool.weeks.first()?.period,
        pool.weeks.last()?.period,
    );
    let formula = format!("1 - ({}) / ({})", list(|week| week.elements.down), list(PoolWeek::base));
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

fn explain_line(
    found: &mut Explanation,
    plant: &Plant,
    derivation: &Derivation,
    one: &Figures,
) -> Option<()> {
    let line = plant.line(&one.resource)?;
    let figures = one.line.as_ref()?;
    let cycle = line.ideal_cycle_seconds;
    let scheduled = hours(one.elements.scheduled);
    found.step("scheduled", "Scheduled hours", in_hours(one.elements.scheduled), scheduled);
    if let Some(measured) = figures.measured_output_hours {
        let counted = one.output_standard_hours.unwrap_or_default();
        let parts = (counted * Decimal::from(3_600)).checked_div(cycle)?.round_dp(9).normalize();
        let words = format!("Good parts at {} × the line's cycle of {cycle} s", line.counter);
        found.step("counted", &words, format!("{parts} * {cycle} / 3600"), counted);
        let mut formula = "counted".to_owned();
        let open = one.elements.unknown + one.elements.ahead;
        if open > 0 {
            let pool = figures.pool.as_ref()?;
            let words =
                format!("Demonstrated output per scheduled hour over {} full weeks", pool.weeks);
            let ratio =
                format!("{} / ({})", pool.output_hours.normalize(), in_hours(pool.scheduled));
            found.step("ratio", &words, ratio, pool.ratio()?);
            formula = format!("counted + ratio * ({})", in_hours(open));
        }
        found.step("measured", "Standard hours at the line's end", formula, measured);
    }
    let mut stages = Vec::new();
    for (index, stage) in line.stages.iter().enumerate() {
        if figures.composed_bound_hours.is_none() {
            break;
        }
        let (formula, result) = stage_formula(plant, derivation, one.period, stage, cycle)?;
        let name = format!("stage_{}", index + 1);
        let words = format!("Stage {} in hours of the line's cycle", stage.name);
        found.step(&name, &words, formula, result);
        stages.push(name);
    }
    if let Some(bound) = figures.composed_bound_hours {
        let formula = format!("min(scheduled, {})", stages.join(", "));
        found.step("bound", "Composed bound: the weakest stage", formula, bound);
    }
    if let Some(difference) = figures.difference_hours {
        let words = "Difference: bound − measured";
        found.step("difference", words, "bound - measured".to_owned(), difference);
    }
    let formula = match (figures.measured_output_hours, figures.composed_bound_hours) {
        (Some(_), Some(_)) => "min(measured, bound)",
        (Some(_), None) => "measured",
        (None, _) => "bound",
    };
    let words = "Hours that land: measured, never above the bound";
    found.step("attainable", words, formula.to_owned(), one.attainable_hours?);
    if one.elements.unknown > 0 && figures.measured_output_hours.is_some() {
        let note = format!(
            "{} h were not counted: they are filled at the demonstrated rate.",
            shown(hours(one.elements.unknown)),
        );
        found.notes.push(note);
    }
    let note = "no source of the line tells missing orders: nothing is corrected for load, the figure is a floor.";
    found.notes.push(note.to_owned());
    Some(())
}

fn stage_formula(
    plant: &Plant,
    derivation: &Derivation,
    period: Period,
    stage: &crate::model::Stage,
    cycle: Decimal,
) -> Option<(String, Decimal)> {
    let mut terms = Vec::new();
    let mut sum = Decimal::ZERO;
    for id in &stage.machines {
        let resource = plant.resource(id)?;
        let own = derivation.get(id, period)?.attainable_hours?;
        let part = resource.ideal_cycle_seconds?.checked_div(resource.parts_per_cycle.into())?;
        let units = Decimal::from(resource.parallel_units);
        let own_text = own.normalize();
        terms.push(format!("{own_text} * {units} * {cycle} / {part}"));
        sum += (own * units * cycle).checked_div(part)?;
    }
    Some((terms.join(" + "), sum))
}
