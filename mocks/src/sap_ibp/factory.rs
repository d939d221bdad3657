//! How this sandbox is started by name.

use super::{
    SapIbp, Switch,
    options::{DECLARED, Options},
};
use crate::sdk::{SandboxFactory, Setup, SetupError, behaviours, simulator::Simulator};

/// The SAP IBP sandbox.
pub const FACTORY: SandboxFactory = SandboxFactory {
    name: "sap-ibp",
    about: "SAP IBP, time-series planning area behind PLANNING_DATA_API_SRV",
    login: "user planthread, password planthread; or a client certificate of that name",
    listen: "127.0.0.1:9101",
    demo: &[("resources", "4"), ("wiring", "calculation")],
    options: &DECLARED,
    behaviours: behaviours::described::<Switch>,
    build,
};

fn build(setup: &Setup) -> Result<Box<dyn Simulator>, SetupError> {
    Ok(Box::new(SapIbp::new(Options::of(setup)?)))
}
