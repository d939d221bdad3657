//! What is taken off a pool of a machine or line that gets worse (ADR 16, rule 5).
//!
//! The mean of eight weeks is the best forecast of what stays as it is, and
//! promises too much of what gets worse. Four weeks or two would notice sooner, and
//! are wrong more often. So no week is left out. Instead the last sixteen full weeks
//! are explained in every way that gets worse: they fell once, before the newest two,
//! three, ... weeks; or they have been falling since eight, nine, ... weeks ago, by
//! the same each week. An account counts by how much of their variation it explains,
//! beside the plain one that they stay as they are; and the figure is the mean of
//! what all of them let expect of the next week. No account raises it.

use rust_decimal::{
    Decimal,
    prelude::{FromPrimitive as _, ToPrimitive as _},
};
use serde::Serialize;

/// Full weeks behind the pool that are looked at, too.
pub(super) const BEHIND: u32 = 8;

/// Most weeks that are explained, and fewest.
const MOST: usize = 16;
const FEWEST: usize = 12;

/// Fewest weeks behind a fall, and in which they have been falling.
const FELL: usize = 2;
const FALLING: usize = 8;

/// How likely all accounts of a kind are together before the weeks are seen, beside
/// one for "they stay as they are". Falls are gradual more often than sudden.
const LIKELY_FALLING: f64 = 0.125;
const LIKELY_FELL: f64 = 0.02;

/// An account that leaves a share `r` of the variation counts `r` to the power of
/// minus six: that of sixteen normal weeks is 7.5, and real ones have longer tails.
const POWER: i32 = 6;

/// Least share of the variation that is left: no account is perfect.
const LEFT: f64 = 1e-6;

/// What is less than this part of the deviation of the weeks is chance.
const CHANCE: f64 = 0.1;

/// Shares that lie nearer to each other are the same.
const SAME: f64 = 1e-9;

/// Decimals of a share.
const DECIMALS: u32 = 8;

/// What one week gave of what it was asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Given {
    /// Time that was up, or output.
    pub(super) good: Decimal,
    /// Time that was asked for.
    pub(super) asked: Decimal,
}

/// Accounts of one kind together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Account {
    /// How much they count of all, 0..1.
    pub weight: Decimal,
    /// The share that they let expect of the next week; 0 where they count nothing.
    pub share: Decimal,
}

/// By how much less is promised than a pool shows, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Decline {
    /// How many full weeks were explained.
    pub weeks: usize,
    /// The weeks fell once.
    pub fell: Account,
    /// They have been falling week by week.
    pub falling: Account,
    /// What is taken off the pooled share.
    pub lowered: Decimal,
}

impl Decline {
    /// Explains the last of `weeks`, which are in order; the newest `pooled` are the
    /// pool. `None` with too few of them, and where nothing is taken off.
    pub(super) fn of(weeks: &[Given], pooled: usize) -> Option<Self> {
        let pool = weeks.get(weeks.len().saturating_sub(pooled)..)?;
        let shown = share(pool)?;
        let seen = &weeks[weeks.len().saturating_sub(MOST)..];
        if seen.len() < FEWEST {
            return None;
        }
        let all = Weeks::of(seen)?;
        let (count, newest) = (seen.len(), seen.len() - 1);
        let one_fell = LIKELY_FELL / (count - 1 - FELL) as f64;
        let fell: Kind = (FELL..newest).map(|new| all.fell(new, shown, one_fell)).collect();
        let one_falls = LIKELY_FALLING / (count - FALLING) as f64;
        let falling: Kind =
            (FALLING..=newest).map(|since| all.falling(since, shown, one_falls)).collect();
        let weight = 1.0 + fell.weight + falling.weight;
        let expected = (shown + fell.sum + falling.sum) / weight;
        let lowered = shown - expected.clamp(0.0, shown);
        if lowered < CHANCE * (all.variation / newest as f64).sqrt() {
            return None;
        }
        Some(Self {
            weeks: count,
            fell: fell.account(weight)?,
            falling: falling.account(weight)?,
            lowered: decimal(lowered)?,
        })
    }
}

