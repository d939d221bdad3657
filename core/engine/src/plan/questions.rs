//! Questions: what of a scope is out of proportion, from the facts of its ledger.
//!
//! Only places with something to send are looked at, one at a time: a cycle
//! without news costs one look, and memory does not grow with the plant.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use planthread_contracts::{
    Carries, GroupKey, MeasureDecl, Name, Period, PeriodKind, RevisionState, Role, Unit,
};
use rust_decimal::{Decimal, prelude::ToPrimitive as _};
use serde::Serialize;

use super::{
    Policy,
    plausible::{Judge, Point, Series, Verdicts},
};
use crate::{
    Reader,
    error::Result,
    ledger::Why,
    store::{
        Db,
        compared::{ComparedCell, PlaceRef},
    },
};

/// What is out of proportion in a scope.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Questions {
    /// What nobody has answered for, and what the plan says beside it.
    #[serde(flatten)]
    pub verdicts: Verdicts,
    /// Digest of the mapping in force, which an answer names.
    pub mapping: String,
}

/// What is out of proportion in the policy's scope, and nobody has answered for.
/// Costs only reads.
///
/// # Errors
/// When the state can't be read.
pub fn questions(reader: &Reader, policy: &Policy) -> Result<Questions> {
    reader.at_once(|db| match db.scope(&policy.target, policy.scope.name())? {
        Some(scope) => of_scope(db, scope, policy),
        None => Ok(Questions::default()),
    })
}

/// The places that wait for an answer, by measure.
pub(crate) type Waits = BTreeMap<String, BTreeSet<String>>;

/// A place as it is told: `resource@location`, and the product where there is one.
#[must_use]
pub fn place_name(resource: &str, location: &str, product: Option<&str>) -> String {
    match product {
        Some(product) => format!("{resource}@{location}/{product}"),
        None => format!("{resource}@{location}"),
    }
}

/// The place of a group, as it is told.
pub(crate) fn place_of(group: &GroupKey) -> String {
    place_name(&group.resource, &group.location, group.product.as_deref())
}

pub(crate) fn of_scope(db: &Db, scope: i64, policy: &Policy) -> Result<Questions> {
    let places = db.waiting_places(scope)?;
    let mapping = db.mapped(&policy.target)?.map(|mapped| mapped.digest()).unwrap_or_default();
    if places.is_empty() {
        return Ok(Questions { mapping, ..Questions::default() });
    }
    let told = |scope: &str| if scope.is_empty() { "base".to_owned() } else { scope.to_owned() };
    let mut judge = match db.landed_elsewhere(&policy.target, scope)? {
        Some(there) => Judge::elsewhere(&told(policy.scope.name()), &told(&there)),
        None => Judge::default(),
    };
    if let Some(place) = policy.first_landing.as_ref().filter(|_| policy.adopted.is_empty())
        && !db.has_landed(scope)?
    {
        judge = judge.first(place);
    }
    let names = db.measures()?;
    for place in places {
        let told = place_name(&place.resource, &place.location, place.product.as_deref());
        let cells = db.cells_of_place(scope, place.id)?;
        let own = Own::of(db, scope, &place, policy, &names)?;
        for decl in policy.measures.iter().filter(|decl| is_figure(decl)) {
            let named = |cell: &&ComparedCell| {
                names.get(&cell.measure).is_some_and(|name| *name == decl.name)
                    && cell.period.kind() == decl.level
                    && cell.state != RevisionState::Withdrawn
            };
            let units = policy.units.get(&told).copied();
            if let Some(series) = series(decl, cells.iter().filter(named), &own, units) {
                judge.add(&decl.name, &told, &series);
            }
        }
    }
    let mut verdicts = judge.finish();
    let answered = |measure: &str, fault| {
        let here = (policy.scope.name(), measure);
        policy.answers.iter().any(|answer| answer.answers(here, fault, &mapping, policy.now))
    };
    verdicts.asked.retain(|asked| !answered(&asked.measure, asked.fault));
    Ok(Questions { verdicts, mapping })
}

/// Whether a measure holds figures of ours that can be in proportion. What people decide
/// comes and goes from one period to the next: it is in proportion to nothing.
pub(crate) fn is_figure(decl: &MeasureDecl) -> bool {
    decl.role == Role::Value
        && !decl.carries.accompanies()
        && !matches!(decl.carries, Carries::Observed | Carries::DecidedHours)
}

/// What the target itself says of a place: by measure, then by period.
struct Own<'a>(Vec<(&'a MeasureDecl, HashMap<Period, Decimal>)>);

