//! Azure Digital Twins as a target: planning cells as capacity maps of twins.
//!
//! A twin stands for a resource. Its capacity component holds a map for each
//! measure, keyed by period. A push reads the twin, and writes what differs with
//! one PATCH under the twin's ETag; a read asks each twin by its id, never a
//! query, because queries lag behind.
//!
//! The way of a push: `encode` (cells to changes by twin, pure), `schema` (what
//! the twin's model can hold, pure), `patch` (changes to operations, pure),
//! `submit`. The way back: `read`. References like 1.4 are to the sections of the
//! fact sheet that the README lists: 1.1 basics, 1.3 ETags, 1.4 patches, 1.7
//! queries, 1.8 models, 1.10 import jobs, 1.11 errors, 1.13 limits, 2 tokens.

mod check;
mod client;
pub mod config;
mod connector;
mod encode;
mod factory;
mod grades;
mod identity;
mod key;
mod models;
mod pack;
mod patch;
mod read;
mod recent;
#[cfg(test)]
mod samples;
mod schema;
#[cfg(test)]
mod shapes;
mod submit;
#[cfg(test)]
mod wired;

pub use config::Config;
pub use connector::AzureDigitalTwins;
pub use factory::FACTORY;

/// Name of the connector in configurations.
pub const NAME: &str = "azure-digital-twins";

/// Our own models: names of ISA-95, and the component that holds capacity.
pub const MODELS: &str = include_str!("../models/isa95-capacity.json");
