//! Periods that targets have in common: days stand in weeks and in months, a
//! week stands in no month. So a target that stores parts of weeks is compared
//! with weeks at one and with months at the other.

use std::collections::BTreeSet;

use planthread_contracts::{
    Aggregation, Period,
    PeriodKind::{self, Day, Month, TechnicalWeek, Week},
};
use planthread_engine::ledger::HeldValue;
use rust_decimal::Decimal;

use super::Holding;

/// The kinds among `kinds` that stand in no other of them: at these all are compared.
pub(super) fn kinds(kinds: &BTreeSet<PeriodKind>) -> Vec<PeriodKind> {
    let inside = |kind: PeriodKind| kinds.iter().any(|other| *other != kind && fits(kind, *other));
    kinds.iter().copied().filter(|kind| !inside(*kind)).collect()
}

/// The periods of the kinds `common` in which `period` stands as a whole.
pub(super) fn around(period: Period, common: &[PeriodKind]) -> impl Iterator<Item = Period> {
    let around = common.iter().filter(move |kind| fits(period.kind(), **kind));
    around.map(move |kind| Period::containing(*kind, period.start()))
}

/// Whether each period of the kind `part` stands in one of the kind `whole`.
const fn fits(part: PeriodKind, whole: PeriodKind) -> bool {
    matches!(
        (part, whole),
        (Day, _) | (TechnicalWeek, TechnicalWeek | Week | Month) | (Week, Week) | (Month, Month)
    )
}

impl Holding {
    /// Takes another period of the same measure and place in, as the target itself adds it up.
    pub(super) fn join(&mut self, other: Self, over_time: Aggregation) {
        self.periods += other.periods;
        self.as_wanted += other.as_wanted;
        self.days += other.days;
        self.current &= other.current;
        self.wanted = self.wanted.zip(other.wanted).and_then(|(a, b)| together(a, b, over_time));
        self.wanted_as_of = self.wanted_as_of.max(other.wanted_as_of);
        // One part that was not read, or that is not ours, makes the whole so.
        let behind = self.behind_seconds.zip(other.behind_seconds);
        self.behind_seconds = behind.map(|(a, b)| a.max(b));
        self.held = self.held.take().zip(other.held).and_then(|(a, b)| {
            Some(HeldValue {
                value: together(a.value, b.value, over_time)?,
                as_of: a.as_of.zip(b.as_of).map(|(a, b)| a.min(b)),
                read_at: a.read_at.min(b.read_at),
            })
        });
    }
}

/// Two values as one; nothing where the target shows nothing at a coarser level.
pub(super) fn together(a: Decimal, b: Decimal, way: Aggregation) -> Option<Decimal> {
    match way {
        Aggregation::Sum => Some(a + b),
        Aggregation::Max => Some(a.max(b)),
        Aggregation::Min => Some(a.min(b)),
        Aggregation::None => None,
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::{Date, date};

    use super::*;

    const ALL: [PeriodKind; 4] = [Day, Week, TechnicalWeek, Month];

    #[test]
    fn four_kinds_meet_in_weeks_and_in_months() {
        let at = |these: &[PeriodKind]| kinds(&these.iter().copied().collect());
        assert_eq!(at(&ALL), [Week, Month]);
        assert_eq!(at(&[Day, TechnicalWeek]), [TechnicalWeek]);
        assert_eq!(at(&[Day]), [Day]);
        let part: Period = "2026-W44b".parse().unwrap();
        let around: Vec<String> = around(part, &at(&ALL)).map(|one| one.to_string()).collect();
        assert_eq!(around, ["2026-W44", "2026-11"]);
    }

    /// What is said to stand in a period has no day outside it.
    #[test]
    fn no_day_is_outside() {
        let days = std::iter::successors(Some(date(2024, 12, 1)), |day: &Date| day.tomorrow().ok());
        for day in days.take(1_500) {
            for part in ALL.map(|kind| Period::containing(kind, day)) {
                for around in around(part, &ALL) {
                    let inside = around.start() <= part.start() && part.end() <= around.end();
                    assert!(inside, "{part} in {around}");
                }
            }
        }
    }
}
