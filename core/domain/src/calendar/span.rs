//! Half-open intervals of UTC milliseconds, and sets of them.

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::Serialize;

/// Milliseconds in an hour.
pub const HOUR_MS: i64 = 3_600_000;

/// One half-open interval `[start, end)` in milliseconds since the Unix epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Span {
    /// First millisecond inside.
    pub start: i64,
    /// First millisecond after.
    pub end: i64,
}

/// A set of instants, as sorted intervals that neither overlap nor touch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Spans(Vec<Span>);

/// Hours of so many milliseconds.
#[must_use]
pub fn hours(ms: i64) -> Decimal {
    // Most sums of a calendar are whole, and a division costs as much as all the rest.
    if ms % HOUR_MS == 0 {
        (ms / HOUR_MS).into()
    } else {
        Decimal::from(ms) / Decimal::from(HOUR_MS)
    }
}

/// The instant of so many milliseconds since the Unix epoch; the nearest
/// representable one far outside of the calendar.
#[must_use]
pub fn instant(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).unwrap_or(if ms < 0 { Timestamp::MIN } else { Timestamp::MAX })
}

impl Span {
    /// Whether nothing lies inside.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.end <= self.start
    }

    /// Milliseconds inside; 0 when it ends before it starts.
    #[must_use]
    pub const fn ms(self) -> i64 {
        if self.is_empty() { 0 } else { self.end - self.start }
    }

    /// What lies in both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self { start: self.start.max(other.start), end: self.end.min(other.end) }
    }
}

impl Spans {
    /// Nothing.
    #[must_use]
    pub const fn none() -> Self {
        Self(Vec::new())
    }

    /// The union of `spans`, in any order; empty and reversed ones fall away.
    #[must_use]
    pub fn union(mut spans: Vec<Span>) -> Self {
        spans.retain(|span| !span.is_empty());
        spans.sort_unstable();
        let mut merged: Vec<Span> = Vec::with_capacity(spans.len());
        for span in spans {
            match merged.last_mut() {
                Some(last) if span.start <= last.end => last.end = last.end.max(span.end),
                _ => merged.push(span),
            }
        }
        Self(merged)
    }

    /// One interval; nothing when it is empty.
    #[must_use]
    pub fn one(span: Span) -> Self {
        Self(if span.is_empty() { Vec::new() } else { vec![span] })
    }

    /// The intervals, in order.
    #[must_use]
    pub fn as_slice(&self) -> &[Span] {
        &self.0
    }

    /// What lies inside `window`; costs what lies there, and not the whole set.
    #[must_use]
    pub fn clip(&self, window: Span) -> Self {
        Self(self.within(window).collect())
    }

    /// Whether `at` lies inside.
    #[must_use]
    pub fn has(&self, at: i64) -> bool {
        let next = self.0.partition_point(|span| span.end <= at);
        self.0.get(next).is_some_and(|span| span.start <= at)
    }

    /// Milliseconds inside.
    #[must_use]
    pub fn ms(&self) -> i64 {
        self.0.iter().map(|span| span.ms()).sum()
    }

    /// The intervals that reach into `window`, clipped to it.
    pub fn within(&self, window: Span) -> impl Iterator<Item = Span> + '_ {
        let first = self.0.partition_point(|span| span.end <= window.start);
        self.0[first..]
            .iter()
            .take_while(move |span| span.start < window.end)
            .map(move |span| span.and(window))
            .filter(|span| !span.is_empty())
    }

    /// Milliseconds inside `window`.
    #[must_use]
    pub fn ms_within(&self, window: Span) -> i64 {
        self.within(window).map(Span::ms).sum()
    }

    /// Everything that lies in both.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        let (mut a, mut b) = (self.0.iter().peekable(), other.0.iter().peekable());
        let mut both = Vec::new();
        while let (Some(&&x), Some(&&y)) = (a.peek(), b.peek()) {
            let common = x.and(y);
            if !common.is_empty() {
                both.push(common);
            }
            if x.end < y.end {
                a.next()
            } else {
                b.next()
            };
        }
        Self(both)
    }

    /// Everything in `self` that is not in `other`.
    #[must_use]
    pub fn without(&self, other: &Self) -> Self {
        let mut rest = Vec::with_capacity(self.0.len());
        for &span in &self.0 {
            let mut from = span.start;
            for hole in other.within(span) {
                if from < hole.start {
                    rest.push(Span { start: from, end: hole.start });
                }
                from = hole.end;
            }
            if from < span.end {
                rest.push(Span { start: from, end: span.end });
            }
        }
        Self(rest)
    }

    /// Everything in either.
    #[must_use]
    pub fn or(&self, other: &Self) -> Self {
        Self::union(self.0.iter().chain(&other.0).copied().collect())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn some() -> impl Strategy<Value = Spans> {
        proptest::collection::vec((0i64..200, 0i64..40), 0..12).prop_map(|pairs| {
            Spans::union(
                pairs.into_iter().map(|(start, ms)| Span { start, end: start + ms }).collect(),
            )
        })
    }

    #[test]
    fn overlapping_stops_count_once_and_reversed_ones_never() {
        let stops = vec![
            Span { start: 10, end: 30 },
            Span { start: 20, end: 40 },
            Span { start: 90, end: 50 },
        ];
        assert_eq!(Spans::union(stops).ms(), 30);
    }

    proptest! {
        #[test]
        fn sets_obey_inclusion_and_exclusion(a in some(), b in some(), cut in 0i64..240) {
            prop_assert_eq!(a.or(&b).ms() + a.and(&b).ms(), a.ms() + b.ms());
            prop_assert_eq!(a.without(&b).ms() + a.and(&b).ms(), a.ms());
            prop_assert!(a.without(&b).and(&b).as_slice().is_empty());
            let (left, right) = (Span { start: -1, end: cut }, Span { start: cut, end: 300 });
            prop_assert_eq!(a.ms_within(left) + a.ms_within(right), a.ms());
        }
    }
}
