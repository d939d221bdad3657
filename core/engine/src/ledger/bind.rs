//! Bind: what was seen holds only where it was seen.
//!
//! A scope's ledger belongs to one address of its target, and a measure's cells
//! to one surface there. When the configuration names another one (a productive
//! tenant instead of a sandbox, a renamed key figure), nothing that was accepted
//! or seen before says anything about it: the cells are due again.

use std::collections::{BTreeMap, BTreeSet};

use planthread_contracts::{MeasureDecl, RevisionState, Scope};
use rusqlite::{Connection, params};
use serde::Serialize;

use super::{
    books::Books,
    names::{self, Interner},
    rows::{Cell, Why},
};
use crate::{EngineError, Reader, State, error::Result};

/// What a scope's ledger is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    /// The configured target.
    pub target: String,
    /// The scope.
    pub scope: Scope,
    /// Where the target is, in its connector's words.
    pub address: String,
    /// The target's measures.
    pub measures: Vec<MeasureDecl>,
}

/// What a changed binding led to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Rebound {
    /// What it was before, by name: `address`, or a measure.
    pub before: BTreeMap<String, String>,
    /// Cells of which nothing is known any more.
    pub cells: u64,
}

/// The name under which the address is kept; no measure is called so.
const ADDRESS: &str = "";

impl Binding {
    fn parts(&self) -> BTreeMap<&str, &str> {
        let measures = self.measures.iter().map(|m| (m.name.as_str(), m.surface.as_str()));
        measures.chain([(ADDRESS, self.address.as_str())]).collect()
    }
}

/// Holds the ledger of a scope to `binding`. Costs a read when nothing changed.
///
/// # Errors
/// When a push to the earlier address is still open, or the state can't be
/// written.
pub fn bind(state: &State, binding: &Binding) -> Result<Rebound> {
    if holds(&state.reader()?, binding)? {
        return Ok(Rebound::default());
    }
    let binding = binding.clone();
    state.write(move |conn| run(conn, &binding))
}

fn holds(reader: &Reader, binding: &Binding) -> Result<bool> {
    let Some(scope) = names::find_scope(reader.conn(), &binding.target, binding.scope.name())?
    else {
        return Ok(false);
    };
    let kept = kept(reader.conn(), scope)?;
    Ok(binding.parts().iter().all(|(what, held)| kept.get(*what).is_some_and(|k| k == held)))
}

fn kept(conn: &Connection, scope: i64) -> Result<BTreeMap<String, String>> {
    let mut statement = conn.prepare_cached("SELECT what, held FROM binding WHERE scope = ?1")?;
    let rows = statement.query_map([scope], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn run(conn: &Connection, binding: &Binding) -> Result<Rebound> {
    let scope = Interner::default().scope(conn, &binding.target, binding.scope.name())?;
    let kept = kept(conn, scope)?;
    let mut done = Rebound::default();
    for (what, held) in binding.parts() {
        if let Some(before) = kept.get(what).filter(|before| *before != held) {
            let name = if what == ADDRESS { "address" } else { what };
            done.before.insert(name.to_owned(), before.clone());
        }
        let put = "INSERT INTO binding VALUES (?1, ?2, ?3)
             ON CONFLICT (scope, what) DO UPDATE SET held = excluded.held";
        conn.prepare_cached(put)?.execute(params![scope, what, held])?;
    }
    if !done.before.is_empty() {
        let all = done.before.contains_key("address");
        let measures: BTreeSet<&str> = done.before.keys().map(String::as_str).collect();
        done.cells = forget(conn, scope, &|measure| all || measures.contains(measure), &done)?;
    }
    Ok(done)
}

fn forget(
    conn: &Connection,
    scope: i64,
    changed: &dyn Fn(&str) -> bool,
    rebound: &Rebound,
) -> Result<u64> {
    let names = names::measures(conn)?;
    let mut books = Books::default();
    let mut forgotten = 0;
    let mut groups = conn.prepare("SELECT id FROM cell_group WHERE scope = ?1 ORDER BY id")?;
    let groups = groups.query_map([scope], |row| row.get(0))?;
    for group in groups.collect::<rusqlite::Result<Vec<i64>>>()? {
        for mut cell in Cell::of_group(conn, group)? {
            if !names.get(&cell.measure).is_some_and(|name| changed(name)) {
                continue;
            }
            if cell.open_attempt != 0 {
                let before = rebound.before.values().next().map_or("", String::as_str);
                return Err(EngineError::Refused(format!(
                    "a push to `{before}` is still open; run once with the earlier configuration, \
                     which settles it, then change it"
                )));
            }
            use RevisionState as S;
            if matches!(cell.state, S::Seen | S::Unproven | S::Rejected) {
                cell.step(&mut books, scope, S::Pending)?;
                cell.why = Why::New;
            }
            (cell.accepted_rev, cell.accepted_by, cell.unclear) = (0, 0, None);
            (cell.before, cell.seen, cell.seen_at, cell.seen_attempt) = (None, None, None, 0);
            (cell.in_use, cell.in_use_since, cell.in_case) = (false, None, 0);
            cell.save(conn)?;
            forgotten += 1;
        }
    }
    books.flush(conn)?;
    Ok(forgotten)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{TempDir, decl, now};

    #[test]
    fn what_was_seen_at_another_address_is_not_seen() {
        let dir = TempDir::new("bind");
        let state = State::open(dir.path(), now()).unwrap();
        let measures = vec![decl("live", "attainable_clock_hours", "value")];
        let first = "2026-11-23".parse().unwrap();
        super::super::seed(&state, "t", &measures, 40, first, true, now()).unwrap();
        let status = || crate::status::status(&state.reader().unwrap(), now()).unwrap();
        let seen = status().scopes[0].seen;
        assert!(seen >= 40, "{seen}");
        let mut binding = Binding {
            target: "t".into(),
            scope: Scope::base(),
            address: "sandbox/PTDEMO".into(),
            measures,
        };
        assert_eq!(bind(&state, &binding).unwrap(), Rebound::default(), "the first says nothing");
        assert_eq!(bind(&state, &binding).unwrap(), Rebound::default());
        assert_eq!(status().scopes[0].seen, seen);
        binding.address = "tenant/ZPROD".into();
        let rebound = bind(&state, &binding).unwrap();
        assert_eq!((rebound.cells, rebound.before["address"].as_str()), (seen, "sandbox/PTDEMO"));
        let after = &status().scopes[0];
        assert_eq!((after.wanted, after.accepted, after.seen), (seen, 0, 0));
        assert_eq!(bind(&state, &binding).unwrap(), Rebound::default());
        binding.measures[0].surface = "OTHER".into();
        assert_eq!(bind(&state, &binding).unwrap().before["live"], "LIVE");
        assert!(crate::ledger::audit(&state.reader().unwrap()).unwrap().findings.is_empty());
    }
}
