//! The ledger: wanted, accepted, seen and in use, for each planning cell.
//!
//! Order is the ledger's counter, never a clock. Every revision of a cell is
//! in exactly one state; `states` is the one table of what may follow what,
//! and the writer checks the sum at every commit.

pub(crate) mod adoption;
pub(crate) mod attempts;
mod audit;
mod balance;
pub(crate) mod bind;
mod breakers;
mod cases;
pub(crate) mod doubt;
mod held;
mod known_rows;
mod locks;
pub mod mapped;
mod master;
mod pauses;
mod policy_holds;
mod rates;
mod receipts;
pub(crate) mod rejections;
mod released;
mod retry;
pub(crate) mod revision_tally;
pub(crate) mod rows;
mod settles;
pub mod states;
mod taken_in;
mod trace;
pub(crate) mod view;
pub(crate) mod want;
mod withdraw;

pub use self::{
    adoption::{Unadopted, unadopted},
    attempts::{OpenAttempt, open_attempts},
    audit::{Audit, audit, done_without_trail},
    balance::unbalanced,
    bind::{Binding, Rebound, bind},
    breakers::{BreakersOnDisk, breakers},
    cases::{Case, CaseKind, cases, close_case, open_cases},
    held::{HeldValue, held},
    known_rows::{known_rows, left_behind},
    locks::{
        Lock, LockKind, LockedCell, PersonsAnswers, answer, lock, locked_cells, locks, unlock,
    },
    master::{MasterAsked, MasterData, MasterLook, master_due, master_look, master_looked},
    pauses::{keep_pauses, pauses},
    policy_holds::{PolicyHolds, TakenCells, hold_by_policy},
    rates::{keep_rates, rates},
    receipts::{AttemptSummary, first_landing, receipts},
    rejections::{RejectState, dismiss_rejections},
    released::{MovedRow, ReleasedRow, moved, release, released},
    retry::retry,
    rows::Why,
    settles::settles,
    taken_in::{TakenIn, taken_in},
    trace::{AttemptTrace, RevisionTrace, Trace, revisions, trace},
    view::{CellView, Seen, cell, cells, cells_of, cells_sent},
    want::{Want, Wanted, want, want_same},
    withdraw::{Complete, End},
};
