//! Distributions in another unit.

use planthread_contracts::{Distribution, Outcome, Quantile, Support};
use rust_decimal::Decimal;

/// `shape` of a number that is multiplied by `above / below`; `None` for a
/// family, whose parameters scale each in its own way, and out of range.
pub(crate) fn scaled(shape: &Distribution, above: Decimal, below: Decimal) -> Option<Distribution> {
    let of = |value: Decimal| value.checked_mul(above)?.checked_div(below);
    Some(match shape {
        Distribution::Point { value } => Distribution::Point { value: of(*value)? },
        Distribution::Quantiles { table, mean, support } => Distribution::Quantiles {
            table: table
                .iter()
                .map(|row| Some(Quantile { value: of(row.value)?, ..*row }))
                .collect::<Option<_>>()?,
            mean: match mean {
                Some(mean) => Some(of(*mean)?),
                None => None,
            },
            support: match support {
                Some(range) => Some(Support { min: of(range.min)?, max: of(range.max)? }),
                None => None,
            },
        },
        Distribution::Scenarios { outcomes } => Distribution::Scenarios {
            outcomes: outcomes
                .iter()
                .map(|one| Some(Outcome { value: of(one.value)?, ..one.clone() }))
                .collect::<Option<_>>()?,
        },
        Distribution::Parametric { .. } => return None,
    })
}
