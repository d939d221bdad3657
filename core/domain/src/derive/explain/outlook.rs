//! What twins foretold, and what past weeks let expect: low hours, severity,
//! hours at risk.

use planthread_contracts::Quantile;
use rust_decimal::Decimal;
use serde::Serialize;

use super::{
    Asked, Explanation,
    attainable::{explain_hours, in_hours, minutes},
};
use crate::{
    calendar::span::hours,
    derive::{Figures, PoolWeek, pool::quantile_weeks},
};

/// The cautious figure: the share of the time ahead that is exceeded in 9 of 10
/// periods.
pub(super) fn low_hours(found: &mut Explanation, asked: &Asked<'_>) -> Option<()> {
    let one = asked.one;
    let Quantile { probability_not_exceeded: p, value } = one.low_hours?;
    explain_hours(found, asked)?;
    if let [part] = one.foreseen.as_slice() {
        let low = part.low_fraction?;
        let words = format!(
            "Least low share that {} foretold, or another that counts beside it: less has probability {p}",
            part.source
        );
        found.step("low_share", &words, low.normalize().to_string(), low);
    } else {
        let pool = one.demonstrated.as_ref()?.low_pool();
        let (below, above, part) = quantile_weeks(&pool.weeks, p)?;
        let share = |week: &PoolWeek| {
            format!("(1 - {} / {})", minutes(week.elements.down), minutes(week.base()))
        };
        let (low, high) = (share(below.0), share(above.0));
        let words = format!(
            "Share up that was not reached with probability {p}: between the weeks {} and {}",
            below.0.period, above.0.period,
        );
        let (mut words, mut formula) = (words, format!("{low} + ({high} - {low}) * {part}"));
        let mut share = below.1 + (above.1 - below.1) * part;
        let fallen = pool.fallen();
        if !fallen.is_zero() {
            words.push_str(", less what the availability lies below that of all these weeks");
            formula = format!("max(0, {formula} - {fallen})");
            share = (share - fallen).max(Decimal::ZERO);
        }
        found.step("low_share", &words, formula, share);
    }
    let ahead = one.elements.ahead;
    found.step("ahead", "Scheduled hours ahead, less planned stops", in_hours(ahead), hours(ahead));
    let words = "Low hours = hours ahead × share, never above the attainable hours";
    found.step("low", words, "min(ahead * low_share, attainable)".to_owned(), value);
    Some(())
}

/// One number that a twin told.
pub(super) fn severity(found: &mut Explanation, one: &Figures) -> Option<()> {
    let severity = one.severity.as_ref()?;
    let words = format!(
        "Severity by the method {} for the mix {}, as told for {} to {}",
        word(&severity.method),
        word(&severity.mix),
        severity.start,
        severity.end,
    );
    found.step("severity", &words, severity.value.normalize().to_string(), severity.value);
    let note = "of several that hold in the period the largest; severities of different methods are never compared.";
    found.notes.push(note.to_owned());
    Some(())
}

/// Probability × hours lost × the part of the forecast that lies in the period.
pub(super) fn hours_at_risk(found: &mut Explanation, one: &Figures) -> Option<()> {
    let risk = one.risk.as_ref()?;
    let mut names = Vec::new();
    for (index, part) in risk.parts.iter().enumerate() {
        let name = format!("risk_{}", index + 1);
        let words = format!(
            "Probability of a failure of {} × hours of its repair (never more than the {} h scheduled in the forecast) × the share of these hours that lies here",
            risk.asset,
            super::shown(hours(part.whole)),
        );
        let (probability, repair) = (part.probability.normalize(), part.repair_hours.normalize());
        let (inside, whole) = (minutes(part.inside), minutes(part.whole));
        let formula = format!("{probability} * min({repair}, {whole} / 60) * ({inside} / {whole})");
        found.step(&name, &words, formula, part.hours_at_risk()?);
        names.push(name);
    }
    let words = "Hours at risk";
    found.step("at_risk", words, names.join(" + "), risk.hours_at_risk);
    let note = format!(
        "the model looks as far as {}; what is later is unknown, not safe.",
        risk.model_horizon
    );
    found.notes.push(note);
    Some(())
}

/// The word, or the words, under which a value stands in files.
fn word<T: Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        Ok(other) => other.to_string(),
        Err(_) => String::new(),
    }
}
