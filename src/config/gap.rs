//! What a target's own plan says: read to compare, never written.

use std::path::PathBuf;

use planthread_contracts::{Carries, MeasureDecl};
use planthread_domain::model::Figure;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Target, locate::Faults, value_checks};
use crate::pipeline::kind_name;

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
    /// Files from which the load is made where the target holds none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rough_cut: Option<RoughCut>,
}

/// Rough-cut load: planned quantities, times the hours that a unit takes on each line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RoughCut {
    /// The bill of capacity: CSV with `plant,line,product,hours_per_unit`, as the target
    /// calls plant and line; relative to the configuration.
    pub bill: PathBuf,
    /// What the plan makes: CSV with `week,plant,product,quantity`, periods as
    /// `2026-W49`; relative to the configuration.
    pub quantities: PathBuf,
    /// Who answers for both.
    pub owner: String,
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

    /// The measure of what a line can do: the figure that the target's own rates expect.
    #[must_use]
    pub fn live(&self) -> Option<&MeasureDecl> {
        let expected = match self.mapping.expects {
            Figure::AttainableClockHours => Carries::AttainableClockHours,
            Figure::DemonstratedStandardHours => Carries::DemonstratedStandardHours,
        };
        self.measures.iter().find(|measure| measure.carries == expected)
    }

    /// Why `measure` can't be compared with what the lines can do, where it can't: it is
    /// stored at another level.
    #[must_use]
    pub fn not_compared(&self, measure: &MeasureDecl) -> Option<String> {
        let level = self.live()?.level;
        let [own, live] = [measure.level, level].map(kind_name);
        (measure.level != level).then(|| {
            format!("stored by {own}, and what the lines can do by {live}: it is not compared")
        })
    }

    fn observed(&self, name: Option<&str>) -> Option<&MeasureDecl> {
        let mut all = self.measures.iter().filter(|one| one.carries == Carries::Observed);
        all.find(|one| Some(one.name.as_str()) == name)
    }
}

/// Figures that `gap` can't compare, and nobody would miss.
pub(super) fn notes(name: &str, target: &Target, notes: &mut Faults<'_>) {
    for (field, measure) in [("load", target.load()), ("assumed", target.assumed())] {
        let Some(measure) = measure else { continue };
        let Some(why) = target.not_compared(measure) else { continue };
        let by_driver = field == "assumed" && target.gap.assumed.is_none();
        let field = if by_driver { "in_use.driver".to_owned() } else { format!("gap.{field}") };
        notes.add(
            format!("targets.{name}.{field}"),
            format!("`{}` is {why}", measure.name),
            "name a measure that is stored as what the lines can do is, or store both alike",
        );
    }
}

/// What `gap` of `targets.NAME` can't mean.
pub(super) fn check(name: &str, target: &Target, faults: &mut Faults<'_>) {
    if target.gap.load.is_some() && target.gap.rough_cut.is_some() {
        let reason = "a load is read from the target, or made of files, and not both";
        let cure = "remove `load` or `rough_cut`";
        faults.add(format!("targets.{name}.gap.rough_cut"), reason, cure);
    }
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
