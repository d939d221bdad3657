//! Rounding once, at the target's scale, without losing an hour.

use rust_decimal::{Decimal, RoundingStrategy};

/// `value` at `scale` decimals, halves to the even neighbour.
#[must_use]
pub fn round_half_even(value: Decimal, scale: u32) -> Decimal {
    let mut rounded = value.round_dp_with_strategy(scale, RoundingStrategy::MidpointNearestEven);
    rounded.rescale(scale);
    rounded
}

/// Rounds the parts of a whole so that they sum to the rounded whole.
///
/// Each part is cut to `scale`; what is missing goes, one unit of the last
/// decimal each, to the parts that lost most; among equals to the earlier.
/// Every part stays within one unit of its exact value.
#[must_use]
pub fn largest_remainder(parts: &[Decimal], scale: u32) -> Vec<Decimal> {
    let unit = Decimal::new(1, scale);
    let floor = |part: &Decimal| {
        let mut cut = part.round_dp_with_strategy(scale, RoundingStrategy::ToNegativeInfinity);
        cut.rescale(scale);
        cut
    };
    let mut rounded: Vec<Decimal> = parts.iter().map(floor).collect();
    let whole = round_half_even(parts.iter().sum(), scale);
    let mut missing = whole - rounded.iter().sum::<Decimal>();
    let mut order: Vec<usize> = (0..parts.len()).collect();
    order.sort_by(|&a, &b| (parts[b] - rounded[b]).cmp(&(parts[a] - rounded[a])).then(a.cmp(&b)));
    for index in order {
        if missing < unit {
            break;
        }
        rounded[index] += unit;
        missing -= unit;
    }
    rounded
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn halves_go_to_the_even_neighbour() {
        let round = |text: &str| round_half_even(text.parse().unwrap(), 2).to_string();
        assert_eq!((round("0.125"), round("0.135")), ("0.12".to_owned(), "0.14".to_owned()));
        assert_eq!(round("7"), "7.00");
    }

    proptest! {
        #[test]
        fn law_6_rounded_parts_sum_to_the_rounded_whole(
            parts in proptest::collection::vec(0i64..10_000_000, 1..14), scale in 0u32..4,
        ) {
            let parts: Vec<Decimal> =
                parts.into_iter().map(|part| Decimal::from(part) / Decimal::from(3_600)).collect();
            let rounded = largest_remainder(&parts, scale);
            let whole = round_half_even(parts.iter().sum(), scale);
            prop_assert_eq!(rounded.iter().sum::<Decimal>(), whole);
            for (exact, rounded) in parts.iter().zip(&rounded) {
                prop_assert!((exact - rounded).abs() < Decimal::new(1, scale));
            }
        }
    }
}
