//! The six outputs of a digital twin: what a factory sends in.
//!
//! Inbound records are strict in v1: an unknown field is refused by name,
//! because a typo in an optional field would otherwise be a silent loss. A new
//! field therefore needs a new version of the contract.
//!
//! `validate` refuses what can't be true. What is only hard to believe (an
//! effectiveness of 253 %) is kept as it came and named by `doubts`: capping a
//! short interval would bias every aggregate that contains it.

pub mod availability_forecast;
pub mod constraint_map;
pub mod oee;
pub mod production_state;
pub mod simulation_result;
pub mod throughput;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    CloudEvent, TwinSource,
    catalogue::decode,
    violation::{Check, Violation},
};
use availability_forecast::AvailabilityForecast;
use constraint_map::ConstraintMap;
use oee::Oee;
use production_state::ProductionState;
use simulation_result::SimulationResult;
use throughput::Throughput;

/// Half-open interval of observation or validity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// First instant.
    pub start: Timestamp,
    /// First instant after it.
    pub end: Timestamp,
}

impl Window {
    /// Length in seconds.
    #[must_use]
    pub fn seconds(&self) -> i64 {
        self.end.as_second() - self.start.as_second()
    }

    /// All broken rules.
    #[must_use]
    pub fn validate(&self) -> Vec<Violation> {
        let mut check = Check::default();
        check.ordered("end", self.start, self.end);
        check.done()
    }
}

/// Any of the six, decoded and valid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TwinOutput {
    /// `planthread.oee.v1`
    Oee(Oee),
    /// `planthread.throughput.v1`
    Throughput(Throughput),
    /// `planthread.availability-forecast.v1`
    AvailabilityForecast(AvailabilityForecast),
    /// `planthread.constraint-map.v1`
    ConstraintMap(ConstraintMap),
    /// `planthread.simulation-result.v1`
    SimulationResult(SimulationResult),
    /// `planthread.production-state.v1`
    ProductionState(ProductionState),
}

impl TwinOutput {
    /// Decodes the data of an event by the event's type.
    ///
    /// # Errors
    ///
    /// Every violation, with paths that start at the event (`data.pbt_s`); a
    /// type that is no twin output is one violation of `type`.
    pub fn from_event(event: &CloudEvent) -> Result<Self, Vec<Violation>> {
        let data = &event.data;
        let decoded = match event.event_type.as_str() {
            "planthread.oee.v1" => decode(data).map(Self::Oee),
            "planthread.throughput.v1" => decode(data).map(Self::Throughput),
            "planthread.availability-forecast.v1" => decode(data).map(Self::AvailabilityForecast),
            "planthread.constraint-map.v1" => decode(data).map(Self::ConstraintMap),
            "planthread.simulation-result.v1" => decode(data).map(Self::SimulationResult),
            "planthread.production-state.v1" => decode(data).map(Self::ProductionState),
            other => {
                return Err(vec![Violation::new(
                    "type",
                    format!("`{other}` is no twin output of this version"),
                    "use planthread.NAME.v1 with NAME one of oee, throughput, \
                     availability-forecast, constraint-map, simulation-result, production-state",
                )]);
            }
        };
        decoded.map_err(|found| found.into_iter().map(|one| one.under("data")).collect())
    }

    /// What the twin says about itself.
    #[must_use]
    pub const fn source(&self) -> &TwinSource {
        match self {
            Self::Oee(output) => &output.source,
            Self::Throughput(output) => &output.source,
            Self::AvailabilityForecast(output) => &output.source,
            Self::ConstraintMap(output) => &output.source,
            Self::SimulationResult(output) => &output.source,
            Self::ProductionState(output) => &output.source,
        }
    }
}
