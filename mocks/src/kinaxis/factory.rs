//! How this sandbox is started by name.

use super::{
    Kinaxis, Switch,
    options::{DECLARED, Options},
};
use crate::sdk::{SandboxFactory, Setup, SetupError, behaviours, simulator::Simulator};

/// The Kinaxis sandbox.
pub const FACTORY: SandboxFactory = SandboxFactory {
    name: "kinaxis",
    about: "Kinaxis (RapidResponse, Maestro): company PTDM01_DEV01 behind integration/V1",
    login: "web service user and OAuth client planthread, password planthread",
    listen: "127.0.0.1:9102",
    demo: &[("resources", "4"), ("storage", "day")],
    options: &DECLARED,
    behaviours: behaviours::described::<Switch>,
    build,
};

fn build(setup: &Setup) -> Result<Box<dyn Simulator>, SetupError> {
    Ok(Box::new(Kinaxis::new(Options::of(setup)?)))
}
