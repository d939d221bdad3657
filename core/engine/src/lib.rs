//! Durable state and the loop around it: journal, ledger, plan, push, verify.
//!
//! One process writes a state directory ([`State`]); any number read it
//! ([`Reader`]). Time is a parameter everywhere, so that an outage of three
//! days is a test of milliseconds.
//!
//! The way of a value: [`journal`] keeps what arrived; the domain makes cells
//! of it; [`ledger`] takes them in as *wanted*; [`plan`] streams what differs
//! from what was *seen*; [`push`] sends it and keeps what was *accepted*;
//! [`verify`] reads it back. A landing is proven there and nowhere else.
//! [`continuity`] asks whether state and clock are still what they were, and
//! [`backup`] keeps a state for the day on which its disk breaks; [`lease`] says which
//! of several bridges may send.

pub mod audit_trail;
pub mod backup;
pub mod continuity;
mod error;
pub mod fallback;
pub mod gauges;
pub mod journal;
pub mod lease;
pub mod ledger;
pub mod plan;
pub mod push;
pub mod status;
mod store;
#[cfg(test)]
mod testing;
pub mod undo;
pub mod verify;

pub use self::{
    error::{EngineError, Result},
    store::{DatabaseError, Holder, Reader, State, is_replaced, is_there, make_folder},
};
