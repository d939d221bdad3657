//! How long a machine with two states is up, as a distribution of the share of
//! its scheduled hours.
//!
//! While it has been up for `u` hours it has failed N times, a Poisson number of
//! mean `u / MTTF`; the repairs that fit into the other hours of the period are M, a
//! Poisson number of mean `(T - u) / MTTR`. A machine that is up at the start has
//! been up for at most `u` of `T` hours exactly where M < N, one that is down where
//! M ≤ N. The sums leave out terms of less than 1e-13 together, and are inverted to
//! 1e-10. From five thousand expected failures on, the normal limit stands in for them,
//! of variance 2 λ μ T ÷ (λ + μ)³: its quantiles are less than 1e-4 off. So no quantile
//! takes more than about twenty sums of a thousand terms.

use planthread_contracts::{Distribution, Quantile, Support, TwoState};
use rust_decimal::{
    Decimal,
    prelude::{FromPrimitive as _, ToPrimitive as _},
};

use super::{
    DECIMALS, normal,
    special::{gamma_p, ln_gamma},
};

/// In hundredths, the probabilities of which a quantile is told.
const ROWS: [i64; 7] = [1, 5, 10, 50, 90, 95, 99];

/// Expected failures from which the normal limit counts.
const MANY: f64 = 5_000.0;

/// How near a quantile lies to the exact one, and most steps towards it: halving needs
/// 34 of them.
const NEAR: f64 = 1e-10;
const STEPS: u32 = 100;

/// The share of `scheduled_hours` that is up: its mean, and its quantiles at 0.01,
/// 0.05, 0.1, 0.5, 0.9, 0.95 and 0.99. `None` where nothing is scheduled, or a
/// number is too large or small to calculate with.
#[must_use]
pub fn up_share(model: TwoState, scheduled_hours: Decimal) -> Option<Distribution> {
    let hours = scheduled_hours.to_f64().filter(|hours| *hours > 0.0)?;
    // In periods, so that the period is the unit of time.
    let machine = Machine {
        to_failure: model.mean_time_to_failure_hours.to_f64()? / hours,
        to_repair: model.mean_time_to_repair_hours.to_f64()? / hours,
        up_at_start: model.up_at_start.to_f64()?,
    };
    let share = |value: f64| Some(Decimal::from_f64(value)?.round_dp(DECIMALS).normalize());
    let row = |hundredths: i64| {
        let p = hundredths as f64 / 100.0;
        let value = share(root(|up| machine.not_exceeded(up) - p))?;
        Some(Quantile { probability_not_exceeded: Decimal::new(hundredths, 2).normalize(), value })
    };
    Some(Distribution::Quantiles {
        table: ROWS.into_iter().map(row).collect::<Option<_>>()?,
        mean: Some(share(machine.mean())?),
        support: Some(Support { min: Decimal::ZERO, max: Decimal::ONE }),
    })
}

/// Times in periods.
#[derive(Debug, Clone, Copy)]
struct Machine {
    to_failure: f64,
    to_repair: f64,
    up_at_start: f64,
}

impl Machine {
    /// Share of time up after a long while.
    fn steady(self) -> f64 {
        self.to_failure / (self.to_failure + self.to_repair)
    }

    /// The integral of the probability to be up, which falls or rises to the steady
    /// one at the sum of both rates.
    fn mean(self) -> f64 {
        let both = self.to_failure.recip() + self.to_repair.recip();
        let settling = -(-both).exp_m1() / both;
        (self.up_at_start - self.steady()).mul_add(settling, self.steady()).clamp(0.0, 1.0)
    }

    /// P(share up ≤ `up`).
    fn not_exceeded(self, up: f64) -> f64 {
        if up >= 1.0 {
            return 1.0;
        }
        let (failures, repairs) = (up / self.to_failure, (1.0 - up) / self.to_repair);
        if self.to_failure.recip() > MANY {
            let both = self.to_failure + self.to_repair;
            let spread = self.to_failure * self.to_repair * (2.0 / both.powi(3)).sqrt();
            return normal((up - self.mean()) / spread);
        }
        let reach = 8f64.mul_add(failures.sqrt(), 30.0);
        let (mut n, last) = ((failures - reach).floor().max(0.0), failures + reach);
        let mut below = if n > 0.0 { 1.0 - gamma_p(n, repairs) } else { 0.0 };
        let (mut failed, mut repaired) = (poisson(n, failures), poisson(n, repairs));
        let mut sum = 0.0;
        while n <= last {
            // `below` is P(M < n), and `repaired` is P(M = n).
            sum += failed * (1.0 - self.up_at_start).mul_add(repaired, below);
            below += repaired;
            n += 1.0;
            failed *= failures / n;
            repaired *= repairs / n;
        }
        sum
    }
}

