//! Verify: what was read back decides; a receipt never does.
//!
//! `sweep` reads, `observe` writes down what each value means for its cell (told by
//! `classify`), `judge` who is likely to have written foreign ones (told by
//! `pattern`).

mod classify;
mod in_use;
mod judge;
mod observe;
mod pattern;
mod policy;
mod report;
mod select;
mod sweep;

pub use self::{
    in_use::{InUse, Wiring},
    pattern::PatternPolicy,
    policy::SweepPolicy,
    report::{Again, LostCell, PersonEdit, SweepReport},
    select::{Which, selections},
    sweep::sweep,
};
