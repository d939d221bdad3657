//! The state in numbers, for whoever watches it every few seconds.
//!
//! What changes all the time is sought ([`gauges`]): it costs the same after ten
//! years. What needs a look at every cell of the plan ([`cells`]) is asked for only
//! when the ledger's counter has moved.

use std::collections::BTreeMap;

use jiff::Timestamp;
use planthread_contracts::RevisionState;

use crate::{
    Reader,
    error::Result,
    ledger::{CaseKind, TakenIn},
    store::Db,
};

/// The state in numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Gauges {
    /// The ledger's counter: it moves with whatever changes in the ledger.
    pub counter: u64,
    /// When truth was last taken in.
    pub last_cycle: Option<TakenIn>,
    /// Position of the journal's last record.
    pub position: u64,
    /// Records that wait for a person, by what they are.
    pub waiting: [(&'static str, u64); 3],
    /// Each scope.
    pub scopes: Vec<ScopeGauges>,
}

/// One scope of one target in numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScopeGauges {
    /// The configured target.
    pub target: String,
    /// The scope; empty for base.
    pub scope: String,
    /// Cells by the state of their newest revision.
    pub states: BTreeMap<&'static str, u64>,
    /// Attempts without an end.
    pub open_attempts: u64,
    /// Since when the oldest of them is open.
    pub oldest_open: Option<Timestamp>,
    /// Open questions, by their kind.
    pub open_cases: BTreeMap<&'static str, u64>,
    /// Locks that have not ended.
    pub locks: u64,
}

/// The cells of one scope that are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CellGauges {
    /// The configured target.
    pub target: String,
    /// The scope; empty for base.
    pub scope: String,
    /// How many are wanted.
    pub wanted: u64,
    /// Of them, those that the target said it took.
    pub accepted: u64,
    /// Of them, those that were read back as wanted.
    pub seen: u64,
    /// Of them, those that drive the target's plan.
    pub in_use: u64,
    /// Landed cells whose end has passed.
    pub stale: u64,
    /// Since when the oldest one is wanted that was not seen as wanted.
    pub oldest_unseen: Option<Timestamp>,
}

/// States of revisions that are no cell's newest any more.
const OVER: [RevisionState; 2] = [RevisionState::Superseded, RevisionState::Overtaken];

/// The state in numbers at `now`, on a connection of its own.
///
/// # Errors
/// When the state can't be read.
pub fn gauges(reader: &Reader, now: Timestamp) -> Result<Gauges> {
    reader.at_once(|db| {
        let (position, refused, conflicting, future) = db.journal_waits()?;
        let mut all = Gauges {
            counter: db.counter()?,
            last_cycle: db.taken_in(1)?.pop(),
            position,
            waiting: [("refused", refused), ("conflict", conflicting), ("future", future)],
            scopes: Vec::new(),
        };
        for (id, target, scope) in db.scopes()? {
            let tally: Vec<(RevisionState, u64)> = db.tally(id)?;
            let mut states: BTreeMap<&str, u64> =
                RevisionState::ALL.iter().map(|state| (state.word(), 0)).collect();
            states.extend(tally.into_iter().map(|(state, n)| (state.word(), n)));
            states.retain(|word, _| OVER.iter().all(|state| state.word() != *word));
            all.scopes.push(ScopeGauges {
                target,
                scope,
                states,
                open_attempts: db.open_attempt_count(id)?,
                oldest_open: db.oldest_open_attempt(id)?,
                open_cases: open_cases(db, id)?,
                locks: db.lock_count(id, now)?,
            });
        }
        Ok(all)
    })
}

fn open_cases(db: &Db, scope: i64) -> Result<BTreeMap<&'static str, u64>> {
    let mut all: BTreeMap<&str, u64> = CaseKind::ALL.iter().map(|kind| (kind.word(), 0)).collect();
    let open: Vec<(CaseKind, u64)> = db.open_cases_by_kind(scope)?;
    all.extend(open.into_iter().map(|(kind, n)| (kind.word(), n)));
    Ok(all)
}

