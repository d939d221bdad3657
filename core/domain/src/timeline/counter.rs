//! Good output: from cumulative counters, and as twins counted it by window.

mod readings;

use rust_decimal::Decimal;
use serde::Serialize;

use crate::{
    calendar::{Span, Spans, span::hours},
    decode::{CountFact, Made, MadeFact},
    model::Counts,
};
use readings::{FASTER_AT_OPENING, FASTER_MAX, FASTER_TOLD, Judged, Pace, PartTime, Step};

/// Why readings of a counter are doubtful.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Doubt {
    /// Readings from which the next ones returned to the count: they were passed
    /// over, and no part is lost.
    Bridged,
    /// The counter fell, and nobody knows what was made: not counted.
    Fell,
    /// More than the machine, or the counter's own pace, allows: not counted.
    TooMany,
    /// More than twice what the ideal cycle allows: counted all the same.
    Faster,
    /// The readings look like counts of single intervals, not like a cumulative
    /// counter: nothing is counted.
    PerInterval,
}

impl Doubt {
    /// The sentence that people read.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Bridged => {
                "readings that returned to the count were passed over; no part is lost"
            }
            Self::Fell => "the counter fell and nobody knows what was made: not counted",
            Self::TooMany => {
                "more than the machine can make since the last reading: not counted; a wrong \
                 reading, or lost rows before it"
            }
            Self::Faster => {
                "more than twice what the ideal cycle allows was counted: correct \
                 `ideal_cycle_seconds`, or the counter"
            }
            Self::PerInterval => {
                "the readings look like parts of each interval, and the source is declared as a \
                 cumulative counter: nothing is counted"
            }
        }
    }

    /// Whether parts of the interval are missing from the figures.
    #[must_use]
    pub const fn loses(self) -> bool {
        matches!(self, Self::Fell | Self::TooMany | Self::PerInterval)
    }
}

/// Something doubtful about the readings of an interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Remark {
    /// The interval.
    pub span: Span,
    /// What is doubtful.
    pub doubt: Doubt,
}

/// Good parts by interval, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Output {
    made: Vec<(Span, Decimal)>,
    /// What is doubtful about the readings, in order.
    pub remarks: Vec<Remark>,
}

impl Output {
    /// Differences of the counter readings of one machine and source, sorted
    /// by interval. Of two readings of one interval the newest received wins.
    ///
    /// A missing row is bridged: what was made since the last reading is known,
    /// only not when. So is a reading from which the next ones return to the
    /// count. What can't have been made since, at `seconds_a_part` and at the
    /// counter's own pace, was not made then: the interval is a gap, and told.
    #[must_use]
    pub fn of(facts: &[CountFact], source: &Counts, seconds_a_part: Option<Decimal>) -> Self {
        let readings = readings::newest(facts);
        let a_part = seconds_a_part.map(PartTime::of);
        let mut output = Self::default();
        let Some((first, last)) = readings.first().zip(readings.last()) else { return output };
        if readings::are_per_interval(&readings, a_part) {
            let span = Span { start: first.interval.start, end: last.interval.end };
            output.remarks.push(Remark { span, doubt: Doubt::PerInterval });
            return output;
        }
        let pace = Pace::of(&readings, a_part);
        let mut base = source.opening_total.map(|total| (first.interval.start, total));
        // Rows that are missing before the first one were made before it.
        let mut faster = FASTER_AT_OPENING;
        let mut at = 0;
        while let Some(reading) = readings.get(at) {
            let next = (reading.interval.end, reading.total);
            let Some((since, before)) = base.replace(next) else {
                at += 1;
                continue;
            };
            let span = Span { start: since.min(reading.interval.start), end: next.0 };
            let step = Step { readings: &readings[at..], span, before, pace: &pace, faster };
            match step.judge(source.reset) {
                Judged::Made(parts) => output.count(span, parts, a_part),
                Judged::Gap(doubt) => output.remarks.push(Remark { span, doubt }),
                Judged::Bad(skipped) => {
                    base = Some((since, before));
                    let end = readings[at + skipped - 1].interval.end;
                    let span = Span { start: span.start, end };
                    output.remarks.push(Remark { span, doubt: Doubt::Bridged });
                    at += skipped;
                    continue;
                }
            }
            faster = FASTER_MAX;
            at += 1;
        }
        output
    }

    /// Counts the parts of an interval; more than the ideal cycle allows is told.
    fn count(&mut self, span: Span, parts: u64, a_part: Option<PartTime>) {
        self.made.push((span, parts.into()));
        if a_part.is_none_or(|one| one.could_make(parts, span, FASTER_TOLD)) {
            return;
        }
        match self.remarks.last_mut() {
            Some(last) if last.doubt == Doubt::Faster && last.span.end == span.start => {
                last.span.end = span.end;
            }
            _ => self.remarks.push(Remark { span, doubt: Doubt::Faster }),
        }
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
        self.remarks.extend(weaker.remarks.iter().copied());
        self.remarks.sort_unstable();
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

    /// Begin of the first counted interval, in milliseconds.
    #[must_use]
    pub fn since(&self) -> Option<i64> {
        self.made.first().map(|(span, _)| span.start)
    }

    /// End of the last counted interval, in milliseconds.
    #[must_use]
    pub fn until(&self) -> Option<i64> {
        self.made.last().map(|(span, _)| span.end)
    }
}

#[cfg(test)]
mod tests;
