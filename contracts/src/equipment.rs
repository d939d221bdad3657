//! Equipment: what a capacity belongs to (ISA-95 / IEC 62264 hierarchy).
//!
//! Equipment is a role in the hierarchy ("press 3 of line 1"); a physical asset
//! is the serial-numbered thing that fills it today. Capacity belongs to the
//! role, failure forecasts to the asset: a swapped machine must not inherit its
//! predecessor's forecast, so both are named.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::violation::{Check, Violation};

/// ISA-95 equipment hierarchy levels, closed on purpose.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum EquipmentLevel {
    /// The company.
    Enterprise,
    /// A plant.
    Site,
    /// A part of a plant.
    Area,
    /// Work centre of any type.
    WorkCenter,
    /// Work centre of batch production.
    ProcessCell,
    /// Work centre of continuous production.
    ProductionUnit,
    /// Work centre of repetitive or discrete production.
    ProductionLine,
    /// Work centre of storage.
    StorageZone,
    /// Work unit of any type.
    WorkUnit,
    /// Work unit of batch or continuous production.
    Unit,
    /// Work unit of repetitive or discrete production.
    WorkCell,
    /// Work unit of storage.
    StorageUnit,
    /// Part of a work unit.
    EquipmentModule,
    /// Part of an equipment module.
    ControlModule,
}

impl EquipmentLevel {
    /// Depth in the hierarchy: 0 enterprise, 3 any work centre, 4 any work unit.
    #[must_use]
    pub const fn depth(self) -> u8 {
        match self {
            Self::Enterprise => 0,
            Self::Site => 1,
            Self::Area => 2,
            Self::WorkCenter
            | Self::ProcessCell
            | Self::ProductionUnit
            | Self::ProductionLine
            | Self::StorageZone => 3,
            Self::WorkUnit | Self::Unit | Self::WorkCell | Self::StorageUnit => 4,
            Self::EquipmentModule => 5,
            Self::ControlModule => 6,
        }
    }
}

/// What kind of capacity a resource gives.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum ResourceClass {
    /// Machine hours.
    Machine,
    /// People's hours.
    Labour,
    /// Hours of a tool, mould or fixture.
    Tool,
}

/// One step of the path from the top of the hierarchy to a resource.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PathStep {
    /// The step's level.
    pub level: EquipmentLevel,
    /// The equipment at this level.
    pub id: String,
}

/// A resource with a capacity of its own. A pool is its own resource with its
/// own capacity, which is not the sum of its members' by definition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Resource {
    /// The plant's identifier, unique in a journal.
    pub id: String,
    /// Its level.
    pub level: EquipmentLevel,
    /// Machine, labour or tool.
    pub class: ResourceClass,
    /// From the top of the hierarchy down to the parent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub path: Vec<PathStep>,
    /// IANA zone of its site.
    pub zone: String,
    /// The asset that fills the role today.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub physical_asset: Option<String>,
    /// For a pool: the resources it draws on. Empty for any other resource.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pool_members: Vec<String>,
}

/// How a twin output names the equipment it speaks about.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EquipmentRef {
    /// The plant's identifier ([`Resource::id`]).
    pub id: String,
    /// Its level: a line's figure is never taken for a station's.
    pub level: EquipmentLevel,
    /// The asset that filled the role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub physical_asset: Option<String>,
}

impl EquipmentRef {
    /// All broken rules.
    #[must_use]
    pub fn validate(&self) -> Vec<Violation> {
        let mut check = Check::default();
        check.text("id", &self.id);
        check.opt_text("physical_asset", self.physical_asset.as_deref());
        check.done()
    }
}

impl Resource {
    /// Whether this is a pool.
    #[must_use]
    pub const fn is_pool(&self) -> bool {
        !self.pool_members.is_empty()
    }

    /// All broken rules: the path goes strictly down and ends above the
    /// resource; a pool does not contain itself or a member twice.
    #[must_use]
    pub fn validate(&self) -> Vec<Violation> {
        let mut check = Check::default();
        check.text("id", &self.id);
        check.zone("zone", &self.zone);
        check.opt_text("physical_asset", self.physical_asset.as_deref());
        let below = self.path.iter().skip(1).map(|step| step.level);
        for (i, (step, next)) in
            self.path.iter().zip(below.chain(std::iter::once(self.level))).enumerate()
        {
            check.text(&format!("path[{i}].id"), &step.id);
            if next.depth() <= step.level.depth() {
                check.fail(
                    &format!("path[{i}].level"),
                    format!("{:?} is not above {next:?}", step.level),
                    "list the path from the enterprise down to the parent",
                );
            }
        }
        for (i, member) in self.pool_members.iter().enumerate() {
            check.text(&format!("pool_members[{i}]"), member);
            if *member == self.id || self.pool_members.iter().take(i).any(|seen| seen == member) {
                check.fail(
                    &format!("pool_members[{i}]"),
                    format!("{member} is the pool itself or named twice"),
                    "name each member once",
                );
            }
        }
        check.done()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn press() -> Resource {
        serde_json::from_str(
            r#"{"id":"PRESS-3","level":"work_cell","class":"machine","zone":"Europe/Berlin",
            "path":[{"level":"site","id":"BER"},{"level":"production_line","id":"LINE-1"}]}"#,
        )
        .unwrap()
    }

    #[test]
    fn the_path_goes_down() {
        assert_eq!(press().validate(), []);
        let mut turned = press();
        turned.path.reverse();
        assert_eq!(turned.validate()[0].path, "path[0].level");
        let line = Resource { level: EquipmentLevel::ProductionLine, ..press() };
        assert_eq!(line.validate()[0].path, "path[1].level", "a line does not sit in a line");
    }

    #[test]
    fn a_pool_is_its_own_resource() {
        let pool = Resource { pool_members: vec!["A".into(), "A".into()], ..press() };
        assert!(pool.is_pool() && !press().is_pool());
        assert_eq!(pool.validate()[0].path, "pool_members[1]");
        let own = Resource { pool_members: vec!["PRESS-3".into()], ..press() };
        assert_eq!(own.validate()[0].path, "pool_members[0]");
    }

    #[test]
    fn other_is_no_level() {
        assert!(serde_json::from_str::<EquipmentLevel>("\"other\"").is_err());
    }
}