/// The wanted cells of each scope at `now`: a look at each of them.
///
/// # Errors
/// When the state can't be read.
pub fn cells(reader: &Reader, now: Timestamp) -> Result<Vec<CellGauges>> {
    reader.at_once(|db| {
        let mut all = Vec::new();
        for (id, target, scope) in db.scopes()? {
            let counts = db.scope_counts(id, now)?;
            all.push(CellGauges {
                target,
                scope,
                wanted: counts.wanted,
                accepted: counts.accepted,
                seen: counts.seen,
                in_use: counts.in_use,
                stale: counts.stale,
                oldest_unseen: counts.oldest_unseen,
            });
        }
        Ok(all)
    })
}

#[cfg(test)]
mod tests {
    use planthread_contracts::{Origin, RawRecord};

    use super::*;
    use crate::{
        State,
        journal::{Append, append},
        ledger,
        store::forge,
        testing::{TempDir, decl, landed, now, wanted},
    };

    fn record(n: usize) -> RawRecord {
        RawRecord {
            source: "line-sim".into(),
            id: n.to_string(),
            media_type: "text/csv".into(),
            body: b"10,M1,60".to_vec(),
            received_at: now(),
            origin: Origin { place: "log.csv".into(), line: 1 },
        }
    }

    /// A state with so many records behind it, and as many past revisions and attempts
    /// of its eighty cells.
    fn lived(rounds: usize) -> (TempDir, State) {
        let dir = TempDir::new("gauges");
        let state = State::open(dir.path(), now()).unwrap();
        for round in 0..rounds {
            let records = vec![record(round)];
            append(&state, Append { records, ..Append::default() }, now()).unwrap();
            wanted(&state, &decl(&format!("m{}", round % 2), "expected_lost_hours", "value"), 40);
            forge::past(&state, round);
        }
        (dir, state)
    }

    #[test]
    fn a_scrape_costs_the_same_however_long_the_history_is() {
        let cost = |rounds| {
            let (_dir, state) = lived(rounds);
            let reader = state.reader().unwrap();
            gauges(&reader, now()).unwrap();
            let sought = reader.db().take_steps();
            cells(&reader, now()).unwrap();
            (sought, reader.db().take_steps())
        };
        let (few, many) = (cost(4), cost(40));
        assert!(few.0 > 50 && few.1 > 400, "{few:?}");
        assert!(many.0 < few.0 + few.0 / 10, "{few:?}, then {many:?}");
        assert!(many.1 < few.1 + few.1 / 10, "{few:?}, then {many:?}");
    }

    #[test]
    fn what_is_open_costs_the_same_however_many_cases_were_closed() {
        let cost = |closed: usize| {
            let (_dir, state) = lived(1);
            forge::closed_cases(&state, closed);
            forge::open_case(&state, "open");
            let reader = state.reader().unwrap();
            let open = ledger::open_cases(&reader).unwrap();
            let cost = reader.db().take_steps();
            reader.db().holding_cases().unwrap();
            let cost = (cost, reader.db().take_steps());
            assert_eq!(open.iter().map(|case| case.owner.as_str()).collect::<Vec<_>>(), ["open"]);
            assert_eq!(ledger::cases(&reader).unwrap().len(), closed + 1);
            cost
        };
        let [n, twice, four] = [50, 100, 200].map(cost);
        assert!(n.0 > 0 && n == twice && n == four, "{n:?}, {twice:?}, {four:?} steps");
    }

    #[test]
    fn the_numbers_are_those_of_the_ledger() {
        let (_dir, state) = lived(3);
        landed(&state, &decl("m0", "expected_lost_hours", "value"), 40);
        let reader = state.reader().unwrap();
        let all = gauges(&reader, now()).unwrap();
        let scope = &all.scopes[0];
        assert_eq!((scope.target.as_str(), all.position), ("t", 3));
        let counts = &cells(&reader, now()).unwrap()[0];
        assert_eq!(scope.states["seen"], counts.seen);
        assert_eq!(scope.states.values().sum::<u64>(), counts.wanted);
        assert!(!scope.states.contains_key("superseded"), "they are no cells any more");
        let waits = counts.seen < counts.wanted;
        assert_eq!(counts.oldest_unseen, waits.then(now));
        assert!(counts.seen > 0);
    }
}
