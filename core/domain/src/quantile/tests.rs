//! Quantiles against values of closed forms and of another program: Python 3's
//! `statistics.NormalDist`, and sums of binomials for beta.

use planthread_contracts::Quantile;

use super::*;

fn d(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn of(family: Family, support: Option<(&str, &str)>, p: &str) -> Option<Decimal> {
    let support = support.map(|(min, max)| Support { min: d(min), max: d(max) });
    quantile(&Distribution::Parametric { family, mean: d("0.5"), support }, d(p))
}

#[test]
fn families_agree_with_closed_forms_and_another_program() {
    let normal = |mean, sd| Family::Normal { mean: d(mean), standard_deviation: d(sd) };
    let beta = |alpha, beta| Family::Beta { alpha: d(alpha), beta: d(beta) };
    let weibull = Family::Weibull { shape: d("2.2"), scale: d("900") };
    let lognormal = Family::Lognormal { log_mean: d("2"), log_standard_deviation: d("0.5") };
    for (family, support, p, expected) in [
        (normal("150", "12.5"), None, "0.1", "133.98060543"),
        (normal("0.9", "0.1"), Some(("0", "1")), "0.1", "0.76222126"),
        (normal("0.9", "0.1"), Some(("0", "1")), "0.9", "0.96973569"),
        (beta("18", "2"), None, "0.1", "0.81023444"),
        (beta("18", "2"), Some(("0.8", "0.95")), "0.1", "0.83325785"),
        // The arcsine law, and the uniform one.
        (beta("0.5", "0.5"), None, "0.1", "0.02447174"),
        (beta("1", "1"), Some(("0", "1")), "0.1", "0.1"),
        (weibull, None, "0.1", "323.59752073"),
        (weibull, Some(("0", "168")), "0.1", "58.68855958"),
        (Family::Exponential { mean: d("100") }, None, "0.1", "10.53605157"),
        (lognormal, None, "0.9", "14.02407903"),
    ] {
        assert_eq!(of(family, support, p), Some(d(expected)), "{family:?} {support:?} {p}");
    }
}

#[test]
fn nothing_is_said_outside_of_what_the_record_holds() {
    let normal = Family::Normal { mean: d("150"), standard_deviation: d("1") };
    assert_eq!(of(normal, None, "0"), None);
    assert_eq!(of(normal, None, "1"), None);
    // The support lies fifty deviations away: nothing of the family is left.
    assert_eq!(of(normal, Some(("0", "100")), "0.1"), None);
    let broken = Family::Weibull { shape: d("0"), scale: d("900") };
    assert_eq!(of(broken, None, "0.1"), None);
    let table = vec![Quantile { probability_not_exceeded: d("0.1"), value: d("138.7") }];
    let table = Distribution::Quantiles { table, mean: None, support: None };
    assert_eq!(quantile(&table, d("0.1")), Some(d("138.7")), "the contract's own word");
}