impl<'a> Own<'a> {
    fn of(
        db: &Db,
        scope: i64,
        place: &PlaceRef,
        policy: &'a Policy,
        names: &HashMap<i64, Name>,
    ) -> Result<Self> {
        let observed = policy.measures.iter().filter(|decl| decl.carries == Carries::Observed);
        let mut own: Vec<(&MeasureDecl, HashMap<Period, Decimal>)> =
            observed.map(|decl| (decl, HashMap::new())).collect();
        if own.is_empty() {
            return Ok(Self(own));
        }
        for (period, measure, value) in db.observed_of_place(scope, place.id)? {
            let named = |decl: &MeasureDecl| names.get(&measure).is_some_and(|n| *n == decl.name);
            if let Some((_, values)) = own.iter_mut().find(|(decl, _)| named(decl)) {
                values.insert(period, value);
            }
        }
        Ok(Self(own))
    }

    /// The first declared measure that says something comparable. Capacities are
    /// comparable with what is assumed; losses are not. Its numbers are taken as
    /// they stand there: if two units are declared where the target has one, this
    /// is what shows it.
    fn comparable(&self, decl: &MeasureDecl) -> Option<&HashMap<Period, Decimal>> {
        use Carries as C;
        let capacity = matches!(
            decl.carries,
            C::AttainableClockHours | C::DemonstratedStandardHours | C::PlanCut | C::LowHours
        );
        let mut found = self.0.iter().filter(|(own, values)| {
            capacity && own.level == decl.level && own.unit.is_time() && !values.is_empty()
        });
        found.next().map(|(_, values)| values)
    }
}

/// The series of a measure at one place; `None` where nothing of it waits.
fn series<'c>(
    decl: &MeasureDecl,
    cells: impl Iterator<Item = &'c ComparedCell>,
    own: &Own<'_>,
    units: Option<Decimal>,
) -> Option<Series> {
    let comparable = own.comparable(decl);
    let mut points: Vec<Point> = Vec::new();
    let mut last: Option<(i64, Period)> = None;
    for cell in cells {
        // A gap in the periods is one in the count.
        let at = match last {
            Some((at, before)) if before.next() == cell.period => at + 1,
            Some((at, _)) => at + 2,
            None => 0,
        };
        last = Some((at, cell.period));
        let assumed = || comparable?.get(&cell.period).copied();
        let theirs = cell.seen.filter(|seen| !seen.is_zero() && !cell.sent);
        points.push(Point {
            at,
            wanted: real(cell.unrounded),
            landed: landed(cell).map(real),
            own: theirs.or_else(assumed).map(real),
            waits: waits(cell),
            mapped: cell.why == Why::Mapping,
        });
    }
    let waiting = points.iter().any(|point| point.waits);
    waiting.then(|| Series { unit: decl.unit, most: most(decl, units), points })
}

/// What of ours landed in a cell last, whoever wrote over it since.
fn landed(cell: &ComparedCell) -> Option<Decimal> {
    match cell.state {
        RevisionState::Seen => Some(cell.value),
        _ => cell.last_sent,
    }
}

/// Whether a new value goes out with the next plan, and no person has decided
/// that. What is sent again is none.
fn waits(cell: &ComparedCell) -> bool {
    matches!(cell.state, RevisionState::Pending | RevisionState::Held)
        && !matches!(cell.why, Why::Undo | Why::Ended)
        && cell.last_sent != Some(cell.value)
}

/// The most that a period of a measure can hold, for so many units side by side.
/// Standard hours may run ahead of the clock, where the ideal cycle is cautious.
fn most(decl: &MeasureDecl, units: Option<Decimal>) -> Option<f64> {
    use Carries as C;
    if decl.carries == C::Severity {
        return (decl.unit == Unit::One).then_some(1.0);
    }
    // A day that is an hour longer is a part of each.
    let hours: u32 = match decl.level {
        PeriodKind::Day => 25,
        PeriodKind::Week | PeriodKind::TechnicalWeek => 7 * 24 + 1,
        PeriodKind::Month => 31 * 24 + 1,
    };
    let ahead = match decl.carries {
        C::DemonstratedStandardHours | C::PlanCut => 1.5,
        C::AttainableClockHours | C::LowHours | C::ExpectedLostHours | C::HoursAtRisk => 1.0,
        _ => return None,
    };
    let most = Unit::Hour.convert(units? * Decimal::from(hours), decl.unit)?;
    Some(real(most) * ahead)
}

fn real(value: Decimal) -> f64 {
    value.to_f64().unwrap_or(f64::MAX)
}
