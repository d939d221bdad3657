//! Distributions: how sure a forecast is, without quantile letters.
//!
//! The letters P10 and P90 mean opposite things in different fields, so a
//! quantile always says `probability_not_exceeded` = P(X ≤ value). For capacity
//! the cautious side is the low one, for repair time and load the high one.
//! Means add across time and resources; quantiles never do (law 7), so nothing
//! here adds quantiles.

use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::violation::{Check, Violation};

/// One point of a distribution function: P(X ≤ `value`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Quantile {
    /// P(X ≤ value), strictly between 0 and 1.
    pub probability_not_exceeded: Decimal,
    /// The value, in the unit of the record that holds the distribution.
    pub value: Decimal,
}

/// The smallest and largest value that are possible, both inclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Support {
    /// Smallest possible value.
    pub min: Decimal,
    /// Largest possible value.
    pub max: Decimal,
}

/// One possible outcome and its weight.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// Its probability, above 0; the weights of a distribution sum to 1.
    #[schemars(range(min = 0))]
    pub weight: Decimal,
    /// The value, in the unit of the record that holds the distribution.
    pub value: Decimal,
    /// Names the outcome across resources and periods, so that sums can keep
    /// their dependence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path_id: Option<String>,
}

/// A family of distributions with its parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Family {
    /// Normal, before it is cut off at the support.
    Normal {
        /// Location of the uncut normal.
        mean: Decimal,
        /// Above 0.
        standard_deviation: Decimal,
    },
    /// Beta on 0..1, for fractions.
    Beta {
        /// Above 0.
        alpha: Decimal,
        /// Above 0.
        beta: Decimal,
    },
    /// Weibull, for times to failure.
    Weibull {
        /// Above 0.
        shape: Decimal,
        /// Above 0, in the unit of the record.
        scale: Decimal,
    },
    /// Exponential, for times to failure or repair.
    Exponential {
        /// Above 0, in the unit of the record.
        mean: Decimal,
    },
    /// Lognormal, for times to repair.
    Lognormal {
        /// Mean of the logarithm.
        log_mean: Decimal,
        /// Standard deviation of the logarithm, above 0.
        log_standard_deviation: Decimal,
    },
}

/// What is known about an uncertain number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Distribution {
    /// One number, taken as certain.
    Point {
        /// The number.
        value: Decimal,
    },
    /// A table of quantiles. Between its rows it is linear; beyond the outer
    /// rows nothing is known.
    Quantiles {
        /// Rows by rising probability.
        table: Vec<Quantile>,
        /// The mean, when the source knows it. It can't be read off a table.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        mean: Option<Decimal>,
        /// The possible range, when the source knows it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        support: Option<Support>,
    },
    /// A named family.
    Parametric {
        /// The family and its parameters.
        family: Family,
        /// Mean after the cut at the support, as the source computed it.
        mean: Decimal,
        /// Where the family is cut off.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        support: Option<Support>,
    },
    /// A finite set of weighted outcomes.
    Scenarios {
        /// The outcomes; at least one.
        outcomes: Vec<Outcome>,
    },
}

impl Distribution {
    /// The mean; `None` when a quantile table states none.
    #[must_use]
    pub fn mean(&self) -> Option<Decimal> {
        match self {
            Self::Point { value } => Some(*value),
            Self::Quantiles { mean, .. } => *mean,
            Self::Parametric { mean, .. } => Some(*mean),
            Self::Scenarios { outcomes } => outcomes.iter().try_fold(Decimal::ZERO, |sum, one| {
                sum.checked_add(one.weight.checked_mul(one.value)?)
            }),
        }
    }

    /// The value that is not exceeded with probability `p`.
    ///
    /// `None` outside 0..1, beyond the outer rows of a table (nothing is
    /// extrapolated), and for a parametric family: that takes real functions, which
    /// `planthread-domain` has (`quantile`), and nobody who only encodes a record.
    #[must_use]
    pub fn quantile(&self, p: Decimal) -> Option<Decimal> {
        if p <= Decimal::ZERO || p >= Decimal::ONE {
            return None;
        }
        match self {
            Self::Point { value } => Some(*value),
            Self::Quantiles { table, .. } => interpolate(table, p),
            Self::Parametric { .. } => None,
            Self::Scenarios { outcomes } => {
                let mut sorted: Vec<&Outcome> = outcomes.iter().collect();
                sorted.sort_by_key(|one| one.value);
                let mut below = Decimal::ZERO;
                sorted.into_iter().find_map(|one| {
                    below = below.saturating_add(one.weight);
                    (below >= p).then_some(one.value)
                })
            }
        }
    }

