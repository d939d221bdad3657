//! Cells that leave wanted, with the end that was declared for them.

use std::collections::BTreeMap;

use jiff::{Timestamp, civil::Date};
use planthread_contracts::{Period, RevisionState, Scope, Status};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::{rows::Why, want::Job};
use crate::{EngineError, error::Result, store::cells::Cell};

/// The declared end of a cell that leaves wanted.
///
/// An assumed value is no end but a value: the domain keeps wanting the cell,
/// with status assumed. Clearing needs a target that can be told to clear;
/// a batch carries numbers only, so it is not offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// Leave what is there, and report it.
    Leave,
    /// Land zero. Stamps stay as they are: zero is no instant, and no writer. A status
    /// becomes unknown: zero would be greener than any.
    Zero,
}

/// Says that a want is everything that is wanted in a scope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Complete {
    /// The scope.
    pub scope: Scope,
    /// Periods that end on or before this civil day are past: their cells
    /// stay as they are.
    pub closed_before: Date,
    /// The declared end.
    pub end: End,
    /// That of measures for which another one was declared, by name.
    pub ends: BTreeMap<String, End>,
}

impl Complete {
    fn end_of(&self, measure: Option<&str>) -> End {
        measure.and_then(|name| self.ends.get(name)).copied().unwrap_or(self.end)
    }
}

/// Withdraws what was not touched. Cells of an open attempt are left for the
/// next want, after it settled.
pub(super) fn run(
    job: &mut Job<'_>,
    target: &str,
    complete: &Complete,
    as_of: Timestamp,
) -> Result<()> {
    let tx = job.tx;
    let Some(scope) = tx.scope(target, complete.scope.name())? else { return Ok(()) };
    let mut leaving = Vec::new();
    let mut leave = |period: Period, cell: Cell| {
        // Past cells stay as they are; what never arrived stays nowhere, and what was
        // refused waits for nobody any more.
        match period.end() <= complete.closed_before {
            true if arrived(&cell) && cell.state != RevisionState::Rejected => {}
            past => leaving.push((cell, past)),
        }
    };
    for (group, cell) in job.left.extract_if(.., |(group, _)| group.scope == scope) {
        leave(group.key.period, cell);
    }
    tx.periods_of_groups(scope, |group, period| {
        if !job.groups.contains(&group) {
            tx.cells_of_group(group)?.into_iter().for_each(|cell| leave(period, cell));
        }
        Ok(())
    })?;
    let names = tx.measures()?;
    for (cell, past) in leaving {
        let name = names.get(&cell.id.measure).map(|name| &**name);
        let end = if past { End::Leave } else { complete.end_of(name) };
        let zero = name.map_or(Some(Decimal::ZERO), |name| job.zero_of(name));
        withdraw(job, scope, cell, zero, end, as_of)?;
    }
    Ok(())
}

/// Whether the target may hold something of it.
fn arrived(cell: &Cell) -> bool {
    let settled = matches!(
        cell.state,
        RevisionState::Rejected | RevisionState::Pending | RevisionState::Held
    );
    !settled || cell.accepted_rev > 0 || cell.unclear.is_some() || cell.seen.is_some()
}

fn withdraw(
    job: &mut Job<'_>,
    scope: i64,
    mut cell: Cell,
    zero: Option<Decimal>,
    end: End,
    as_of: Timestamp,
) -> Result<()> {
    // What was left standing can still be ended, when somebody declares zero.
    let stands = end == End::Zero && cell.sent_rev > 0;
    // An end that was refused is over when its period is.
    let refused = end == End::Leave && cell.state == RevisionState::Rejected;
    let ended = cell.why == Why::Ended && !refused;
    let over = ended || (cell.state == RevisionState::Withdrawn && !stands);
    if over || cell.open_attempt != 0 {
        return Ok(());
    }
    if as_of < cell.as_of {
        return Err(EngineError::Refused(format!(
            "a want as of {as_of} would withdraw cells of later truth; derive as of a later instant, \
             or after a wrong clock: `planthread take-back`"
        )));
    }
    job.done.withdrawn += 1;
    match (end, zero) {
        (End::Leave, _) => cell.step(&mut job.tally, scope, RevisionState::Withdrawn)?,
        (End::Zero, None) => {
            if cell.state != RevisionState::Withdrawn {
                cell.step(&mut job.tally, scope, RevisionState::Withdrawn)?;
            }
            cell.why = Why::Ended;
        }
        (End::Zero, Some(zero)) => {
            job.replace(scope, &mut cell, false, zero, Why::Ended)?;
            cell.status = Status::Assumed;
            cell.as_of = as_of;
        }
    }
    job.tx.put_cell(&cell)
}
