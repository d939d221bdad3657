//! Targets that hold different figures of one signal, although each holds what it
//! should: one was planned alone, another keeps a firm figure. They are compared over
//! whole periods, in one unit, and only beyond what their rounding explains.

use std::collections::{BTreeMap, BTreeSet, btree_map::Entry};

use planthread_contracts::MeasureDecl;
use rust_decimal::Decimal;

use super::{Holding, Signal, common::together};

/// What one target holds of a signal, so far.
#[derive(Debug, Clone, Copy)]
struct Sum {
    /// In the base unit of its dimension; nothing where a part was not read.
    value: Option<Decimal>,
    /// One step of its rounding, in that unit.
    step: Decimal,
    days: u32,
}

/// What all targets hold of all signals.
#[derive(Debug, Default)]
pub(super) struct Apart(BTreeMap<Signal, BTreeMap<[String; 3], Sum>>);

impl Apart {
    /// Takes in what a target holds in one of its own periods.
    pub(super) fn add(&mut self, signal: Signal, measure: &MeasureDecl, holding: &Holding) {
        let size = Decimal::from(measure.unit.in_base());
        let one = Sum {
            value: holding.held.as_ref().and_then(|held| held.value.checked_mul(size)),
            step: Decimal::new(1, measure.scale) * size,
            days: holding.days,
        };
        let Holding { target, measure: name, place, .. } = holding;
        let key = [target, name, place].map(Clone::clone);
        match self.0.entry(signal).or_default().entry(key) {
            Entry::Vacant(free) => drop(free.insert(one)),
            Entry::Occupied(mut sum) => {
                let sum = sum.get_mut();
                sum.days += one.days;
                let both = sum.value.zip(one.value);
                sum.value = both.and_then(|(a, b)| together(a, b, measure.over_time));
            }
        }
    }

    /// The signals of which targets hold different figures.
    pub(super) fn signals(&self) -> BTreeSet<Signal> {
        let differ = |(signal, held): &(&Signal, &BTreeMap<[String; 3], Sum>)| {
            let days = signal.period.days().count();
            let mut alone: BTreeMap<&str, Vec<&Sum>> = BTreeMap::new();
            for ([target, ..], sum) in held.iter() {
                alone.entry(target).or_default().push(sum);
            }
            // Where a target holds it in several places, each has a part of it.
            let whole = alone.values().filter_map(|sums| match sums.as_slice() {
                [one] if one.days as usize == days => Some((one.value?, one.step)),
                _ => None,
            });
            let whole: Vec<(Decimal, Decimal)> = whole.collect();
            let (low, high) = (whole.iter().min(), whole.iter().max());
            let step = whole.iter().map(|(_, step)| *step).max();
            // A figure of several periods is off by a step of its own at most.
            low.zip(high).zip(step).is_some_and(|((low, high), step)| high.0 - low.0 > step + step)
        };
        self.0.iter().filter(differ).map(|(signal, _)| signal.clone()).collect()
    }
}

/// Says of holdings that are as they should be how much older they are than the newest;
/// the targets of those.
pub(super) fn older(holdings: &mut [Holding]) -> BTreeSet<String> {
    let as_of = |holding: &Holding| holding.held.as_ref().and_then(|held| held.as_of);
    let Some(newest) = holdings.iter().filter_map(as_of).max() else { return BTreeSet::new() };
    let mut targets = BTreeSet::new();
    for holding in holdings {
        let Some(own) = as_of(holding).filter(|own| *own < newest) else { continue };
        targets.insert(holding.target.clone());
        if holding.current {
            holding.behind_seconds = Some(newest.as_second() - own.as_second());
        }
    }
    targets
}
