//! What was made, and what will be: demonstrated standard hours, good units.

use rust_decimal::Decimal;

use super::{
    Asked, Explanation,
    attainable::{explain_hours, in_hours},
};
use crate::{
    calendar::span::hours,
    derive::{Elements, Figures, Phase},
    model::Resource,
};

const SECONDS: Decimal = Decimal::from_parts(3_600, 0, 0, false, 0);

/// Ideal cycle × good output, corrected for load.
pub(super) fn standard_hours(found: &mut Explanation, asked: &Asked<'_>) -> Option<()> {
    let one = asked.one;
    let standard = one.demonstrated_standard_hours?;
    if asked.is_line() {
        explain_hours(found, asked)?;
        let measured = found.steps.iter().position(|step| step.name == "measured")?;
        // The bound limits what lands as attainable, not what was shown.
        found.steps.truncate(measured + 1);
        let words = "Demonstrated standard hours of the line";
        found.step("standard", words, "measured".to_owned(), standard);
        return Some(());
    }
    let resource = asked.plant.resource(&one.resource)?;
    if one.phase == Phase::Past {
        corrected(found, one, resource)?
    } else {
        ahead(found, asked, resource)?
    }
    Some(())
}

/// A past period: what was counted, as if no standby had been.
fn corrected(found: &mut Explanation, one: &Figures, resource: &Resource) -> Option<()> {
    let Elements { scheduled, planned, down, unknown, ahead, standby, .. } = one.elements;
    let parts = one.good_units?.normalize();
    let words = "Good parts counted × ideal cycle";
    let formula = format!("{parts} * {} / 3600", a_part(resource)?);
    found.step("made", words, formula, one.output_standard_hours?);
    let words = "Hours up = scheduled − planned − down − unknown";
    let up = scheduled - planned - down - unknown - ahead;
    let formula = format!(
        "{} - {} - {} - {}",
        in_hours(scheduled),
        in_hours(planned),
        in_hours(down),
        in_hours(unknown + ahead)
    );
    found.step("up", words, formula, hours(up));
    let words = "Of them standby: starved, blocked, no order, no operator";
    found.step("standby", words, in_hours(standby), hours(standby));
    let words = "Demonstrated standard hours, corrected for load";
    let formula = "made * up / (up - standby)".to_owned();
    found.step("standard", words, formula, one.demonstrated_standard_hours?);
    Some(())
}

/// A period ahead: attainable hours at the rate that the pooled weeks showed.
fn ahead(found: &mut Explanation, asked: &Asked<'_>, resource: &Resource) -> Option<()> {
    explain_hours(found, asked)?;
    let weeks = &asked.one.demonstrated.as_ref()?.weeks;
    let (mut parts, mut made, mut loaded) = (Vec::new(), Decimal::ZERO, 0);
    for week in weeks {
        let output = week.output_hours?;
        parts.push(parts_of(output, resource)?.to_string());
        made += output;
        loaded += week.elements.up() - week.elements.standby;
    }
    let words = format!("Good parts of the {} pooled weeks × ideal cycle", weeks.len());
    let formula = format!("({}) * {} / 3600", parts.join(" + "), a_part(resource)?);
    found.step("made", &words, formula, made);
    let words = "Hours up and loaded in these weeks";
    found.step("loaded", words, in_hours(loaded), hours(loaded));
    let words = "Standard hours of an hour that is up and loaded";
    found.step("rate", words, "made / loaded".to_owned(), made.checked_div(hours(loaded))?);
    let words = "Demonstrated standard hours = attainable hours × rate";
    let standard = asked.one.demonstrated_standard_hours?;
    found.step("standard", words, "attainable * rate".to_owned(), standard);
    Some(())
}

/// Good parts: counted in a past period, at the demonstrated rate ahead.
pub(super) fn good_units(found: &mut Explanation, asked: &Asked<'_>) -> Option<()> {
    let one = asked.one;
    let good = one.good_units?;
    if let Some(line) = asked.plant.line(&one.resource) {
        explain_hours(found, asked)?;
        let words =
            format!("Good parts: hours ÷ the line's cycle of {} s", line.ideal_cycle_seconds);
        let formula = format!("attainable * 3600 / {}", line.ideal_cycle_seconds);
        found.step("good", &words, formula, good);
        return Some(());
    }
    if one.phase == Phase::Past {
        let words = "Good parts counted in the period";
        found.step("good", words, good.normalize().to_string(), good);
        let note = "an interval that reaches beyond the period counts by its share of time.";
        found.notes.push(note.to_owned());
        return Some(());
    }
    standard_hours(found, asked)?;
    let cycle = a_part(asked.plant.resource(&one.resource)?)?;
    let words = "Good parts = demonstrated standard hours ÷ ideal cycle";
    found.step("good", words, format!("standard * 3600 / ({cycle})"), good);
    Some(())
}

/// Ideal seconds of one part, as a formula.
fn a_part(resource: &Resource) -> Option<String> {
    let cycle = resource.ideal_cycle_seconds?.normalize();
    Some(match resource.parts_per_cycle {
        1 => cycle.to_string(),
        parts => format!("{cycle} / {parts}"),
    })
}

/// Standard hours as the parts that they were counted from.
fn parts_of(hours: Decimal, resource: &Resource) -> Option<Decimal> {
    let parts = (hours * SECONDS).checked_div(resource.seconds_a_part()?)?;
    Some(parts.round_dp(9).normalize())
}