/// Where `of`, which rises and is not below zero at 1, is no longer below zero. By
/// inverse quadratic interpolation where that fits, and by halving where it does not
/// (Chandrupatla, 1997).
fn root(of: impl Fn(f64) -> f64) -> f64 {
    // The newest point, the one on the other side, and the one before.
    let (mut a, mut b) = ((1.0, of(1.0)), (0.0, of(0.0)));
    if b.1 >= 0.0 {
        return b.0;
    }
    let mut part = 0.5;
    for _ in 0..STEPS {
        let at = a.0 + part * (b.0 - a.0);
        let (new, mut c) = ((at, of(at)), a);
        if (new.1 < 0.0) != (a.1 < 0.0) {
            (c, b) = (b, a);
        }
        a = new;
        let width = (b.0 - a.0).abs();
        if width <= NEAR {
            break;
        }
        let (x, y) = ((a.0 - b.0) / (c.0 - b.0), (a.1 - b.1) / (c.1 - b.1));
        part = if y * y < x && (1.0 - y).powi(2) < 1.0 - x {
            a.1 / (b.1 - a.1) * c.1 / (b.1 - c.1)
                + (c.0 - a.0) / (b.0 - a.0) * a.1 / (c.1 - a.1) * b.1 / (c.1 - b.1)
        } else {
            0.5
        };
        let least = NEAR / 2.0 / width;
        part = part.clamp(least, 1.0 - least);
    }
    a.0.max(b.0)
}

/// P(N = n) of a Poisson number.
fn poisson(n: f64, mean: f64) -> f64 {
    if mean <= 0.0 {
        return if n > 0.0 { 0.0 } else { 1.0 };
    }
    (n.mul_add(mean.ln(), -mean) - ln_gamma(n + 1.0)).exp()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn d(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    fn of(to_failure: &str, to_repair: &str, up_at_start: &str, hours: &str) -> Distribution {
        let model = TwoState {
            mean_time_to_failure_hours: d(to_failure),
            mean_time_to_repair_hours: d(to_repair),
            up_at_start: d(up_at_start),
        };
        up_share(model, d(hours)).unwrap()
    }

    fn hours_up(found: &Distribution) -> Decimal {
        (found.mean().unwrap() * d("168")).round_dp(3)
    }

    #[test]
    fn the_mean_is_that_of_the_closed_form() {
        // MTTF 100 h, MTTR 8 h, up: 156.104 h of a week; down: less by 8 × 100 ÷ 108.
        assert_eq!(hours_up(&of("100", "8", "1", "168")), d("156.104"));
        assert_eq!(hours_up(&of("100", "8", "0", "168")), d("148.697"));
    }

    #[test]
    fn what_never_fails_or_is_never_repaired_is_certain() {
        let never = of("1000000000", "8", "1", "168");
        assert_eq!(never.quantile(d("0.01")), Some(Decimal::ONE));
        // 0.9 of those that fail once in ten periods get through without.
        let seldom = of("1680", "8", "1", "168");
        assert_eq!(seldom.quantile(d("0.1")), Some(Decimal::ONE), "e^-0.1 is above 0.9");
        assert!(seldom.quantile(d("0.05")).unwrap() < Decimal::ONE);
        let dead = of("100", "1000000000", "0", "168");
        assert_eq!(
            (dead.quantile(d("0.9")), dead.mean()),
            (Some(Decimal::ZERO), Some(d("0.00000005")))
        );
    }

    proptest! {
        #[test]
        fn a_quantile_lies_where_its_probability_is_reached(
            failures in -2.0f64..3.6, repair in -3.0f64..3.0, up_at_start in 0.0f64..=1.0,
        ) {
            let to_failure = 10f64.powf(-failures);
            let machine = Machine { to_failure, to_repair: to_failure * 10f64.powf(repair), up_at_start };
            for p in ROWS.map(|hundredths| hundredths as f64 / 100.0) {
                let calls = std::cell::Cell::new(0);
                let found = root(|up| {
                    calls.set(calls.get() + 1);
                    machine.not_exceeded(up) - p
                });
                // Sums are good to about twelve digits.
                prop_assert!(machine.not_exceeded(found) >= p, "{machine:?} {p}");
                let before = found - 1.1 * NEAR;
                prop_assert!(before < 0.0 || machine.not_exceeded(before) < p + 1e-12, "{machine:?} {p}");
                // With so many failures nothing is certain, and the sum is smooth.
                let most = if failures > 2.0 { 26 } else { 45 };
                prop_assert!(calls.get() <= most, "{} {machine:?} {p}", calls.get());
            }
        }
    }

    #[test]
    fn many_short_stops_are_nearly_normal() {
        // 4,999 and 5,001 expected failures: two ways to calculate, one answer.
        for p in ["0.01", "0.1", "0.5", "0.99"] {
            let [sum, limit] = ["0.03360672", "0.03359328"]
                .map(|to_failure| of(to_failure, "0.01", "1", "168").quantile(d(p)).unwrap());
            assert!((sum - limit).abs() < d("0.0001"), "{p}: {sum} and {limit}");
        }
    }

    #[test]
    fn a_table_keeps_the_rules_of_the_contract() {
        for (to_failure, to_repair) in
            [("100", "8"), ("0.5", "700"), ("3", "0.01"), ("1e-20", "1e20")]
        {
            let to_failure = Decimal::from_scientific(to_failure).unwrap_or_else(|_| d(to_failure));
            let to_repair = Decimal::from_scientific(to_repair).unwrap_or_else(|_| d(to_repair));
            let found = of(&to_failure.to_string(), &to_repair.to_string(), "0.4", "112.5");
            assert_eq!(found.validate(), [], "{found:?}");
        }
    }
}
