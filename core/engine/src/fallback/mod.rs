//! Fallback: what a planner needs on the day when the bridge is dead, or a target
//! is away.

mod note;
mod outage;
mod pack;
mod proof;

pub use self::{
    outage::{BY_HAND, Cause, Hand, Outage, away, back, by_hand, outage, outages, past_outages},
    pack::{Manifest, PackRequest, PackedFile, write_pack},
    proof::{PackCheck, PackFault, PackFinding, check_pack},
};
