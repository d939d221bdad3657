//! The groups of one scope, walked: each name is read once and then shared.

use std::{cmp::Ordering, collections::HashMap};

use planthread_contracts::{GroupKey, Name, Period};
use rusqlite::Params;

use super::{
    codec,
    db::{Db, Sql},
    names::{GroupRef, Place},
};
use crate::error::Result;

/// Reads the groups of one scope. A place has many periods, and a walk meets each
/// of its names as often: they are read once and kept while this lives.
pub(crate) struct Groups<'a> {
    db: &'a Db,
    scope: i64,
    /// Target and name of the scope; none where the ledger does not know it.
    names: Option<(Name, Name)>,
    places: HashMap<i64, Place>,
}

impl<'a> Groups<'a> {
    /// The groups of the scope numbered `scope`.
    pub(crate) fn of(db: &'a Db, scope: i64) -> Result<Self> {
        let sql = Sql::seeks("SELECT target, name FROM scope WHERE id = ?1");
        let names =
            db.find(sql, [scope], |row| Ok((codec::name(row, 0)?, codec::name(row, 1)?)))?;
        Ok(Self { db, scope, names, places: HashMap::new() })
    }

    /// Gives all of them to `each`.
    pub(crate) fn all(&mut self, each: impl FnMut(GroupRef) -> Result<()>) -> Result<()> {
        let sql = Sql::seeks("SELECT id, place, period FROM cell_group WHERE scope = ?1");
        self.each(sql, [self.scope], each)
    }

    /// Gives those of one period to `each`, by resource, location and product.
    pub(crate) fn of_period(
        &mut self,
        period: Period,
        each: impl FnMut(GroupRef) -> Result<()>,
    ) -> Result<()> {
        let sql =
            Sql::seeks("SELECT id, place, period FROM cell_group WHERE scope = ?1 AND period = ?2");
        let mut groups = Vec::new();
        self.each(sql, (self.scope, codec::period_code(period)), |group| {
            groups.push(group);
            Ok(())
        })?;
        groups.sort_by(by_place);
        groups.into_iter().try_for_each(each)
    }

    /// Gives all of them to `each`, by resource, location and product. All are in memory
    /// at once, without their cells, and share their names.
    pub(crate) fn by_place(&mut self, each: impl FnMut(GroupRef) -> Result<()>) -> Result<()> {
        let mut groups = Vec::new();
        self.all(|group| {
            groups.push(group);
            Ok(())
        })?;
        groups.sort_by(by_place);
        groups.into_iter().try_for_each(each)
    }

    /// Gives those from one period to another to `each`, by period.
    pub(crate) fn between(
        &mut self,
        (from, to): (Period, Period),
        each: impl FnMut(GroupRef) -> Result<()>,
    ) -> Result<()> {
        let sql = Sql::seeks(
            "SELECT id, place, period FROM cell_group
             WHERE scope = ?1 AND period BETWEEN ?2 AND ?3 ORDER BY period, id",
        );
        let (from, to) = (codec::period_code(from), codec::period_code(to));
        self.each(sql, (self.scope, from, to), each)
    }

    /// Gives the group of each row to `each`: its number, place and period.
    fn each(
        &mut self,
        sql: Sql,
        params: impl Params,
        mut each: impl FnMut(GroupRef) -> Result<()>,
    ) -> Result<()> {
        let Some((target, name)) = self.names.clone() else { return Ok(()) };
        let mut last: Option<(i64, Period)> = None;
        self.db.each(sql, params, |row| {
            let (resource, location, product) = self.place(row.get(1)?)?;
            // A walk meets one period many times in a row.
            let code = row.get(2)?;
            let period = match last {
                Some((known, period)) if known == code => period,
                _ => codec::period(code)?,
            };
            last = Some((code, period));
            let (target, scope) = (target.clone(), name.clone());
            let key = GroupKey { target, scope, resource, location, product, period };
            each(GroupRef { id: row.get(0)?, scope: self.scope, key })
        })
    }

    fn place(&mut self, id: i64) -> Result<Place> {
        if let Some(place) = self.places.get(&id) {
            return Ok(place.clone());
        }
        let place = self.db.place_names(id)?;
        self.places.insert(id, place.clone());
        Ok(place)
    }
}

/// The order of groups by their names; numbers decide nothing.
fn by_place(GroupRef { key: a, .. }: &GroupRef, GroupRef { key: b, .. }: &GroupRef) -> Ordering {
    let place = a.resource.cmp(&b.resource).then_with(|| a.location.cmp(&b.location));
    place.then_with(|| a.product.cmp(&b.product))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        State,
        store::names::Interner,
        testing::{TempDir, now},
    };

    #[test]
    fn names_decide_the_order_in_a_period_and_are_shared() {
        let dir = TempDir::new("groups");
        let state = State::open(dir.path(), now()).unwrap();
        let periods: [Period; 2] = ["2026-W50", "2026-W49"].map(|week| week.parse().unwrap());
        // In no order, and with a product that is not the same as none.
        let places = [("B", "1", None), ("A", "2", Some("p")), ("A", "2", None), ("A", "1", None)];
        let key = |period: Period, (resource, location, product): (&str, &str, Option<&str>)| {
            let (target, scope) = ("t".into(), "s".into());
            let (resource, location) = (resource.into(), location.into());
            GroupKey { target, scope, resource, location, product: product.map(Into::into), period }
        };
        let keys: Vec<GroupKey> =
            periods.iter().flat_map(|week| places.map(|place| key(*week, place))).collect();
        let scope = state
            .change(move |tx| {
                let mut names = Interner::default();
                let groups = keys.iter().map(|key| names.group(tx, key));
                Ok(groups.collect::<Result<Vec<_>>>()?[0].0.scope)
            })
            .unwrap();
        let reader = state.reader().unwrap();
        let mut groups = Groups::of(reader.db(), scope).unwrap();
        let mut found = Vec::new();
        let mut keep = |group: GroupRef| {
            found.push(group.key);
            Ok(())
        };
        groups.of_period(periods[0], &mut keep).unwrap();
        groups.between((periods[1], periods[1]), &mut keep).unwrap();
        groups.by_place(&mut keep).unwrap();
        let sorted = [places[3], places[2], places[1], places[0]];
        assert_eq!(found[..4], sorted.map(|place| key(periods[0], place)));
        assert_eq!(found[4..8], places.map(|place| key(periods[1], place)));
        assert_eq!(found.len(), 16);
        assert!(std::ptr::eq(found[0].resource.as_str(), found[7].resource.as_str()));
        Groups::of(reader.db(), scope + 1).unwrap().all(|_| panic!("it is not known")).unwrap();
    }
}
