//! Good output from cumulative counters.

use rust_decimal::Decimal;

use crate::{
    calendar::{Span, Spans},
    decode::CountFact,
    model::{CounterReset, Counts},
};

/// Good parts by interval, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Output {
    made: Vec<(Span, u64)>,
    /// Intervals whose parts nobody knows: a falling counter without a rule.
    pub gaps: u32,
}

impl Output {
    /// Differences of the counter readings of one machine and source, sorted
    /// by interval. Of two readings of one interval the newest received wins.
    ///
    /// A missing row is bridged: what was made since the last reading is known,
    /// only not when. A counter that fell began again only if what it shows
    /// could have been made since, at `seconds_a_part`: otherwise somebody
    /// corrected it, and the interval is a gap.
    #[must_use]
    pub fn of(facts: &[CountFact], source: &Counts, seconds_a_part: Option<Decimal>) -> Self {
        let mut output = Self::default();
        let mut last: Option<(i64, u64)> = None;
        for same in facts.chunk_by(|a, b| a.interval == b.interval) {
            let Some(fact) = same.iter().max_by_key(|fact| (fact.received, fact.total)) else {
                continue;
            };
            let base = last.or(source.opening_total.map(|total| (fact.interval.start, total)));
            if let Some((since, before)) = base {
                let span = Span { start: since.min(fact.interval.start), end: fact.interval.end };
                let fits = fact.total >= before
                    || source.reset != CounterReset::Restart
                    || seconds_a_part.is_none_or(|one| could_make(fact.total, one, span));
                match made(before, fact.total, source.reset).filter(|_| fits) {
                    Some(parts) => output.made.push((span, parts)),
                    None => output.gaps += 1,
                }
            }
            last = Some((fact.interval.end, fact.total));
        }
        output
    }

    /// Good parts inside `window`; an interval that reaches beyond it counts
    /// by its share of time. `None` when nothing was counted there.
    #[must_use]
    pub fn parts_within(&self, window: Span) -> Option<Decimal> {
        let first = self.made.partition_point(|(span, _)| span.end <= window.start);
        let mut parts = None;
        let mut whole = 0u64;
        let mut shares = Decimal::ZERO;
        for (span, made) in &self.made[first..] {
            if span.start >= window.end {
                break;
            }
            parts = Some(());
            let inside = span.and(window).ms();
            if inside == span.ms() {
                whole = whole.saturating_add(*made);
            } else {
                shares += Decimal::from(*made) * Decimal::from(inside) / Decimal::from(span.ms());
            }
        }
        parts.map(|()| Decimal::from(whole) + shares)
    }

    /// Milliseconds of `window` for which the output is known.
    #[must_use]
    pub fn counted_ms(&self, window: Span) -> i64 {
        let first = self.made.partition_point(|(span, _)| span.end <= window.start);
        self.made[first..]
            .iter()
            .take_while(|(span, _)| span.start < window.end)
            .map(|(span, _)| span.and(window).ms())
            .sum()
    }

    /// The instants of `window` for which the output is known.
    #[must_use]
    pub fn counted(&self, window: Span) -> Spans {
        let first = self.made.partition_point(|(span, _)| span.end <= window.start);
        let inside = self.made[first..].iter().map(|(span, _)| *span);
        Spans::union(
            inside
                .take_while(|span| span.start < window.end)
                .map(|span| span.and(window))
                .collect(),
        )
    }

    /// End of the last counted interval, in milliseconds.
    #[must_use]
    pub fn until(&self) -> Option<i64> {
        self.made.last().map(|(span, _)| span.end)
    }
}

/// How many times faster than its ideal cycle a machine is believed to run:
/// master data are off by a factor of two or three, not of hundreds.
const FASTER_MAX: i64 = 4;

fn could_make(parts: u64, seconds_a_part: Decimal, span: Span) -> bool {
    let needed = Decimal::from(parts).checked_mul(seconds_a_part * Decimal::from(1_000));
    needed.is_some_and(|ms| ms <= Decimal::from(span.ms()) * Decimal::from(FASTER_MAX))
}

