//! Names as small integers: targets, scopes, places, measures, groups.

use std::collections::HashMap;

use planthread_contracts::{CellKey, GroupKey};
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use crate::{EngineError, error::Result, store::codec};

/// A group and its number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct GroupRef {
    pub(crate) id: i64,
    pub(crate) scope: i64,
    pub(crate) key: GroupKey,
}

impl GroupRef {
    /// The key of one of its cells.
    pub(crate) fn cell(&self, measure: &str) -> CellKey {
        let GroupKey { target, scope, resource, location, product, period } = self.key.clone();
        let measure = measure.to_owned();
        CellKey { target, scope, resource, location, product, period, measure }
    }
}

/// Numbers for names, made when they are new. Lives for one job.
#[derive(Debug, Default)]
pub(crate) struct Interner {
    scopes: HashMap<(String, String), i64>,
    places: HashMap<(String, String, String), i64>,
    measures: HashMap<String, i64>,
    recipes: HashMap<String, i64>,
}

impl Interner {
    pub(crate) fn group(&mut self, conn: &Connection, key: &GroupKey) -> Result<GroupRef> {
        let scope = self.scope(conn, &key.target, &key.scope)?;
        let place = self.place(conn, key)?;
        let period = codec::period_code(key.period);
        let find = "SELECT id FROM cell_group WHERE scope = ?1 AND period = ?2 AND place = ?3";
        let make = "INSERT INTO cell_group (scope, period, place) VALUES (?1, ?2, ?3)";
        let id = find_or_make(conn, find, make, params![scope, period, place])?;
        Ok(GroupRef { id, scope, key: key.clone() })
    }

    pub(crate) fn scope(&mut self, conn: &Connection, target: &str, scope: &str) -> Result<i64> {
        let key = (target.to_owned(), scope.to_owned());
        if let Some(id) = self.scopes.get(&key) {
            return Ok(*id);
        }
        let find = "SELECT id FROM scope WHERE target = ?1 AND name = ?2";
        let make = "INSERT INTO scope (target, name) VALUES (?1, ?2)";
        let id = find_or_make(conn, find, make, params![target, scope])?;
        self.scopes.insert(key, id);
        Ok(id)
    }

    fn place(&mut self, conn: &Connection, key: &GroupKey) -> Result<i64> {
        let product = product_text(key.product.as_deref());
        let name = (key.resource.clone(), key.location.clone(), product);
        if let Some(id) = self.places.get(&name) {
            return Ok(*id);
        }
        let find = "SELECT id FROM place WHERE resource = ?1 AND location = ?2 AND product = ?3";
        let make = "INSERT INTO place (resource, location, product) VALUES (?1, ?2, ?3)";
        let id = find_or_make(conn, find, make, params![name.0, name.1, name.2])?;
        self.places.insert(name, id);
        Ok(id)
    }

    pub(crate) fn measure(&mut self, conn: &Connection, name: &str) -> Result<i64> {
        if let Some(id) = self.measures.get(name) {
            return Ok(*id);
        }
        let find = "SELECT id FROM measure WHERE name = ?1";
        let id = find_or_make(conn, find, "INSERT INTO measure (name) VALUES (?1)", [name])?;
        self.measures.insert(name.to_owned(), id);
        Ok(id)
    }

    pub(crate) fn recipe(&mut self, conn: &Connection, digest: &str) -> Result<i64> {
        if let Some(id) = self.recipes.get(digest) {
            return Ok(*id);
        }
        let find = "SELECT id FROM recipe WHERE digest = ?1";
        let id = find_or_make(conn, find, "INSERT INTO recipe (digest) VALUES (?1)", [digest])?;
        self.recipes.insert(digest.to_owned(), id);
        Ok(id)
    }
}

fn find_or_make(
    conn: &Connection,
    find: &str,
    make: &str,
    key: impl rusqlite::Params + Clone,
) -> Result<i64> {
    let mut statement = conn.prepare_cached(find)?;
    if let Some(id) = statement.query_row(key.clone(), |row| row.get(0)).optional()? {
        return Ok(id);
    }
    conn.prepare_cached(make)?.execute(key)?;
    Ok(conn.last_insert_rowid())
}

fn product_text(product: Option<&str>) -> String {
    product.map(|product| format!("={product}")).unwrap_or_default()
}

/// The columns that [`group_from`] reads, of `cell_group g`, `scope s` and
/// `place p`.
pub(crate) const GROUP_COLUMNS: &str =
    "g.id, g.scope, s.target, s.name, p.resource, p.location, p.product, g.period";
/// Where they come from.
pub(crate) const GROUP_TABLES: &str =
    "cell_group g JOIN scope s ON s.id = g.scope JOIN place p ON p.id = g.place";

/// Reads [`GROUP_COLUMNS`] back.
pub(crate) fn group_from(row: &Row<'_>) -> Result<GroupRef> {
    let product: String = row.get(6)?;
    Ok(GroupRef {
        id: row.get(0)?,
        scope: row.get(1)?,
        key: GroupKey {
            target: row.get(2)?,
            scope: row.get(3)?,
            resource: row.get(4)?,
            location: row.get(5)?,
            product: product.strip_prefix('=').map(str::to_owned),
            period: codec::period(row.get(7)?)?,
        },
    })
}

/// The group numbered `id`.
pub(crate) fn group_by_id(conn: &Connection, id: i64) -> Result<GroupRef> {
    let query = format!("SELECT {GROUP_COLUMNS} FROM {GROUP_TABLES} WHERE g.id = ?1");
    let mut statement = conn.prepare_cached(&query)?;
    let mut rows = statement.query([id])?;
    let row = rows.next()?.ok_or_else(|| EngineError::Stored(format!("no group {id}")))?;
    group_from(row)
}

/// The number of a cell's group and measure, when the ledger knows them.
pub(crate) fn find_cell(conn: &Connection, key: &CellKey) -> Result<Option<(i64, i64)>> {
    let query = "SELECT g.id, m.id FROM cell_group g
         JOIN scope s ON s.id = g.scope JOIN place p ON p.id = g.place JOIN measure m
         WHERE s.target = ?1 AND s.name = ?2 AND p.resource = ?3 AND p.location = ?4
         AND p.product = ?5 AND g.period = ?6 AND m.name = ?7";
    let product = product_text(key.product.as_deref());
    let period = codec::period_code(key.period);
    let key =
        params![key.target, key.scope, key.resource, key.location, product, period, key.measure];
    let mut statement = conn.prepare_cached(query)?;
    Ok(statement.query_row(key, |row| Ok((row.get(0)?, row.get(1)?))).optional()?)
}

/// The number of a scope, when the ledger knows it.
pub(crate) fn find_scope(conn: &Connection, target: &str, scope: &str) -> Result<Option<i64>> {
    let query = "SELECT id FROM scope WHERE target = ?1 AND name = ?2";
    Ok(conn.prepare_cached(query)?.query_row([target, scope], |row| row.get(0)).optional()?)
}

/// All measures by number.
pub(crate) fn measures(conn: &Connection) -> Result<HashMap<i64, String>> {
    let mut statement = conn.prepare_cached("SELECT id, name FROM measure")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}
