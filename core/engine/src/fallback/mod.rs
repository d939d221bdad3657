//! Fallback: what a planner needs on the day when the bridge is dead, or a target
//! is away.

mod outage;
mod pack;

pub use self::{
    outage::{Cause, Outage, away, back, outage, outages, past_outages},
    pack::{Manifest, PackRequest, PackedFile, write_pack},
};
