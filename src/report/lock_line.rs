//! A lock in one line: what stands in the cell now, why it is locked, whose it is, since
//! when and until when.

use jiff::Timestamp;
use planthread_engine::ledger::{LockedCell, TakenCells};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::Serialize;

use super::text_table::{count, instant};

/// A lock, as people read it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct LockLine {
    /// The cell.
    pub cell: String,
    /// What stands there, as it was read last; absent where nothing stands there, or nobody
    /// read it.
    pub in_plan: Option<Decimal>,
    /// When it was read.
    pub read_at: Option<Timestamp>,
    /// Whose it is.
    pub owner: String,
    /// Why.
    pub reason: String,
    /// Since when: each edit that is found starts it anew.
    pub since: Timestamp,
    /// When it ends by itself.
    pub until: Timestamp,
}

/// Owners that are named one by one.
const NAMED: usize = 3;

/// Cells that are locked, in one line: how many, whose, and until when.
pub(super) fn locked(taken: &TakenCells) -> String {
    let TakenCells { cells, owners, until } = taken;
    let mut named: Vec<String> = owners.iter().take(NAMED).cloned().collect();
    if let more @ 1.. = owners.len().saturating_sub(NAMED) {
        named.push(format!("and {}", count(more, "other")));
    }
    let last = if *cells > 1 { ", the last of them" } else { "" };
    let (cells, owners) = (count(*cells, "cell"), named.join(", "));
    format!("{cells} locked by {owners}{last} until {}", instant(*until))
}

/// The locks of a list, as one.
pub(super) fn together(locks: &[LockLine]) -> Option<TakenCells> {
    TakenCells::of(locks.iter().map(|one| (one.owner.clone(), 1, one.until)))
}

impl From<&LockedCell> for LockLine {
    fn from(cell: &LockedCell) -> Self {
        let LockedCell { lock, seen, .. } = cell;
        Self {
            cell: lock.key.to_string(),
            in_plan: seen.as_ref().and_then(|seen| seen.value),
            read_at: seen.as_ref().map(|seen| seen.at),
            owner: lock.owner.clone(),
            reason: lock.reason.clone(),
            since: lock.since,
            until: lock.until,
        }
    }
}

impl std::fmt::Display for LockLine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: ", self.cell)?;
        match (self.in_plan, self.read_at) {
            (Some(value), _) => write!(f, "{} stands there", value.normalize())?,
            (None, Some(_)) => f.write_str("nothing stands there")?,
            (None, None) => f.write_str("not read yet")?,
        }
        if let Some(at) = self.read_at {
            write!(f, " (read {})", instant(at))?;
        }
        let (since, until) = (instant(self.since), instant(self.until));
        write!(f, "; {}, by {}, since {since} until {until}", self.reason, self.owner)
    }
}
