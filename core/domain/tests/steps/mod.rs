//! Explanations, recomputed step by step.

use std::collections::BTreeMap;

use planthread_domain::derive::Explanation;
use rust_decimal::Decimal;

use crate::arithmetic::value;

/// Recomputes every step of `found`, exactly and as a person reads it; returns
/// the last one.
pub(crate) fn last_of(found: &Explanation) -> (String, Decimal) {
    let mut known: BTreeMap<String, Decimal> = BTreeMap::new();
    let mut last = (String::new(), Decimal::ZERO);
    for step in &found.steps {
        let exact = value(&step.formula, &known);
        assert_eq!(exact.round_dp(9), step.result.round_dp(9), "{found}");
        // What a person reads gives the same, to a hundredth of an hour; of
        // large numbers to a millionth.
        let by_hand = value(&found.in_numbers(step), &BTreeMap::new());
        let apart = Decimal::new(1, 2).max(step.result.abs() / Decimal::from(1_000_000));
        assert!((by_hand - step.result).abs() < apart, "{by_hand}: {found}");
        assert!(known.insert(step.name.clone(), exact).is_none(), "one name twice: {found}");
        last = (step.name.clone(), exact);
    }
    last
}
