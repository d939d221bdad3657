//! Balance: what must be true of the ledger's sums at every commit, in one place.
//!
//! Every revision that was ever made is in exactly one state, and for each scope
//!
//! ```text
//! wanted   = pending + held + in flight + unproven + seen + rejected
//! made     = wanted + superseded + overtaken + withdrawn + replaced in flight
//! held     = the sum over its reasons
//! in flight: each stands in an open attempt
//! ```
//!
//! A cell whose revision was replaced while it was out has two that have not ended:
//! the newer one waits until the attempt settles. One that was withdrawn and is wanted
//! again keeps its withdrawn revision behind it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use planthread_contracts::RevisionState;

use super::{audit::audit, cells};
use crate::{
    Reader,
    error::Result,
    status::{ScopeStatus, status},
};

/// What the cells of one scope come to when they are counted one by one.
#[derive(Debug, Default)]
struct Counted {
    wanted: u64,
    accepted: u64,
    seen: u64,
    states: BTreeMap<&'static str, u64>,
    /// The first cell that contradicts itself, and how.
    fault: Option<String>,
}

/// What does not add up, in words; nothing when the books balance.
///
/// # Errors
/// When the state can't be read.
pub fn unbalanced(reader: &Reader, now: Timestamp) -> Result<Vec<String>> {
    let audit = audit(reader)?;
    let mut found = audit.findings;
    let mut counted = BTreeMap::<(String, String), Counted>::new();
    cells(reader, now, |cell| {
        let scope = (cell.key.target.to_string(), cell.key.scope.to_string());
        let scope = counted.entry(scope).or_default();
        *scope.states.entry(cell.state.word()).or_default() += 1;
        if cell.state != RevisionState::Withdrawn {
            scope.wanted += 1;
            scope.accepted += u64::from(cell.accepted_revision == cell.revision);
            scope.seen += u64::from(cell.state == RevisionState::Seen);
        }
        if let Some(fault) = fault(&cell) {
            scope.fault.get_or_insert_with(|| format!("{}: {fault}", cell.key));
        }
        Ok(())
    })?;
    let scopes = status(reader, now)?.scopes;
    let states: u64 = scopes.iter().flat_map(|scope| scope.states.values()).sum();
    if i64::try_from(states) != Ok(audit.made) {
        found.push(format!("{states} revisions in states, {} were made", audit.made));
    }
    for scope in &scopes {
        let key = (scope.target.clone(), scope.scope.clone());
        let faults = compared(scope, counted.remove(&key).unwrap_or_default());
        found.extend(faults.into_iter().map(|fault| format!("{}/{}: {fault}", key.0, key.1)));
    }
    Ok(found)
}

/// How one cell contradicts itself.
fn fault(cell: &super::CellView) -> Option<&'static str> {
    let seen = cell.state == RevisionState::Seen;
    match () {
        () if cell.state == RevisionState::InFlight && !cell.open_attempt => {
            Some("in flight without an open attempt")
        }
        () if (cell.state == RevisionState::Held) != cell.held_for.is_some() => {
            Some("held without a reason, or not held with one")
        }
        () if cell.accepted_revision > cell.revision => Some("accepted before it was wanted"),
        () if seen && cell.seen.is_none() => Some("seen, and never read"),
        () => None,
    }
}

/// What differs between what the status says of a scope and what was counted.
fn compared(scope: &ScopeStatus, counted: Counted) -> Vec<String> {
    let tally = |state: RevisionState| scope.states.get(state.word()).copied().unwrap_or(0);
    let found = |state: RevisionState| counted.states.get(state.word()).copied().unwrap_or(0);
    let mut faults: Vec<String> = counted.fault.into_iter().collect();
    let mut same = |what: &str, one: u64, other: u64| {
        if one != other {
            faults.push(format!("{what}: {one}, and counted {other}"));
        }
    };
    same("wanted", scope.wanted, counted.wanted);
    same("accepted", scope.accepted, counted.accepted);
    same("seen", scope.seen, counted.seen);
    same("held by reason", scope.held.values().sum(), found(RevisionState::Held));
    // Only a current revision is in one of these states.
    for state in [
        RevisionState::Pending,
        RevisionState::Held,
        RevisionState::Unproven,
        RevisionState::Seen,
        RevisionState::Rejected,
    ] {
        same(state.word(), tally(state), found(state));
    }
    let sum: u64 = [
        RevisionState::Pending,
        RevisionState::Held,
        RevisionState::InFlight,
        RevisionState::Unproven,
        RevisionState::Seen,
        RevisionState::Rejected,
    ]
    .map(found)
    .iter()
    .sum();
    same("wanted, by state", scope.wanted, sum);
    for state in [RevisionState::InFlight, RevisionState::Withdrawn] {
        if tally(state) < found(state) {
            faults.push(format!("more cells are {} than revisions", state.word()));
        }
    }
    if tally(RevisionState::InFlight) > 0 && scope.open_attempts == 0 {
        faults.push("revisions are in flight, and no attempt is open".to_owned());
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        State,
        testing::{TempDir, decl, landed, now},
    };

    #[test]
    fn what_was_changed_beside_the_books_is_found() {
        for (assign, word) in [
            ("hold = 'lock'", "held"),
            ("accepted_rev = 9", "before it was wanted"),
            ("seen_at = NULL", "never read"),
            ("state = 0", "pending: 0, and counted 3"),
        ] {
            let dir = TempDir::new("balance");
            let state = State::open(dir.path(), now()).unwrap();
            landed(&state, &decl("live", "attainable_clock_hours", "value"), 3);
            assert_eq!(unbalanced(&state.reader().unwrap(), now()).unwrap(), [] as [String; 0]);
            let file = dir.path().join("state.db");
            drop(state);
            crate::store::forge::assign(&file, assign);
            let state = State::open(dir.path(), now()).unwrap();
            let found = unbalanced(&state.reader().unwrap(), now()).unwrap();
            assert!(found.iter().any(|text| text.contains(word)), "{assign}: {found:?}");
        }
    }
}
