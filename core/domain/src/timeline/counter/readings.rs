//! The readings of one counter: its pace, and what each step up or down means.

use rust_decimal::{Decimal, prelude::ToPrimitive as _};

use crate::{calendar::Span, decode::CountFact, model::CounterReset};

use super::Doubt;

/// How many times faster than its ideal cycle, or than its own pace, a machine
/// is believed to run: master data are off by a factor of two or three, not of
/// hundreds.
pub(super) const FASTER_MAX: i64 = 4;
/// The same for the first interval of a counter, where lost rows look like speed.
pub(super) const FASTER_AT_OPENING: i64 = 2;
/// From here on the speed is told.
pub(super) const FASTER_TOLD: i64 = 2;
/// How many readings a bad one may last before the count returns.
const RETURNS_WITHIN: usize = 24;
/// Fewest readings from which their kind can be told.
const FEW: usize = 12;

/// One reading for each interval: of two the newest received.
pub(super) fn newest(facts: &[CountFact]) -> Vec<CountFact> {
    let same = facts.chunk_by(|a, b| a.interval == b.interval);
    same.filter_map(|of| of.iter().max_by_key(|one| (one.received, one.total)).copied()).collect()
}

/// Whether the readings are parts of single intervals: they fall as often as
/// they rise, none is above what an interval can hold, and they do not grow.
pub(super) fn are_per_interval(readings: &[CountFact], a_part: Option<PartTime>) -> bool {
    if readings.len() < FEW {
        return false;
    }
    let falls = readings.windows(2).filter(|pair| pair[1].total < pair[0].total).count();
    if falls * 3 <= readings.len() {
        return false;
    }
    let fits = |one: &CountFact| {
        a_part.is_none_or(|part| part.could_make(one.total, one.interval, FASTER_MAX))
    };
    let mut made: Vec<u64> = readings.iter().map(|one| one.total).filter(|one| *one > 0).collect();
    made.sort_unstable();
    let (Some(middle), Some(most)) = (made.get(made.len() / 2), made.last()) else { return false };
    let even = a_part.is_some() || *most <= middle.saturating_mul(6);
    let half = readings.len() / 2;
    let sum = |of: &[CountFact]| of.iter().map(|one| u128::from(one.total)).sum::<u128>();
    let grows = sum(&readings[half..]) > 3 * sum(&readings[..half]).max(1);
    readings.iter().all(fits) && even && !grows
}

/// How fast a counter can go.
#[derive(Debug)]
pub(super) struct Pace {
    /// Ideal time of one part.
    ideal: Option<PartTime>,
    /// Time of one part in the middle of all steps upwards.
    usual: Option<PartTime>,
}

impl Pace {
    pub(super) fn of(readings: &[CountFact], ideal: Option<PartTime>) -> Self {
        let mut paces: Vec<f64> = readings
            .windows(2)
            .filter_map(|pair| {
                let parts = pair[1].total.checked_sub(pair[0].total).filter(|parts| *parts > 0)?;
                let ms = pair[1].interval.end - pair[0].interval.end;
                Some(ms.to_f64()? / parts.to_f64()?)
            })
            .collect();
        paces.sort_unstable_by(f64::total_cmp);
        let middle = paces.get(paces.len() / 2).filter(|_| paces.len() >= FEW);
        let usual = middle.and_then(|ms| Decimal::try_from(ms / 1_000.0).ok());
        Self { ideal, usual: usual.filter(|one| *one > Decimal::ZERO).map(PartTime::of) }
    }

    /// Whether `parts` can have been made in `span` at `faster` times the pace.
    fn allows(&self, parts: u64, span: Span, faster: i64) -> bool {
        let fits = |one: &PartTime| one.could_make(parts, span, faster);
        match (&self.ideal, &self.usual) {
            (None, None) => true,
            (ideal, usual) => ideal.iter().chain(usual).any(fits),
        }
    }

