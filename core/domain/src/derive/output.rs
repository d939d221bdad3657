//! Good output: from cumulative counters, and as twins counted it by window.

use rust_decimal::Decimal;

use crate::{
    calendar::{Span, Spans, span::hours},
    decode::{CountFact, Made, MadeFact},
    model::{CounterReset, Counts},
};

/// Good parts by interval, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Output {
    made: Vec<(Span, Decimal)>,
    /// Intervals whose parts nobody knows: a falling counter without a rule.
    pub gaps: u32,
}

impl Output {
    /// Differences of the counter readings of one machine and source, sorted
    /// by interval. Of two readings of one interval the newest received wins.
    ///
    /// A missing row is bridged: what was made since the last reading is known,
    /// only not when. What can't have been made since, at `seconds_a_part`, was
    /// not made then: a reading that was corrected or misread, a counter that did
    /// not begin where the opening says. The interval is a gap.
    #[must_use]
    pub fn of(facts: &[CountFact], source: &Counts, seconds_a_part: Option<Decimal>) -> Self {
        let mut output = Self::default();
        let mut last: Option<(i64, u64)> = None;
        for same in facts.chunk_by(|a, b| a.interval == b.interval) {
            let Some(fact) = same.iter().max_by_key(|fact| (fact.received, fact.total)) else {
                continue;
            };
            let opening = source.opening_total.map(|total| (fact.interval.start, total));
            // Rows that are missing before the first one were made before it.
            let faster = if last.is_none() { FASTER_AT_OPENING } else { FASTER_MAX };
            if let Some((since, before)) = last.or(opening) {
                let span = Span { start: since.min(fact.interval.start), end: fact.interval.end };
                let fits = |parts: &u64| {
                    seconds_a_part.is_none_or(|one| could_make(*parts, one, span, faster))
                };
                match made(before, fact.total, source.reset).filter(fits) {
                    Some(parts) => output.made.push((span, parts.into())),
                    None => output.gaps += 1,
                }
            }
            last = Some((fact.interval.end, fact.total));
        }
        output
    }

    /// Windows of one machine and source. Each instant counts once: of windows
    /// that overlap the finest holds, of equal ones the newest received. A
    /// coarser window tells what the finer ones inside it left, and where that
    /// was made is not known: it is spread over the rest of its time.
    ///
    /// `busy` gives the scheduled milliseconds of a window, less planned stops.
    #[must_use]
    pub fn told(facts: &[MadeFact], busy: impl Fn(Span) -> i64) -> Self {
        let mut facts: Vec<&MadeFact> = facts.iter().collect();
        facts.sort_by_key(|fact| fact.interval);
        let apart = |pair: &[&MadeFact]| pair[0].interval.end <= pair[1].interval.start;
        if !facts.windows(2).all(apart) {
            let newest = |fact: &MadeFact| std::cmp::Reverse((fact.received, fact.issued));
            facts.sort_by_key(|fact| (fact.interval.ms(), newest(fact), fact.interval, fact.made));
        }
        let mut output = Self::default();
        for fact in facts {
            let parts = match fact.made {
                Made::Parts(parts) => parts,
                Made::PerScheduledHour(rate) => rate * hours(busy(fact.interval)),
            };
            let rest = output.untold(fact.interval);
            let told = output.parts_within(fact.interval).unwrap_or_default();
            output.spread((parts - told).max(Decimal::ZERO), &rest);
        }
        output
    }

    /// What `weaker` tells of time of which this output tells nothing; a window
    /// that reaches beyond it counts by its share of time.
    #[must_use]
    pub fn filled_by(mut self, weaker: &Self) -> Self {
        let known = self.clone();
        for (span, parts) in &weaker.made {
            let rest = known.untold(*span);
            let ms: i64 = rest.iter().map(|span| span.ms()).sum();
            if ms > 0 {
                let share = Decimal::from(ms) / Decimal::from(span.ms());
                self.spread(*parts * share, &rest);
            }
        }
        self.gaps += weaker.gaps;
        self
    }

    /// The parts of `span` of which nothing is told.
    fn untold(&self, span: Span) -> Vec<Span> {
        let first = self.made.partition_point(|(told, _)| told.end <= span.start);
        let mut rest = Vec::new();
        let mut from = span.start;
        for (told, _) in self.made[first..].iter().take_while(|(told, _)| told.start < span.end) {
            if from < told.start {
                rest.push(Span { start: from, end: told.start });
            }
            from = from.max(told.end);
        }
        if from < span.end {
            rest.push(Span { start: from, end: span.end });
        }
        rest
    }

    /// Puts `parts` into free time, by share.
    fn spread(&mut self, parts: Decimal, rest: &[Span]) {
        let ms: i64 = rest.iter().map(|span| span.ms()).sum();
        for span in rest {
            let own = match rest {
                [_] => parts,
                _ => parts * Decimal::from(span.ms()) / Decimal::from(ms),
            };
            let at = self.made.partition_point(|(told, _)| told.start < span.start);
            self.made.insert(at, (*span, own));
        }
    }

