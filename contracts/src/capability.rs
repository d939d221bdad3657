//! ISA-95 capability types, capacity bases and netted losses.
//!
//! The ISA meaning of *available* is what is still free for additional work.
//! What most planning tools call available capacity is before their load is
//! placed: `attainable = total − unattainable`. Two names, so that nobody has
//! to guess ([`CapacityFigure`]).

use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::violation::{Check, Violation};

/// ISA-95 operations capability types, closed on purpose.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum CapabilityType {
    /// All of it.
    Total,
    /// Future: promised to work that is already known.
    Committed,
    /// Future: free for additional work.
    Available,
    /// Future: can't be used (maintenance, breakdown, staffing).
    Unattainable,
    /// Past: was used.
    Used,
    /// Past: was not used.
    Unused,
}

/// The two figures that are called "available capacity".
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum CapacityFigure {
    /// Total − unattainable: before any load is placed.
    Attainable,
    /// ISA available: attainable − committed.
    Available,
}

/// Where a capacity figure comes from.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum CapacityBasis {
    /// Calendar and machine count alone.
    Theoretical,
    /// Theoretical, less planned losses.
    Planned,
    /// Proven by what was produced.
    Demonstrated,
    /// Predicted by a model.
    Forecast,
    /// Result of a simulation run.
    Simulated,
    /// Measured in a past period.
    Actual,
}

/// A loss that is already taken off a figure. Each loss is applied once: a
/// target whose own factors remove it too counts it twice.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Loss {
    /// Planned maintenance within scheduled time.
    PlannedMaintenance,
    /// Breaks.
    Breaks,
    /// Setup and changeover.
    Setup,
    /// Unplanned stops within scheduled time.
    UnplannedDown,
    /// Running slower than the standard.
    Speed,
    /// Scrap and rework.
    Quality,
    /// Missing operators.
    Staffing,
}

/// Amounts by capability type, in one unit, for one resource and period.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CapabilityBalance {
    /// All of it.
    pub total: Decimal,
    /// Future: promised.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub committed: Option<Decimal>,
    /// Future: free for additional work.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub available: Option<Decimal>,
    /// Future: can't be used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unattainable: Option<Decimal>,
    /// Past: was used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used: Option<Decimal>,
    /// Past: was not used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unused: Option<Decimal>,
}

impl CapabilityBalance {
    /// The amount of one type.
    #[must_use]
    pub const fn amount(&self, kind: CapabilityType) -> Option<Decimal> {
        match kind {
            CapabilityType::Total => Some(self.total),
            CapabilityType::Committed => self.committed,
            CapabilityType::Available => self.available,
            CapabilityType::Unattainable => self.unattainable,
            CapabilityType::Used => self.used,
            CapabilityType::Unused => self.unused,
        }
    }

    /// `total − unattainable`; `None` when unattainable is not stated (or out of
    /// the range of a decimal).
    #[must_use]
    pub fn attainable(&self) -> Option<Decimal> {
        self.total.checked_sub(self.unattainable?)
    }

    /// All broken rules: no negative amount; a complete side balances exactly
    /// (future: total = available + unattainable + committed; past: total =
    /// used + unused); an incomplete side is named.
    #[must_use]
    pub fn validate(&self) -> Vec<Violation> {
        let mut check = Check::default();
        check.not_negative("total", self.total);
        let future = [
            ("available", self.available),
            ("unattainable", self.unattainable),
            ("committed", self.committed),
        ];
        let past = [("used", self.used), ("unused", self.unused)];
        if future.iter().chain(&past).all(|(_, amount)| amount.is_none()) {
            check.fail("total", "stands alone", "state the future side or the past side");
        }
        balance_side(&mut check, self.total, &future);
        balance_side(&mut check, self.total, &past);
        check.done()
    }
}

fn balance_side(check: &mut Check, total: Decimal, side: &[(&str, Option<Decimal>)]) {
    for (name, amount) in side {
        check.opt_not_negative(name, *amount);
    }
    if side.iter().all(|(_, amount)| amount.is_none()) {
        return;
    }
    let mut sum = Some(Decimal::ZERO);
    for (name, amount) in side {
        if amount.is_none() {
            check.fail(name, "is missing, so the balance is incomplete", "state it, even when 0");
            return;
        }
        sum = sum.zip(*amount).and_then(|(sum, amount)| sum.checked_add(amount));
    }
    if sum != Some(total) {
        let names: Vec<&str> = side.iter().map(|(name, _)| *name).collect();
        let sum = sum.map_or_else(|| "too much".to_owned(), |sum| sum.to_string());
        check.fail(
            "total",
            format!("{total} is not {} = {sum}", names.join(" + ")),
            "correct the amounts so that they balance",
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn d(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    fn balanced() -> CapabilityBalance {
        CapabilityBalance {
            total: d("120"),
            unattainable: Some(d("14.5")),
            committed: Some(d("80")),
            available: Some(d("25.5")),
            ..CapabilityBalance::default()
        }
    }

    #[test]
    fn the_identity_holds_and_attainable_is_not_available() {
        let balance = balanced();
        assert_eq!(balance.validate(), []);
        assert_eq!(balance.attainable(), Some(d("105.5")));
        assert_eq!(balance.amount(CapabilityType::Available), Some(d("25.5")));
    }

    #[test]
    fn a_missing_part_is_named() {
        for (path, broken) in [
            ("unattainable", CapabilityBalance { unattainable: None, ..balanced() }),
            ("committed", CapabilityBalance { committed: None, ..balanced() }),
            ("available", CapabilityBalance { available: None, ..balanced() }),
            ("total", CapabilityBalance { total: d("121"), ..balanced() }),
            ("unused", CapabilityBalance { used: Some(d("1")), ..balanced() }),
            ("committed", CapabilityBalance { committed: Some(d("-80")), ..balanced() }),
            ("total", CapabilityBalance { total: d("3"), ..CapabilityBalance::default() }),
        ] {
            assert_eq!(broken.validate()[0].path, path);
        }
    }

    #[test]
    fn the_past_side_balances_too() {
        let past = |used: &str| CapabilityBalance {
            total: d("168"),
            used: Some(d(used)),
            unused: Some(d("18")),
            ..CapabilityBalance::default()
        };
        assert_eq!(past("150").validate(), []);
        assert_eq!(past("151").validate()[0].path, "total");
    }
}
