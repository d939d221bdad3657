//! How values add up, told by reading one level coarser.
//!
//! No catalogue of a planning system is believed on this: a severity that is
//! added up shows planners 7.3, so the proof is a read. Whoever can read the
//! same cells without their resources, or by longer periods, hands both in.

use std::collections::BTreeMap;

use planthread_contracts::{Aggregation, CellKey, MeasureDecl, SeenCell};
use rust_decimal::Decimal;

use crate::sheet::Report;

/// What a coarser read leaves out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Axis {
    /// It is made of several resources.
    Resources,
    /// It is made of several periods.
    Time,
}

impl Axis {
    /// How `measure` is declared to add up along it.
    #[must_use]
    pub const fn declared(self, measure: &MeasureDecl) -> Aggregation {
        match self {
            Self::Resources => measure.over_resources,
            Self::Time => measure.over_time,
        }
    }

    const fn words(self) -> &'static str {
        match self {
            Self::Resources => "over resources",
            Self::Time => "over time",
        }
    }
}

/// What a coarser read shows against the stored values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Observed {
    /// It adds up like this.
    Is(Aggregation),
    /// It shows something that is neither sum, maximum, minimum nor nothing.
    Else(Decimal),
    /// Values are too alike: maximum and minimum can't be told apart.
    Alike,
    /// No group whose sum can be told from its values.
    NoEvidence,
}

/// Compares what is `stored` of one measure with what a `coarse` read shows;
/// each value comes with the name of the coarser cell that it belongs to.
///
/// The best group has no zeros, because a zero may be an absent cell that only
/// shows as one, and different values, because then sum, maximum and minimum
/// all differ; where all are alike, at least a sum can be told from the rest.
pub fn observe<K: Ord>(
    stored: impl IntoIterator<Item = (K, Decimal)>,
    coarse: impl IntoIterator<Item = (K, Option<Decimal>)>,
    declared: Aggregation,
) -> Observed {
    let mut groups: BTreeMap<K, Group> = BTreeMap::new();
    for (name, value) in stored {
        groups.entry(name).or_default().add(value);
    }
    let best = groups
        .iter()
        .filter(|(_, group)| group.tells())
        .max_by_key(|(_, group)| (!group.zeros, group.differs()));
    let Some((name, group)) = best else { return Observed::NoEvidence };
    let shown = coarse.into_iter().find(|(other, _)| other == name).and_then(|(_, value)| value);
    group.kind_of(shown, declared)
}

/// [`observe`] for cells of `measure`: `coarser` names the coarser cell of a key,
/// for keys of both reads.
pub fn observe_cells<K: Ord>(
    measure: &MeasureDecl,
    axis: Axis,
    (stored, coarse): (&[SeenCell], &[SeenCell]),
    coarser: impl Fn(&CellKey) -> K,
) -> Observed {
    let ours = |cell: &&SeenCell| cell.key.measure == measure.name;
    let stored = stored.iter().filter(ours);
    observe(
        stored.filter_map(|cell| Some((coarser(&cell.key), cell.value?))),
        coarse.iter().filter(ours).map(|cell| (coarser(&cell.key), cell.value)),
        axis.declared(measure),
    )
}

/// Answers the sheet's `line` about how `measure` adds up along `axis`.
pub fn judge(line: &str, measure: &MeasureDecl, axis: Axis, found: Observed, report: &mut Report) {
    let (declared, axis) = (axis.declared(measure), axis.words());
    let wanted = word(declared);
    match found {
        Observed::Is(is) if is == declared => {
            report.tick(line, format!("{axis}: {wanted}, proven"))
        }
        Observed::Is(is) => report.fail(
            line,
            format!("{axis} it shows the {}, {wanted} is declared", word(is)),
            "change how the target adds it up, or correct the declaration",
        ),
        Observed::Else(value) => report.fail(
            line,
            format!("{axis} it shows {value}: neither sum, maximum, minimum nor nothing"),
            "look at what the target calculates above the storage level",
        ),
        Observed::Alike => report.open(
            line,
            format!("{axis}: {wanted} is not proven yet, the values are too alike to tell"),
        ),
        // Nothing to see before the first landing.
        Observed::NoEvidence => report
            .open(line, format!("{axis}: {wanted} is not proven yet, land once and check again")),
    }
}

/// An aggregation, as people read it.
#[must_use]
pub const fn word(of: Aggregation) -> &'static str {
    match of {
        Aggregation::Sum => "sum",
        Aggregation::Max => "maximum",
        Aggregation::Min => "minimum",
        Aggregation::None => "none",
    }
}

/// Stored values that one coarser value is made of.
#[derive(Debug, Default)]
struct Group {
    values: Vec<Decimal>,
    zeros: bool,
}

