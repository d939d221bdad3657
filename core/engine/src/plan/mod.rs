//! The plan: wanted minus seen, cell by cell, as a stream that binds.
//!
//! `guard` decides alone and purely whether a cell may be sent; `build` streams
//! the difference; `file` is the format that people read and `apply` trusts.

mod build;
mod carriers;
mod excerpt;
pub(crate) mod file;
mod group;
mod guard;
pub(crate) mod pace;
pub(crate) mod packer;
pub mod plausible;
mod policy;
mod predict;
pub(crate) mod questions;
pub(crate) mod scan;
pub(crate) mod waiting;

pub use self::{
    build::{PlanRequest, PlanSummary, build},
    excerpt::first_group,
    file::{PlanCounts, PlanHeader, PlanLine, SeenBasis},
    group::{GroupDecision, decide},
    guard::{HoldReason, Verdict, guard, stands},
    policy::{Policy, Window},
    predict::{BatchSize, Prediction, predict},
    questions::{Questions, place_name, questions},
    waiting::{Waiting, waiting},
};
