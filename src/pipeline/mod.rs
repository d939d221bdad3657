//! The whole way, composed once for the verbs, the demo and the tests:
//! ingest → derive → project → want → plan → apply → verify.

mod bind;
mod bridge;
mod cycle;
mod deliver;
mod explain;
mod foreign;
pub mod policy;
mod retry;
mod signals;
mod target;
mod trace;
mod verify;
mod want;

#[cfg(test)]
mod tests;

pub use bridge::{
    Bridge, Journaled, derive_facts, derive_journal, derive_taken_cut, facts_of_files,
    facts_of_journal,
};
pub use cycle::{Cycle, TargetCycle};
pub use explain::{capacity_of_cut, explain, explain_measure, measure};
pub use foreign::NotPromoted;
pub use retry::Retried;
pub use signals::{Signals, signals};
pub use target::{OpenTarget, Opener, Transports};
pub use trace::{RecordRef, Traced, parse_cell, trace};
pub use want::{Truth, WantReport, plan_of_ledger};
