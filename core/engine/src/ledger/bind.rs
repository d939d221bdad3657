//! Bind: what was seen holds only where it was seen.
//!
//! A scope's ledger belongs to one address of its target, and a measure's cells
//! to one surface there. When the configuration names another one (a productive
//! tenant instead of a sandbox, a renamed key figure), nothing that was accepted
//! or seen before says anything about it: the cells are due again.

use std::collections::{BTreeMap, BTreeSet};

use planthread_contracts::{MeasureDecl, RevisionState, Scope};
use serde::Serialize;

use super::{revision_tally::RevisionTally, rows::Why};
use crate::{
    EngineError, Reader, State,
    error::Result,
    store::{Tx, cells::Cell, groups::Groups, names::Interner},
};

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
    state.change(move |tx| run(tx, &binding))
}

fn holds(reader: &Reader, binding: &Binding) -> Result<bool> {
    let db = reader.db();
    let Some(scope) = db.scope(&binding.target, binding.scope.name())? else { return Ok(false) };
    let kept = db.binding(scope)?;
    Ok(binding.parts().iter().all(|(what, held)| kept.get(*what).is_some_and(|k| k == held)))
}

fn run(tx: &Tx<'_>, binding: &Binding) -> Result<Rebound> {
    let (target, name) = ((&binding.target).into(), binding.scope.name().into());
    let scope = Interner::default().scope(tx, &target, &name)?;
    let kept = tx.binding(scope)?;
    let mut done = Rebound::default();
    for (what, held) in binding.parts() {
        if let Some(before) = kept.get(what).filter(|before| *before != held) {
            let name = if what == ADDRESS { "address" } else { what };
            done.before.insert(name.to_owned(), before.clone());
        }
        tx.put_binding(scope, what, held)?;
    }
    if !done.before.is_empty() {
        let all = done.before.contains_key("address");
        let measures: BTreeSet<&str> = done.before.keys().map(String::as_str).collect();
        done.cells = forget(tx, scope, &|measure| all || measures.contains(measure), &done)?;
    }
    Ok(done)
}

fn forget(
    tx: &Tx<'_>,
    scope: i64,
    changed: &dyn Fn(&str) -> bool,
    rebound: &Rebound,
) -> Result<u64> {
    let names = tx.measures()?;
    let mut tally = RevisionTally::default();
    let mut forgotten = 0;
    Groups::of(tx, scope)?.all(|group| {
        for mut cell in tx.cells_of_group(group.id)? {
            if !names.get(&cell.id.measure).is_some_and(|name| changed(name)) {
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
                cell.step(&mut tally, scope, S::Pending)?;
                cell.why = Why::New;
            }
            // Nothing was ever sent there: what is found there is none of ours.
            (cell.sent_rev, cell.sent_at) = (0, None);
            tx.forget_unadopted(scope, cell.id.measure)?;
            (cell.accepted_rev, cell.accepted_by, cell.unclear) = (0, 0, None);
            cell.in_case = 0;
            unseen(&mut cell);
            tx.put_cell(&cell)?;
            forgotten += 1;
        }
        Ok(())
    })?;
    tally.flush(tx)?;
    Ok(forgotten)
}

/// Nothing is known of what the target holds.
const fn unseen(cell: &mut Cell) {
    (cell.before, cell.seen, cell.seen_at, cell.seen_attempt) = (None, None, None, 0);
    (cell.in_use, cell.in_use_since) = (false, None);
}

/// Lets everything that was seen in a scope expire: what stands there may be our
/// own, of a time that this state does not remember. No attempt may be open. What
/// a person was asked about, and what was refused, stays.
pub(crate) fn expire(tx: &Tx<'_>, scope: i64) -> Result<()> {
    let mut tally = RevisionTally::default();
    Groups::of(tx, scope)?.all(|group| {
        for mut cell in tx.cells_of_group(group.id)? {
            use RevisionState as S;
            if matches!(cell.state, S::Seen | S::Unproven) {
                cell.step(&mut tally, scope, S::Pending)?;
                cell.why = Why::StaleOwn;
            }
            unseen(&mut cell);
            tx.put_cell(&cell)?;
        }
        Ok(())
    })?;
    tally.flush(tx)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{TempDir, decl, landed, now};

    #[test]
    fn what_was_seen_at_another_address_is_not_seen() {
        let dir = TempDir::new("bind");
        let state = State::open(dir.path(), now()).unwrap();
        let measures = vec![decl("live", "attainable_clock_hours", "value")];
        landed(&state, &measures[0], 40);
        let status = || crate::status::status(&state.reader().unwrap(), now()).unwrap();
        let seen = status().scopes[0].seen;
        assert_eq!(seen, 40);
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
