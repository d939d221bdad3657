//! What the ledger's loops cost for n, 2n and 4n cells, counted in steps of
//! SQLite's machine: a clock would measure the neighbours of the test, too.

use planthread_contracts::{Receipt, Rejection, RowOutcome, Scope, WriteGrant};
use planthread_kit::{AttemptEnd, AttemptId, PushOutcome};

use super::State;
use crate::{
    ledger::{self, attempts},
    plan::Policy,
    status,
    testing::{TempDir, decl, now, wanted},
    verify::{SweepPolicy, Which, selections},
};

/// Most that a loop may cost for twice the cells.
const MOST: u64 = 230;

/// What each part of the way costs for so many cells.
fn steps(cells: usize) -> [(&'static str, u64); 6] {
    let dir = TempDir::new("growth");
    let state = State::open(dir.path(), now()).unwrap();
    let measure = decl("live", "attainable_clock_hours", "value");
    let spent = || state.change(|tx| Ok(tx.take_steps())).unwrap();
    spent();
    wanted(&state, &measure, cells);
    let want = spent();

    let reader = state.reader().unwrap();
    let mut writes = Vec::new();
    let keep = |cell: ledger::CellView| {
        writes.push(cell.write());
        Ok(())
    };
    ledger::cells(&reader, now(), keep).unwrap();
    let read = reader.db().take_steps();
    writes.sort_by(|a, b| a.key.cmp(&b.key));

    let id = AttemptId::parse("0123456789abcdef0123456789abcdef").unwrap();
    let hex = id.clone();
    let (base, today) = (Scope::base(), "2026-11-22".parse().unwrap());
    let grants = vec![WriteGrant::bridge_owned(&measure, &base).unwrap()];
    let policy = Policy::open("t", base, vec![measure.clone()], grants, now(), today);
    let opened = state.change(move |tx| {
        let opened = attempts::open(tx, &hex, "plan", &writes, &policy)?;
        Ok(matches!(opened, attempts::Opened::Yes))
    });
    assert!(opened.unwrap());
    let open = spent();

    let refused = RowOutcome::Rejected(Rejection {
        reason: "no such resource".to_owned(),
        vendor_code: None,
        cure: "create it".to_owned(),
    });
    let row = |n: usize| if n.is_multiple_of(2) { RowOutcome::Accepted } else { refused.clone() };
    let receipt = Receipt { handle: "job".to_owned(), verdict: "PROCESSED".to_owned(), at: now() };
    let end = AttemptEnd::Done(PushOutcome::new(receipt, (0..cells).map(row).collect()));
    state.change(move |tx| attempts::close(tx, &id, &end, now())).unwrap();
    let close = spent();

    reader.db().take_steps();
    let scope = &status::status(&reader, now()).unwrap().scopes[0];
    assert_eq!(scope.wanted, u64::try_from(cells).unwrap());
    let rejected: Vec<_> =
        status::rejects(&reader).unwrap().into_iter().map(|row| row.key).collect();
    assert_eq!(rejected.len(), cells / 2);
    let policy = SweepPolicy::new("t", Scope::base(), vec![measure], Which::Unproven, today);
    assert!(!selections(&reader, &policy, now()).unwrap().is_empty());
    let look = reader.db().take_steps();
    ledger::retry(&state, rejected).unwrap();
    [
        ("want", want),
        ("read", read),
        ("open", open),
        ("close", close),
        ("look", look),
        ("retry", spent()),
    ]
}

#[test]
fn law_19_twice_the_cells_cost_twice_the_steps() {
    let all = [200, 400, 800].map(steps);
    for pair in all.windows(2) {
        for ((part, small), (_, large)) in pair[0].iter().zip(&pair[1]) {
            assert!(*small > 400, "{part}: {small} steps were counted");
            assert!(large * 100 <= small * MOST, "{part}: {small} steps, then {large}");
        }
    }
}