fn made(before: u64, total: u64, reset: CounterReset) -> Option<u64> {
    if total >= before {
        return Some(total - before);
    }
    match reset {
        CounterReset::Restart => Some(total),
        CounterReset::Wrap(largest) => {
            largest.checked_sub(before)?.checked_add(total)?.checked_add(1)
        }
        CounterReset::Gap => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        decode::{SourceIndex, Subject},
        fixture,
    };

    fn read(totals: &[(i64, u64)], reset: CounterReset, opening: Option<u64>) -> Output {
        let facts: Vec<CountFact> = totals
            .iter()
            .map(|&(hour, total)| CountFact {
                subject: Subject(0),
                source: SourceIndex(0),
                interval: Span { start: hour, end: hour + 1 },
                total,
                received: 0,
            })
            .collect();
        let source = Counts { reset, opening_total: opening, ..fixture::counts() };
        Output::of(&facts, &source, None)
    }

    fn all(output: &Output) -> Option<Decimal> {
        output.parts_within(Span { start: -10, end: 100 })
    }

    #[test]
    fn the_first_reading_only_sets_the_base_unless_an_opening_is_declared() {
        let totals = [(0, 60), (1, 100)];
        assert_eq!(all(&read(&totals, CounterReset::Restart, None)), Some(40.into()));
        assert_eq!(all(&read(&totals, CounterReset::Restart, Some(0))), Some(100.into()));
        assert_eq!(all(&read(&[(0, 60)], CounterReset::Restart, None)), None);
    }

    #[test]
    fn a_falling_counter_follows_its_rule() {
        let totals = [(0, 90), (1, 5)];
        assert_eq!(all(&read(&totals, CounterReset::Restart, Some(90))), Some(5.into()));
        assert_eq!(all(&read(&totals, CounterReset::Wrap(99), Some(90))), Some(15.into()));
        let gap = read(&totals, CounterReset::Gap, Some(90));
        assert_eq!((all(&gap), gap.gaps), (Some(0.into()), 1));
    }

    #[test]
    fn a_corrected_counter_is_a_gap_and_not_a_restart() {
        const HOUR: i64 = 3_600_000;
        let read = |totals: &[u64]| {
            let fact = |(hour, total): (i64, &u64)| CountFact {
                subject: Subject(0),
                source: SourceIndex(0),
                interval: Span { start: hour * HOUR, end: (hour + 1) * HOUR },
                total: *total,
                received: 0,
            };
            let facts: Vec<CountFact> = (0..).zip(totals).map(fact).collect();
            Output::of(&facts, &fixture::counts(), Some(60.into()))
        };
        let whole = |output: &Output| output.parts_within(Span { start: 0, end: 100 * HOUR });
        // Two parts were found bad afterwards: 9,998 were not made in that hour.
        let corrected = read(&[60, 120, 118, 178]);
        assert_eq!((whole(&corrected), corrected.gaps), (Some(298.into()), 0), "fits, if barely");
        let mut totals: Vec<u64> = (1..=50).map(|hour| hour * 60).collect();
        totals.push(2_998);
        totals.push(3_058);
        let corrected = read(&totals);
        assert_eq!((whole(&corrected), corrected.gaps), (Some(3_060.into()), 1));
        assert_eq!(corrected.counted_ms(Span { start: 0, end: 52 * HOUR }), 51 * HOUR);
        let restarted = read(&[3_000, 60]);
        assert_eq!((whole(&restarted), restarted.gaps), (Some(3_060.into()), 0));
    }

    #[test]
    fn a_corrected_reading_replaces_the_old_one_also_downwards() {
        let fact = |hour: i64, total, received| CountFact {
            subject: Subject(0),
            source: SourceIndex(0),
            interval: Span { start: hour, end: hour + 1 },
            total,
            received,
        };
        // Hour 1 was read as 100, then corrected to 95, then confirmed as 96.
        let mut facts =
            [fact(0, 50, 0), fact(1, 100, 1), fact(1, 95, 2), fact(1, 96, 3), fact(2, 97, 4)];
        facts.sort();
        let output = Output::of(&facts, &fixture::counts(), None);
        assert_eq!(output.parts_within(Span { start: 1, end: 2 }), Some(46.into()));
        // The old reading of 100 would make 97 look like a counter that began again.
        assert_eq!(all(&output), Some(97.into()));
        assert_eq!(output.counted_ms(Span { start: 0, end: 9 }), 3);
    }

    #[test]
    fn a_missing_row_is_bridged_and_shared_by_time() {
        let output = read(&[(0, 10), (3, 70)], CounterReset::Restart, Some(0));
        assert_eq!(all(&output), Some(70.into()));
        assert_eq!(output.parts_within(Span { start: 1, end: 2 }), Some(20.into()));
        assert_eq!(output.counted_ms(Span { start: 0, end: 50 }), 4);
    }
}
