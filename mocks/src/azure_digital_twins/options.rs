//! What a sandbox is started with, and how it is started by name.

use std::time::Duration;

use planthread_contracts::PeriodKind;

use super::{
    AzureDigitalTwins,
    behaviours::{Switch, Switches},
};
use crate::sdk::{
    Kind, OptionDecl, SandboxFactory, SandboxShape, Setup, SetupError, Values, behaviours,
};

/// The Azure Digital Twins sandbox.
pub const FACTORY: SandboxFactory = SandboxFactory {
    name: "azure-digital-twins",
    about: "Azure Digital Twins, data plane of api-version 2023-10-31",
    listen: "127.0.0.1:9104",
    login: "bearer token planthread; or client planthread, secret planthread at its own token \
            endpoint /TENANT/oauth2/v2.0/token",
    demo: &[("seed-demo", "yes"), ("resources", "4"), ("storage", "month")],
    options: &DECLARED,
    behaviours: behaviours::described::<Switch>,
    build: |setup| Ok(Box::new(AzureDigitalTwins::new(Options::of(setup)?))),
};

/// Its options on the command line.
#[rustfmt::skip]
const DECLARED: [OptionDecl; 4] = [
    OptionDecl::of("seed-demo", Kind::Word(&["no", "yes"]), "no", "start with the models and twins of the demo plant instead of an empty graph"),
    OptionDecl::of("resources", Kind::Number(0, 100_000), "6", "twins LINE-1.. of the demo plant; odd ones at 1010, even ones at 1020"),
    OptionDecl::of("storage", Kind::Word(&["day", "week", "technical_week", "month"]), "week", "the periods that the planner's page shows"),
    OptionDecl::of("import-ms", Kind::Number(0, 86_400_000), "2000", "milliseconds that an import job takes"),
];

/// Start-up options.
#[derive(Debug, Clone)]
pub(super) struct Options {
    pub(super) seeded: bool,
    pub(super) resources: u32,
    pub(super) storage: PeriodKind,
    pub(super) import: Duration,
    pub(super) switches: Switches,
    pub(super) behind_tls: bool,
    pub(super) shape: Option<SandboxShape>,
}

impl Options {
    fn of(setup: &Setup) -> Result<Self, SetupError> {
        let values = Values::read(&DECLARED, &setup.options)?;
        Ok(Self {
            // Whoever stands in for a target has its resources.
            seeded: values.text("seed-demo") == "yes" || setup.shape.is_some(),
            resources: values.count("resources"),
            storage: values.storage("storage"),
            import: Duration::from_millis(values.number("import-ms")),
            switches: Switches::named(&setup.on, &setup.off)?,
            behind_tls: setup.behind_tls,
            shape: setup.shape.clone(),
        })
    }
}
