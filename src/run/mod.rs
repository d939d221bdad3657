//! The whole way, composed once for the verbs, the demo and the tests:
//! ingest → derive → project → want → plan → apply → verify.

mod bridge;
mod cycle;
mod deliver;
mod foreign;
pub mod policy;
mod retry;
mod target;
mod trace;
mod verify;
mod want;

#[cfg(test)]
mod tests;

pub use bridge::{Bridge, derive_facts, derive_journal, facts_of_files};
pub use cycle::{Cycle, TargetCycle};
pub use foreign::NotPromoted;
pub use retry::Retried;
pub use target::{OpenTarget, Opener, Transports};
pub use trace::{RecordRef, Traced, parse_cell, trace};
pub use want::{Truth, WantReport, explain, plan_of_ledger};
