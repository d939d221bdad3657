//! The model: dimensions, members, measures, and how leaf cells add up.

use std::{collections::BTreeSet, sync::Arc};

use jiff::{Timestamp, ToSpan as _, civil::Date, tz::TimeZone};
use planthread_contracts::{Aggregation, Period, PeriodKind, Unit};
use rust_decimal::Decimal;

use super::{O9, names::Names};
use crate::sdk::{
    SandboxShape,
    plan::{Measure, Model, Part, RowKey},
};

/// The tenant.
pub const TENANT: &str = "1234";
/// The application.
pub(crate) const APP: &str = "PlanthreadDemo";
/// The measure group of all its facts.
pub const GROUP: &str = "Capacity Plan";
/// The signal version.
pub const VERSION: &str = "TwinSignals";
/// The tenant's inbound rule.
pub const RULE: &str = "PlanthreadCapacity";
/// The live version: the base plan.
pub(super) const WORKING_VIEW: &str = "CurrentWorkingView";
/// The calculated measure.
pub(super) const FINAL: &str = "Capacity Final";

const BASE: &str = "Capacity";

/// Dimension and leaf level of everything but time.
pub(super) const LEAVES: [(&str, &str); 3] =
    [("Version", "Version Name"), ("Resource", "Resource"), ("Location", "Location")];

/// The demo's measures and version, or a shape's.
pub(super) fn model(shape: Option<&SandboxShape>, names: &Names) -> Model {
    use Aggregation::{Max, Min, Sum};
    let measure = |(id, part, aggregation, in_scopes): (&str, Part, Aggregation, bool)| Measure {
        id: Arc::from(id),
        label: id.to_owned(),
        aggregation,
        part,
        in_scopes,
    };
    let demo = [
        (BASE, Part::Assumed, Sum, false),
        ("Capacity Override", Part::Cut, Sum, true),
        ("Twin Capacity Live", Part::Live, Sum, true),
        ("Twin Capacity Low", Part::Low, Min, true),
        ("Twin Lost Hours", Part::Lost, Sum, true),
        ("Twin Severity", Part::Severity, Max, true),
        ("Twin Risk Hours", Part::Risk, Sum, true),
        ("Twin Output", Part::Output, Sum, true),
        ("Twin Status", Part::Status, Max, true),
        ("Twin Covered", Part::Covered, Sum, true),
        ("Twin As Of", Part::AsOf, Min, true),
        ("Twin Valid Until", Part::ValidUntil, Min, true),
        ("Twin Beat", Part::Beat, Max, true),
        ("Capacity Demand", Part::Load, Sum, false),
        ("Capacity Utilization", Part::Utilisation, Sum, false),
    ];
    let measures = match shape {
        None => demo.map(measure).into(),
        Some(shape) => shaped(shape),
    };
    let scopes = vec![(names.version.clone(), "Signals of the factory twins".to_owned())];
    Model { unit: shape.map_or(Unit::Hour, SandboxShape::unit), measures, scopes }
}

/// The measures of a shape, with what the plan and its load are read from.
fn shaped(shape: &SandboxShape) -> Vec<Measure> {
    let base = shape.driver.as_deref().unwrap_or(BASE);
    let measure = |id: &str, aggregation, part, in_scopes| Measure {
        id: Arc::from(id),
        label: id.to_owned(),
        aggregation,
        part,
        in_scopes,
    };
    let mut all = vec![measure(base, Aggregation::Sum, Part::Assumed, false)];
    for declared in &shape.measures {
        if all.iter().any(|one| *one.id == *declared.surface) {
            continue;
        }
        let drives = shape.driven_by.as_ref() == Some(&declared.surface);
        let loads = shape.load.as_ref() == Some(&declared.surface);
        let part = match (drives, loads) {
            (true, _) => Part::Cut,
            (_, true) => Part::Load,
            _ => Part::of(declared.carries),
        };
        let taken = all.iter().any(|one| one.part == part);
        let part = if taken { Part::Other } else { part };
        all.push(measure(&declared.surface, declared.over_time, part, true));
    }
    for (id, part) in [("Capacity Demand", Part::Load), ("Capacity Utilization", Part::Utilisation)]
    {
        if all.iter().all(|one| one.part != part && *one.id != *id) {
            all.push(measure(id, Aggregation::Sum, part, false));
        }
    }
    all
}

/// The level of time at which a kind of period stands.
pub(super) const fn level_of(kind: PeriodKind) -> &'static str {
    match kind {
        PeriodKind::Day => "Day",
        PeriodKind::Week => "Week",
        PeriodKind::TechnicalWeek => "Partial Week",
        PeriodKind::Month => "Month",
    }
}

/// The kind of period of a level of time.
pub(super) fn kind_of(level: &str) -> Option<PeriodKind> {
    let kinds = [PeriodKind::Day, PeriodKind::Week, PeriodKind::TechnicalWeek, PeriodKind::Month];
    kinds.into_iter().find(|kind| level_of(*kind) == level)
}

/// The name of a period, as a member of its level: `W03-2026` (section 4.1),
/// `202605A` for a part of a week (section 6); those of days and months are ours.
pub(super) fn member(period: Period) -> String {
    let (start, iso) = (period.start(), period.start().iso_week_date());
    match period.kind() {
        PeriodKind::Day => start.to_string(),
        PeriodKind::Month => format!("M{:02}-{}", start.month(), start.year()),
        PeriodKind::Week => format!("W{:02}-{}", iso.week(), iso.year()),
        PeriodKind::TechnicalWeek => {
            let part = if iso.weekday() == jiff::civil::Weekday::Monday { 'A' } else { 'B' };
            format!("{}{:02}{part}", iso.year(), iso.week())
        }
    }
}

