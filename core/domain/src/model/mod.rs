//! The factory side of the configuration: what exists, when it works, who says so.
//!
//! These structs are the configuration, its JSON Schema and its documentation
//! at once: unknown fields are refused, and every doc comment is shown to the
//! person who writes the file. [`Plant::validate`] checks what a schema can't.

mod calendar;
mod findings;
mod horizon;
mod mapping;
mod moment;
mod resource;
mod rules;
mod site;
mod source;
mod validate;
mod validate_source;
mod validate_voice;

pub use calendar::{
    Calendar, CalendarException, Disambiguation, Holidays, PlannedMaintenance, Shift, ShiftHours,
    WeekDay,
};
pub use horizon::Horizon;
pub use mapping::{Combine, Figure, Loss, MapRow, Mapping};
pub use moment::Moment;
pub use planthread_contracts::EquipmentState;
pub use planthread_contracts::Violation;
pub use resource::{Line, Resource, Stage};
pub use rules::{CutOff, Rules, Significance};
pub use site::Site;
pub use source::{
    AliveBy, Begins, CloudEvents, Complete, CountColumns, CounterReset, Counts, Decisions,
    EventColumns, EventRule, HandOver, MachineEvents, Plausible, Repeats, Snapshot, Source,
    SourceFormat, Stamp, TimeFormat,
};

use jiff::{Timestamp, civil::Time};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One plant: calendars, resources, lines, sources and the rules of derivation.
///
/// Everything that is derived depends only on this, the facts, and `as_of`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Plant {
    /// The plant's own name for itself.
    pub id: String,
    /// IANA zone of the plant, such as `Europe/Berlin`: days and weeks begin here.
    pub zone: String,
    /// Local time at which a production day begins; `00:00:00` when absent.
    #[serde(default)]
    pub day_start: Time,
    /// The instant that the derivation speaks for, fixed: for replays and
    /// examples. Absent in operation, where the cycle gives it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_of: Option<Timestamp>,
    /// How far back and ahead.
    #[serde(default)]
    pub horizon: Horizon,
    /// Pooling, times to live, tolerances, cut-off.
    #[serde(default)]
    pub rules: Rules,
    /// Sites in zones of their own, named by calendars; without any the plant is the
    /// one site.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sites: Vec<Site>,
    /// Shift calendars, named by resources.
    pub calendars: Vec<Calendar>,
    /// Machines, labour pools, tools.
    pub resources: Vec<Resource>,
    /// Lines: ordered stages of parallel machines.
    #[serde(default)]
    pub lines: Vec<Line>,
    /// Planned stops of single resources.
    #[serde(default)]
    pub planned_maintenance: Vec<PlannedMaintenance>,
    /// Where facts come from.
    pub sources: Vec<Source>,
}

impl Plant {
    /// The calendar called `id`.
    #[must_use]
    pub fn calendar(&self, id: &str) -> Option<&Calendar> {
        self.calendars.iter().find(|calendar| calendar.id == id)
    }

    /// The resource called `id`.
    #[must_use]
    pub fn resource(&self, id: &str) -> Option<&Resource> {
        self.resources.iter().find(|resource| resource.id == id)
    }

    /// The line called `id`.
    #[must_use]
    pub fn line(&self, id: &str) -> Option<&Line> {
        self.lines.iter().find(|line| line.id == id)
    }

    /// The source called `name`.
    #[must_use]
    pub fn source(&self, name: &str) -> Option<&Source> {
        self.sources.iter().find(|source| source.name == name)
    }

    /// `now` cut down to the cycle of the horizon, so that two derivations in
    /// the same cycle are equal; the configured `as_of` where there is one.
    #[must_use]
    pub fn as_of(&self, now: Timestamp) -> Timestamp {
        self.as_of.unwrap_or_else(|| {
            let cycle = i64::from(self.horizon.cycle_minutes.max(1)) * 60;
            let second = now.as_second().div_euclid(cycle) * cycle;
            Timestamp::from_second(second).unwrap_or(now)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn as_of_is_cut_down_to_the_cycle_or_fixed() {
        let mut plant = fixture::plant();
        let now: Timestamp = "2026-11-22T10:59:59.5Z".parse().unwrap();
        assert_eq!(plant.as_of(now).to_string(), "2026-11-22T10:00:00Z");
        let fixed: Timestamp = "2026-11-22T22:00:00Z".parse().unwrap();
        plant.as_of = Some(fixed);
        assert_eq!(plant.as_of(now), fixed);
    }
}
