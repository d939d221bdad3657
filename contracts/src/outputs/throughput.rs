//! Throughput: units per hour, and which hour is meant.
//!
//! The ISO throughput rate is per order execution time; planners mean units per
//! scheduled or per running hour. The basis is therefore part of the record.
//!
//! Once kept, a measured rate of good pieces per scheduled hour feeds the good
//! output of the resource; every other one feeds no figure.

use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Window;
use crate::{
    CapacityBasis, EquipmentRef, Mix, Quality, TwinSource, Unit,
    violation::{Check, Violation},
};

/// The hours in the denominator of a rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RateBasis {
    /// PQ / APT.
    PerRunningHour,
    /// PQ / AUBT.
    PerBusyHour,
    /// PQ / PBT.
    PerScheduledHour,
    /// PQ / AOET.
    PerOrderHour,
}

/// Which units a rate counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Counted {
    /// Everything produced.
    Gross,
    /// Good units only.
    Good,
}

/// What a rate holds for.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Made {
    /// One product.
    Product(String),
    /// A mix of products.
    Mix(Mix),
}

/// The rate of one resource in a window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Throughput {
    /// The equipment. A line's rate is measured at the line's end.
    pub resource: EquipmentRef,
    /// The window it was measured in, or holds for.
    pub window: Window,
    /// Measured or predicted.
    pub basis: CapacityBasis,
    /// Units per hour.
    #[schemars(range(min = 0))]
    pub rate_per_hour: Decimal,
    /// The unit that is counted.
    pub unit: Unit,
    /// Which hours.
    pub rate_basis: RateBasis,
    /// Gross or good.
    pub counted: Counted,
    /// The product or mix.
    pub made: Made,
    /// What the resource was designed for, on the same basis.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub design_rate_per_hour: Option<Decimal>,
    /// The twin.
    pub source: TwinSource,
    /// How well the window was seen.
    pub quality: Quality,
}

impl Throughput {
    /// All broken rules.
    #[must_use]
    pub fn validate(&self) -> Vec<Violation> {
        let mut check = Check::default();
        check.part("resource", self.resource.validate());
        check.part("window", self.window.validate());
        check.not_negative("rate_per_hour", self.rate_per_hour);
        if !self.unit.is_output() {
            check.fail(
                "unit",
                format!("{} does not count what is produced", self.unit),
                "use H87, KGM, TNE or LTR; the hour is in the name of the field",
            );
        }
        match &self.made {
            Made::Product(product) => check.text("made.product", product),
            Made::Mix(mix) => check.part("made.mix", mix.validate()),
        }
        if let Some(design) = self.design_rate_per_hour {
            check.positive("design_rate_per_hour", design);
        }
        check.part("source", self.source.validate());
        check.part("quality", self.quality.validate());
        check.done()
    }

    /// What is kept as it came, but hard to believe: faster than designed.
    #[must_use]
    pub fn doubts(&self) -> Vec<Violation> {
        let mut check = Check::default();
        if self.design_rate_per_hour.is_some_and(|design| self.rate_per_hour > design) {
            check.fail(
                "rate_per_hour",
                "exceeds the design rate",
                "check unit, basis and the parts made per cycle",
            );
        }
        check.done()
    }
}
