//! Rounding once, at the target's scale.

use rust_decimal::{Decimal, RoundingStrategy};

/// `value` at `scale` decimals, halves to the even neighbour.
#[must_use]
pub fn round_half_even(value: Decimal, scale: u32) -> Decimal {
    let mut rounded = value.round_dp_with_strategy(scale, RoundingStrategy::MidpointNearestEven);
    rounded.rescale(scale);
    rounded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_go_to_the_even_neighbour() {
        let round = |text: &str| round_half_even(text.parse().unwrap(), 2).to_string();
        assert_eq!((round("0.125"), round("0.135")), ("0.12".to_owned(), "0.14".to_owned()));
        assert_eq!(round("7"), "7.00");
    }
}
