//! Retry: a person has cured what the target refused.

use planthread_contracts::{CellKey, RevisionState};

use super::{
    books::Books,
    names::{self},
    rows::{Cell, Why},
};
use crate::{EngineError, State, error::Result};

/// Makes rejected cells pending again; returns how many were.
///
/// # Errors
/// When the ledger does not know one of the cells: then none is changed.
pub fn retry(state: &State, keys: Vec<CellKey>) -> Result<u64> {
    state.write(move |conn| {
        let mut books = Books::default();
        let mut cured = 0;
        for key in &keys {
            let (grp, measure) = names::find_cell(conn, key)?
                .ok_or_else(|| EngineError::UnknownCell(Box::new(key.clone())))?;
            let Some(mut cell) = Cell::load(conn, grp, measure)? else { continue };
            if cell.state == RevisionState::Rejected {
                let scope = names::group_by_id(conn, grp)?.scope;
                cell.step(&mut books, scope, RevisionState::Pending)?;
                cell.why = Why::Retried;
                cell.save(conn)?;
                cured += 1;
            }
        }
        books.flush(conn)?;
        Ok(cured)
    })
}