    /// Good parts inside `window`; an interval that reaches beyond it counts
    /// by its share of time. `None` when nothing was counted there.
    #[must_use]
    pub fn parts_within(&self, window: Span) -> Option<Decimal> {
        let first = self.made.partition_point(|(span, _)| span.end <= window.start);
        let mut parts = None;
        let mut sum = Decimal::ZERO;
        for (span, made) in &self.made[first..] {
            if span.start >= window.end {
                break;
            }
            parts = Some(());
            let inside = span.and(window).ms();
            if inside == span.ms() {
                sum += *made;
            } else {
                sum += *made * Decimal::from(inside) / Decimal::from(span.ms());
            }
        }
        parts.map(|()| sum)
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

    /// The instants of `window` in which nothing was made, as far as it is known.
    #[must_use]
    pub fn idle(&self, window: Span) -> Spans {
        let first = self.made.partition_point(|(span, _)| span.end <= window.start);
        let inside = self.made[first..].iter().take_while(|(span, _)| span.start < window.end);
        let idle = inside.filter(|(_, parts)| parts.is_zero());
        Spans::union(idle.map(|(span, _)| span.and(window)).collect())
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
/// The same for the first interval of a counter, where lost rows look like speed.
const FASTER_AT_OPENING: i64 = 2;

fn could_make(parts: u64, seconds_a_part: Decimal, span: Span, faster: i64) -> bool {
    let needed = Decimal::from(parts).checked_mul(seconds_a_part * Decimal::from(1_000));
    needed.is_some_and(|ms| ms <= Decimal::from(span.ms()) * Decimal::from(faster))
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
        let mut restarted: Vec<u64> = (1..=50).map(|hour| hour * 60).collect();
        restarted.push(60);
        let restarted = read(&restarted);
        assert_eq!((whole(&restarted), restarted.gaps), (Some(3_060.into()), 0));
        // A digit too many, and the way back from it.
        let mut totals: Vec<u64> = (1..=50).map(|hour| hour * 60).collect();
        totals[40] *= 10;
        let misread = read(&totals);
        assert_eq!((whole(&misread), misread.gaps), (Some(2_880.into()), 2));
        // The first rows are lost: what was made before is not made in this hour.
        let late: Vec<u64> = (200..=210).map(|hour| hour * 60).collect();
        let late = read(&late);
        assert_eq!((whole(&late), late.gaps), (Some(600.into()), 1));
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

    const HOUR: i64 = 3_600_000;

    fn window(from: i64, to: i64, made: Made, received: i64) -> MadeFact {
        MadeFact {
            subject: Subject(0),
            source: SourceIndex(2),
            interval: Span { start: from * HOUR, end: to * HOUR },
            made,
            issued: to * HOUR,
            received,
        }
    }

    fn parts(from: i64, to: i64, parts: i64, received: i64) -> MadeFact {
        window(from, to, Made::Parts(parts.into()), received)
    }

    fn made_in(output: &Output, from: i64, to: i64) -> Option<Decimal> {
        output.parts_within(Span { start: from * HOUR, end: to * HOUR })
    }

    #[test]
    fn windows_that_overlap_never_count_a_part_twice() {
        // A shift of 8 h made 400; its hours 2 and 3 were told alone, and hour 3
        // was corrected downwards.
        let facts =
            [parts(0, 8, 400, 9), parts(2, 3, 70, 3), parts(3, 4, 65, 4), parts(3, 4, 60, 8)];
        let output = Output::told(&facts, |span| span.ms());
        assert_eq!(made_in(&output, 2, 3), Some(70.into()));
        assert_eq!(made_in(&output, 3, 4), Some(60.into()), "of equal windows the newest received");
        assert_eq!(made_in(&output, 0, 8), Some(400.into()), "the shift stays whole");
        assert_eq!(made_in(&output, 0, 1), Some(45.into()), "what its other six hours made");
        assert_eq!(output.counted_ms(Span { start: 0, end: 24 * HOUR }), 8 * HOUR);
        let mut turned = facts;
        turned.reverse();
        assert_eq!(Output::told(&turned, |span| span.ms()), output, "in any order");
        // Rolling windows, each of 4 h, an hour apart.
        let rolling: Vec<MadeFact> = (0..5).map(|hour| parts(hour, hour + 4, 240, hour)).collect();
        assert_eq!(made_in(&Output::told(&rolling, |_| 0), 0, 8), Some(480.into()));
    }

    #[test]
    fn a_rate_holds_for_scheduled_hours_less_planned_stops() {
        let rate = window(0, 24, Made::PerScheduledHour(Decimal::new(575, 1)), 1);
        let output = Output::told(&[rate], |span| span.ms() - 8 * HOUR);
        assert_eq!(made_in(&output, 0, 24), Some(920.into()));
    }

    #[test]
    fn a_weaker_source_fills_only_what_the_stronger_one_leaves() {
        let told = |facts: &[MadeFact]| Output::told(facts, |span| span.ms());
        let strong = told(&[parts(2, 4, 100, 0)]);
        let weak = told(&[parts(0, 1, 7, 0), parts(1, 3, 60, 0), parts(3, 4, 99, 0)]);
        let both = strong.filled_by(&weak);
        assert_eq!(made_in(&both, 0, 4), Some((7 + 30 + 100).into()));
        assert_eq!(made_in(&both, 2, 4), Some(100.into()));
    }
}
