//! Laws of the figures, as properties over random worlds.

use std::collections::BTreeMap;

use planthread_contracts::{Period, PeriodKind};
use planthread_domain::{Derivation, derive, derive::Figures};
use rust_decimal::Decimal;

use super::{
    compare::{KINDS, derived},
    dice::Dice,
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
