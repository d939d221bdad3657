//! One rounding, at the declared scale, so that every level adds up (law 6).
//!
//! Figures that add up over time are rounded cumulatively. The smallest periods
//! that were derived are the parts; the value of a part is the difference of the
//! rounded running sums at its two edges, and every longer period is the sum of
//! its parts. The running sum begins anew at fixed days of the calendar
//! ([`Anchors`]), whatever the horizon and `as_of` are. Every value stays within
//! one unit of its last decimal (`docs/adr/0015-rounding-at-the-edges.md`).
//! Everything else is rounded by itself, halves to even.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{ToSpan as _, civil::Date};
use planthread_contracts::{
    Aggregation, CellKey, DesiredCell, MeasureDecl, Period, PeriodKind, Role,
};
use rust_decimal::{Decimal, RoundingStrategy};

use super::{Draft, Together, kind as unit_of, together};
use crate::calendar::round_half_even;

/// Decimals to which a running sum is exact. Below them is the noise of sums
/// that were made in another order, and a half must not fall to it.
const EXACT: u32 = 12;

/// Where running sums begin anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Anchors {
    /// On every Monday: nothing longer than a week lands.
    Weeks,
    /// On the first of every month, and on the Monday of a week that a month's
    /// end cuts. A month then holds two whole sums, and a cut week one whole sum
    /// and the beginning of another: neither is off by more than two halves.
    Months,
}

impl Anchors {
    /// The last anchor at or before `day`.
    fn before(self, day: Date) -> Date {
        let monday = Period::containing(PeriodKind::Week, day);
        let cut = monday.start() < day.first_of_month() || monday.end() > next_month(day);
        match self {
            Self::Weeks => monday.start(),
            Self::Months if cut => monday.start().max(day.first_of_month()),
            Self::Months => day.first_of_month(),
        }
    }
}

fn next_month(day: Date) -> Date {
    day.first_of_month().saturating_add(1.month())
}

/// How the figures of a request are cut into parts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Grid {
    /// The smallest kind of period that was derived.
    pub(super) part: PeriodKind,
    /// Where running sums begin.
    pub(super) anchors: Anchors,
}

impl Grid {
    /// The grid for `kinds`; `None` where all of them stand by themselves.
    pub(super) fn of(kinds: &BTreeSet<PeriodKind>) -> Option<Self> {
        let parts = [PeriodKind::Day, PeriodKind::TechnicalWeek];
        let part = parts.into_iter().find(|kind| kinds.contains(kind))?;
        let months = kinds.contains(&PeriodKind::Month);
        Some(Self { part, anchors: if months { Anchors::Months } else { Anchors::Weeks } })
    }
}

/// The kinds of period to derive for what is stored at `levels`: weeks always, and
/// the parts that weeks and months have in common.
#[must_use]
pub fn derived_kinds(levels: impl IntoIterator<Item = PeriodKind>) -> Vec<PeriodKind> {
    let mut kinds: BTreeSet<PeriodKind> = levels.into_iter().collect();
    kinds.insert(PeriodKind::Week);
    if kinds.contains(&PeriodKind::Month) && !kinds.contains(&PeriodKind::Day) {
        kinds.insert(PeriodKind::TechnicalWeek);
    }
    kinds.into_iter().collect()
}

/// The kind of period at which the figures of `measure` are released, when `kinds`
/// are derived: of what adds up the smallest, else its own.
#[must_use]
pub fn part(measure: &MeasureDecl, kinds: &[PeriodKind]) -> PeriodKind {
    let grid = Grid::of(&kinds.iter().copied().collect()).filter(|_| adds_up(measure));
    grid.map_or(measure.level, |grid| grid.part)
}

/// Whether the values of `measure` add up over time, so that they are rounded as
/// parts of a whole.
pub(super) fn adds_up(measure: &MeasureDecl) -> bool {
    measure.over_time == Aggregation::Sum
        && measure.role == Role::Value
        && unit_of(measure.carries).1
        && together(measure.carries) == Together::Add
}

/// Exact parts of one measure and place, rounded at their edges.
#[derive(Debug, Default)]
pub(super) struct Parts(BTreeMap<Date, Part>);

