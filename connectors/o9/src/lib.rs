//! o9 Digital Brain as a target: planning cells as measures of a version.
//!
//! o9 publishes no write contract for capacity. What several public clients do
//! is used: key and log-in, IBPL queries, reads of the Platform API. A write
//! goes out only as a signed agreement of the customer describes it
//! ([`planthread_kit::agreement`]); without one the target is read, planned and
//! packed. References like §4.3 are to the sections of the vendor's fact sheet.
//!
//! The way of a push: `encode` (cells to rows with typed slots, pure),
//! `write` (the gate, the leaf levels, the request). The way back: `query` or
//! `platform` (questions), `decode` (three reply forms), `read`.

mod buckets;
mod check;
mod client;
mod config;
mod connector;
mod decode;
mod encode;
mod factory;
mod grades;
mod levels;
mod login;
mod pack;
mod query;
mod read;
#[cfg(test)]
mod samples;
mod sheet;
mod write;

pub use config::Config;
pub use factory::FACTORY;

/// Name of the connector in configurations.
pub const NAME: &str = "o9";
