//! How a constraint's severity was measured, and for which product mix.
//!
//! Severity without a method or a product mix is meaningless, and severities of
//! different methods are never compared.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::violation::{Check, Violation};

/// How a severity was found.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum SeverityMethod {
    /// Load over capacity.
    Utilization,
    /// Longest uninterrupted active period.
    ActivePeriod,
    /// Queue length or waiting time.
    Queue,
    /// Turning point of blockage and starvation.
    TurningPoint,
    /// Marginal throughput by perturbation.
    Sensitivity,
    /// Dual value of an optimisation.
    ShadowPrice,
}

/// The product mix that a figure holds for.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Mix {
    /// The mix that was really made.
    Observed,
    /// A named mix scenario.
    Scenario(String),
}

impl Mix {
    /// All broken rules.
    #[must_use]
    pub fn validate(&self) -> Vec<Violation> {
        let mut check = Check::default();
        if let Self::Scenario(name) = self {
            check.text("scenario", name);
        }
        check.done()
    }
}
