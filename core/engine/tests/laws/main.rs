//! The laws, shown on a scripted target under a virtual clock: one world, many
//! ways to go wrong.

mod crash;
mod fake;
mod model;
mod plans;
mod readback;
mod scale;
mod world;
