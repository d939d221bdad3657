//! What moved the hours that a target holds: parts in hundredths, whose sum is the change.
//!
//! What a target holds is rounded, and what moved it is not. A part is rounded by itself,
//! and what rounding leaves goes to the largest part, so that a reader who adds them up
//! arrives at the figures that stand there. What is left beyond that is told by itself: it
//! is no part of anything that is known.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::Serialize;

use super::Cause;
use crate::gap::HOURS_SCALE;

/// From one figure that a target holds to another, in hours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Split {
    /// Before.
    pub from: Decimal,
    /// After.
    pub to: Decimal,
    /// By what it moved; what is not named did not move it. Together with `not_split` their
    /// sum is `to` − `from`.
    pub parts: BTreeMap<Cause, Decimal>,
    /// Hours of the change that no release and no mapping tells the cause of.
    pub not_split: Decimal,
}

/// What is known of a change.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    /// What the releases moved, unrounded.
    pub parts: BTreeMap<Cause, Decimal>,
    /// Whether each of them says what it moved.
    pub complete: bool,
    /// Whether the mapping was changed.
    pub mapping: bool,
}

impl Split {
    /// From `from` to `to`, both as they stand, of figures in steps of `grain` hours.
    #[must_use]
    pub fn of(from: Decimal, to: Decimal, known: &Known, grain: Decimal) -> Self {
        let rounded = known.parts.iter().map(|(cause, part)| (*cause, part.round_dp(HOURS_SCALE)));
        let mut parts: BTreeMap<Cause, Decimal> =
            rounded.filter(|(_, part)| !part.is_zero()).collect();
        let mut not_split = to - from - parts.values().sum::<Decimal>();
        // Each end is off by half a step, and the figure before may have moved by less than
        // one unseen; each part is off by half a hundredth.
        let steps = Decimal::from(2) * grain;
        let hundredths =
            Decimal::new(i64::try_from(known.parts.len()).unwrap_or(i64::MAX), HOURS_SCALE);
        let rounding = not_split.abs() <= steps + hundredths;
        let largest = parts.iter().max_by_key(|(_, part)| part.abs()).map(|(cause, _)| *cause);
        let takes_it = match largest {
            Some(cause) if rounding => Some(cause),
            _ if known.mapping && known.complete => Some(Cause::Mapping),
            _ => None,
        };
        if let Some(cause) = takes_it {
            *parts.entry(cause).or_default() += std::mem::take(&mut not_split);
            parts.retain(|_, part| !part.is_zero());
        }
        Self { from, to, parts, not_split }
    }

    /// Of two periods, what holds for both together.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.from += other.from;
        self.to += other.to;
        self.not_split += other.not_split;
        for (cause, part) in other.parts {
            *self.parts.entry(cause).or_default() += part;
        }
        self.parts.retain(|_, part| !part.is_zero());
        self
    }

    /// Its parts in words, the larger ones first: `breakdown -6.50, decision +8.00`.
    #[must_use]
    pub fn words(&self) -> String {
        let parts =
            Cause::ALL.into_iter().filter_map(|cause| Some((cause, *self.parts.get(&cause)?)));
        let mut parts: Vec<(&str, Decimal)> =
            parts.map(|(cause, part)| (cause.words(), part)).collect();
        parts.sort_by_key(|(_, part)| std::cmp::Reverse(part.abs()));
        if !self.not_split.is_zero() {
            parts.push(("not split", self.not_split));
        }
        if parts.is_empty() {
            return "nothing moved them".to_owned();
        }
        let part = |(words, part): (&str, Decimal)| format!("{words} {part:+.2}");
        parts.into_iter().map(part).collect::<Vec<_>>().join(", ")
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::btree_map, prelude::*, sample::select};

    use super::*;

    fn known() -> impl Strategy<Value = Known> {
        let hours = (-2_000_000_i64..2_000_000).prop_map(|parts| Decimal::new(parts, 4));
        let parts = btree_map(select(Cause::ALL.to_vec()), hours, 0..7);
        (parts, any::<bool>(), any::<bool>()).prop_map(|(parts, complete, mapping)| Known {
            parts,
            complete,
            mapping,
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1_000))]

        #[test]
        fn the_parts_and_what_is_not_split_are_the_change(
            from in 0_i64..20_000,
            to in 0_i64..20_000,
            known in known(),
            scale in 0_u32..3,
        ) {
            let (from, to) = (Decimal::new(from, 2), Decimal::new(to, 2));
            let split = Split::of(from, to, &known, Decimal::new(1, scale));
            let sum: Decimal = split.parts.values().sum();
            prop_assert_eq!(sum + split.not_split, to - from);
            prop_assert!(split.parts.values().all(|part| !part.is_zero() && part.scale() <= 2));
            if known.mapping && known.complete {
                prop_assert!(split.not_split.is_zero());
            } else {
                let told = |cause: &Cause| known.parts.contains_key(cause);
                prop_assert!(split.parts.keys().all(told), "{:?}", split);
            }
        }

        /// A figure that was rounded to its grain on both sides is split as a whole.
        #[test]
        fn rounding_is_no_change_that_nobody_knows(
            from in 0_i64..2_000_000,
            known in known(),
            scale in 0_u32..3,
        ) {
            let from = Decimal::new(from, 4);
            let to = from + known.parts.values().sum::<Decimal>();
            let (from, to) = (from.round_dp(scale), to.round_dp(scale));
            let known = Known { mapping: false, ..known };
            let split = Split::of(from, to, &known, Decimal::new(1, scale));
            let named = known.parts.values().any(|part| !part.round_dp(2).is_zero());
            prop_assert!(!named || split.not_split.is_zero(), "{:?}", split);
        }
    }

    #[test]
    fn another_mapping_has_what_no_release_moved_and_nothing_else_has_it() {
        let hours = |text: &str| text.parse::<Decimal>().unwrap();
        let parts = BTreeMap::from([(Cause::Breakdown, hours("-2.504"))]);
        let of = |complete, mapping| {
            let known = Known { parts: parts.clone(), complete, mapping };
            Split::of(hours("150.00"), hours("140.00"), &known, hours("0.01")).words()
        };
        assert_eq!(of(true, true), "mapping -7.50, breakdown -2.50");
        assert_eq!(of(false, true), "breakdown -2.50, not split -7.50");
        assert_eq!(of(true, false), "breakdown -2.50, not split -7.50");
    }
}
