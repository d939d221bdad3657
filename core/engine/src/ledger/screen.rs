//! Screen: writes down which pending cells a policy holds, and lets go others.

use std::collections::BTreeMap;

use planthread_contracts::RevisionState;
use serde::Serialize;

use super::{books::Books, names, rows::Cell, view::Holds};
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
    state.write(move |conn| {
        let mut done = Screened::default();
        let target = policy.target.as_str();
        let Some(scope) = names::find_scope(conn, target, policy.scope.name())? else {
            return Ok(done);
        };
        let holds = Holds::load(conn, policy.now)?;
        let policy = policy.with_second_writer(conn, scope)?;
        let measures = names::measures(conn)?;
        let mut books = Books::default();
        let mut waiting = Vec::new();
        let ids = "SELECT c.grp, c.measure FROM cell_group g JOIN cell c ON c.grp = g.id
             WHERE g.scope = ?1 AND c.state IN (0, 1)";
        let mut statement = conn.prepare_cached(ids)?;
        let mut rows = statement.query([scope])?;
        while let Some(row) = rows.next()? {
            waiting.push((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?));
        }
        for (grp, measure) in waiting {
            let Some(mut cell) = Cell::load(conn, grp, measure)? else { continue };
            let group = names::group_by_id(conn, grp)?;
            let name = measures.get(&measure).map_or("", String::as_str);
            match guard(&CellView::new(&group, name, &cell, &holds)?, &policy) {
                Verdict::Send => {
                    done.pending += 1;
                    if cell.state == RevisionState::Held {
                        cell.step(&mut books, scope, RevisionState::Pending)?;
                        cell.save(conn)?;
                    }
                }
                Verdict::Hold(reason) => {
                    *done.held.entry(reason.word().to_owned()).or_default() += 1;
                    if cell.state == RevisionState::Pending {
                        cell.step(&mut books, scope, RevisionState::Held)?;
                    } else if cell.hold.as_deref() == Some(reason.word()) {
                        continue;
                    }
                    cell.hold = Some(reason.word().to_owned());
                    cell.save(conn)?;
                }
            }
        }
        books.flush(conn)?;
        Ok(done)
    })
}
