//! All cell groups of a scope in plan order, streamed.
//!
//! Near periods first: those that have not ended, by start; then past ones,
//! the latest first. Inside a period by resource, location, product; inside a
//! group by measure. Names decide, never row numbers, so that the order is the
//! same in every ledger.

use std::collections::HashMap;

use jiff::civil::Date;
use planthread_contracts::{Name, Period};

use crate::{
    EngineError,
    error::Result,
    store::{Db, cells::Cell, groups::Groups, names::GroupRef},
};

/// Gives each group of `scope` with its cells and their measures' names to
/// `each`. The cells of only one group are in memory at a time.
pub(crate) fn groups(
    db: &Db,
    scope: i64,
    today: Date,
    mut each: impl FnMut(&GroupRef, &[(&Name, Cell)]) -> Result<()>,
) -> Result<()> {
    let measures = db.measures()?;
    let mut all = Groups::of(db, scope)?;
    for period in periods(db, scope, today)? {
        all.of_period(period, |group| each(&group, &cells(db, group.id, &measures)?))?;
    }
    Ok(())
}

/// The same place by place, for a target whose requests hold one place each. The cells
/// of only one group are in memory at a time.
pub(crate) fn groups_by_place(
    db: &Db,
    scope: i64,
    today: Date,
    mut each: impl FnMut(&GroupRef, &[(&Name, Cell)]) -> Result<()>,
) -> Result<()> {
    let measures = db.measures()?;
    let mut place: Vec<GroupRef> = Vec::new();
    let mut flush = |place: &mut Vec<GroupRef>| {
        place.sort_by(|one, other| near_first(one, today).cmp(&near_first(other, today)));
        let mut all = place.drain(..);
        all.try_for_each(|group| each(&group, &cells(db, group.id, &measures)?))
    };
    Groups::of(db, scope)?.by_place(|group| {
        let same = |last: &GroupRef| {
            (&last.key.resource, &last.key.location) == (&group.key.resource, &group.key.location)
        };
        if !place.last().is_none_or(same) {
            flush(&mut place)?;
        }
        place.push(group);
        Ok(())
    })?;
    flush(&mut place)
}

/// Where a group stands in plan order among those of its place.
fn near_first(group: &GroupRef, today: Date) -> (bool, i64, Period, Option<&Name>) {
    let period = group.key.period;
    let past = period.end() <= today;
    let days = (period.start() - Date::ZERO).get_days();
    (past, i64::from(if past { -days } else { days }), period, group.key.product.as_ref())
}

/// The cells of a group, by measure name.
pub(crate) fn cells<'m>(
    db: &Db,
    grp: i64,
    measures: &'m HashMap<i64, Name>,
) -> Result<Vec<(&'m Name, Cell)>> {
    named(db.cells_of_group(grp)?, measures)
}

/// These cells, by measure name.
pub(crate) fn named(cells: Vec<Cell>, measures: &HashMap<i64, Name>) -> Result<Vec<(&Name, Cell)>> {
    let nameless = |id: i64| EngineError::Stored(format!("{id} as a measure"));
    let with_name = |cell: Cell| {
        let id = cell.id.measure;
        measures.get(&id).map(|name| (name, cell)).ok_or_else(|| nameless(id))
    };
    let mut cells = cells.into_iter().map(with_name).collect::<Result<Vec<_>>>()?;
    cells.sort_by_key(|(name, _)| *name);
    Ok(cells)
}

/// Every period of the scope, near ones first.
pub(crate) fn periods(db: &Db, scope: i64, today: Date) -> Result<Vec<Period>> {
    let (mut past, mut open): (Vec<_>, Vec<_>) =
        db.periods(scope)?.into_iter().partition(|period| period.end() <= today);
    open.extend(past.drain(..).rev());
    Ok(open)
}
