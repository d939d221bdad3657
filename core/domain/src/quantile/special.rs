//! The special functions behind distributions: logarithm of the gamma function,
//! incomplete gamma and incomplete beta.
//!
//! Methods as in Numerical Recipes (3rd ed., 6.1 to 6.4): Lanczos' sum, power
//! series, and continued fractions by the modified Lentz method. Good to about
//! twelve digits; `tests` compares them with closed forms.

/// Terms after which a series counts as converged whatever its last term.
const TERMS: u32 = 10_000;

/// Where a term no longer moves a sum.
const SMALL: f64 = 1e-16;

/// In place of a zero in a continued fraction.
const TINY: f64 = 1e-300;

/// Coefficients of Lanczos' sum for g = 7, nine terms (P. Godfrey).
const LANCZOS: [f64; 8] = [
    676.520_368_121_885_1,
    -1_259.139_216_722_402_8,
    771.323_428_777_653_1,
    -176.615_029_162_140_6,
    12.507_343_278_686_905,
    -0.138_571_095_265_720_12,
    9.984_369_578_019_572e-6,
    1.505_632_735_149_311_6e-7,
];

/// ln Γ(x), for x above 0.
pub(super) fn ln_gamma(x: f64) -> f64 {
    if x < 0.5 {
        // Γ(x) = Γ(x + 1) ÷ x.
        return ln_gamma(x + 1.0) - x.ln();
    }
    let x = x - 1.0;
    let (mut sum, mut at) = (0.999_999_999_999_809_9, x);
    for one in LANCZOS {
        at += 1.0;
        sum += one / at;
    }
    let t = x + 7.5;
    (x + 0.5).mul_add(t.ln(), 0.5 * std::f64::consts::TAU.ln()) - t + sum.ln()
}

/// The regularised lower incomplete gamma function P(a, x), for a above 0: the
/// distribution function of a gamma variable of shape `a` and scale 1.
pub(super) fn gamma_p(a: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    let front = a.mul_add(x.ln(), -x - ln_gamma(a)).exp();
    if x < a + 1.0 {
        let (mut at, mut term) = (a, 1.0 / a);
        let mut sum = term;
        for _ in 0..TERMS {
            at += 1.0;
            term *= x / at;
            sum += term;
            if term.abs() < sum.abs() * SMALL {
                break;
            }
        }
        return (front * sum).min(1.0);
    }
    let numerator = |i: f64| -i * (i - a);
    let denominator = |i: f64| x + 2.0f64.mul_add(i, 1.0) - a;
    (1.0 - front / fraction(denominator(0.0), numerator, denominator)).max(0.0)
}

/// The regularised incomplete beta function I of x, for a and b above 0: the
/// distribution function of a beta variable.
pub(super) fn beta_i(a: f64, b: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if x >= 1.0 {
        return 1.0;
    }
    // The fraction converges fast on this side of the mean only.
    if x > (a + 1.0) / (a + b + 2.0) {
        return 1.0 - beta_i(b, a, 1.0 - x);
    }
    let front = ln_gamma(a + b) - ln_gamma(a) - ln_gamma(b) + a * x.ln() + b * (-x).ln_1p();
    let numerator = |i: f64| {
        let half = (i / 2.0).floor();
        if i % 2.0 == 0.0 {
            half * (b - half) * x / ((a + i - 1.0) * (a + i))
        } else {
            -(a + half) * (a + b + half) * x / ((a + i - 1.0) * (a + i))
        }
    };
    front.exp() / a / fraction(1.0, numerator, |_| 1.0)
}

/// The continued fraction b0 + a(1) ÷ (b(1) + a(2) ÷ (b(2) + ...)).
fn fraction(b0: f64, a: impl Fn(f64) -> f64, b: impl Fn(f64) -> f64) -> f64 {
    let not_zero = |value: f64| if value.abs() < TINY { TINY } else { value };
    let mut found = not_zero(b0);
    let (mut c, mut d) = (found, 0.0);
    for i in 1..=TERMS {
        let i = f64::from(i);
        d = 1.0 / not_zero(a(i).mul_add(d, b(i)));
        c = not_zero(b(i) + a(i) / c);
        found *= c * d;
        if c.mul_add(d, -1.0).abs() < SMALL * 4.0 {
            break;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-12, "{found} is not {expected}");
    }

    #[test]
    fn gamma_is_the_factorial_and_the_root_of_pi() {
        close(ln_gamma(11.0), 3_628_800f64.ln());
        close(ln_gamma(0.5), std::f64::consts::PI.sqrt().ln());
        close(ln_gamma(0.01), 99.432_585_119_150_6f64.ln());
    }

    #[test]
    fn incomplete_gamma_of_whole_shapes_is_a_poisson_tail() {
        for (shape, x) in [(1u32, 0.1f64), (3, 2.0), (3, 9.5), (20, 15.0), (20, 60.0)] {
            let mut term = (-x).exp();
            let mut less = term;
            for n in 1..shape {
                term *= x / f64::from(n);
                less += term;
            }
            close(gamma_p(f64::from(shape), x), 1.0 - less);
        }
    }

    #[test]
    fn incomplete_beta_of_whole_parameters_is_a_binomial_tail() {
        for (a, b, x) in [(1u32, 1u32, 0.3f64), (2, 3, 0.5), (9, 1, 0.8), (18, 2, 0.85)] {
            let n = a + b - 1;
            let choose = |k: u32| (0..k).fold(1.0, |c, i| c * f64::from(n - i) / f64::from(i + 1));
            let chance =
                |k: u32| choose(k) * x.powf(f64::from(k)) * (1.0 - x).powf(f64::from(n - k));
            let expected: f64 = (a..=n).map(chance).sum();
            close(beta_i(f64::from(a), f64::from(b), x), expected);
        }
    }
}
