//! Constraint map: which resources limit the flow, by one method, for one mix.
//!
//! The method stands at the map, because severities of different methods are
//! never compared; so does the mix, because bottlenecks move with it.

use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Window;
use crate::{
    CapacityBasis, EquipmentRef, Mix, Quality, Quantity, SeverityMethod, TwinSource,
    violation::{Check, Violation},
};

/// One resource of the map.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Constraint {
    /// The equipment.
    pub resource: EquipmentRef,
    /// Normalised severity, 0 none to 1 full.
    pub severity: Decimal,
    /// 1 for the most severe; equal severities may share a rank.
    pub rank: u32,
    /// The method's own figure before it was normalised.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raw: Option<Quantity>,
    /// Load placed on the resource, in hours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub load_hours: Option<Decimal>,
    /// The capacity that the load was compared with, in hours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity_hours: Option<Decimal>,
    /// P(load > capacity), a fraction 0..1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shortage_probability: Option<Decimal>,
    /// Share of time as the only bottleneck, a fraction 0..1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share_sole: Option<Decimal>,
    /// Share of time while the bottleneck shifts, a fraction 0..1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share_shifting: Option<Decimal>,
    /// Units per hour that one more hour of capacity would bring.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub marginal_throughput: Option<Decimal>,
}

/// The constraints of a flow in a window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConstraintMap {
    /// The window it was measured in, or holds for.
    pub window: Window,
    /// Measured, predicted or simulated.
    pub basis: CapacityBasis,
    /// How severity was found.
    pub method: SeverityMethod,
    /// The product mix; `observed` when it is the one that was made.
    pub mix: Mix,
    /// Version of the demand behind the load.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub demand_version: Option<String>,
    /// The resources, each once.
    pub constraints: Vec<Constraint>,
    /// The twin.
    pub source: TwinSource,
    /// How well the window was seen.
    pub quality: Quality,
}

impl Constraint {
    /// Load over capacity; above 1 is legal and is the signal itself.
    #[must_use]
    pub fn utilization(&self) -> Option<Decimal> {
        self.load_hours?.checked_div(self.capacity_hours?)
    }

    /// All broken rules.
    #[must_use]
    pub fn validate(&self) -> Vec<Violation> {
        let mut check = Check::default();
        check.part("resource", self.resource.validate());
        check.fraction("severity", self.severity);
        if self.rank == 0 {
            check.fail("rank", "is 0", "the most severe resource has rank 1");
        }
        check.opt_not_negative("load_hours", self.load_hours);
        check.opt_not_negative("capacity_hours", self.capacity_hours);
        check.opt_fraction("shortage_probability", self.shortage_probability);
        check.opt_fraction("share_sole", self.share_sole);
        check.opt_fraction("share_shifting", self.share_shifting);
        let shares = self.share_sole.zip(self.share_shifting);
        if shares.is_some_and(|(sole, shifting)| sole.saturating_add(shifting) > Decimal::ONE) {
            check.fail(
                "share_shifting",
                "share_sole and share_shifting exceed the whole time",
                "count each moment once",
            );
        }
        check.done()
    }
}

impl ConstraintMap {
    /// All broken rules: each resource once, ranks that follow severity.
    #[must_use]
    pub fn validate(&self) -> Vec<Violation> {
        let mut check = Check::default();
        check.part("window", self.window.validate());
        check.part("mix", self.mix.validate());
        check.opt_text("demand_version", self.demand_version.as_deref());
        for (i, one) in self.constraints.iter().enumerate() {
            let at = format!("constraints[{i}]");
            check.part(&at, one.validate());
            for other in self.constraints.iter().take(i) {
                if other.resource.id == one.resource.id {
                    check.fail(
                        &format!("{at}.resource.id"),
                        format!("{} is in the map twice", one.resource.id),
                        "send each resource once",
                    );
                }
                let (worse, milder) =
                    if one.rank < other.rank { (one, other) } else { (other, one) };
                if worse.rank < milder.rank && worse.severity < milder.severity {
                    check.fail(
                        &format!("{at}.rank"),
                        format!(
                            "rank {} of {} is less severe than rank {} of {}",
                            worse.rank, worse.resource.id, milder.rank, milder.resource.id
                        ),
                        "rank 1 is the most severe resource",
                    );
                }
            }
        }
        check.part("source", self.source.validate());
        check.part("quality", self.quality.validate());
        check.done()
    }
}
