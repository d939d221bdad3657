//! What an attempt left in doubt about a cell, for the read-back that decides.

use planthread_contracts::Rejection;

use crate::{
    error::Result,
    store::{Db, Tx, cells::Cell, codes::PartWord},
};

/// What an attempt left in doubt about one of its cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Doubt {
    /// Nothing but whether it took effect.
    Effect,
    /// Rows were refused, and nobody said which.
    Unnamed,
    /// The job failed as a whole.
    Failed,
}

/// What the cell's last attempt left in doubt.
pub(crate) fn doubt(db: &Db, cell: &Cell) -> Result<Doubt> {
    Ok(match db.part_end(cell.last_attempt, cell.id)? {
        Some(PartWord::Unnamed) => Doubt::Unnamed,
        Some(PartWord::Failed) => Doubt::Failed,
        _ => Doubt::Effect,
    })
}

/// Writes down that the cell is one of those that were refused without a name.
pub(crate) fn refuse_unnamed(tx: &Tx<'_>, cell: &Cell) -> Result<()> {
    let rejection = Rejection {
        reason: "the target refused rows of this batch without naming them, and this one is \
                 unchanged there"
            .to_owned(),
        vendor_code: None,
        cure: "look for the job at the target, and compare resource, location and period with \
               its master data and horizon; then retry"
            .to_owned(),
    };
    tx.refuse_part(cell.last_attempt, cell.id, &rejection)
}
