//! The configuration: YAML with positions, one profile per environment,
//! secrets as references, errors that name file, line, field and cure.

mod alerts;
mod delivery;
mod email;
mod error;
mod gap;
mod include;
mod lease;
mod load;
mod locate;
mod model;
mod operations;
mod overlap;
mod owners;
mod page;
mod parser_messages;
mod policy;
mod relations;
mod second;
pub mod tree;
mod value_checks;
pub mod yaml;
pub mod zones;

#[cfg(test)]
mod newcomers;
#[cfg(test)]
mod tests;

use std::path::Path;

pub(crate) use alerts::TAKES as WEBHOOK_TAKES;
pub use alerts::{Alerts, Webhook};
pub use delivery::DeliverySettings;
pub(crate) use email::address as mail_address;
pub use email::{Email, MailSecurity};
pub use error::ConfigError;
pub use gap::{GapFigures, RoughCut};
pub use lease::LeaseConfig;
pub use load::{Loaded, parse, place, read, read_all};
pub use model::{
    ClockConfig, Config, DecisionsTaken, HttpIntake, InUse, Intake, RunConfig, Target, Wiring,
};
pub use operations::Operations;
pub use owners::CellOwner;
pub use page::GapPage;
pub use policy::{Fallback, FirstLanding, Pack, Policy, Withdraw};
pub use second::SftpPlace;

use crate::failure::Failure;

/// Reads and checks `file`, with `profile` laid over it; the first fault ends
/// it, and says how many there are.
///
/// # Errors
/// The first fault.
pub fn load(file: &Path, profile: Option<&str>) -> Result<Loaded, Failure> {
    read(file, profile).map_err(|faults| {
        let more = faults.len().saturating_sub(1);
        let mut faults = faults.into_iter();
        let Some(first) = faults.next() else {
            return Failure::internal("the configuration is wrong, and nobody says why");
        };
        let mut failure = Failure::from(first);
        if more > 0 {
            failure
                .message
                .push_str(&format!("\n  and {more} more: `planthread validate` lists them all"));
        }
        failure
    })
}

/// The published JSON Schema of the configuration.
#[must_use]
pub fn schema() -> serde_json::Value {
    let mut schema = schemars::schema_for!(Config);
    schema.insert("title".into(), "Planthread configuration".into());
    schema.to_value()
}
