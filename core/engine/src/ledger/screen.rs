//! Screen: writes down which pending cells a policy holds, and lets go others.

use std::collections::BTreeMap;

use planthread_contracts::RevisionState;
use serde::Serialize;

use super::{books::Books, view::Holds};
use crate::{
    State,
    error::Result,
    ledger::view::CellView,
    plan::{Policy, Verdict, guard},
};

/// What a screen found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Screened {
    /// Cells that may go.
    pub pending: u64,
    /// Cells that are held, by the reason's word.
    pub held: BTreeMap<String, u64>,
}

/// Puts the guard's verdict on every pending or held cell of the policy's
/// scope into the ledger, so that `status` can show it. A plan does not need
/// it: it asks the guard itself.
///
/// # Errors
/// When the state can't be read or written.
pub fn screen(state: &State, policy: &Policy) -> Result<Screened> {
    let policy = policy.clone();
    state.change(move |tx| {
        let mut done = Screened::default();
        let Some(scope) = tx.scope(&policy.target, policy.scope.name())? else {
            return Ok(done);
        };
        let holds = Holds::load(tx, policy.now)?;
        let policy = policy.with_second_writer(tx, scope)?;
        let measures = tx.measures()?;
        let mut books = Books::default();
        for id in tx.waiting_cells(scope)? {
            let Some(mut cell) = tx.cell(id)? else { continue };
            let group = tx.group(id.grp)?;
            let name = measures.get(&id.measure).map_or("", String::as_str);
            match guard(&CellView::new(&group, name, &cell, &holds), &policy) {
                Verdict::Send => {
                    done.pending += 1;
                    if cell.state == RevisionState::Held {
                        cell.step(&mut books, scope, RevisionState::Pending)?;
                        tx.put_cell(&cell)?;
                    }
                }
                Verdict::Hold(reason) => {
                    *done.held.entry(reason.word().to_owned()).or_default() += 1;
                    if cell.state == RevisionState::Pending {
                        cell.step(&mut books, scope, RevisionState::Held)?;
                    } else if cell.hold == Some(reason) {
                        continue;
                    }
                    cell.hold = Some(reason);
                    tx.put_cell(&cell)?;
                }
            }
        }
        books.flush(tx)?;
        Ok(done)
    })
}
