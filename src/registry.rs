//! The one place that names connectors: a list.
//!
//! A new target is one crate, one line here and one line in `Cargo.toml`.

use planthread_kit::target::TargetFactory;

/// Every kind of target.
pub const TARGETS: &[&TargetFactory] = &[&planthread_sap_ibp::FACTORY];

/// The factory of the connector called `name`.
#[must_use]
pub fn find(name: &str) -> Option<&'static TargetFactory> {
    TARGETS.iter().copied().find(|factory| factory.name == name)
}

/// The names of all connectors.
#[must_use]
pub fn names() -> Vec<&'static str> {
    TARGETS.iter().map(|factory| factory.name).collect()
}
