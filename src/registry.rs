//! The one place that names connectors and sandboxes: a list.
//!
//! A new target is one crate, one sandbox folder, one line here and one line in
//! `Cargo.toml`.

use planthread_kit::target::TargetFactory;
use planthread_mocks::SandboxFactory;

use crate::failure::Failure;

/// One kind of target, and the sandbox that stands in for it.
#[derive(Debug, Clone, Copy)]
pub struct Registered {
    /// The target.
    pub target: &'static TargetFactory,
    /// Its sandbox.
    pub sandbox: &'static SandboxFactory,
}

/// Every kind of target.
pub const TARGETS: &[Registered] = &[
    Registered {
        target: &planthread_sap_ibp::FACTORY,
        sandbox: &planthread_mocks::sap_ibp::FACTORY,
    },
    Registered {
        target: &planthread_kinaxis::FACTORY,
        sandbox: &planthread_mocks::kinaxis::FACTORY,
    },
    Registered { target: &planthread_o9::FACTORY, sandbox: &planthread_mocks::o9::FACTORY },
    Registered {
        target: &planthread_azure_digital_twins::FACTORY,
        sandbox: &planthread_mocks::azure_digital_twins::FACTORY,
    },
];

/// The factory of the connector called `name`.
#[must_use]
pub fn find(name: &str) -> Option<&'static TargetFactory> {
    TARGETS.iter().map(|one| one.target).find(|factory| factory.name == name)
}

/// The names of all connectors.
#[must_use]
pub fn names() -> Vec<&'static str> {
    TARGETS.iter().map(|one| one.target.name).collect()
}

/// The targets with these connectors, each once, in the order of the list.
///
/// # Errors
/// When there is no such connector; the text names those that there are.
pub fn chosen(connectors: &[String]) -> Result<Vec<&'static Registered>, Failure> {
    if let Some(unknown) = connectors.iter().find(|name| find(name).is_none()) {
        return Err(Failure::usage(format!("there is no connector `{unknown}`"))
            .cure(format!("known: {}", names().join(", "))));
    }
    let asked = |one: &&Registered| connectors.iter().any(|name| name == one.target.name);
    Ok(TARGETS.iter().filter(asked).collect())
}

/// Every sandbox.
pub fn sandboxes() -> impl Iterator<Item = &'static SandboxFactory> {
    TARGETS.iter().map(|one| one.sandbox)
}
