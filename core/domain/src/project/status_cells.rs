//! How the values of a cell group stand: status, and whether they are covered.
//!
//! Both land for every mapped resource in every period that was derived, also
//! where no value does: a target that aggregates by maximum then shows the worst
//! of what it adds up, and one that adds says how much of it was measured.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use jiff::{SignedDuration, Timestamp};
use planthread_contracts::{
    Carries, CellKey, DesiredCell, MeasureDecl, Name, Owner, Period, PeriodKind, Status, Unit,
};
use rust_decimal::Decimal;

use super::{Place, Request, ours, portion::Portion};
use crate::{
    calendar::round_half_even,
    derive::{Figures, is_known},
};

/// A place of the target in one period.
pub(super) type Spot<'a> = (Place<'a>, Period);

/// The place and period of a cell.
pub(super) fn spot(key: &CellKey) -> Spot<'_> {
    ((&key.resource, &key.location, key.product.as_deref()), key.period)
}

/// Status and covered of one place in every period that was derived; `valued`
/// are those in which a value of ours lands there.
pub(super) fn cells(portion: &Portion<'_>, valued: &BTreeSet<Period>) -> Vec<DesiredCell> {
    let request = portion.request;
    let vouching: Vec<(&MeasureDecl, Name)> = ours(request)
        .filter(|measure| measure.carries.vouches() && has_value(request, measure.level))
        .map(|measure| (measure, Name::from(&measure.name)))
        .collect();
    let sources: BTreeSet<&str> = portion.rows.iter().map(|row| row.source.as_str()).collect();
    let figures: HashMap<(&str, Period), &Figures> = sources
        .iter()
        .flat_map(|source| portion.live(source).iter().map(|one| ((*source, one.period), one)))
        .collect();
    let levels: BTreeSet<PeriodKind> = vouching.iter().map(|(measure, _)| measure.level).collect();
    let periods = levels.iter().filter_map(|level| portion.sources.periods.get(level)).flatten();
    let mut cells = Vec::new();
    for period in periods {
        let parts = sources.iter().map(|source| figures.get(&(*source, *period)).copied());
        let standing = GroupStatus::of(request, parts, valued.contains(period));
        let at = vouching.iter().filter(|(measure, _)| measure.level == period.kind());
        cells.extend(at.map(|(measure, name)| {
            standing.cell(measure, portion.key(name, *period), portion.recipe().clone())
        }));
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
struct GroupStatus {
    status: Status,
    as_of: Timestamp,
    valid_until: Timestamp,
}

impl GroupStatus {
    /// The worst of the parts; unknown where nothing of them lands.
    fn of<'a>(
        request: &Request<'_>,
        parts: impl Iterator<Item = Option<&'a Figures>>,
        lands: bool,
    ) -> Self {
        let as_of = request.live.origin.as_of;
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

    fn cell(&self, measure: &MeasureDecl, key: CellKey, recipe: Name) -> DesiredCell {
        let unrounded = number(measure, self.status);
        DesiredCell {
            key,
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
