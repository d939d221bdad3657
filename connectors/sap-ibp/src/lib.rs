//! SAP IBP as a target: planning cells as key figures over OData V2.
//!
//! **Out of scope: order-based planning.** This connector serves time-series
//! key figures of a planning area through PLANNING_DATA_API_SRV, and reads
//! master data through MASTER_DATA_API_SRV. Whether those of the harmonised
//! planning area (I_SAPIBP2) can be written is unconfirmed: `family` names it,
//! a landing shows it. What is OData and not SAP's lives in `core/odata`.
//!
//! The way of a push: `translate::encode` (cells to rows to bodies, pure),
//! `verbs::submit` (token, stage, commit), `verbs::poll` (state, messages),
//! `translate::messages` (refusals back to rows, pure). The way back: `translate::question`, `verbs::read`,
//! `translate::decode`. What a tenant really offers: `check`. References like
//! §6.5 are to the sections of the interface's fact sheet that the README
//! lists: 2 authentication, 3 and 4 metadata, 5 versions and levels, 6 import,
//! 7 reading, 8 wire, 9 other ways in, 11 complaints.

mod check;
mod config;
mod connector;
mod context;
mod cost;
mod factory;
mod grades;
mod metadata;
mod pack;
#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;
mod translate;
mod verbs;
mod wire;

pub use factory::FACTORY;

/// Name of the connector in configurations.
pub const NAME: &str = "sap-ibp";
