//! Retry: a person has cured what the target refused.

use planthread_contracts::{CellKey, RevisionState};

use super::{revision_tally::RevisionTally, rows::Why};
use crate::{State, error::Result};

/// Makes rejected cells pending again; returns how many were.
///
/// # Errors
/// When the ledger does not know one of the cells: then none is changed.
pub fn retry(state: &State, keys: Vec<CellKey>) -> Result<u64> {
    state.change(move |tx| {
        let mut tally = RevisionTally::default();
        let mut cured = 0;
        for key in &keys {
            let id = tx.cell_named(key)?;
            let Some(mut cell) = tx.cell(id)? else { continue };
            if cell.state == RevisionState::Rejected {
                let scope = tx.group(id.grp)?.scope;
                cell.step(&mut tally, scope, RevisionState::Pending)?;
                cell.why = Why::Retried;
                tx.put_cell(&cell)?;
                cured += 1;
            }
        }
        tally.flush(tx)?;
        Ok(cured)
    })
}
