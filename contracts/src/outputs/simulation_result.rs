//! Simulation result: one what-if run, its inputs, and how sure its outputs are.
//!
//! Once kept, it feeds no figure: a what-if is no promise.

use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Window;
use crate::{
    Distribution, EquipmentRef, Quality, Quantity, TwinSource, Unit,
    violation::{Check, Violation},
};

/// One input that differs from the baseline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangedInput {
    /// The input, as the model calls it.
    pub name: String,
    /// Its value in the baseline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Quantity>,
    /// Its value in this run.
    pub to: Quantity,
}

/// What a simulation measures, closed on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SimulatedMeasure {
    /// Scheduled less planned stops less unplanned down; a time unit.
    AttainableHours,
    /// Good output of the horizon; an output unit.
    GoodUnits,
    /// Good output per scheduled hour; an output unit.
    GoodUnitsPerHour,
    /// Load over capacity; `C62`.
    Utilization,
    /// Time waiting before the resource; a time unit.
    QueueTime,
    /// Work in progress before and in the resource; an output unit.
    Wip,
}

/// One result for one resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SimulatedOutput {
    /// The equipment.
    pub resource: EquipmentRef,
    /// What was measured.
    pub measure: SimulatedMeasure,
    /// Unit of mean, error and distribution.
    pub unit: Unit,
    /// Mean over the replications.
    #[schemars(range(min = 0))]
    pub mean: Decimal,
    /// Standard error of the mean; needs at least two replications.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub standard_error: Option<Decimal>,
    /// Spread over the replications.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distribution: Option<Distribution>,
}

/// One run of a what-if.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SimulationResult {
    /// The scenario that was run.
    pub scenario: String,
    /// The scenario it is compared with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<String>,
    /// Inputs that differ from the baseline.
    pub changed_inputs: Vec<ChangedInput>,
    /// Independent replications, at least 1.
    pub replications: u32,
    /// Hours at the start of each replication that do not count.
    #[schemars(range(min = 0))]
    pub warm_up_hours: Decimal,
    /// The horizon that counts.
    pub horizon: Window,
    /// Seed of the first replication, so that the run can be repeated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// The results.
    pub outputs: Vec<SimulatedOutput>,
    /// The twin; its `model` says what was run.
    pub source: TwinSource,
    /// How well the input was seen.
    pub quality: Quality,
}

impl SimulatedMeasure {
    const fn takes(self, unit: Unit) -> bool {
        match self {
            Self::AttainableHours | Self::QueueTime => unit.is_time(),
            Self::GoodUnits | Self::GoodUnitsPerHour | Self::Wip => unit.is_output(),
            Self::Utilization => matches!(unit, Unit::One),
        }
    }
}

impl SimulationResult {
    /// All broken rules.
    #[must_use]
    pub fn validate(&self) -> Vec<Violation> {
        let mut check = Check::default();
        check.text("scenario", &self.scenario);
        check.opt_text("baseline", self.baseline.as_deref());
        for (i, input) in self.changed_inputs.iter().enumerate() {
            check.text(&format!("changed_inputs[{i}].name"), &input.name);
        }
        if self.replications == 0 {
            check.fail("replications", "is 0", "a result needs at least one replication");
        }
        check.not_negative("warm_up_hours", self.warm_up_hours);
        check.part("horizon", self.horizon.validate());
        for (i, output) in self.outputs.iter().enumerate() {
            check.part(&format!("outputs[{i}]"), self.check_output(output));
        }
        if self.source.model.is_none() {
            check.fail(
                "source.model",
                "is missing",
                "name the model that was run, and its version",
            );
        }
        check.part("source", self.source.validate());
        check.part("quality", self.quality.validate());
        check.done()
    }

    fn check_output(&self, output: &SimulatedOutput) -> Vec<Violation> {
        let mut check = Check::default();
        check.part("resource", output.resource.validate());
        if !output.measure.takes(output.unit) {
            check.fail(
                "unit",
                format!("{} is not a unit of {:?}", output.unit, output.measure),
                "hours are HUR, pieces H87, ratios C62",
            );
        }
        check.not_negative("mean", output.mean);
        check.opt_not_negative("standard_error", output.standard_error);
        if output.standard_error.is_some() && self.replications < 2 {
            check.fail(
                "standard_error",
                "one replication has no standard error",
                "leave it out, or run at least two replications",
            );
        }
        if let Some(spread) = &output.distribution {
            check.part("distribution", spread.validate_within(Decimal::ZERO, Decimal::MAX));
        }
        check.done()
    }
}
