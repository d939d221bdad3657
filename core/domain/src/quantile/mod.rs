//! The value that a forecast does not exceed with a given probability, also for
//! named families, cut off where the record says that nothing lies beyond.
//!
//! A table and scenarios are read in decimals by the contract itself. A family
//! needs real functions: its distribution function is inverted by halving, and
//! the value is rounded to eight decimals, far above what machines differ by.

mod special;
#[cfg(test)]
mod tests;
mod two_state;

use planthread_contracts::{Distribution, Family, Support};
use rust_decimal::{
    Decimal,
    prelude::{FromPrimitive as _, ToPrimitive as _},
};

use special::{beta_i, gamma_p};
pub use two_state::up_share;

/// Decimals of a quantile.
const DECIMALS: u32 = 8;

/// The value that is not exceeded with probability `p`, in the unit of the
/// record. `None` outside 0..1, beyond the outer rows of a table, and where the
/// support holds no part of the family worth naming.
#[must_use]
pub fn quantile(distribution: &Distribution, p: Decimal) -> Option<Decimal> {
    let Distribution::Parametric { family, support, .. } = distribution else {
        return distribution.quantile(p);
    };
    if p <= Decimal::ZERO || p >= Decimal::ONE {
        return None;
    }
    let (least, most) = bounds(*family, *support)?;
    let below = |x: f64| not_exceeded(*family, x);
    // What lies beyond the support is cut off, and the rest counts as all.
    let (from, to) = (below(least), below(most));
    if !from.is_finite() || to - from < 1e-9 {
        return None;
    }
    let target = p.to_f64()?.mul_add(to - from, from);
    let found = Decimal::from_f64(halve(least, most, |x| below(x) < target))?;
    let found = found.round_dp(DECIMALS).normalize();
    Some(support.map_or(found, |support| found.clamp(support.min, support.max)))
}

/// Between which values the family lies, as far as it matters: the support, or
/// else what holds all but a trace of it.
fn bounds(family: Family, support: Option<Support>) -> Option<(f64, f64)> {
    let number = |value: Decimal| value.to_f64();
    let (least, most) = match family {
        Family::Normal { mean, standard_deviation } => {
            let (mean, reach) = (number(mean)?, 40.0 * number(standard_deviation)?);
            (mean - reach, mean + reach)
        }
        Family::Beta { .. } => (0.0, 1.0),
        Family::Weibull { shape, scale } => {
            (0.0, number(scale)? * 700f64.powf(1.0 / number(shape)?))
        }
        Family::Exponential { mean } => (0.0, 700.0 * number(mean)?),
        Family::Lognormal { log_mean, log_standard_deviation } => {
            (0.0, 40f64.mul_add(number(log_standard_deviation)?, number(log_mean)?).exp())
        }
    };
    let (least, most) = match support {
        Some(support) => (number(support.min)?.max(least), number(support.max)?.min(most)),
        None => (least, most),
    };
    (least.is_finite() && most.is_finite() && least < most).then_some((least, most))
}

/// P(X ≤ x) of the whole family; not a number where its parameters make none.
fn not_exceeded(family: Family, x: f64) -> f64 {
    let number = |value: Decimal| value.to_f64().unwrap_or(f64::NAN);
    match family {
        Family::Normal { mean, standard_deviation } => {
            normal((x - number(mean)) / number(standard_deviation))
        }
        Family::Beta { alpha, beta } => beta_i(number(alpha), number(beta), x),
        Family::Weibull { shape, scale } => {
            -(-(x.max(0.0) / number(scale)).powf(number(shape))).exp_m1()
        }
        Family::Exponential { mean } => -(-x.max(0.0) / number(mean)).exp_m1(),
        Family::Lognormal { log_mean, log_standard_deviation } if x > 0.0 => {
            normal((x.ln() - number(log_mean)) / number(log_standard_deviation))
        }
        Family::Lognormal { .. } => 0.0,
    }
}

/// The distribution function of the standard normal.
fn normal(z: f64) -> f64 {
    let half = gamma_p(0.5, z * z / 2.0) / 2.0;
    if z < 0.0 { 0.5 - half } else { 0.5 + half }
}

/// Where `is_below` turns, between `least` and `most`.
fn halve(mut least: f64, mut most: f64, is_below: impl Fn(f64) -> bool) -> f64 {
    for _ in 0..200 {
        let middle = least + (most - least) / 2.0;
        if middle <= least || middle >= most {
            break;
        }
        if is_below(middle) { least = middle } else { most = middle }
    }
    most
}