/// The period that a member of a level names.
pub(super) fn period(kind: PeriodKind, name: &str) -> Option<Period> {
    let number = |text: &str| text.parse::<u32>().ok();
    let text = match kind {
        PeriodKind::Day => name.to_owned(),
        PeriodKind::Month | PeriodKind::Week => {
            let first = if kind == PeriodKind::Month { 'M' } else { 'W' };
            let (part, year) = name.strip_prefix(first)?.split_once('-')?;
            let week = if kind == PeriodKind::Week { "W" } else { "" };
            format!("{:04}-{week}{:02}", number(year)?, number(part)?)
        }
        PeriodKind::TechnicalWeek => {
            let (year, rest) = name.split_at_checked(4)?;
            let part = if rest.ends_with('A') { 'a' } else { 'b' };
            format!("{:04}-W{:02}{part}", number(year)?, number(rest.get(..2)?)?)
        }
    };
    text.parse().ok().filter(|period| member(*period) == name)
}

/// A version as its dimension names it.
pub(super) fn version_of(scope: &str) -> &str {
    if scope.is_empty() { WORKING_VIEW } else { scope }
}

impl O9 {
    /// A version's scope in the store.
    pub(super) fn scope_of<'a>(&self, version: &'a str) -> Option<&'a str> {
        match version {
            WORKING_VIEW => Some(""),
            other => (other == self.names.version).then_some(other),
        }
    }

    /// Members of the leaf level of time, from a year before today on.
    pub(super) fn calendar(&self, at: Timestamp) -> Vec<Period> {
        let today: Date = TimeZone::UTC.to_datetime(at).date();
        let after = self.plan.weeks.1;
        let end = today.saturating_add((7 * i64::from(after)).days());
        let first = today.saturating_sub(1.year());
        let first = Period::containing(self.plan.storage, first);
        std::iter::successors(Some(first), |period| Some(period.next()))
            .take_while(|period| period.start() < end)
            .collect()
    }

    /// Members of a dimension's level, by name.
    pub(super) fn members(&self, dimension: &str, level: &str) -> Option<Vec<String>> {
        let owned = |names: BTreeSet<&str>| names.into_iter().map(str::to_owned).collect();
        match (dimension, level) {
            ("Version", "Version Name") => {
                Some(vec![WORKING_VIEW.to_owned(), self.names.version.clone()])
            }
            ("Resource", "Resource") => Some(owned(self.sites.resources())),
            ("Location", "Location") => Some(owned(self.sites.locations())),
            _ => None,
        }
    }

    /// Whether there is such a measure, the calculated one included.
    pub(super) fn has_measure(&self, name: &str) -> bool {
        name == FINAL || self.plan.model.find(name).is_some()
    }

    /// The value of a measure in a leaf cell.
    pub(super) fn value(&self, key: &RowKey, measure: &str) -> Option<Decimal> {
        let (store, model) = (&self.plan.store, &self.plan.model);
        if measure != FINAL {
            return store.value(key, model.find(measure)?);
        }
        let base = RowKey::base(&key.resource, &key.location, key.period);
        let of = |part: Part, key: &RowKey| store.value(key, model.part(part)?);
        of(Part::Cut, key).or_else(|| of(Part::Assumed, &base))
    }

    /// The leaf cells that hold anything, or could for the calculated measure.
    pub(super) fn leaves(&self) -> BTreeSet<RowKey> {
        let mut keys: BTreeSet<RowKey> = self.plan.store.rows.keys().cloned().collect();
        let signal: Vec<RowKey> = keys
            .iter()
            .filter(|key| key.scope.is_empty())
            .map(|key| RowKey::new(&self.names.version, &key.resource, &key.location, key.period))
            .collect();
        keys.extend(signal);
        keys
    }

    /// How a measure adds up above the leaf.
    pub(super) fn adds(&self, measure: &str) -> Aggregation {
        let found = self.plan.model.find(measure);
        found.map_or(Aggregation::Sum, |found| self.plan.model.measures[found].aggregation)
    }
}

/// The name of a leaf cell's member at a level; `None` where there is no such
/// level.
pub(super) fn at_level(key: &RowKey, dimension: &str, level: &str) -> Option<String> {
    match (dimension, level) {
        ("Version", "Version Name") => Some(version_of(&key.scope).to_owned()),
        ("Resource", "Resource") => Some(key.resource.clone()),
        ("Location", "Location") => Some(key.location.clone()),
        ("Time", level) => {
            let kind = kind_of(level)?;
            Some(member(Period::containing(kind, key.period.start())))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_name_their_periods() {
        for (text, name) in [
            ("2026-W03", "W03-2026"),
            ("2026-W05a", "202605A"),
            ("2026-W05b", "202605B"),
            ("2026-W06a", "202606A"),
            ("2026-11", "M11-2026"),
            ("2026-11-26", "2026-11-26"),
        ] {
            let of: Period = text.parse().unwrap();
            assert_eq!(member(of), name);
            assert_eq!(period(of.kind(), name), Some(of));
        }
        for wrong in ["W3-2026", "w03-2026", "W03-2026 ", "W54-2026", "202606B"] {
            assert_eq!(period(PeriodKind::Week, wrong), None, "{wrong}");
            assert_eq!(period(PeriodKind::TechnicalWeek, wrong), None, "{wrong}");
        }
    }
}
