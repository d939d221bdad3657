//! The laws, shown on a scripted target under a virtual clock: one world, many
//! ways to go wrong.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic like tests do")]

mod adoption;
mod closed;
mod crash;
mod edges;
mod fake;
mod jobs;
mod master;
mod model;
mod packs;
mod plans;
mod portions;
mod readback;
mod refused;
mod side_by_side;
mod simulation;
mod world;
