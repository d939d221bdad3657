//! SAP IBP as a target: planning cells as key figures over OData V2.
//!
//! **Out of scope: order-based planning, and the harmonised planning area
//! (I_SAPIBP2).** This connector serves time-series planning areas of the
//! unified model through PLANNING_DATA_API_SRV and MASTER_DATA_API_SRV.
//!
//! The way of a push: `translate::encode` (cells to rows to bodies, pure),
//! `verbs::submit` (token, stage, commit), `verbs::poll` (state, messages),
//! `translate::messages` (refusals back to rows, pure). The way back: `translate::question`, `verbs::read`,
//! `translate::decode`. What a tenant really offers: `check`. References like
//! §6.5 are to the sections of the interface's fact sheet that the README
//! lists: 2 authentication, 3 and 4 metadata, 5 versions and levels, 6 import,
//! 7 reading, 8 wire, 9 other ways in, 11 complaints.

mod check;
pub mod config;
mod connector;
mod context;
mod cost;
#[cfg(test)]
mod flow;
mod grades;
pub mod metadata;
mod pack;
#[cfg(test)]
mod readme;
#[cfg(test)]
mod samples;
mod translate;
mod verbs;
mod wire;

use std::sync::Arc;

pub use config::Config;
pub use connector::SapIbp;
use planthread_contracts::{MeasureDecl, Scope};
use planthread_kit::{Connector, ConnectorError, http::HttpStack};

/// Name of the connector in configurations.
pub const NAME: &str = "sap-ibp";

/// Builds the connector from its settings.
///
/// # Errors
/// `Fatal` when the settings can't be read, or don't fit the measures; the
/// text names the field.
pub fn build(
    target: &str,
    settings: serde_json::Value,
    scope: Scope,
    measures: Vec<MeasureDecl>,
    http: HttpStack,
) -> Result<Arc<dyn Connector>, ConnectorError> {
    let config = Config::read(settings)?;
    Ok(Arc::new(SapIbp::new(target, config, scope, measures, http)?))
}

/// JSON Schema of the settings.
#[must_use]
pub fn schema() -> schemars::Schema {
    schemars::schema_for!(Config)
}
