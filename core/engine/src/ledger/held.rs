//! What a target holds, and of which truth that is: its age, beside the truth
//! that it should hold by now.

use jiff::Timestamp;
use planthread_contracts::RevisionState;
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::Serialize;

use super::view::{CellView, Holds};
use crate::{
    Reader,
    error::Result,
    plan::scan,
    store::{Db, cells::Cell},
};

/// What was read back from a target, with the truth that it speaks of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct HeldValue {
    /// The value, in the unit of the target's measure.
    pub value: Decimal,
    /// Instant of the truth behind it; `None` when no revision of ours has
    /// this value.
    pub as_of: Option<Timestamp>,
    /// When it was read back.
    pub read_at: Timestamp,
}

/// Gives every cell that is wanted to `each`, with what its target holds.
///
/// # Errors
/// When the state can't be read, or `each` refuses.
pub fn held(
    reader: &Reader,
    now: Timestamp,
    mut each: impl FnMut(CellView, Option<HeldValue>) -> Result<()>,
) -> Result<()> {
    reader.at_once(|db| {
        let holds = Holds::load(db, now)?;
        let today = jiff::tz::TimeZone::UTC.to_datetime(now).date();
        for (scope, ..) in db.scopes()? {
            scan::groups(db, scope, today, |group, cells| {
                let wanted = |(_, cell): &&(_, Cell)| cell.state != RevisionState::Withdrawn;
                cells.iter().filter(wanted).try_for_each(|(name, cell)| {
                    let held = of_cell(db, cell)?;
                    each(CellView::new(group, name, cell, &holds), held)
                })
            })?;
        }
        Ok(())
    })
}

fn of_cell(db: &Db, cell: &Cell) -> Result<Option<HeldValue>> {
    let (Some(read_at), Some(value)) = (cell.seen_at, cell.seen) else { return Ok(None) };
    let as_of = if value == cell.value {
        Some(cell.as_of)
    } else {
        let past = db.past_revisions(cell.id)?;
        past.iter().rev().find(|past| past.value == value).map(|past| past.as_of)
    };
    Ok(Some(HeldValue { value, as_of, read_at }))
}
