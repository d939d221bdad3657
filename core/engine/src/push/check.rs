//! Is a cell still what the plan says? Asked for whole groups.

use std::collections::HashMap;

use planthread_contracts::Name;

use crate::{
    error::Result,
    ledger::{CellView, view::Holds},
    plan::{PlanLine, Policy, SeenBasis, scan, stands},
    store::{
        Db,
        cells::Cell,
        names::{GroupRef, Place},
    },
};

/// Compares plan lines with one snapshot of the ledger.
pub(super) struct Checker<'a> {
    db: &'a Db,
    policy: &'a Policy,
    scope: Option<i64>,
    measures: HashMap<i64, Name>,
    holds: Holds,
    /// Places that were sought already; none where the ledger does not know one.
    places: HashMap<Place, Option<i64>>,
}

impl<'a> Checker<'a> {
    pub(super) fn new(db: &'a Db, policy: &'a Policy) -> Result<Self> {
        Ok(Self {
            db,
            policy,
            scope: db.scope(&policy.target, policy.scope.name())?,
            measures: db.measures()?,
            holds: Holds::load(db, policy.now)?,
            places: HashMap::new(),
        })
    }

    /// The lines of one group that do not stand any more.
    pub(super) fn moved<'l>(&mut self, lines: &'l [PlanLine]) -> Result<Vec<&'l PlanLine>> {
        let Some(first) = lines.first() else { return Ok(Vec::new()) };
        let Some((group, cells)) = self.group(first)? else { return Ok(lines.iter().collect()) };
        let cells = scan::named(cells, &self.measures)?;
        let stands = |line: &&PlanLine| {
            let found = cells.iter().find(|(measure, _)| **measure == line.cell.measure);
            found.is_some_and(|(measure, cell)| self.stands(&group, measure, cell, line))
        };
        Ok(lines.iter().filter(|line| !stands(line)).collect())
    }

    fn stands(&self, group: &GroupRef, measure: &Name, cell: &Cell, line: &PlanLine) -> bool {
        let view = CellView::new(group, measure, cell, &self.holds);
        view.basis().map(|value| SeenBasis { value }) == line.seen
            && stands(&view, (line.revision, line.value), self.policy)
    }

    /// The group of a line with its cells; none where the ledger has no such cell.
    fn group(&mut self, line: &PlanLine) -> Result<Option<(GroupRef, Vec<Cell>)>> {
        let (Some(scope), key) = (self.scope, line.cell.group()) else { return Ok(None) };
        let name = (key.resource.clone(), key.location.clone(), key.product.clone());
        let place = match self.places.get(&name) {
            Some(place) => *place,
            None => *self.places.entry(name).or_insert(self.db.place_of(&key)?),
        };
        let Some(place) = place else { return Ok(None) };
        let cells = self.db.cells_at(scope, key.period, place)?;
        let id = cells.first().map(|cell| cell.id.grp);
        Ok(id.map(|id| (GroupRef { id, scope, key }, cells)))
    }
}