    /// The smallest and the largest value that the record itself names.
    #[must_use]
    pub fn extremes(&self) -> Option<(Decimal, Decimal)> {
        let values: Vec<Decimal> = match self {
            Self::Point { value } => vec![*value],
            Self::Quantiles { table, mean, support } => {
                table.iter().map(|row| row.value).chain(*mean).chain(ends(*support)).collect()
            }
            Self::Parametric { mean, support, .. } => {
                std::iter::once(*mean).chain(ends(*support)).collect()
            }
            Self::Scenarios { outcomes } => outcomes.iter().map(|one| one.value).collect(),
        };
        Some((*values.iter().min()?, *values.iter().max()?))
    }

    /// All broken rules: rising probabilities strictly inside 0..1, values that
    /// never fall, weights that sum to exactly 1, mean and rows inside the
    /// support, parameters in their range.
    #[must_use]
    pub fn validate(&self) -> Vec<Violation> {
        let mut check = Check::default();
        match self {
            Self::Point { .. } => {}
            Self::Quantiles { table, mean, support } => {
                check_table(&mut check, table, *support);
                check_support(&mut check, "quantiles", *mean, *support);
            }
            Self::Parametric { family, mean, support } => {
                check_family(&mut check, *family);
                check_support(&mut check, "parametric", Some(*mean), *support);
            }
            Self::Scenarios { outcomes } => check_outcomes(&mut check, outcomes),
        }
        check.done()
    }

    /// Like [`Distribution::validate`], and every value the record names lies
    /// in `min..=max`.
    #[must_use]
    pub fn validate_within(&self, min: Decimal, max: Decimal) -> Vec<Violation> {
        let mut found = self.validate();
        if let Some((low, high)) = self.extremes()
            && (low < min || high > max)
        {
            found.push(Violation::new(
                "",
                format!("values from {low} to {high} leave the range {min} to {max}"),
                "correct the values, or the unit in which they are declared",
            ));
        }
        found
    }
}

fn ends(support: Option<Support>) -> impl Iterator<Item = Decimal> {
    support.into_iter().flat_map(|support| [support.min, support.max])
}

fn interpolate(table: &[Quantile], p: Decimal) -> Option<Decimal> {
    if let Some(row) = table.iter().find(|row| row.probability_not_exceeded == p) {
        return Some(row.value);
    }
    table.windows(2).find_map(|pair| {
        let [low, high] = pair else { return None };
        let (from, to) = (low.probability_not_exceeded, high.probability_not_exceeded);
        if !(from < p && p < to) {
            return None;
        }
        let rise = high.value.checked_sub(low.value)?.checked_mul(p - from)?;
        low.value.checked_add(rise.checked_div(to - from)?)
    })
}

fn check_table(check: &mut Check, table: &[Quantile], support: Option<Support>) {
    if table.is_empty() {
        check.fail("quantiles.table", "is empty", "send at least one quantile, or a point");
    }
    for (i, row) in table.iter().enumerate() {
        let path = format!("quantiles.table[{i}].probability_not_exceeded");
        let p = row.probability_not_exceeded;
        if p <= Decimal::ZERO || p >= Decimal::ONE {
            check.fail(
                &path,
                format!("{p} is not strictly between 0 and 1"),
                "send P(X ≤ value) as a fraction; put the limits into `support`",
            );
        }
        let value_path = format!("quantiles.table[{i}].value");
        if let Some(before) = i.checked_sub(1).and_then(|before| table.get(before)) {
            if p <= before.probability_not_exceeded {
                check.fail(&path, "does not rise", "sort the table, one row a probability");
            }
            if row.value < before.value {
                check.fail(
                    &value_path,
                    format!("{} is below {} of the row before", row.value, before.value),
                    "a higher probability can't have a lower value: check that the \
                     probabilities are P(X ≤ value), not P(X > value)",
                );
            }
        }
        if support.is_some_and(|range| row.value < range.min || row.value > range.max) {
            check.fail(
                &value_path,
                format!("{} lies outside the support", row.value),
                "widen the support or correct the value",
            );
        }
    }
}

fn check_support(check: &mut Check, form: &str, mean: Option<Decimal>, support: Option<Support>) {
    let Some(support) = support else { return };
    if support.max < support.min {
        check.fail(
            &format!("{form}.support.max"),
            format!("{} is below min {}", support.max, support.min),
            "send min first, then max",
        );
    } else if let Some(mean) = mean
        && (mean < support.min || mean > support.max)
    {
        check.fail(
            &format!("{form}.mean"),
            format!("{mean} lies outside the support {} to {}", support.min, support.max),
            "send the mean after the cut at the support",
        );
    }
}

