//! Laws of the figures, as properties over random worlds.

use std::collections::{BTreeMap, BTreeSet};

use planthread_contracts::{Period, PeriodKind, Status};
use planthread_domain::{
    Derivation, derive,
    derive::{Figures, Phase},
};
use rust_decimal::Decimal;

use super::{
    compare::{KINDS, derived},
    dice::Dice,
    losses::{Lost, lost},
    plant::{facts_in_order, instant, plant},
    world::World,
};

/// Figures may differ by what decimals round away.
fn near() -> Decimal {
    Decimal::new(1, 9)
}

type Number = fn(&Figures) -> Option<Decimal>;

/// What adds up over periods (law 6).
const SUMS: [(&str, Number); 3] = [
    ("attainable", |one| one.attainable_hours),
    ("good", |one| one.good_units),
    ("lost", Figures::lost_hours),
];

/// Days add up to weeks and months, technical weeks to weeks; how many sums were
/// compared, and the largest deviation.
pub(crate) fn sums_hold(derivation: &Derivation, faults: &mut Vec<String>) -> (usize, Decimal) {
    let by: BTreeMap<(&str, Period), &Figures> =
        derivation.figures.iter().map(|one| ((&*one.resource, one.period), one)).collect();
    let (mut compared, mut largest) = (0, Decimal::ZERO);
    for whole in &derivation.figures {
        let kinds: &[PeriodKind] = match whole.period.kind() {
            PeriodKind::Week => &[PeriodKind::Day, PeriodKind::TechnicalWeek],
            PeriodKind::Month => &[PeriodKind::Day],
            PeriodKind::Day | PeriodKind::TechnicalWeek => continue,
        };
        for kind in kinds {
            let parts = parts(whole.period, *kind);
            let parts: Option<Vec<&&Figures>> =
                parts.iter().map(|part| by.get(&(&*whole.resource, *part))).collect();
            // A month at the edge of the horizon has not all of its days.
            let Some(parts) = parts else { continue };
            for (name, number) in SUMS {
                let Some(right) = number(whole) else { continue };
                let sum: Decimal = parts.iter().filter_map(|part| number(part)).sum();
                compared += 1;
                largest = largest.max((sum - right).abs());
                if (sum - right).abs() > near() {
                    let (resource, period) = (&whole.resource, whole.period);
                    faults.push(format!("{resource} {period} {name}: {sum} of {kind:?}s, {right}"));
                }
            }
        }
    }
    (compared, largest)
}

fn parts(whole: Period, kind: PeriodKind) -> Vec<Period> {
    let first = Period::containing(kind, whole.start());
    let parts = std::iter::successors(Some(first), |part| Some(part.next()));
    parts.take_while(|part| part.start() < whole.end()).collect()
}

/// What of a resource may not better between two derivations.
#[derive(Debug, Clone, Copy)]
struct Strict {
    hours: bool,
    good: bool,
    /// Its hours ahead, where the time behind went on to be told.
    ahead: bool,
    /// How far it can be trusted: nothing at all was told.
    all: bool,
}

/// No figure of anything that lost information moves to its hopeful side, or vanishes
/// (law 8); how many were compared.
///
/// What goes on to be told may lift a figure, and is told of the machine itself: a
/// machine whose strongest voice is proven for longer than before, or whose counter
/// has a new reading. What others say of it caps it. A line moves with its counter and
/// with every voice of its machines; its time ahead, where it was counted, with its
/// counter alone.
pub(crate) fn loses_nothing(
    (before, after): (&World, &World),
    (landed, now): (&Derivation, &Derivation),
    faults: &mut Vec<String>,
) -> usize {
    let strict = strict(before, after);
    let now: BTreeMap<(&str, Period), &Figures> =
        now.figures.iter().map(|one| ((&*one.resource, one.period), one)).collect();
    let mut compared = 0;
    for landed in &landed.figures {
        // A period that has left the horizon is closed.
        if let Some(now) = now.get(&(&*landed.resource, landed.period)) {
            compared += better(landed, now, strict[&*landed.resource], faults);
        }
    }
    compared
}

