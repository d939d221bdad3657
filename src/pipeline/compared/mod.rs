//! The cells of a target on two sides: what was known then and is known now, or what two
//! configurations make of the same records.
//!
//! One cell, or one place, is in memory at a time: each difference is given on as it is
//! found, and what is kept of them are counts and the largest few of each measure.

mod asof;
mod replay;

use std::cmp::Reverse;

use jiff::Timestamp;
use planthread_contracts::{Aggregation, Carries, CellKey, MeasureDecl, Name, Period, Unit};
use planthread_domain::significance::Split;
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::Serialize;

pub use asof::{AsOf, Between, asof};
pub use replay::{Replayed, Side, replay};

use crate::failure::Failure;

/// Differences that are kept of each measure: the largest ones.
const KEPT: usize = 20;

/// A cell that is another one on the two sides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Difference {
    /// The configured target.
    pub target: String,
    /// The scope; empty for base.
    pub scope: String,
    /// The plant: the target's location.
    pub plant: Name,
    /// The line: the target's resource.
    pub line: Name,
    /// The product, where the cell has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub product: Option<Name>,
    /// The period, which begins in the zone of the plant.
    pub period: Period,
    /// Our name of the measure.
    pub measure: String,
    /// The target's name of it.
    pub surface: String,
    /// The figure that it carries.
    pub carries: Carries,
    /// The unit in which the target stores it.
    pub unit: Unit,
    /// The value before; absent where there was none, or nobody knew it.
    pub was: Option<Decimal>,
    /// The value after; absent where there is none, or nobody knows it.
    pub is: Option<Decimal>,
    /// By how much it differs; absent where one of them is, or both are stored otherwise.
    pub change: Option<Decimal>,
    /// Its hours, and by what they moved; of attainable hours that are known on both sides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub split: Option<Split>,
    /// What else there is to say of it, in words; empty where there is nothing.
    pub remark: String,
}

impl Difference {
    /// Between two values of a cell.
    fn of(key: &CellKey, measure: &MeasureDecl, was: Option<Decimal>, is: Option<Decimal>) -> Self {
        Self {
            target: key.target.to_string(),
            scope: key.scope.to_string(),
            plant: key.location.clone(),
            line: key.resource.clone(),
            product: key.product.clone(),
            period: key.period,
            measure: measure.name.clone(),
            surface: measure.surface.clone(),
            carries: measure.carries,
            unit: measure.unit,
            was,
            is,
            change: was.zip(is).map(|(was, is)| is - was),
            split: None,
            remark: String::new(),
        }
    }

    /// What nobody knows any more first, then the larger ones, what is new last.
    fn weight(&self) -> Reverse<(bool, Decimal)> {
        let gone = self.was.is_some() && self.is.is_none();
        Reverse((gone, self.change.or(self.was).unwrap_or_default().abs()))
    }
}

/// How the cells of one measure differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct MeasureTotal {
    /// Our name of the measure.
    pub measure: String,
    /// The target's name of it.
    pub surface: String,
    /// The unit in which the target stores it.
    pub unit: Unit,
    /// Cells that have a value on both sides.
    pub compared: u64,
    /// Those whose values differ.
    pub differ: u64,
    /// Cells that have a value before alone.
    pub only_was: u64,
    /// Cells that have a value after alone.
    pub only_is: u64,
    /// By how much the values grew that grew, in all; absent where they do not add up.
    pub more: Option<Decimal>,
    /// By how much the values shrank that shrank, in all, below zero; absent where they do
    /// not add up.
    pub less: Option<Decimal>,
    /// The differences that are largest: what nobody knows any more first.
    pub largest: Vec<Difference>,
}

impl MeasureTotal {
    fn of(measure: &MeasureDecl) -> Self {
        let adds = [measure.over_time, measure.over_resources] == [Aggregation::Sum; 2];
        let zero = adds.then_some(Decimal::ZERO);
        Self {
            measure: measure.name.clone(),
            surface: measure.surface.clone(),
            unit: measure.unit,
            compared: 0,
            differ: 0,
            only_was: 0,
            only_is: 0,
            more: zero,
            less: zero,
            largest: Vec::new(),
        }
    }

    /// What they grew and shrank by, together.
    #[must_use]
    pub fn net(&self) -> Option<Decimal> {
        Some(self.more? + self.less?)
    }

    /// How many cells are others, or stand on one side alone.
    #[must_use]
    pub const fn differing(&self) -> u64 {
        self.differ + self.only_was + self.only_is
    }

    fn same(&mut self) {
        self.compared += 1;
    }

    fn put(&mut self, one: &Difference) {
        match (one.was, one.is) {
            (Some(_), Some(_)) => {
                self.compared += 1;
                self.differ += 1;
            }
            (Some(_), None) => self.only_was += 1,
            (None, _) => self.only_is += 1,
        }
        match one.change {
            Some(change) if change > Decimal::ZERO => {
                self.more = self.more.map(|sum| sum + change);
            }
            Some(change) => self.less = self.less.map(|sum| sum + change),
            // Stored otherwise: then nothing adds up.
            None if one.was.is_some() && one.is.is_some() => (self.more, self.less) = (None, None),
            None => {}
        }
        self.largest.push(one.clone());
        if self.largest.len() > 2 * KEPT {
            self.settle();
        }
    }

    /// Keeps the largest ones; of equals the first ones.
    fn settle(&mut self) {
        self.largest.sort_by_key(Difference::weight);
        self.largest.truncate(KEPT);
    }
}

/// The totals of one target's measures, in the order in which they are declared.
#[derive(Debug)]
struct Totals(Vec<MeasureTotal>);

impl Totals {
    fn of<'a>(measures: impl IntoIterator<Item = &'a MeasureDecl>) -> Self {
        Self(measures.into_iter().map(MeasureTotal::of).collect())
    }

    fn same(&mut self, measure: &str) {
        self.0.iter_mut().filter(|one| one.measure == measure).for_each(MeasureTotal::same);
    }

    fn put(&mut self, one: &Difference) {
        let mut totals = self.0.iter_mut();
        if let Some(total) = totals.find(|total| total.measure == one.measure) {
            total.put(one);
        }
    }

    fn end(mut self) -> Vec<MeasureTotal> {
        self.0.iter_mut().for_each(MeasureTotal::settle);
        self.0
    }
}

/// Takes each difference as it is found.
pub type Each<'e> = &'e mut dyn FnMut(&Difference) -> Result<(), Failure>;

/// Which measures of a target are compared: all that hold values, or one.
fn asked<'a>(
    measures: &'a [MeasureDecl],
    only: Option<&str>,
) -> impl Iterator<Item = &'a MeasureDecl> {
    let only = only.map(str::to_owned);
    let values = measures.iter().filter(|one| !one.is_stamp() && one.carries != Carries::Observed);
    values.filter(move |one| only.as_ref().is_none_or(|only| *only == one.name))
}

/// The failure where no target has a measure that is asked for.
fn no_measure(only: &str) -> Failure {
    Failure::usage(format!("no target lands a measure that is called `{only}`"))
        .cure("`planthread setup` lists them; ages and heartbeats are not compared")
}

/// When two sides of a target speak for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Instants {
    /// Before; absent where nothing was known yet.
    pub was: Option<Timestamp>,
    /// After.
    pub is: Option<Timestamp>,
}
