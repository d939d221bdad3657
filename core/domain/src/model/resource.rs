//! Resources and lines.

use planthread_contracts::{EquipmentLevel, ResourceClass};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Something whose hours are planned: a machine, a labour pool, a tool.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Resource {
    /// The plant's id for it.
    pub id: String,
    /// Machine, labour or tool. A pool is its own resource.
    pub class: ResourceClass,
    /// Where it stands in the equipment hierarchy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<EquipmentLevel>,
    /// The calendar that schedules it.
    pub calendar: String,
    /// Ideal seconds of one cycle; needed for standard hours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ideal_cycle_seconds: Option<Decimal>,
    /// Parts that one cycle makes (cavities).
    #[serde(default = "one")]
    #[schemars(range(min = 1))]
    pub parts_per_cycle: u32,
    /// Equal units that work side by side: every hour that lands counts so many
    /// times. Signals speak of one unit.
    #[serde(default = "one")]
    #[schemars(range(min = 1))]
    pub parallel_units: u32,
    /// Availability of the master data, 0..1: used only where there is no
    /// history at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standard_availability: Option<Decimal>,
}

/// A line: ordered stages, and the machine whose counter is its output.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// The plant's id for it.
    pub id: String,
    /// The calendar that schedules it.
    pub calendar: String,
    /// The stages, in the order in which parts pass them.
    pub stages: Vec<Stage>,
    /// The machine whose good count is the line's output.
    pub counter: String,
    /// Ideal seconds of one part at the line's end: the cycle of its constraint.
    pub ideal_cycle_seconds: Decimal,
}

/// One stage: machines that do the same work side by side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Stage {
    /// What people call it.
    pub name: String,
    /// The parallel machines; their capacities add.
    pub machines: Vec<String>,
}

impl Resource {
    /// Ideal seconds of one part.
    #[must_use]
    pub fn seconds_a_part(&self) -> Option<Decimal> {
        self.ideal_cycle_seconds?.checked_div(Decimal::from(self.parts_per_cycle))
    }

    /// What stands behind its figures: how many units work side by side.
    #[must_use]
    pub fn routing(&self) -> String {
        self.parallel_units.to_string()
    }
}

impl Line {
    /// Whether the machine `id` works in it.
    #[must_use]
    pub fn has(&self, id: &str) -> bool {
        self.stages.iter().any(|stage| stage.machines.iter().any(|machine| machine == id))
    }

    /// What stands behind its figures: its machines, stage by stage, and the one that is
    /// counted. The order of machines that work side by side says nothing.
    #[must_use]
    pub fn routing(&self) -> String {
        let stage = |stage: &Stage| {
            let mut machines: Vec<&str> = stage.machines.iter().map(String::as_str).collect();
            machines.sort_unstable();
            machines.join(" + ")
        };
        let stages: Vec<String> = self.stages.iter().map(stage).collect();
        format!("{}, counted at {}", stages.join(", "), self.counter)
    }
}

const fn one() -> u32 {
    1
}
