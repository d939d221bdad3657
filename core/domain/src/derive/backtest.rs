//! How many weeks to pool, by what they would have foretold (ADR 16, rule 5).
//!
//! The mean of eight weeks is the best forecast of a machine that stays as it
//! is, and promises too much of one that gets worse. So each pool is asked what
//! it would have foretold for the weeks that are known. A shorter one counts only
//! where the longest clearly promised too much twice running and the shorter
//! missed by less; and what the chosen one promised too much, week after week, is
//! taken off. A back-test never raises a figure: of a machine that gets better
//! all weeks count, until the bad ones are gone.

use rust_decimal::Decimal;
use serde::Serialize;

/// Weeks that are foretold again.
pub(super) const TESTS: u32 = 8;

/// The same, as a length.
const TESTED: usize = TESTS as usize;

/// Weeks before the first of them.
const BEFORE: usize = 4;

/// The newest of them, over which pools are compared.
const RECENT: usize = 4;

/// The newest of them, in which the longest pool must have been wrong.
const LAST: usize = 2;

/// Of all of them, in how many too much must have been promised before anything
/// is taken off.
const PROMISED: usize = 6;

/// Weeks of the shorter pools.
const SHORTER: [usize; 2] = [4, 2];

/// What one week gave of what it was asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Given {
    /// Time that was up, or output.
    pub(super) good: Decimal,
    /// Time that was asked for.
    pub(super) asked: Decimal,
}

/// What was found by foretelling the last eight weeks again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct BackTest {
    /// How many of the newest weeks are pooled.
    pub weeks: usize,
    /// How many there are.
    pub of: usize,
    /// Mean distance of what the chosen weeks foretold in the last four weeks, as
    /// a share 0..1.
    pub error: Decimal,
    /// The same of all of them.
    pub longest_error: Decimal,
    /// In how many of the last eight weeks the chosen pool promised too much.
    pub promised: usize,
    /// What is taken off the pooled share.
    pub lowered: Decimal,
}

impl BackTest {
    /// Foretells the last of `weeks`, which are in order, from at most `longest`
    /// before each; the pool holds the newest `of`. `None` with too few
    /// weeks to judge by, and where today's pool stands as it is.
    pub(super) fn of(weeks: &[Given], longest: usize, of: usize) -> Option<Self> {
        let first = weeks.len().checked_sub(TESTED).filter(|first| *first >= BEFORE)?;
        let misses = |pool: usize| -> Option<Vec<Decimal>> {
            let missed = |at: usize| {
                Some(share(&weeks[at.saturating_sub(pool)..at])? - share(&weeks[at..=at])?)
            };
            (first..weeks.len()).map(missed).collect()
        };
        let usual = usual_change(weeks)?;
        let long = misses(longest)?;
        let longest_error = mean_distance(&long[TESTED - RECENT..]);
        let (mut pool, mut error, mut chosen) = (of, longest_error, long.clone());
        if clearly_promised(&long[TESTED - LAST..], usual) {
            let newest = |count: usize| share(&weeks[weeks.len().saturating_sub(count)..]);
            let lower = |count: &usize| *count < of.min(longest) && newest(*count) < newest(of);
            for shorter in SHORTER.into_iter().filter(lower) {
                let tried = misses(shorter)?;
                let found = mean_distance(&tried[TESTED - RECENT..]);
                if found < error {
                    (pool, error, chosen) = (shorter, found, tried);
                }
            }
        }
        let lowered = promised_too_much(&chosen, usual);
        let promised = chosen.iter().filter(|miss| **miss > Decimal::ZERO).count();
        let found = Self { weeks: pool, of, error, longest_error, promised, lowered };
        Some(found).filter(|found| found.weeks < of || !found.lowered.is_zero())
    }
}

/// What the weeks gave together, from sums.
fn share(weeks: &[Given]) -> Option<Decimal> {
    let sum = |of: fn(&Given) -> Decimal| weeks.iter().map(of).sum::<Decimal>();
    sum(|week| week.good).checked_div(sum(|week| week.asked))
}