    /// Whether a step is far above the usual pace; of a counter too young to have
    /// one, above the ideal one.
    fn jumps(&self, parts: u64, span: Span) -> bool {
        let pace = self.usual.or(self.ideal);
        pace.is_some_and(|one| !one.could_make(parts, span, FASTER_AT_OPENING))
    }
}

/// The time of one part, as a fraction: each reading is judged by it.
#[derive(Debug, Clone, Copy)]
pub(super) struct PartTime {
    /// Milliseconds, in parts of one.
    ms: i128,
    one: i128,
}

impl PartTime {
    pub(super) fn of(seconds: Decimal) -> Self {
        let seconds = seconds.normalize();
        Self { ms: seconds.mantissa().saturating_mul(1_000), one: 10_i128.pow(seconds.scale()) }
    }

    /// Whether `parts` can be made in `span`, at `faster` times this pace.
    pub(super) fn could_make(self, parts: u64, span: Span, faster: i64) -> bool {
        let there = i128::from(span.ms()).saturating_mul(i128::from(faster));
        let needed = i128::from(parts).checked_mul(self.ms);
        needed.is_some_and(|needed| needed <= there.saturating_mul(self.one))
    }
}

/// What one reading means.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Judged {
    /// So many parts were made since the last one.
    Made(u64),
    /// Nobody knows what was made.
    Gap(Doubt),
    /// So many readings are bad: the next one returns to the count.
    Bad(usize),
}

/// One step from the last good reading to the first of `readings`.
pub(super) struct Step<'a> {
    pub(super) readings: &'a [CountFact],
    /// From the last good reading to this one.
    pub(super) span: Span,
    /// The last good reading.
    pub(super) before: u64,
    pub(super) pace: &'a Pace,
    /// How many times faster than its pace it is believed to go.
    pub(super) faster: i64,
}

impl Step<'_> {
    pub(super) fn judge(&self, reset: CounterReset) -> Judged {
        let Some(total) = self.readings.first().map(|one| one.total) else {
            return Judged::Gap(Doubt::Fell);
        };
        if let Some(parts) = total.checked_sub(self.before) {
            if self.pace.allows(parts, self.span, self.faster) {
                return Judged::Made(parts);
            }
            let back = self.returns(|one| one < total);
            return back.map_or(Judged::Gap(Doubt::TooMany), Judged::Bad);
        }
        let wrapped = match reset {
            CounterReset::Wrap(largest) => {
                let up = largest.checked_sub(self.before);
                up.and_then(|up| up.checked_add(total)?.checked_add(1))
            }
            CounterReset::Restart | CounterReset::Gap => None,
        };
        let fits = |parts: &u64| self.pace.allows(*parts, self.span, self.faster);
        if let Some(parts) = wrapped.filter(fits) {
            return Judged::Made(parts);
        }
        if let Some(skipped) = self.returns(|_| true).filter(|skipped| self.leaps(*skipped)) {
            return Judged::Bad(skipped);
        }
        match reset {
            CounterReset::Restart if fits(&total) => Judged::Made(total),
            _ => Judged::Gap(Doubt::Fell),
        }
    }

    /// How many readings pass before one goes on from the last good one.
    fn returns(&self, may: impl Fn(u64) -> bool) -> Option<usize> {
        let later = self.readings.iter().enumerate().skip(1).take(RETURNS_WITHIN);
        later
            .filter(|(_, one)| may(one.total))
            .find(|(_, one)| {
                let span = Span { start: self.span.start, end: one.interval.end };
                let parts = one.total.checked_sub(self.before);
                parts.is_some_and(|parts| self.pace.allows(parts, span, self.faster))
            })
            .map(|(skipped, _)| skipped)
    }

    /// Whether the way back up is a leap that no machine makes: then the counter
    /// did not begin again.
    fn leaps(&self, skipped: usize) -> bool {
        let (Some(last), Some(back)) = (self.readings.get(skipped - 1), self.readings.get(skipped))
        else {
            return false;
        };
        let span = Span { start: last.interval.end, end: back.interval.end };
        let parts = back.total.saturating_sub(last.total);
        self.pace.jumps(parts, span)
    }
}
