//! Attainable hours: scheduled time, less planned stops, less what is down.

use rust_decimal::Decimal;

use super::{Asked, Explanation, decided, decline, line, shown};
use crate::{
    calendar::span::hours,
    derive::{Elements, Figures, Phase, PoolWeek, RestsOn},
};

/// The attainable hours of a resource, or of a line.
pub(super) fn explain_hours(found: &mut Explanation, asked: &Asked<'_>) -> Option<()> {
    if asked.is_line() { line::explain(found, asked) } else { explain_machine(found, asked) }
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
    match ms {
        ms if ms % 60_000 == 0 => (ms / 60_000).to_string(),
        ms if ms % 1_000 == 0 => format!("({} / 60)", ms / 1_000),
        ms => format!("({ms} / 60000)"),
    }
}

/// Hours of so many milliseconds, written without loss.
pub(super) fn in_hours(ms: i64) -> String {
    match ms {
        ms if ms % 60_000 == 0 => format!("{} / 60", ms / 60_000),
        ms if ms % 1_000 == 0 => format!("{} / 3600", ms / 1_000),
        ms => format!("{ms} / 3600000"),
    }
}

fn explain_machine(found: &mut Explanation, asked: &Asked<'_>) -> Option<()> {
    let one = asked.one;
    let Elements { planned, down, unknown, .. } = one.elements;
    let attainable = one.attainable_hours?;
    decided::explain(found, asked);
    let mut step = |name: &str, words: &str, ms| found.step(name, words, in_hours(ms), hours(ms));
    step("planned", "Planned maintenance within scheduled hours", planned);
    step("down", "Unplanned down within scheduled hours, measured", down);
    let mut parts = Vec::new();
    for (index, part) in one.foreseen.iter().enumerate() {
        let name = format!("foretold_{}", index + 1);
        let (source, up) = (&part.source, part.up_fraction);
        let words = if part.behind {
            format!(
                "Lost in time of which nobody knows, and for which {source} foretold: {up} up, never above what was demonstrated"
            )
        } else {
            format!("Lost in the time for which {source} foretold {up} up")
        };
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

/// The coarsest unit in which all of these milliseconds are whole, and how many of
/// them it has.
fn unit(all: &(impl Iterator<Item = i64> + Clone)) -> (&'static str, i64) {
    let whole = |ms: i64| all.clone().all(|one| one % ms == 0);
    let units = [("minutes", 60_000), ("seconds", 1_000)];
    units.into_iter().find(|(_, ms)| whole(*ms)).unwrap_or(("milliseconds", 1))
}

/// The pool of demonstrated availability, week by week.
fn explain_pool(found: &mut Explanation, one: &Figures) -> Option<()> {
    let pool = one.demonstrated.as_ref()?;
    let all = pool.weeks.iter().flat_map(|week| [week.elements.down, week.base()]);
    let (unit, ms) = unit(&all);
    let list = |of: fn(&PoolWeek) -> i64| {
        pool.weeks.iter().map(|week| (of(week) / ms).to_string()).collect::<Vec<_>>().join(" + ")
    };
    let weeks = pool.weeks.len();
    let span = pool.weeks.first().zip(pool.weeks.last());
    let span = span.map(|(first, last)| format!("{} to {}", first.period, last.period));
    let span = span.unwrap_or_default();
    let shown =
        || format!("1 - ({}) / ({})", list(|week| week.elements.down), list(PoolWeek::base));
    let (tested, less) = decline::words(pool.decline.as_ref());
    let (words, formula) = match pool.rests_on {
        RestsOn::MasterData => (
            "Standard availability of the master data (no history)".to_owned(),
            pool.availability.to_string(),
        ),
        RestsOn::FullWeeks => (
            format!(
                "Demonstrated availability over {weeks} full weeks, {span}: 1 − {unit} down ÷ {unit} scheduled less planned maintenance{tested}"
            ),
            less.map_or_else(shown, |less| format!("max(0, {} - {less})", shown())),
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
                "Assumed availability (no week was seen fully enough) over what was seen of {weeks} weeks, {span}: 1 − {unit} down ÷ {unit} seen and scheduled, less planned maintenance{cap}"
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
