//! From figures to wanted cells: exactly what the target will hold (law 11).
//!
//! Converted and rounded once, at the measure's unit and scale, at its storage
//! level. Cells of one resource and period form a group: value, status, covered,
//! as of and valid until travel together.

mod coverage;
mod explain;
mod losses;
mod portion;
mod rounding;
mod stamp;
mod status_cells;
mod suggest;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use planthread_contracts::{
    Carries, CellKey, DesiredCell, MeasureDecl, Name, Owner, Period, Status, Unit, Violation,
};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

pub use crate::derive::cut_off;
pub use coverage::{Coverage, coverage};
pub use explain::{CellExplanation, explain};
pub use losses::declared;
pub use rounding::{derived_kinds, part};
pub use status_cells::say_planner;
pub use suggest::{Suggestion, suggest};

use crate::{
    decode::fact::hex,
    derive::{Derivation, Figures, Origin, is_known},
    model::{Figure, MapRow, Mapping, Plant},
    significance::Releases,
};
pub use portion::Landing;
use portion::{Portion, Sources};

/// What should land, and what can't.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Projection {
    /// The wanted cells, sorted by key.
    pub cells: Vec<DesiredCell>,
    /// Figures that were held back, each with its reason: nothing is dropped
    /// in silence.
    pub withheld: Vec<Withheld>,
}

/// A resource and period that does not land.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct Withheld {
    /// The plant's resource or line.
    pub source: String,
    /// The period.
    pub period: Period,
    /// Our name of the measure.
    pub measure: String,
    /// Why.
    pub reason: String,
}

/// What is projected, and where to.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The plant.
    pub plant: &'a Plant,
    /// Figures of now.
    pub live: &'a Derivation,
    /// Figures of the last cut-off ([`crate::derive::Deriver::of_cut`]), for plan cut measures; where
    /// there is none, no plan cut lands.
    pub cut: Option<&'a Derivation>,
    /// What was released of the figures of now; where nothing is given, they
    /// land as they are.
    pub released: Option<&'a Releases>,
    /// The target's name.
    pub target: &'a str,
    /// The scope's name; empty for base.
    pub scope: &'a str,
    /// The mapping.
    pub mapping: &'a Mapping,
    /// The target's measures; those of other owners are left alone.
    pub measures: &'a [MeasureDecl],
    /// The number of this writer, which lands in heartbeat measures.
    pub heartbeat: Option<Decimal>,
}

/// One number before it is rounded, with what stands behind it.
#[derive(Debug, Clone)]
struct Draft {
    /// What is derived now.
    derived: Decimal,
    /// What was released of it.
    value: Decimal,
    status: Status,
    as_of: Timestamp,
    valid_until: Timestamp,
    recipe: Name,
}

/// Projects figures to the wanted cells of one target.
///
/// # Errors
/// Every reason for which nothing may land: a loss counted twice (law 10), the
/// two figures of capacity mixed, units that don't convert, aggregation that
/// can't be served.
pub fn project(request: &Request<'_>) -> Result<Projection, Vec<Violation>> {
    let refused = declared(request.mapping, request.measures);
    if !refused.is_empty() {
        return Err(refused);
    }
    let mut whole = Projection { cells: Vec::new(), withheld: Vec::new() };
    for landing in Landing::all(request.mapping) {
        let portion = portion(request, &landing)?;
        whole.cells.extend(portion.cells);
        whole.withheld.extend(portion.withheld);
    }
    whole.withheld.sort();
    Ok(whole)
}

/// The part of [`project()`] that lands at one place, of which `request` needs to
/// hold no more than the figures of its sources. What shows in the declarations
/// alone is not looked for again: that is [`declared`].
///
/// # Errors
/// When a loss would count twice there (law 10).
pub fn portion(request: &Request<'_>, landing: &Landing<'_>) -> Result<Projection, Vec<Violation>> {
    let refused = losses::doubled(request, landing);
    if !refused.is_empty() {
        return Err(refused);
    }
    let sources = Sources::of(request);
    Ok(Portion::new(request, &sources, landing.place, &landing.rows).projection())
}

/// Our own measures that carry a figure.
fn ours<'a>(request: &Request<'a>) -> impl Iterator<Item = &'a MeasureDecl> {
    let ours = request.measures.iter().filter(|measure| measure.owner == Owner::Bridge);
    ours.filter(|measure| measure.carries != Carries::Observed)
}

/// Resource, location and product of the target.
type Place<'a> = (&'a str, &'a str, Option<&'a str>);

/// What keeps a cell of several resources from being whole: a part that has no
/// figure, or quantiles, which never add up (law 7).
fn missing_parts(
    measure: &MeasureDecl,
    key: &CellKey,
    mapped: &BTreeSet<&str>,
    found: Option<&BTreeSet<&str>>,
) -> Vec<Withheld> {
    let held = |source: &str, reason: String| Withheld {
        source: source.to_owned(),
        period: key.period,
        measure: measure.name.clone(),
        reason,
    };
    let (resource, location) = (&key.resource, &key.location);
    if measure.carries == Carries::LowHours && mapped.len() > 1 {
        let reason = format!(
            "{} resources are {resource}@{location} at the target, and their quantiles don't add up",
            mapped.len()
        );
        return mapped.iter().map(|source| held(source, reason.clone())).collect();
    }
    let reason = format!(
        "has no figure, so {resource}@{location} does not land: the others alone would be another number"
    );
    let absent = mapped.iter().filter(|source| !found.is_some_and(|f| f.contains(*source)));
    absent.map(|source| held(source, reason.clone())).collect()
}