#[derive(Debug, Clone, Copy)]
struct Part {
    end: Date,
    /// What is derived now.
    derived: Decimal,
    /// What was released of it.
    exact: Decimal,
    rounded: Decimal,
}

impl Parts {
    /// Rounds `parts` at `scale`. Of a month that the horizon cuts, what is derived
    /// of it as a whole tells what lies outside of the horizon.
    pub(super) fn round(
        parts: &BTreeMap<Period, Draft>,
        months: &BTreeMap<Period, Draft>,
        anchors: Anchors,
        scale: u32,
    ) -> Self {
        let part = |end, derived, exact| Part { end, derived, exact, rounded: Decimal::ZERO };
        let known = |(one, draft): (&Period, &Draft)| {
            (one.start(), part(one.end(), draft.derived, draft.value))
        };
        let mut found = Self(parts.iter().map(known).collect());
        for (month, whole) in months {
            let outside = whole.derived - found.sum(*month, |part| part.derived);
            if let [(start, end)] = found.gaps(*month)[..] {
                found.0.insert(start, part(end, outside, outside));
            }
        }
        let mut anchor = None;
        let (mut sum, mut before) = (Decimal::ZERO, Decimal::ZERO);
        for (start, part) in &mut found.0 {
            let from = Some(anchors.before(*start));
            if anchor != from {
                (anchor, sum, before) = (from, Decimal::ZERO, Decimal::ZERO);
            }
            sum += part.exact;
            let after = edge(sum, scale);
            part.rounded = after - before;
            before = after;
        }
        found
    }

    /// The exact and the rounded value of `period`; `None` where its parts are not
    /// all of `derived`, which was derived of it as a whole.
    fn whole(&self, period: Period, derived: Decimal) -> Option<(Decimal, Decimal)> {
        let of_parts = self.sum(period, |part| part.derived);
        let same = (of_parts - derived).round_dp(EXACT).is_zero();
        let whole = same || self.gaps(period).is_empty();
        let sums = || (self.sum(period, |part| part.exact), self.sum(period, |part| part.rounded));
        whole.then(sums)
    }

    fn inside(&self, period: Period) -> impl Iterator<Item = (&Date, &Part)> {
        self.0.range(period.start()..period.end())
    }

    fn sum(&self, period: Period, of: impl Fn(&Part) -> Decimal) -> Decimal {
        self.inside(period).map(|(_, part)| of(part)).sum()
    }

    /// The intervals of `period` without a part.
    fn gaps(&self, period: Period) -> Vec<(Date, Date)> {
        let mut gaps = Vec::new();
        let mut at = period.start();
        for (start, part) in self.inside(period) {
            if at < *start {
                gaps.push((at, *start));
            }
            at = part.end;
        }
        if at < period.end() {
            gaps.push((at, period.end()));
        }
        gaps
    }
}

/// A running sum at an edge, halves up: of two edges none is off by a half in the
/// other direction.
fn edge(sum: Decimal, scale: u32) -> Decimal {
    let half = Decimal::new(5, scale + 1);
    let mut rounded = (sum.round_dp(EXACT) + half)
        .round_dp_with_strategy(scale, RoundingStrategy::ToNegativeInfinity);
    rounded.rescale(scale);
    rounded
}

/// Rounds the drafts of one measure and place to cells, each with its key.
pub(super) fn cells(
    measure: &MeasureDecl,
    drafts: BTreeMap<Period, Draft>,
    parts: Option<&Parts>,
    key: impl Fn(Period) -> CellKey,
) -> Vec<DesiredCell> {
    let rounded = drafts.into_iter().map(|(period, draft)| {
        let whole = parts.and_then(|parts| parts.whole(period, draft.derived));
        let alone = || (draft.value, round_half_even(draft.value, measure.scale));
        let (unrounded, mut value) = whole.unwrap_or_else(alone);
        value.rescale(measure.scale);
        DesiredCell {
            key: key(period),
            value,
            unrounded,
            status: draft.status,
            as_of: draft.as_of,
            valid_until: draft.valid_until,
            recipe: draft.recipe,
        }
    });
    rounded.collect()
}

#[cfg(test)]
mod tests;
