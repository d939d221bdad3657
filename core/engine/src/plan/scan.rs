//! All cell groups of a scope in plan order, streamed.
//!
//! Near periods first: those that have not ended, by start; then past ones,
//! the latest first. Inside a period by resource, location, product; inside a
//! group by measure. Names decide, never row numbers, so that the order is the
//! same in every ledger.

use std::collections::HashMap;

use jiff::civil::Date;
use rusqlite::Connection;

use crate::{
    error::Result,
    ledger::{
        names::{self, GROUP_COLUMNS, GROUP_TABLES, GroupRef},
        rows::Cell,
    },
    store::codec,
};

/// Gives each group of `scope` with its cells and their measures' names to
/// `each`. Only one group is in memory at a time.
pub(crate) fn groups(
    conn: &Connection,
    scope: i64,
    today: Date,
    mut each: impl FnMut(&GroupRef, &[(String, Cell)]) -> Result<()>,
) -> Result<()> {
    let measures = names::measures(conn)?;
    for period in periods(conn, scope, today)? {
        let query = format!(
            "SELECT {GROUP_COLUMNS} FROM {GROUP_TABLES} WHERE g.scope = ?1 AND g.period = ?2
             ORDER BY p.resource, p.location, p.product"
        );
        let mut statement = conn.prepare_cached(&query)?;
        let mut rows = statement.query([scope, period])?;
        while let Some(row) = rows.next()? {
            let group = names::group_from(row)?;
            each(&group, &cells(conn, group.id, &measures)?)?;
        }
    }
    Ok(())
}

/// The cells of a group, by measure name.
pub(crate) fn cells(
    conn: &Connection,
    grp: i64,
    measures: &HashMap<i64, String>,
) -> Result<Vec<(String, Cell)>> {
    let named = |cell: Cell| (measures.get(&cell.measure).cloned().unwrap_or_default(), cell);
    let mut cells: Vec<_> = Cell::of_group(conn, grp)?.into_iter().map(named).collect();
    cells.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(cells)
}

/// Every period of the scope, near ones first. The next one is sought by the
/// index, so that this costs a seek a period and not a scan.
pub(crate) fn periods(conn: &Connection, scope: i64, today: Date) -> Result<Vec<i64>> {
    let query = "WITH RECURSIVE known (period) AS (
           SELECT MIN(period) FROM cell_group WHERE scope = ?1
           UNION ALL SELECT (SELECT MIN(period) FROM cell_group
             WHERE scope = ?1 AND period > known.period) FROM known WHERE period IS NOT NULL)
         SELECT period FROM known WHERE period IS NOT NULL";
    let mut statement = conn.prepare_cached(query)?;
    let all: Vec<i64> =
        statement.query_map([scope], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    let (mut open, mut past) = (Vec::new(), Vec::new());
    for code in all {
        let ended = codec::period(code)?.end() <= today;
        if ended { past.push(code) } else { open.push(code) }
    }
    open.extend(past.into_iter().rev());
    Ok(open)
}
