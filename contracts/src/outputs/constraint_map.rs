//! Constraint map: which resources limit the flow, by one method, for one mix.
//!
//! The method stands at the map, because severities of different methods are
//! never compared; so does the mix, because bottlenecks move with it.

use std::collections::BTreeSet;

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
    #[schemars(range(min = 0, max = 1))]
    pub severity: Decimal,
    /// 1 for the most severe; equal severities may share a rank.
    pub rank: u32,
    /// The method's own figure before it was normalised.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raw: Option<Quantity>,
    /// Load placed on the resource, in hours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub load_hours: Option<Decimal>,
    /// The capacity that the load was compared with, in hours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub capacity_hours: Option<Decimal>,
    /// P(load > capacity), a fraction 0..1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 1))]
    pub shortage_probability: Option<Decimal>,
    /// Share of time as the only bottleneck, a fraction 0..1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 1))]
    pub share_sole: Option<Decimal>,
    /// Share of time while the bottleneck shifts, a fraction 0..1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 1))]
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
        let mut seen = BTreeSet::new();
        for (i, one) in self.constraints.iter().enumerate() {
            let at = format!("constraints[{i}]");
            check.part(&at, one.validate());
            if !seen.insert(one.resource.id.as_str()) {
                check.fail(
                    &format!("{at}.resource.id"),
                    format!("{} is in the map twice", one.resource.id),
                    "send each resource once",
                );
            }
        }
        self.check_ranks(&mut check);
        check.part("source", self.source.validate());
        check.part("quality", self.quality.validate());
        check.done()
    }

    /// Walks from rank 1 down: no resource may be more severe than one of a
    /// better rank.
    fn check_ranks(&self, check: &mut Check) {
        let mut ranked: Vec<(usize, &Constraint)> = self.constraints.iter().enumerate().collect();
        ranked.sort_by_key(|(_, one)| one.rank);
        let mut mildest_above: Option<&Constraint> = None;
        for tied in ranked.chunk_by(|(_, a), (_, b)| a.rank == b.rank) {
            for (i, one) in tied {
                if let Some(above) = mildest_above.filter(|above| above.severity < one.severity) {
                    check.fail(
                        &format!("constraints[{i}].rank"),
                        format!(
                            "{} has rank {}, but is more severe than rank {} ({})",
                            one.resource.id, one.rank, above.rank, above.resource.id
                        ),
                        "rank 1 is the most severe resource",
                    );
                }
            }
            let mildest = tied.iter().map(|(_, one)| *one).chain(mildest_above);
            mildest_above = mildest.min_by_key(|one| one.severity);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(ranks: &[(&str, u32, &str)]) -> ConstraintMap {
        let mut map: ConstraintMap = serde_json::from_str(
            r#"{"window":{"start":"2026-11-15T23:00:00Z","end":"2026-11-22T23:00:00Z"},
            "basis":"actual","method":"queue","mix":"observed","constraints":[],
            "source":{"twin_id":"t","twin_kind":"process",
            "observed_until":"2026-11-22T21:00:00Z"},"quality":{"coverage":1,"worst":"good"}}"#,
        )
        .unwrap();
        let row = r#"{"resource":{"id":"A","level":"work_cell"},"severity":0,"rank":1}"#;
        for (id, rank, severity) in ranks {
            let mut one: Constraint = serde_json::from_str(row).unwrap();
            (one.resource.id, one.rank) = ((*id).to_owned(), *rank);
            one.severity = severity.parse().unwrap();
            map.constraints.push(one);
        }
        map
    }

    #[test]
    fn ties_share_a_rank_and_order_is_free() {
        let paths = |ranks: &[(&str, u32, &str)]| -> Vec<String> {
            map(ranks).validate().into_iter().map(|found| found.path).collect()
        };
        let none: [&str; 0] = [];
        assert_eq!(paths(&[]), none, "no constraint is an answer");
        assert_eq!(paths(&[("A", 2, "0.1"), ("B", 1, "0.9"), ("C", 2, "0.2")]), none);
        assert_eq!(
            paths(&[("A", 3, "0.8"), ("B", 1, "0.9"), ("C", 2, "0.2")]),
            ["constraints[0].rank"]
        );
        assert_eq!(paths(&[("A", 0, "0")]), ["constraints[0].rank"]);
        assert_eq!(paths(&[("A", 1, "0"), ("A", 1, "0")]), ["constraints[1].resource.id"]);
    }

    #[test]
    fn overload_is_legal() {
        let mut one = map(&[("A", 1, "1")]).constraints.remove(0);
        (one.load_hours, one.capacity_hours) = (Some(486.into()), Some(450.into()));
        assert_eq!((one.utilization(), one.validate()), (Some(Decimal::new(108, 2)), vec![]));
        one.capacity_hours = Some(Decimal::ZERO);
        assert_eq!(one.utilization(), None);
    }
}