/// Mean change from one week to the next: how much they differ by chance, also
/// while they get worse.
fn usual_change(weeks: &[Given]) -> Option<Decimal> {
    let shares: Vec<Decimal> = weeks.iter().map(|week| share(&[*week])).collect::<Option<_>>()?;
    let changes: Vec<Decimal> = shares.windows(2).map(|pair| pair[1] - pair[0]).collect();
    Some(mean_distance(&changes))
}

fn mean(values: &[Decimal]) -> Decimal {
    values.iter().sum::<Decimal>().checked_div(values.len().into()).unwrap_or_default()
}

fn mean_distance(values: &[Decimal]) -> Decimal {
    mean(&values.iter().map(Decimal::abs).collect::<Vec<_>>())
}

/// Whether too much was promised each time, by more than five quarters of the
/// usual change on average.
fn clearly_promised(misses: &[Decimal], usual: Decimal) -> bool {
    misses.iter().all(|miss| *miss > Decimal::ZERO) && mean(misses) > usual * Decimal::new(125, 2)
}

/// What a pool promises too much, week after week: the lesser of the middle miss
/// and the mean of the recent ones, where that is above half of the usual change
/// and too much was promised in most weeks. Else zero.
fn promised_too_much(misses: &[Decimal], usual: Decimal) -> Decimal {
    let mut sorted = misses.to_vec();
    sorted.sort();
    let middle = mean(&sorted[TESTED / 2 - 1..=TESTED / 2]);
    let much = middle.min(mean(&misses[TESTED - RECENT..]));
    let promised = misses.iter().filter(|miss| **miss > Decimal::ZERO).count();
    let clear = promised >= PROMISED && much > usual * Decimal::new(5, 1);
    if clear { much } else { Decimal::ZERO }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(shares: &[i64]) -> Option<BackTest> {
        let given = |share: &i64| Given { good: (*share).into(), asked: Decimal::ONE_HUNDRED };
        let weeks: Vec<Given> = shares.iter().map(given).collect();
        BackTest::of(&weeks, 8, weeks.len().min(8))
    }

    #[test]
    fn what_stays_as_it_is_or_gets_better_is_pooled_as_a_whole() {
        assert_eq!(of(&[90, 92, 88, 91, 89, 90, 92, 88, 90, 91, 89, 90, 92, 88, 90, 91]), None);
        assert_eq!(of(&[60, 62, 58, 61, 60, 61, 59, 60, 62, 60, 90, 91, 89, 90, 92, 90]), None);
        // Eleven weeks are too few to judge by.
        assert_eq!(of(&[90, 90, 90, 90, 90, 90, 90, 90, 90, 60, 60]), None);
    }

    #[test]
    fn after_a_step_the_weeks_behind_it_are_left_out() {
        let found = of(&[90, 92, 88, 91, 89, 90, 92, 88, 90, 91, 89, 90, 92, 88, 60, 61]).unwrap();
        assert_eq!((found.weeks, found.of), (2, 8));
        assert!(found.error < found.longest_error, "{found:?}");
    }

    #[test]
    fn what_falls_week_by_week_is_lowered_by_what_was_promised_too_much() {
        // Two points less each week: the mean of the last two foretells the next
        // three points too high.
        let shares: Vec<i64> = (0..16).map(|week| 90 - 2 * week).collect();
        let found = of(&shares).unwrap();
        assert_eq!((found.weeks, found.promised, found.lowered), (2, 8, Decimal::new(3, 2)));
    }

    proptest! {
        #[test]
        fn a_back_test_never_raises_a_figure(shares in prop::collection::vec(0i64..=100, 0..24)) {
            if let Some(found) = of(&shares) {
                let mean = |count: usize| {
                    let newest = &shares[shares.len() - count..];
                    Decimal::from(newest.iter().sum::<i64>()) / Decimal::from(100 * count)
                };
                let figure = mean(found.weeks) - found.lowered;
                prop_assert!(figure < mean(found.of), "{found:?}");
            }
        }
    }
}