/// Puts two resources that are one at the target together, as their mapping
/// declares it ([`crate::model::Combine`]): what the target does with resources
/// of its own is another question.
fn merge(
    drafts: &mut BTreeMap<Period, Draft>,
    measure: &MeasureDecl,
    period: Period,
    draft: Draft,
) {
    let Some(held) = drafts.get_mut(&period) else {
        drafts.insert(period, draft);
        return;
    };
    let way = together(measure.carries);
    held.value = way.of(held.value, draft.value);
    held.derived = way.of(held.derived, draft.derived);
    held.status = held.status.max(draft.status);
    held.as_of = held.as_of.min(draft.as_of);
    held.valid_until = held.valid_until.min(draft.valid_until);
}

/// How the figures of resources side by side become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Together {
    Add,
    Most,
    Least,
    Same,
}

impl Together {
    fn of(self, one: Decimal, other: Decimal) -> Decimal {
        match self {
            Self::Add => one + other,
            Self::Most => one.max(other),
            Self::Least => one.min(other),
            Self::Same => one,
        }
    }
}

const fn together(carries: Carries) -> Together {
    match carries {
        Carries::Severity | Carries::Status => Together::Most,
        Carries::AsOf | Carries::ValidUntil | Carries::Covered => Together::Least,
        Carries::Heartbeat | Carries::Observed => Together::Same,
        Carries::AttainableClockHours
        | Carries::DemonstratedStandardHours
        | Carries::PlanCut
        // Never reached: quantiles of several resources don't land.
        | Carries::LowHours
        | Carries::ExpectedLostHours
        | Carries::HoursAtRisk
        | Carries::DecidedHours
        | Carries::GoodUnits => Together::Add,
    }
}

/// The number of one resource for one measure, in the measure's unit: of as many
/// units as work in parallel, by the share of the row. `None`
/// where the figure does not exist for it, an error where it should and can't.
fn value(
    request: &Request<'_>,
    measure: &MeasureDecl,
    row: &MapRow,
    one: &Figures,
) -> Result<Option<Decimal>, String> {
    if !is_known(one) {
        return Err("nothing is known: no history, and no standard availability".to_owned());
    }
    let figure = figure(measure, request.mapping);
    let own = match figure {
        Carries::DemonstratedStandardHours => {
            Some(one.demonstrated_standard_hours.ok_or(NO_STANDARD_HOURS)?)
        }
        Carries::AsOf => return stamp::as_of(one).map(Some),
        Carries::ValidUntil => return stamp::last_day(one).map(Some),
        Carries::Heartbeat => request.heartbeat,
        other => one.carried(other),
    };
    let (unit, additive) = kind(figure);
    let Some(own) = own else { return Ok(None) };
    let scaled = if additive { own * Decimal::from(one.units) * row.share } else { own };
    unit.convert(scaled, measure.unit)
        .map(Some)
        .ok_or_else(|| format!("{unit} does not convert to {}", measure.unit))
}

/// The same of what was released, where `derived` is what is derived now. A plan
/// cut is firm by itself.
fn released(
    request: &Request<'_>,
    measure: &MeasureDecl,
    row: &MapRow,
    one: &Figures,
    derived: Decimal,
) -> Decimal {
    let figure = figure(measure, request.mapping);
    let (unit, additive) = kind(figure);
    let released = request.released.filter(|_| measure.carries != Carries::PlanCut);
    let own = released.and_then(|all| all.figure(&one.resource, one.period, figure));
    own.and_then(|own| {
        let scaled = if additive { own * Decimal::from(one.units) * row.share } else { own };
        unit.convert(scaled, measure.unit)
    })
    .unwrap_or(derived)
}

/// Which figure of a resource a measure carries: a plan cut carries the one of
/// the two figures of capacity that the target expects.
#[must_use]
pub fn figure(measure: &MeasureDecl, mapping: &Mapping) -> Carries {
    match (measure.carries, mapping.expects) {
        (Carries::PlanCut, Figure::AttainableClockHours) => Carries::AttainableClockHours,
        (Carries::PlanCut, Figure::DemonstratedStandardHours) => Carries::DemonstratedStandardHours,
        (other, _) => other,
    }
}

/// The unit of a figure, and whether it adds up over parallel units and shares.
const fn kind(figure: Carries) -> (Unit, bool) {
    match figure {
        Carries::AttainableClockHours
        | Carries::DemonstratedStandardHours
        | Carries::PlanCut
        | Carries::LowHours
        | Carries::ExpectedLostHours
        | Carries::HoursAtRisk
        | Carries::DecidedHours => (Unit::Hour, true),
        Carries::GoodUnits => (Unit::Piece, true),
        Carries::Severity
        | Carries::Status
        | Carries::Covered
        | Carries::AsOf
        | Carries::ValidUntil
        | Carries::Heartbeat
        | Carries::Observed => (Unit::One, false),
    }
}

const NO_STANDARD_HOURS: &str = "no demonstrated standard hours: no source tells standby from slow \
     running, so the load can't be corrected";

/// Digest of everything that a cell's value depends on besides its key: facts,
/// rules, mapping, clock changes. 64 hex digits.
#[must_use]
pub fn recipe(origin: &Origin, mapping: &Mapping) -> String {
    let mut hash = Sha256::new();
    let parts =
        [&origin.input_window, &origin.rules_version, &mapping.version, &origin.tzdb_version];
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    hex(&hash.finalize())
}

#[cfg(test)]
mod tests;
