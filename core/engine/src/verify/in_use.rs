//! In use: does the value that drives the target's plan equal what we landed?

use jiff::Timestamp;
use planthread_contracts::RevisionState;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::{ledger::rows::same, store::cells::Cell};

/// How a landed value reaches the value that drives the plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wiring {
    /// Not at all: nothing is compared.
    None,
    /// A job of the target copies it.
    Job,
    /// The target calculates with it.
    Calculation,
    /// It is the driving value itself.
    Direct,
}

/// Which measure drives the plan, and which of ours should stand in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InUse {
    /// The measure that drives the target's plan; read only.
    pub drives: String,
    /// Our measure.
    pub by: String,
    /// How the one reaches the other.
    pub wiring: Wiring,
}

/// Writes down what was read of the driving measure; true when it is in use.
pub(crate) fn note(cell: &mut Cell, driving: Option<Decimal>, now: Timestamp) -> bool {
    let used = cell.state == RevisionState::Seen && same(cell.value, driving, false);
    if used != cell.in_use {
        cell.in_use = used;
        cell.in_use_since = used.then_some(now);
    }
    used
}
