//! What was made, and what will be: demonstrated standard hours, good units.

use rust_decimal::Decimal;

use super::{
    Asked, Explanation,
    attainable::{explain_hours, in_hours},
    line,
};
use crate::{
    calendar::span::hours,
    derive::{Elements, Figures, Loaded, Phase, Rate},
    model::Resource,
};

const SECONDS: Decimal = Decimal::from_parts(3_600, 0, 0, false, 0);

/// Ideal cycle × good output, corrected for load.
pub(super) fn standard_hours(found: &mut Explanation, asked: &Asked<'_>) -> Option<()> {
    let one = asked.one;
    let standard = one.demonstrated_standard_hours?;
    if asked.is_line() {
        explain_hours(found, asked)?;
        let words = "Demonstrated standard hours of the line";
        found.step("standard", words, "attainable".to_owned(), standard);
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
    let parts = one.made.as_ref()?.counted.round_dp(9).normalize();
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
    let rate = asked.one.made.as_ref()?.rate?;
    explain_rate(found, &rate)?;
    let words = "Standard hours of an hour that is up and loaded = parts an hour × ideal cycle";
    let formula = format!("rate * {} / 3600", a_part(resource)?);
    let standard_an_hour = rate.an_hour()? * resource.seconds_a_part()? / SECONDS;
    found.step("standard_rate", words, formula, standard_an_hour);
    let words = "Demonstrated standard hours = attainable hours × rate";
    let standard = asked.one.demonstrated_standard_hours?;
    found.step("standard", words, "attainable * standard_rate".to_owned(), standard);
    Some(())
}

/// Parts an hour over the pooled weeks.
fn explain_rate(found: &mut Explanation, rate: &Rate) -> Option<()> {
    let weeks = rate.weeks;
    let words = match rate.load {
        Loaded::Told => format!(
            "Parts an hour over {weeks} pooled weeks: parts ÷ hours that were counted, up and loaded"
        ),
        Loaded::Untold => format!(
            "Parts an hour over {weeks} pooled weeks: parts ÷ hours that were counted and up (a floor: nobody tells standby)"
        ),
        Loaded::CounterOnly => format!(
            "Parts an hour over {weeks} pooled weeks: parts ÷ scheduled hours that were counted (only the counter speaks of the machine)"
        ),
    };
    let parts = rate.parts.round_dp(9).normalize();
    found.step("rate", &words, format!("{parts} / ({})", in_hours(rate.ms)), rate.an_hour()?);
    Some(())
}

/// Good parts: what was counted, and the rest at the demonstrated rate.
pub(super) fn good_units(found: &mut Explanation, asked: &Asked<'_>) -> Option<()> {
    let one = asked.one;
    let good = one.good_units?;
    if let Some(line) = asked.plant.line(&one.resource) {
        return line::good_units(found, asked, line, good);
    }
    let made = one.made.as_ref()?;
    let counted = made.counted.round_dp(9).normalize();
    found.step("counted", "Good parts counted in the period", counted.to_string(), made.counted);
    let mut formula = "counted".to_owned();
    if let Some(rate) = &made.rate {
        explain_rate(found, rate)?;
        let words = match rate.load {
            Loaded::CounterOnly => "Scheduled hours that were not counted, or lie ahead",
            _ => "Attainable hours of the time that was not counted, or lies ahead",
        };
        let open = made.open_hours.normalize();
        found.step("open", words, open.to_string(), made.open_hours);
        formula.push_str(" + rate * open");
    }
    found.step("good", "Good parts = counted + the rest at the rate", formula, good);
    let note = "an interval that reaches beyond the period counts by its share of time.";
    found.notes.push(note.to_owned());
    if one.attainable_hours.is_none() {
        let note = "only the counter speaks of this machine: hours need a source of its stops (`machine_events` or production states), or its `standard_availability`.";
        found.notes.push(note.to_owned());
    }
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
