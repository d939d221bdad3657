//! What is taken off a pool of which the weeks get worse (ADR 16, step 5), by brute
//! force: every account is fitted for itself, and what it leaves is added up.

/// What one full week gave, and of how much.
pub(crate) type Given = (f64, f64);

/// What is taken off the pooled share `shown`, by all full weeks in order of time.
pub(crate) fn taken_off(weeks: &[Given], shown: f64) -> f64 {
    let weeks = &weeks[weeks.len().saturating_sub(16)..];
    let count = weeks.len();
    if count < 12 {
        return 0.0;
    }
    let number = |of: usize| f64::from(u8::try_from(of).unwrap());
    let flat = vec![1.0; count];
    let (_, all) = fit(weeks, &flat, 1.0);
    if all <= 1e-12 {
        return 0.0;
    }
    let (mut weight, mut sum) = (1.0, shown);
    let mut account = |left: f64, next: f64, likely: f64| {
        let counts = likely * (left / all).max(1e-6).powi(-6);
        weight += counts;
        sum += counts * next.min(shown);
    };
    // They fell once, before the newest two, three, ... weeks; two others stay before.
    let ways = number((2..=count - 2).count());
    for new in 2..=count - 2 {
        let step: Vec<f64> =
            (0..count).map(|at| if at >= count - new { 1.0 } else { 0.0 }).collect();
        let (next, left) = fit(weeks, &step, 1.0);
        let error = (left.max(1e-6 * all) / number(count - 3) / number(new)).sqrt();
        let next = if next < shown - 1e-9 { next - error } else { next };
        account(left, next, 0.02 / ways);
    }
    // They have been falling for the last eight, nine, ... weeks.
    let ways = number((8..count).count());
    for since in 8..count {
        let ramp: Vec<f64> =
            (0..count).map(|at| number((at + since + 1).saturating_sub(count))).collect();
        let (next, left) = fit(weeks, &ramp, number(since) + 1.0);
        account(left, next, 0.125 / ways);
    }
    let taken = shown - (sum / weight).clamp(0.0, shown);
    let chance = 0.1 * (all / number(count - 1)).sqrt();
    // It is told to eight decimals.
    if taken < chance { 0.0 } else { (taken * 1e8).round() / 1e8 }
}

/// The least squares of the shares on `x`: what they let expect at `next`, and the
/// squares that they leave. A week counts by what was asked of it.
fn fit(weeks: &[Given], x: &[f64], next: f64) -> (f64, f64) {
    let asked: f64 = weeks.iter().map(|(_, asked)| asked).sum();
    let count = f64::from(u8::try_from(weeks.len()).unwrap());
    let points: Vec<(f64, f64, f64)> =
        weeks.iter().zip(x).map(|((good, of), x)| (*x, good / of, of / asked * count)).collect();
    let sum = |of: fn(f64, f64) -> f64| points.iter().map(|(x, y, w)| w * of(*x, *y)).sum::<f64>();
    let (sx, sy) = (sum(|x, _| x), sum(|_, y| y));
    let (sxx, sxy) = (sum(|x, _| x * x), sum(|x, y| x * y));
    // The normal equations; without anything that varies the mean is all.
    let slant = count * sxx - sx * sx;
    let rise = if slant.abs() < 1e-9 { 0.0 } else { (count * sxy - sx * sy) / slant };
    let ground = (sy - rise * sx) / count;
    let left = points.iter().map(|(x, y, w)| w * (y - ground - rise * x).powi(2)).sum();
    (ground + rise * next, left)
}
