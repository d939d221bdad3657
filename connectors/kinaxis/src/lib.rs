//! Kinaxis (RapidResponse, now Maestro) as a target: planning cells as rows of
//! input tables, in a scenario of their own.
//!
//! Nothing of it is the vendor's documentation, which stands behind a login: the
//! wire is that of public clients, and what those leave open is a setting without
//! a default, or absent. References like §4.2 are to the sections of the fact
//! sheet that the README lists: 2 authentication, 4 wire, 5 identifiers and
//! paging, 6 limits, 8 scenarios, 9 tables, 11 files, 12 reading back.
//!
//! The way of a push: `rows` (cells to rows of tables, pure), `verbs::submit`
//! (stage, note, complete), `receipt` (what an answer with 200 proves, pure). The
//! way back: `verbs::read`. What a tenant really offers: `check`.

mod check;
pub mod config;
mod connector;
mod context;
mod cost;
mod factory;
mod grades;
mod pack;
mod receipt;
mod rows;
#[cfg(test)]
mod samples;
mod verbs;
mod wire;

pub use config::Config;
pub use connector::Kinaxis;
pub use factory::FACTORY;

/// Name of the connector in configurations.
pub const NAME: &str = "kinaxis";
