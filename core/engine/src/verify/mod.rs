//! Verify: what was read back decides; a receipt never does.
//!
//! `classify` says what a value means for its cell, `pattern` who is likely to
//! have written foreign ones, `observe` writes it down.

mod classify;
mod in_use;
mod judge;
mod observe;
mod pattern;
mod select;
mod sweep;

pub use self::{
    in_use::{InUse, Wiring},
    pattern::PatternPolicy,
    select::{Which, selections},
    sweep::{LostCell, PersonEdit, SweepPolicy, SweepReport, sweep},
};
