//! Names as small integers: targets, scopes, places, measures, groups.

use std::collections::HashMap;

use planthread_contracts::{CellKey, GroupKey, Name, Period};
use rusqlite::{Params, Row, params};

use super::{
    cells::Cell,
    codec,
    db::{Db, Sql, Tx},
};
use crate::{EngineError, error::Result};

/// The number of a cell: its group and its measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct CellId {
    pub(crate) grp: i64,
    pub(crate) measure: i64,
}

/// Resource, location and product.
pub(crate) type Place = (Name, Name, Option<Name>);

/// A group and its number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct GroupRef {
    pub(crate) id: i64,
    pub(crate) scope: i64,
    pub(crate) key: GroupKey,
}

impl GroupRef {
    /// The key of one of its cells.
    pub(crate) fn cell(&self, measure: impl Into<Name>) -> CellKey {
        let GroupKey { target, scope, resource, location, product, period } = self.key.clone();
        let measure = measure.into();
        CellKey { target, scope, resource, location, product, period, measure }
    }
}

impl Db {
    /// The number of a scope, when the ledger knows it.
    pub(crate) fn scope(&self, target: &str, name: &str) -> Result<Option<i64>> {
        let sql = Sql::seeks("SELECT id FROM scope WHERE target = ?1 AND name = ?2");
        self.find(sql, [target, name], |row| Ok(row.get(0)?))
    }

    /// Every scope: number, target, name.
    pub(crate) fn scopes(&self) -> Result<Vec<(i64, String, String)>> {
        let sql = Sql::walks(
            "SELECT id, target, name FROM scope ORDER BY target, name",
            "the list that was asked for: as long as the configuration",
        );
        self.all(sql, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
    }

    /// All measures by number.
    pub(crate) fn measures(&self) -> Result<HashMap<i64, Name>> {
        let sql = Sql::walks(
            "SELECT id, name FROM measure",
            "the list that was asked for: as long as the configuration",
        );
        self.all(sql, [], |row| Ok((row.get(0)?, codec::name(row, 1)?)))
    }

    /// The number of a measure, when the ledger knows it.
    pub(crate) fn measure(&self, name: &str) -> Result<Option<i64>> {
        self.find(Sql::seeks("SELECT id FROM measure WHERE name = ?1"), [name], id)
    }

    /// The number of a group of a scope, when the ledger knows it.
    pub(crate) fn group_named(&self, scope: i64, key: &GroupKey) -> Result<Option<i64>> {
        let place = self.place_of(key)?;
        place.map_or(Ok(None), |place| self.group_at(scope, key.period, place))
    }

    /// The number of the place of a group, when the ledger knows it.
    pub(crate) fn place_of(&self, key: &GroupKey) -> Result<Option<i64>> {
        self.place(&key.resource, &key.location, &product_text(key.product.as_deref()))
    }

    /// The number of a scope's group of a period and a place, when the ledger knows it.
    pub(crate) fn group_at(&self, scope: i64, period: Period, place: i64) -> Result<Option<i64>> {
        let sql =
            Sql::seeks("SELECT id FROM cell_group WHERE scope = ?1 AND period = ?2 AND place = ?3");
        self.find(sql, params![scope, codec::period_code(period), place], id)
    }

    fn place(&self, resource: &str, location: &str, product: &str) -> Result<Option<i64>> {
        let sql = Sql::seeks(
            "SELECT id FROM place WHERE resource = ?1 AND location = ?2 AND product = ?3",
        );
        self.find(sql, [resource, location, product], id)
    }

    /// The number of a cell.
    ///
    /// # Errors
    /// When the ledger does not know it.
    pub(crate) fn cell_named(&self, key: &CellKey) -> Result<CellId> {
        let group = match self.scope(&key.target, &key.scope)? {
            Some(scope) => self.group_named(scope, &key.group())?,
            None => None,
        };
        let found = group.zip(self.measure(&key.measure)?);
        let (grp, measure) =
            found.ok_or_else(|| EngineError::UnknownCell(Box::new(key.clone())))?;
        Ok(CellId { grp, measure })
    }

    /// The group numbered `id`.
    pub(crate) fn group(&self, id: i64) -> Result<GroupRef> {
        let sql = Sql::seeks(
            "SELECT g.id, g.scope, s.target, s.name, p.resource, p.location, p.product, g.period
             FROM cell_group g JOIN scope s ON s.id = g.scope JOIN place p ON p.id = g.place
             WHERE g.id = ?1",
        );
        self.one(sql, [id], |row| group(row, 0))
    }

    /// Gives number and period of every group of a scope to `each`.
    pub(crate) fn periods_of_groups(
        &self,
        scope: i64,
        mut each: impl FnMut(i64, Period) -> Result<()>,
    ) -> Result<()> {
        let sql = Sql::seeks("SELECT id, period FROM cell_group WHERE scope = ?1");
        self.each(sql, [scope], |row| each(row.get(0)?, codec::period(row.get(1)?)?))
    }

    /// Every period of a scope, in order. The next one is sought by the index,
    /// so that this costs a seek a period and not a walk over its groups.
    pub(crate) fn periods(&self, scope: i64) -> Result<Vec<Period>> {
        let sql = Sql::seeks(
            "SELECT period FROM cell_group WHERE scope = ?1 AND period > ?2
             ORDER BY period LIMIT 1",
        );
        let mut all = Vec::new();
        let mut last = i64::MIN;
        while let Some(code) = self.find(sql, [scope, last], id)? {
            all.push(codec::period(code)?);
            last = code;
        }
        Ok(all)
    }

    /// Resource, location and product of a place.
    pub(super) fn place_names(&self, id: i64) -> Result<Place> {
        let sql = Sql::seeks("SELECT resource, location, product FROM place WHERE id = ?1");
        self.one(sql, [id], |row| {
            let product = codec::text(row, 2)?.strip_prefix('=').map(Name::from);
            Ok((codec::name(row, 0)?, codec::name(row, 1)?, product))
        })
    }

    /// How many places a scope has.
    pub(crate) fn places(&self, scope: i64) -> Result<usize> {
        let sql = Sql::seeks("SELECT COUNT(DISTINCT place) FROM cell_group WHERE scope = ?1");
        self.number(sql, [scope])
    }

    /// The digest of a recipe by its number.
    pub(crate) fn recipe(&self, id: i64) -> Result<String> {
        self.number(Sql::seeks("SELECT digest FROM recipe WHERE id = ?1"), [id])
    }
}

/// Reads eight columns that name a group, from column `at` on.
pub(super) fn group(row: &Row<'_>, at: usize) -> Result<GroupRef> {
    let product = codec::text(row, at + 6)?;
    Ok(GroupRef {
        id: row.get(at)?,
        scope: row.get(at + 1)?,
        key: GroupKey {
            target: codec::name(row, at + 2)?,
            scope: codec::name(row, at + 3)?,
            resource: codec::name(row, at + 4)?,
            location: codec::name(row, at + 5)?,
            product: product.strip_prefix('=').map(Name::from),
            period: codec::period(row.get(at + 7)?)?,
        },
    })
}

fn id(row: &Row<'_>) -> Result<i64> {
    Ok(row.get(0)?)
}

/// '' for none, else '=' and the product.
fn product_text(product: Option<&str>) -> String {
    product.map(|product| format!("={product}")).unwrap_or_default()
}

/// Numbers for names, made when they are new. Lives for one job.
#[derive(Debug, Default)]
pub(crate) struct Interner {
    scopes: HashMap<(Name, Name), i64>,
    places: HashMap<Place, i64>,
    measures: HashMap<Name, i64>,
    recipes: HashMap<Name, i64>,
}

impl Interner {
    /// The group of a scope with its cells; none where the ledger knows none.
    pub(crate) fn cells_of(
        &mut self,
        tx: &Tx<'_>,
        scope: i64,
        key: GroupKey,
    ) -> Result<(GroupRef, Vec<Cell>)> {
        let place = self.place(tx, &key)?;
        let cells = tx.cells_at(scope, key.period, place)?;
        let id = cells.first().map_or(0, |cell| cell.id.grp);
        Ok((GroupRef { id, scope, key }, cells))
    }