fn decimal(value: f64) -> Option<Decimal> {
    Some(Decimal::from_f64(value)?.round_dp(DECIMALS).normalize())
}

/// What weeks gave together, from sums.
fn share(weeks: &[Given]) -> Option<f64> {
    let sum = |of: fn(&Given) -> Decimal| weeks.iter().map(of).sum::<Decimal>();
    sum(|week| week.good).checked_div(sum(|week| week.asked))?.to_f64()
}

/// Accounts of one kind: how much they count, and that times what they expect.
#[derive(Debug, Default, Clone, Copy)]
struct Kind {
    weight: f64,
    sum: f64,
}

impl Kind {
    fn account(self, of: f64) -> Option<Account> {
        let share = if self.weight > 0.0 { self.sum / self.weight } else { 0.0 };
        Some(Account { weight: decimal(self.weight / of)?, share: decimal(share)? })
    }
}

impl FromIterator<(f64, f64)> for Kind {
    /// Of weights, each with the share that is expected.
    fn from_iter<T: IntoIterator<Item = (f64, f64)>>(accounts: T) -> Self {
        accounts.into_iter().fold(Self::default(), |kind, (weight, share)| Self {
            weight: kind.weight + weight,
            sum: kind.sum + weight * share,
        })
    }
}

/// Shares of weeks that are explained; a week counts by what was asked of it.
struct Weeks {
    /// Share and weight; the weights sum to how many there are.
    weeks: Vec<(f64, f64)>,
    mean: f64,
    /// The sum of the squares around the mean.
    variation: f64,
}

/// A straight relation to some number that each week has.
struct Fit {
    /// What it lets expect of the next week.
    next: f64,
    /// How much of the variation it explains.
    explained: f64,
}

impl Weeks {
    /// `None` where all of them are alike.
    fn of(given: &[Given]) -> Option<Self> {
        let asked: f64 = given.iter().map(|week| week.asked).sum::<Decimal>().to_f64()?;
        let one = |week: &Given| {
            let weight = week.asked.to_f64()? / asked * given.len() as f64;
            Some((share(std::slice::from_ref(week))?, weight))
        };
        let weeks: Vec<(f64, f64)> = given.iter().map(one).collect::<Option<_>>()?;
        let mean =
            weeks.iter().map(|(share, weight)| share * weight).sum::<f64>() / given.len() as f64;
        let variation = weeks.iter().map(|(share, weight)| weight * (share - mean).powi(2)).sum();
        Some(Self { weeks, mean, variation }).filter(|all| all.variation > 1e-12)
    }

    /// The least squares on `x` of each week.
    fn fit(&self, x: impl Fn(usize) -> f64, next: f64) -> Fit {
        let sum = |of: &dyn Fn(usize, f64) -> f64| {
            let weeks = self.weeks.iter().enumerate();
            weeks.map(|(at, (share, weight))| weight * of(at, *share)).sum::<f64>()
        };
        let middle = sum(&|at, _| x(at)) / self.weeks.len() as f64;
        let square = sum(&|at, _| (x(at) - middle).powi(2));
        let both = sum(&|at, share| (x(at) - middle) * (share - self.mean));
        let rise = both / square;
        Fit { next: self.mean + rise * (next - middle), explained: rise * both }
    }

    fn left(&self, fit: &Fit) -> f64 {
        (self.variation - fit.explained).max(LEFT * self.variation)
    }

    fn weight(&self, fit: &Fit, likely: f64) -> f64 {
        likely * (self.variation / self.left(fit)).powi(POWER)
    }