fn check_family(check: &mut Check, family: Family) {
    let positive: &[(&str, Decimal)] = match family {
        Family::Normal { standard_deviation, .. } => {
            &[("normal.standard_deviation", standard_deviation)]
        }
        Family::Beta { alpha, beta } => &[("beta.alpha", alpha), ("beta.beta", beta)],
        Family::Weibull { shape, scale } => &[("weibull.shape", shape), ("weibull.scale", scale)],
        Family::Exponential { mean } => &[("exponential.mean", mean)],
        Family::Lognormal { log_standard_deviation, .. } => {
            &[("lognormal.log_standard_deviation", log_standard_deviation)]
        }
    };
    for (name, value) in positive {
        check.positive(&format!("parametric.family.{name}"), *value);
    }
}

fn check_outcomes(check: &mut Check, outcomes: &[Outcome]) {
    for (i, outcome) in outcomes.iter().enumerate() {
        check.positive(&format!("scenarios.outcomes[{i}].weight"), outcome.weight);
        check.opt_text(&format!("scenarios.outcomes[{i}].path_id"), outcome.path_id.as_deref());
    }
    let sum =
        outcomes.iter().try_fold(Decimal::ZERO, |sum, outcome| sum.checked_add(outcome.weight));
    if sum != Some(Decimal::ONE) {
        let sum = sum.map_or_else(|| "too much".to_owned(), |sum| sum.normalize().to_string());
        check.fail(
            "scenarios.outcomes",
            format!("weights sum to {sum}, not to 1"),
            "send decimal weights that sum to exactly 1",
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn d(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    fn table(rows: &[(&str, &str)]) -> Distribution {
        let table = rows
            .iter()
            .map(|(p, v)| Quantile { probability_not_exceeded: d(p), value: d(v) })
            .collect();
        Distribution::Quantiles {
            table,
            mean: Some(d("156.10")),
            support: Some(Support { min: d("0"), max: d("168") }),
        }
    }

    #[test]
    fn a_table_is_linear_inside_and_silent_outside() {
        let week = table(&[("0.1", "138.7"), ("0.5", "159.6"), ("0.9", "168")]);
        assert_eq!(week.validate(), []);
        assert_eq!(week.quantile(d("0.1")), Some(d("138.7")));
        assert_eq!(week.quantile(d("0.3")), Some(d("149.15")));
        assert_eq!(week.quantile(d("0.05")), None, "no extrapolation");
        assert_eq!(week.mean(), Some(d("156.10")));
    }

    #[test]
    fn faults_of_a_table_are_named() {
        let paths = |rows: &[(&str, &str)]| -> Vec<String> {
            table(rows).validate().into_iter().map(|found| found.path).collect()
        };
        assert_eq!(paths(&[]), ["quantiles.table"]);
        assert_eq!(paths(&[("0", "1")]), ["quantiles.table[0].probability_not_exceeded"]);
        assert_eq!(paths(&[("90", "1")]), ["quantiles.table[0].probability_not_exceeded"]);
        assert_eq!(paths(&[("0.1", "9"), ("0.9", "8")]), ["quantiles.table[1].value"]);
        assert_eq!(
            paths(&[("0.5", "8"), ("0.5", "9")]),
            ["quantiles.table[1].probability_not_exceeded"]
        );
        assert_eq!(paths(&[("0.5", "169")]), ["quantiles.table[0].value"]);
    }

    #[test]
    fn scenario_weights_sum_to_exactly_one() {
        let outcomes = |weights: &[&str]| Distribution::Scenarios {
            outcomes: weights
                .iter()
                .enumerate()
                .map(|(i, w)| Outcome { weight: d(w), value: Decimal::from(i), path_id: None })
                .collect(),
        };
        let good = outcomes(&["0.2", "0.3", "0.5"]);
        assert_eq!(good.validate(), []);
        assert_eq!((good.mean(), good.quantile(d("0.5"))), (Some(d("1.3")), Some(d("1"))));
        assert_eq!(outcomes(&["0.2", "0.7"]).validate()[0].path, "scenarios.outcomes");
        assert_eq!(outcomes(&[]).validate()[0].path, "scenarios.outcomes");
        assert_eq!(outcomes(&["0", "1"]).validate()[0].path, "scenarios.outcomes[0].weight");
    }

    #[test]
    fn a_mean_outside_its_support_is_refused() {
        let cut = Distribution::Parametric {
            family: Family::Normal { mean: d("0.9"), standard_deviation: d("0.1") },
            mean: d("1.1"),
            support: Some(Support { min: d("0"), max: d("1") }),
        };
        assert_eq!(cut.validate()[0].path, "parametric.mean");
        let flat = Distribution::Parametric {
            family: Family::Weibull { shape: d("0"), scale: d("900") },
            mean: d("800"),
            support: None,
        };
        assert_eq!(flat.validate()[0].path, "parametric.family.weibull.shape");
    }

    #[test]
    fn quantile_letters_are_unknown() {
        let error = serde_json::from_str::<Distribution>(r#"{"quantiles":{"p10":1}}"#).unwrap_err();
        assert!(error.to_string().contains("`p10`"), "{error}");
    }
}
