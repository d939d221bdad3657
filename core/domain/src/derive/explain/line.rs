//! The arithmetic of a line in words: counted, filled, bounded.

use rust_decimal::Decimal;

use super::{Asked, Explanation, decided, decline, in_hours, shown};
use crate::{
    calendar::span::hours,
    derive::{Figures, Level, LineFigures, LinePool, Load, at_most},
    model::Line,
};

/// Explains the attainable hours of a line; `None` when nothing is known.
pub(super) fn explain(found: &mut Explanation, asked: &Asked<'_>) -> Option<()> {
    let (plant, one) = (asked.plant, asked.one);
    let line = plant.line(&one.resource)?;
    let figures = one.line.as_ref()?;
    decided::explain(found, asked);
    let mut formula = vec!["counted"];
    explain_counted(found, line, one)?;
    if !figures.seen.is_empty() {
        let words = "What the machines gave while all of them told, instant by instant (nobody counts the line)";
        let given = at_most(&figures.seen, Decimal::ONE);
        found.step("seen", words, levels(&figures.seen, None), given);
        formula.push("seen");
    }
    let ratio = figures.pool.as_ref().and_then(|pool| Some((pool, pool.ratio()?)));
    if let Some((pool, ratio)) =
        ratio.filter(|_| !figures.open.is_empty() || !figures.unasked.is_empty())
    {
        explain_ratio(found, pool, ratio);
        if !figures.unasked.is_empty() {
            let words = "Counted time without order or operator, which is no loss, at that rate, and never above what the machines allow";
            rated(found, "unasked", words, &figures.unasked, ratio);
            formula.push("unasked");
        }
        if !figures.open.is_empty() {
            let words = "Time that was not counted or lies ahead, at that rate, and never above what the machines allow at that instant";
            rated(found, "open", words, &figures.open, ratio);
            formula.push("open");
        }
    } else if ratio.is_none() && !figures.open.is_empty() {
        let words = "What the machines are expected to give, instant by instant (nothing was counted, and no week was seen)";
        let formula_of = levels(&figures.open, None);
        found.step("open", words, formula_of, at_most(&figures.open, Decimal::ONE));
        formula.push("open");
    }
    if let Some(bound) = figures.composed_bound_hours {
        let words = "Composed: the least stage at each instant (parallel machines add, a machine of which nobody knows gives all that it can), summed over the period";
        found.step("composed", words, levels(&figures.composed, None), bound);
    }
    let attainable = one.attainable_hours?;
    if let Some(difference) = figures.difference_hours {
        let words = "Difference: composed − attainable";
        found.step(
            "difference",
            words,
            format!("composed - ({})", formula.join(" + ")),
            difference,
        );
    }
    let words = "Attainable hours = counted + the rest";
    found.step("attainable", words, formula.join(" + "), attainable);
    notes(found, line, one, figures);
    Some(())
}

/// Good parts: hours of the line's cycle, without those in which nobody asked.
pub(super) fn good_units(
    found: &mut Explanation,
    asked: &Asked<'_>,
    line: &Line,
    good: Decimal,
) -> Option<()> {
    explain(found, asked)?;
    let unasked = found.steps.iter().any(|step| step.name == "unasked");
    let cycle = line.ideal_cycle_seconds;
    let (less, words) = if unasked {
        (
            " - unasked",
            format!(
                "Good parts: hours ÷ the line's cycle of {cycle} s; while nobody asked, none was made"
            ),
        )
    } else {
        ("", format!("Good parts: hours ÷ the line's cycle of {cycle} s"))
    };
    found.step("good", &words, format!("(attainable{less}) * 3600 / {cycle}"), good);
    Some(())
}

/// Standard hours at the line's end.
fn explain_counted(found: &mut Explanation, line: &Line, one: &Figures) -> Option<()> {
    let cycle = line.ideal_cycle_seconds;
    let counted = one.output_standard_hours.unwrap_or_default();
    let parts = (counted * Decimal::from(3_600)).checked_div(cycle)?.round_dp(9).normalize();
    let words = format!("Good parts at {} × the line's cycle of {cycle} s", line.counter);
    found.step("counted", &words, format!("{parts} * {cycle} / 3600"), counted);
    Some(())
}

/// The rate that the line has shown.
fn explain_ratio(found: &mut Explanation, pool: &LinePool, ratio: Decimal) {
    let (asked, less) = if pool.unasked > 0 {
        (" in which parts were asked for", format!(" - {}", in_hours(pool.unasked)))
    } else {
        ("", String::new())
    };
    let span = pool.ends.map(|(first, last)| format!(", {first} to {last}"));
    let weeks = format!("{} weeks{}", pool.weeks, span.unwrap_or_default());
    let (tested, lowered) = decline::words(pool.decline.as_ref());
    let words = if pool.composed {
        format!(
            "What the machines composed to per scheduled hour, over {weeks} (nobody counts the line)"
        )
    } else if pool.partly {
        format!(
            "Assumed output per scheduled hour{asked} (no week was counted fully enough), over what was counted of {weeks}"
        )
    } else {
        format!(
            "Demonstrated output per scheduled hour that was counted{asked}, over {weeks}{tested}"
        )
    };
    let made = pool.output_hours.normalize();
    let rate = format!("{made} / ({}{less})", in_hours(pool.scheduled));
    let rate = match lowered {
        Some(lowered) => format!("max(0, min(1, {rate} - {lowered}))"),
        None => format!("min(1, {rate})"),
    };
    found.step("ratio", &words, rate, ratio);
}

/// Time at the shown rate.
fn rated(found: &mut Explanation, name: &str, words: &str, of: &[Level], ratio: Decimal) {
    found.step(name, words, levels(of, Some("ratio")), at_most(of, ratio));
}

/// Levels as a formula: time × the least of the rate and what is allowed.
fn levels(of: &[Level], ratio: Option<&str>) -> String {
    let terms: Vec<String> = of
        .iter()
        .map(|level| match ratio {
            Some(ratio) if level.allows < Decimal::ONE => {
                format!("{} * min({ratio}, {})", in_hours(level.ms), level.allows)
            }
            Some(ratio) => format!("{} * {ratio}", in_hours(level.ms)),
            None => format!("{} * {}", in_hours(level.ms), level.allows),
        })
        .collect();
    if terms.is_empty() { "0".to_owned() } else { terms.join(" + ") }
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