fn strict(before: &World, after: &World) -> BTreeMap<String, Strict> {
    let of: Vec<Lost> =
        (0..before.machines.len()).map(|machine| lost(before, after, machine)).collect();
    let machines = of.iter().enumerate().map(|(at, of)| {
        let good = of.count && (of.hours || of.unspoken);
        (format!("M{at}"), Strict { hours: of.hours, good, ahead: of.ahead, all: of.all })
    });
    let lines = before.lines.iter().enumerate().map(|(at, line)| {
        let members: BTreeSet<usize> = line.stages.iter().flatten().copied().collect();
        let count = of[line.counter].count;
        let hours = count && members.iter().all(|member| of[*member].all);
        (format!("L{at}"), Strict { hours, good: hours, ahead: count, all: hours })
    });
    machines.chain(lines).collect()
}

/// Compares the figures of one period; how many were compared.
fn better(landed: &Figures, now: &Figures, strict: Strict, faults: &mut Vec<String>) -> usize {
    let mut compared = 0;
    let mut at_most = |name: &str, was: Option<Decimal>, is: Option<Decimal>| {
        let Some(was) = was else { return };
        compared += 1;
        if is.is_none_or(|is| is > was + near()) {
            let (resource, period) = (&landed.resource, landed.period);
            let is = is.map_or("nothing".to_owned(), |is| is.to_string());
            faults.push(format!("{resource} {period} {name}: {was} landed, then {is}"));
        }
    };
    let is_ahead = now.phase == Phase::Future;
    let counted = |one: &Figures| {
        one.line.as_ref().is_none_or(|line| line.pool.is_some_and(|pool| !pool.composed))
    };
    if strict.hours || (strict.ahead && is_ahead && counted(landed) && counted(now)) {
        at_most("attainable", landed.attainable_hours, now.attainable_hours);
        // A planned stop that others tell takes hours away, and is no loss.
        if landed.elements.planned == now.elements.planned {
            let hope = |one: &Figures| one.lost_hours().map(|lost| -lost);
            at_most("lost", hope(landed), hope(now));
        }
    }
    if is_ahead && (strict.hours || (strict.ahead && landed.line.is_none())) {
        let low = |one: &Figures| one.low_hours.map(|low| low.value);
        // Quantiles of several forecasts are never added: where a stale one and a weaker
        // one share the week, no low figure can be said (law 7).
        if now.foreseen.len() < 2 {
            at_most("low", low(landed), low(now));
        }
    }
    if strict.all && is_ahead {
        let live = |one: &Figures| Some(u8::from(one.status == Status::Live).into());
        at_most("live", live(landed), live(now));
    }
    // Nobody foretold anything since.
    let severity = |one: &Figures| one.severity.as_ref().map(|severity| -severity.value);
    at_most("severity", severity(landed), severity(now));
    let risk = |one: &Figures| one.risk.as_ref().map(|risk| -risk.hours_at_risk);
    at_most("risk", risk(landed), risk(now));
    if strict.good {
        at_most("good", landed.good_units, now.good_units);
    }
    compared
}

/// What a world derives to does not change with the order of its sources in the
/// configuration.
pub(crate) fn order_changes_nothing(world: &World, dice: &mut Dice) -> Vec<String> {
    let mut order: Vec<usize> = (0..world.sources.len()).collect();
    dice.shuffle(&mut order);
    let mut plant = plant(world);
    plant.sources = order.iter().map(|at| plant.sources[*at].clone()).collect();
    let mut places = vec![0; order.len()];
    for (place, at) in order.iter().enumerate() {
        places[*at] = place;
    }
    let facts = facts_in_order(world, &places);
    let turned = derive(&plant, &facts, instant(world.now), &KINDS).unwrap();
    let derived = derived(world);
    assert_eq!(derived.figures.len(), turned.figures.len());
    let pairs = derived.figures.iter().zip(&turned.figures);
    let differ = pairs.filter(|(one, other)| one != other);
    differ.map(|(one, _)| format!("{} {}", one.resource, one.period)).collect()
}