    /// They fell once, before the `new` newest. A new level that few weeks show is
    /// taken by one standard error lower: what falls seldom stops at once.
    fn fell(&self, new: usize, shown: f64, likely: f64) -> (f64, f64) {
        let first = self.weeks.len() - new;
        let fit = self.fit(|at| if at < first { 0.0 } else { 1.0 }, 1.0);
        let spread = self.left(&fit) / (self.weeks.len() - 3) as f64;
        // The level of as many weeks as the pool has is the pool's, but for rounding.
        let fell = fit.next < shown - SAME;
        let next = if fell { fit.next - (spread / new as f64).sqrt() } else { shown };
        (self.weight(&fit, likely), next)
    }

    /// They have been falling, by the same each week, in the last `since`.
    fn falling(&self, since: usize, shown: f64, likely: f64) -> (f64, f64) {
        let last_good = self.weeks.len() - 1 - since;
        let fit = self.fit(|at| at.saturating_sub(last_good) as f64, since as f64 + 1.0);
        (self.weight(&fit, likely), fit.next.min(shown))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(shares: &[i64]) -> Option<Decline> {
        let given = |share: &i64| Given { good: (*share).into(), asked: Decimal::ONE_HUNDRED };
        let weeks: Vec<Given> = shares.iter().map(given).collect();
        Decline::of(&weeks, weeks.len().min(8))
    }

    fn hundredths(share: Decimal) -> Decimal {
        (share * Decimal::ONE_HUNDRED).round_dp(1)
    }

    #[test]
    fn nothing_is_taken_off_what_stays_as_it_is_or_gets_better() {
        assert_eq!(of(&[90, 92, 88, 91, 89, 90, 92, 88, 90, 91, 89, 90, 92, 88, 90, 91]), None);
        assert_eq!(of(&[60, 62, 58, 61, 60, 61, 59, 60, 62, 60, 90, 91, 89, 90, 92, 90]), None);
        assert_eq!(of(&[90; 16]), None);
        // Eleven weeks are too few to judge by.
        assert_eq!(of(&[90, 90, 90, 90, 90, 90, 90, 90, 90, 60, 60]), None);
    }

    #[test]
    fn after_a_fall_the_new_level_is_expected() {
        let found = of(&[90, 92, 88, 91, 89, 90, 92, 88, 90, 91, 89, 90, 92, 88, 60, 61]).unwrap();
        assert!(found.fell.weight > Decimal::new(99, 2), "{found:?}");
        // The pool shows 82.6 %, the new weeks 60.5 % with an error of one.
        assert_eq!(hundredths(found.fell.share), Decimal::new(595, 1), "{found:?}");
        assert_eq!(hundredths(found.lowered), Decimal::new(232, 1), "{found:?}");
    }

    #[test]
    fn what_falls_week_by_week_goes_on_falling() {
        // Two points less each week: the pool shows 67 %, and 58 % comes next.
        let shares: Vec<i64> = (0..16).map(|week| 90 - 2 * week).collect();
        let found = of(&shares).unwrap();
        assert!(found.falling.weight > Decimal::new(99, 2), "{found:?}");
        assert_eq!(hundredths(found.lowered), Decimal::from(9), "{found:?}");
    }

    proptest! {
        #[test]
        fn a_figure_is_never_raised_and_is_the_mean_of_all_accounts(
            shares in prop::collection::vec(0i64..=100, 0..24),
        ) {
            if let Some(found) = of(&shares) {
                prop_assert!(found.lowered > Decimal::ZERO);
                let newest = &shares[shares.len() - shares.len().min(8)..];
                let shown = Decimal::from(newest.iter().sum::<i64>())
                    / Decimal::from(100 * newest.len());
                let stays = Decimal::ONE - found.fell.weight - found.falling.weight;
                let sum = stays * shown
                    + found.fell.weight * found.fell.share
                    + found.falling.weight * found.falling.share;
                let figure = shown - found.lowered;
                prop_assert!((figure - sum.max(Decimal::ZERO)).abs() < Decimal::new(1, 6), "{found:?}");
            }
        }
    }
}