impl Group {
    fn add(&mut self, value: Decimal) {
        if value.is_zero() {
            self.zeros = true;
        } else {
            self.values.push(value);
        }
    }

    /// Whether the sum can be told from every single value.
    fn tells(&self) -> bool {
        self.values.len() > 1 && !self.values.contains(&self.values.iter().sum())
    }

    fn differs(&self) -> bool {
        self.values.iter().min() != self.values.iter().max()
    }

    /// How `shown` comes out of the values. Where maximum and minimum are the
    /// same, neither is proven.
    fn kind_of(&self, shown: Option<Decimal>, declared: Aggregation) -> Observed {
        let Some(shown) = shown else { return Observed::Is(Aggregation::None) };
        let extreme = matches!(declared, Aggregation::Max | Aggregation::Min);
        if self.zeros && shown.is_zero() {
            // The minimum of zeros, or nothing that shows as one.
            let minimum = declared == Aggregation::Min;
            return if minimum { Observed::Alike } else { Observed::Is(Aggregation::Min) };
        }
        if extreme && !self.differs() && self.values.first() == Some(&shown) {
            return Observed::Alike;
        }
        let of = |kind| match kind {
            Aggregation::Sum => Some(self.values.iter().sum::<Decimal>()),
            Aggregation::Max => self.values.iter().max().copied(),
            Aggregation::Min => self.values.iter().min().copied(),
            Aggregation::None => None,
        };
        let known = [declared, Aggregation::Sum, Aggregation::Max, Aggregation::Min];
        known
            .into_iter()
            .find(|kind| of(*kind) == Some(shown))
            .map_or(Observed::Else(shown), Observed::Is)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What a coarser read that shows `shown` says about stored `values`.
    fn seen(values: &[&str], shown: Option<&str>, declared: Aggregation) -> Observed {
        let number = |text: &&str| text.parse::<Decimal>().unwrap();
        let stored = values.iter().map(|value| ("1010", number(value)));
        observe(stored, [("1010", shown.as_ref().map(number))], declared)
    }

    #[test]
    fn the_coarser_level_tells_how_values_add_up() {
        let shows = |value| seen(&["0.400000", "0.300000"], value, Aggregation::Max);
        assert_eq!(shows(Some("0.700000")), Observed::Is(Aggregation::Sum));
        assert_eq!(shows(Some("0.400000")), Observed::Is(Aggregation::Max));
        assert_eq!(shows(Some("0.300000")), Observed::Is(Aggregation::Min));
        assert_eq!(shows(None), Observed::Is(Aggregation::None));
        assert_eq!(shows(Some("0.350000")), Observed::Else("0.35".parse().unwrap()));
    }

    #[test]
    fn equal_values_still_tell_a_sum_from_the_rest() {
        let shows = |value, declared| seen(&["1", "1"], Some(value), declared);
        assert_eq!(shows("2", Aggregation::Max), Observed::Is(Aggregation::Sum));
        assert_eq!(
            shows("1", Aggregation::Max),
            Observed::Alike,
            "the minimum looks like this too"
        );
        assert_eq!(shows("1", Aggregation::Min), Observed::Alike);
        assert_eq!(shows("1", Aggregation::Sum), Observed::Is(Aggregation::Max));
        let absent = |shown| seen(&["3", "2", "0"], Some(shown), Aggregation::Min);
        assert_eq!(absent("2"), Observed::Is(Aggregation::Min), "the zero may be an absent cell");
        assert_eq!(absent("0"), Observed::Alike, "or a value, or nothing that shows as one");
        assert_eq!(absent("3"), Observed::Is(Aggregation::Max));
        assert_eq!(seen(&["1", "0"], Some("1"), Aggregation::Max), Observed::NoEvidence);
        assert_eq!(seen(&["1"], Some("1"), Aggregation::Max), Observed::NoEvidence);
        assert_eq!(seen(&["0"], Some("0"), Aggregation::Sum), Observed::NoEvidence);
    }

    proptest! {
        #[test]
        fn what_a_target_really_does_is_never_told_to_be_another(
            values in proptest::collection::vec(1_i64..50, 2..6), kind in 0_usize..3,
        ) {
            let declared = [Aggregation::Sum, Aggregation::Max, Aggregation::Min][kind];
            let shown = match declared {
                Aggregation::Sum => values.iter().sum::<i64>(),
                Aggregation::Max => *values.iter().max().unwrap(),
                _ => *values.iter().min().unwrap(),
            };
            let stored = values.iter().map(|value| ((), Decimal::from(*value)));
            let found = observe(stored, [((), Some(Decimal::from(shown)))], declared);
            prop_assert!(
                matches!(found, Observed::Alike | Observed::NoEvidence)
                    || found == Observed::Is(declared)
            );
        }
    }
}
