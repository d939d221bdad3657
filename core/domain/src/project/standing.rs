//! How the values of a cell group stand: status, and whether they are covered.
//!
//! Both land for every mapped resource in every period that was derived, also
//! where no value does: a target that aggregates by maximum then shows the worst
//! of what it adds up, and one that adds says how much of it was measured.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use jiff::{SignedDuration, Timestamp};
use planthread_contracts::{
    Carries, CellKey, DesiredCell, MeasureDecl, Owner, Period, PeriodKind, Status, Unit,
};
use rust_decimal::Decimal;

use super::{Place, Request, pools, recipe};
use crate::{
    calendar::round_half_even,
    derive::{Derivation, Figures, is_known},
};

/// A place of the target in one period.
pub(super) type Spot<'a> = (Place<'a>, Period);

/// The place and period of a cell.
pub(super) fn spot(key: &CellKey) -> Spot<'_> {
    ((&key.resource, &key.location, key.product.as_deref()), key.period)
}

/// Our measures that say how far values can be trusted.
pub(super) fn vouching<'a>(request: &Request<'a>) -> impl Iterator<Item = &'a MeasureDecl> {
    let ours = request.measures.iter().filter(|measure| measure.owner == Owner::Bridge);
    ours.filter(|measure| measure.carries.vouches())
}

/// Status and covered of every mapped place; `valued` are the spots where a
/// value of ours lands.
pub(super) fn cells(request: &Request<'_>, valued: &HashSet<Spot<'_>>) -> Vec<DesiredCell> {
    let mut cells = Vec::new();
    let pools = pools(request.mapping);
    let recipe = recipe(request.live, request.mapping);
    let levels: BTreeSet<_> = vouching(request).map(|measure| measure.level).collect();
    for level in levels.into_iter().filter(|level| has_value(request, *level)) {
        let of_level = || request.live.figures.iter().filter(|one| one.period.kind() == level);
        let figures: HashMap<(&str, Period), &Figures> =
            of_level().map(|one| ((one.resource.as_str(), one.period), one)).collect();
        let periods: BTreeSet<Period> = of_level().map(|one| one.period).collect();
        for (place, sources) in &pools {
            for period in &periods {
                let parts = sources.iter().map(|source| figures.get(&(*source, *period)).copied());
                let lands = valued.contains(&(*place, *period));
                let standing = Standing::of(request, parts, lands);
                let at = vouching(request).filter(|measure| measure.level == level);
                cells.extend(at.map(|measure| {
                    standing.cell(request, measure, *place, *period, recipe.clone())
                }));
            }
        }
    }
    cells
}

/// Whether values of ours land at `level`: nothing is said of those of others.
fn has_value(request: &Request<'_>, level: PeriodKind) -> bool {
    request.measures.iter().any(|measure| {
        measure.owner == Owner::Bridge
            && measure.level == level
            && measure.carries != Carries::Observed
            && !measure.carries.accompanies()
    })
}

/// How the values of one group stand.
struct Standing {
    status: Status,
    as_of: Timestamp,
    valid_until: Timestamp,
}

impl Standing {
    /// The worst of the parts; unknown where nothing of them lands.
    fn of<'a>(
        request: &Request<'_>,
        parts: impl Iterator<Item = Option<&'a Figures>>,
        lands: bool,
    ) -> Self {
        let Derivation { as_of, .. } = *request.live;
        let hours = i64::from(request.plant.rules.valid_hours.max(1));
        let end = as_of.saturating_add(SignedDuration::from_hours(hours));
        let mut status = if lands { Status::Live } else { Status::Unknown };
        let mut valid_until = None;
        for part in parts {
            status = status.max(part.map_or(Status::Unknown, status_of));
            let until = part.map(|one| one.valid_until);
            valid_until = valid_until.into_iter().chain(until).min();
        }
        let valid_until = valid_until.unwrap_or(end.unwrap_or(Timestamp::MAX));
        Self { status, as_of, valid_until }
    }

    fn cell(
        &self,
        request: &Request<'_>,
        measure: &MeasureDecl,
        (resource, location, product): Place<'_>,
        period: Period,
        recipe: String,
    ) -> DesiredCell {
        let unrounded = number(measure, self.status);
        DesiredCell {
            key: CellKey {
                target: request.target.to_owned(),
                scope: request.scope.to_owned(),
                resource: resource.to_owned(),
                location: location.to_owned(),
                product: product.map(str::to_owned),
                period,
                measure: measure.name.clone(),
            },
            value: round_half_even(unrounded, measure.scale),
            unrounded,
            status: self.status,
            as_of: self.as_of,
            valid_until: self.valid_until,
            recipe,
        }
    }
}

/// The status of one resource; nothing is known where there is no figure.
pub(super) fn status_of(one: &Figures) -> Status {
    if is_known(one) { one.status } else { Status::Unknown }
}

/// What `measure` says of a status, in its unit. The unit was checked before.
pub(super) fn number(measure: &MeasureDecl, status: Status) -> Decimal {
    let own = match measure.carries {
        Carries::Covered => u8::from(status.is_measured()),
        _ => status.code(),
    };
    Unit::One.convert(own.into(), measure.unit).unwrap_or_else(|| own.into())
}

/// Says `planner` of the groups in which a person set a value, and covers them
/// no more: `taken` are the cells that people hold. Where other values of the
/// group stand worse than that, the worse stays.
pub fn say_planner(cells: &mut [DesiredCell], measures: &[MeasureDecl], taken: &BTreeSet<CellKey>) {
    let decls: BTreeMap<&str, &MeasureDecl> =
        measures.iter().map(|measure| (measure.name.as_str(), measure)).collect();
    let values = |key: &CellKey| {
        decls.get(key.measure.as_str()).is_some_and(|measure| !measure.carries.accompanies())
    };
    let taken: BTreeSet<&CellKey> = taken.iter().filter(|key| values(key)).collect();
    let groups: HashSet<Spot<'_>> = taken.iter().map(|key| spot(key)).collect();
    if groups.is_empty() {
        return;
    }
    let ours: HashMap<Spot<'_>, Status> = cells
        .iter()
        .filter(|cell| groups.contains(&spot(&cell.key)))
        .filter(|cell| values(&cell.key) && !taken.contains(&cell.key))
        .map(|cell| (spot(&cell.key), cell.status))
        .fold(HashMap::new(), |mut worst, (spot, status)| {
            worst
                .entry(spot)
                .and_modify(|held: &mut Status| *held = status.max(*held))
                .or_insert(status);
            worst
        });
    let said: Vec<(usize, Status)> = cells
        .iter()
        .enumerate()
        .filter(|(_, cell)| {
            decls.get(cell.key.measure.as_str()).is_some_and(|m| m.carries.vouches())
        })
        .filter(|(_, cell)| groups.contains(&spot(&cell.key)))
        .map(|(place, cell)| {
            let rest = ours.get(&spot(&cell.key)).copied();
            (place, rest.map_or(Status::Planner, |rest| rest.max(Status::Planner)))
        })
        .collect();
    for (place, status) in said {
        let cell = &mut cells[place];
        let Some(measure) = decls.get(cell.key.measure.as_str()) else { continue };
        cell.status = status;
        // A person's value is none of ours, whatever stands beside it.
        cell.unrounded = match measure.carries {
            Carries::Covered => Decimal::ZERO,
            _ => number(measure, status),
        };
        cell.value = round_half_even(cell.unrounded, measure.scale);
    }
}

#[cfg(test)]
mod tests;