    /// The group, and whether it is new: one that was made now has no cells.
    pub(crate) fn group(&mut self, tx: &Tx<'_>, key: &GroupKey) -> Result<(GroupRef, bool)> {
        let scope = self.scope(tx, &key.target, &key.scope)?;
        let place = self.place(tx, key)?;
        let (id, is_new) = match tx.group_at(scope, key.period, place)? {
            Some(id) => (id, false),
            None => {
                let sql =
                    Sql::seeks("INSERT INTO cell_group (scope, period, place) VALUES (?1, ?2, ?3)");
                (tx.insert(sql, params![scope, codec::period_code(key.period), place])?, true)
            }
        };
        Ok((GroupRef { id, scope, key: key.clone() }, is_new))
    }

    pub(crate) fn scope(&mut self, tx: &Tx<'_>, target: &Name, name: &Name) -> Result<i64> {
        let key = (target.clone(), name.clone());
        if let Some(id) = self.scopes.get(&key) {
            return Ok(*id);
        }
        let make = Sql::seeks("INSERT INTO scope (target, name) VALUES (?1, ?2)");
        let id = found_or_made(tx, tx.scope(target, name)?, make, [target.as_str(), name])?;
        self.scopes.insert(key, id);
        Ok(id)
    }

    fn place(&mut self, tx: &Tx<'_>, key: &GroupKey) -> Result<i64> {
        let name = (key.resource.clone(), key.location.clone(), key.product.clone());
        if let Some(id) = self.places.get(&name) {
            return Ok(*id);
        }
        let names = [&*name.0, &*name.1, &product_text(name.2.as_deref())];
        let found = tx.place(names[0], names[1], names[2])?;
        let make =
            Sql::seeks("INSERT INTO place (resource, location, product) VALUES (?1, ?2, ?3)");
        let id = found_or_made(tx, found, make, names)?;
        self.places.insert(name, id);
        Ok(id)
    }

    pub(crate) fn measure(&mut self, tx: &Tx<'_>, name: &Name) -> Result<i64> {
        if let Some(id) = self.measures.get(name) {
            return Ok(*id);
        }
        let make = Sql::seeks("INSERT INTO measure (name) VALUES (?1)");
        let id = found_or_made(tx, tx.measure(name)?, make, [name.as_str()])?;
        self.measures.insert(name.clone(), id);
        Ok(id)
    }

    pub(crate) fn recipe(&mut self, tx: &Tx<'_>, digest: &Name) -> Result<i64> {
        if let Some(id) = self.recipes.get(digest) {
            return Ok(*id);
        }
        let key = [digest.as_str()];
        let found = tx.find(Sql::seeks("SELECT id FROM recipe WHERE digest = ?1"), key, id)?;
        let make = Sql::seeks("INSERT INTO recipe (digest) VALUES (?1)");
        let id = found_or_made(tx, found, make, key)?;
        self.recipes.insert(digest.clone(), id);
        Ok(id)
    }
}

fn found_or_made(tx: &Tx<'_>, found: Option<i64>, make: Sql, name: impl Params) -> Result<i64> {
    found.map_or_else(|| tx.insert(make, name), Ok)
}
