//! Production state: what a resource does now, and what waits before it.

use jiff::Timestamp;
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    EquipmentRef, Quality, Quantity, TwinSource, Unit,
    violation::{Check, Violation},
};

/// Equipment states after SEMI E10, with standby told apart by its cause.
///
/// Standby is never a capacity loss. Lost telemetry is `unknown`, never down.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum EquipmentState {
    /// Makes product.
    Productive,
    /// Setup or changeover.
    Setup,
    /// Could run, waits for material.
    StandbyStarved,
    /// Could run, the way out is blocked.
    StandbyBlocked,
    /// Could run, has no order.
    StandbyNoOrder,
    /// Could run, has no operator.
    StandbyNoOperator,
    /// Trials and engineering.
    Engineering,
    /// Planned stop.
    ScheduledDown,
    /// Unplanned stop.
    UnscheduledDown,
    /// Not scheduled at all.
    NonScheduled,
    /// Nothing is known.
    Unknown,
}

impl EquipmentState {
    /// All states.
    pub const ALL: [Self; 11] = [
        Self::Productive,
        Self::Setup,
        Self::StandbyStarved,
        Self::StandbyBlocked,
        Self::StandbyNoOrder,
        Self::StandbyNoOperator,
        Self::Engineering,
        Self::ScheduledDown,
        Self::UnscheduledDown,
        Self::NonScheduled,
        Self::Unknown,
    ];

    /// Whether a machine in it is able to work, whatever it does: it ends a stop.
    #[must_use]
    pub const fn can_work(self) -> bool {
        self.is_standby() || matches!(self, Self::Productive | Self::Setup | Self::Engineering)
    }

    /// Whether it could run and doesn't: no loss of capacity.
    #[must_use]
    pub const fn is_standby(self) -> bool {
        matches!(
            self,
            Self::StandbyStarved
                | Self::StandbyBlocked
                | Self::StandbyNoOrder
                | Self::StandbyNoOperator
        )
    }
}

/// What waits before a resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Queue {
    /// Orders or lots that wait.
    pub length: u64,
    /// Work content of the queue, in hours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub work_hours: Option<Decimal>,
    /// Room of the buffer, in the unit of the work in progress.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub buffer_capacity: Option<Quantity>,
    /// How long the oldest one waits, in hours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub oldest_hours: Option<Decimal>,
}

/// A changeover under way. Its hours belong to setup, not to availability.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Changeover {
    /// Setup before.
    pub from: String,
    /// Setup after.
    pub to: String,
    /// When it is planned to end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub planned_end: Option<Timestamp>,
    /// Minutes of the setup matrix for this sequence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub standard_minutes: Option<Decimal>,
}

/// Yields of one product. Ratios carry their unit: a fraction is `C62`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Yield {
    /// The product.
    pub product: String,
    /// Good at first pass / inspected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_pass: Option<Quantity>,
    /// Product of the yields of all segments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rolled: Option<Quantity>,
    /// Scrapped / produced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scrap: Option<Quantity>,
}

/// A snapshot of one resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProductionState {
    /// The equipment.
    pub resource: EquipmentRef,
    /// When the snapshot was taken.
    pub at: Timestamp,
    /// The state at that instant.
    pub state: EquipmentState,
    /// Since when, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// Why, in the source's own code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Work in progress.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wip: Option<Quantity>,
    /// What waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue: Option<Queue>,
    /// The changeover under way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changeover: Option<Changeover>,
    /// Yields, one entry a product.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub yields: Vec<Yield>,
    /// The twin.
    pub source: TwinSource,
    /// How well it was seen.
    pub quality: Quality,
}

impl ProductionState {
    /// All broken rules.
    #[must_use]
    pub fn validate(&self) -> Vec<Violation> {
        let mut check = Check::default();
        check.part("resource", self.resource.validate());
        if self.since.is_some_and(|since| since > self.at) {
            check.fail("since", "is after the snapshot", "a state can't begin after it was seen");
        }
        check.opt_text("reason", self.reason.as_deref());
        amount(&mut check, "wip", self.wip);
        if let Some(queue) = &self.queue {
            check.opt_not_negative("queue.work_hours", queue.work_hours);
            amount(&mut check, "queue.buffer_capacity", queue.buffer_capacity);
            check.opt_not_negative("queue.oldest_hours", queue.oldest_hours);
        }
        if let Some(changeover) = &self.changeover {
            check.text("changeover.from", &changeover.from);
            check.text("changeover.to", &changeover.to);
            check.opt_not_negative("changeover.standard_minutes", changeover.standard_minutes);
        }
        for (i, one) in self.yields.iter().enumerate() {
            let at = |field: &str| format!("yields[{i}].{field}");
            check.text(&at("product"), &one.product);
            check.ratio(&at("first_pass"), one.first_pass);
            check.ratio(&at("rolled"), one.rolled);
            check.ratio(&at("scrap"), one.scrap);
        }
        check.part("source", self.source.validate());
        check.part("quality", self.quality.validate());
        check.done()
    }
}

fn amount(check: &mut Check, path: &str, amount: Option<Quantity>) {
    let Some(Quantity { value, unit }) = amount else { return };
    check.not_negative(&format!("{path}.value"), value);
    if !unit.is_output() && unit != Unit::One {
        check.fail(
            &format!("{path}.unit"),
            format!("{unit} does not count material"),
            "use H87, KGM, TNE, LTR, or C62 for lots",
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn standby_is_four_states_and_unknown_is_none_of_them() {
        let standby = EquipmentState::ALL.into_iter().filter(|state| state.is_standby()).count();
        assert_eq!(standby, 4);
        assert!(!EquipmentState::Unknown.is_standby());
        let word = serde_json::to_string(&EquipmentState::StandbyNoOrder).unwrap();
        assert_eq!(word, "\"standby_no_order\"");
    }
}
