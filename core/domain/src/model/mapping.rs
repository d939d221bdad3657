//! The mapping: which factory resource is which resource of a target.

use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use planthread_contracts::Loss;

/// How the resources of the plant stand in one target.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// Version of the mapping, into provenance: raise it with every change.
    pub version: String,
    /// Which figure of capacity the target's own consumption rates expect.
    pub expects: Figure,
    /// Losses that the target takes off by itself (an efficiency factor, a
    /// utilisation rate): a signal that has netted one of them is refused.
    #[serde(default)]
    pub target_applies: Vec<Loss>,
    /// The resources.
    pub rows: Vec<MapRow>,
}

/// The two figures of capacity. They are never mixed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Figure {
    /// Scheduled − planned stops − unplanned down.
    AttainableClockHours,
    /// Ideal cycle × good output, corrected for load.
    DemonstratedStandardHours,
}

/// How several sources that are one resource of the target become one number
/// there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Combine {
    /// The resource is all of them side by side: hours and pieces add up, the
    /// highest severity and the worst status hold, and so do the oldest as-of and
    /// the earliest valid-until. It is covered where each of them is.
    Sum,
}

/// One resource of the plant, as the target knows it.
///
/// Several sources on the same resource and location of the target need
/// `combine`, each of them: nothing adds up unasked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MapRow {
    /// A resource or line of the plant.
    pub source: String,
    /// The resource, as the target calls it.
    pub resource: String,
    /// The location, as the target calls it.
    pub location: String,
    /// The product, where measures are stored by product.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product: Option<String>,
    /// Share of the source that stands behind this row, 0 < share ≤ 1; all
    /// rows of one source together may not exceed 1.
    #[serde(default = "whole")]
    pub share: Decimal,
    /// What several sources on this resource and location are together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub combine: Option<Combine>,
}

const fn whole() -> Decimal {
    Decimal::ONE
}
