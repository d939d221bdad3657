//! What a target's own plan says: read to compare, never written.

use planthread_contracts::{Carries, MeasureDecl};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Target, locate::Faults, value_checks};

/// The figures of the target's own plan that `planthread gap` compares with what the
/// lines can do. They are measures with `carries: observed`: read, never written.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GapFigures {
    /// The measure that holds the load: the hours that the plan asks of a resource.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub load: Option<String>,
    /// The measure that holds the assumed capacity: the hours that the plan has. Where
    /// it is absent, the driver of `in_use`, if that is observed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assumed: Option<String>,
}

impl Target {
    /// The measure that holds the load of the target's own plan.
    #[must_use]
    pub fn load(&self) -> Option<&MeasureDecl> {
        self.observed(self.gap.load.as_deref())
    }

    /// The measure that holds the capacity that the target's own plan assumes.
    #[must_use]
    pub fn assumed(&self) -> Option<&MeasureDecl> {
        self.observed(self.gap.assumed.as_deref().or(self.in_use.driver.as_deref()))
    }

    fn observed(&self, name: Option<&str>) -> Option<&MeasureDecl> {
        let mut all = self.measures.iter().filter(|one| one.carries == Carries::Observed);
        all.find(|one| Some(one.name.as_str()) == name)
    }
}

/// What `gap` of `targets.NAME` can't mean.
pub(super) fn check(name: &str, target: &Target, faults: &mut Faults<'_>) {
    for (field, named) in [("load", &target.gap.load), ("assumed", &target.gap.assumed)] {
        let Some(named) = named else { continue };
        let at = format!("targets.{name}.gap.{field}");
        match target.measures.iter().find(|measure| measure.name == *named) {
            None => {
                let reason = format!("`{named}` is no declared measure");
                faults.add(at, reason, value_checks::declared(target));
            }
            Some(measure) if measure.carries != Carries::Observed => {
                let reason = format!("`{named}` is ours: the plan's own figure is somebody else's");
                faults.add(at, reason, "name a measure with `carries: observed`");
            }
            Some(measure) if !measure.unit.is_time() => {
                let reason = format!("`{named}` is stored in {}, and not in time", measure.unit);
                faults.add(at, reason, "name a measure in HUR, MIN, SEC or DAY");
            }
            Some(_) => {}
        }
    }
}
