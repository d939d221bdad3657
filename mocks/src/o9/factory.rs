//! How this sandbox is started by name.

use super::{
    O9, Switch,
    options::{DECLARED, Options},
};
use crate::sdk::{SandboxFactory, Setup, SetupError, behaviours, simulator::Simulator};

/// The o9 sandbox.
pub const FACTORY: SandboxFactory = SandboxFactory {
    name: "o9",
    about: "o9 Digital Brain: IBPL queries, a tenant rule, reads of the Platform API",
    login: "ApiKey planthread.planthread; or user planthread, password planthread",
    listen: "127.0.0.1:9103",
    demo: &[("resources", "4"), ("level", "partial_week")],
    options: &DECLARED,
    behaviours: behaviours::described::<Switch>,
    build,
};

fn build(setup: &Setup) -> Result<Box<dyn Simulator>, SetupError> {
    Ok(Box::new(O9::new(Options::of(setup)?)))
}
