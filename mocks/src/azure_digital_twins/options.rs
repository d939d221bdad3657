//! What a sandbox is started with, and how it is started by name.

use std::time::Duration;

use planthread_contracts::PeriodKind;

use super::{
    AzureDigitalTwins,
    behaviours::{Switch, Switches},
};
use crate::sdk::{
    Kind, OptionDecl, SandboxFactory, SandboxShape, Setup, SetupError, Values, behaviours,
    plan::storage, simulator::Simulator,
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
    build,
};

/// Its options on the command line.
pub const DECLARED: [OptionDecl; 4] = [
    OptionDecl {
        name: "seed-demo",
        kind: Kind::Word(&["no", "yes"]),
        default: "no",
        does: "start with the models and twins of the demo plant instead of an empty graph",
    },
    OptionDecl {
        name: "resources",
        kind: Kind::Number(0, 100_000),
        default: "6",
        does: "twins LINE-1.. of the demo plant; odd ones at 1010, even ones at 1020",
    },
    OptionDecl {
        name: "storage",
        kind: Kind::Word(&["day", "week", "technical_week", "month"]),
        default: "week",
        does: "the periods that the planner's page shows",
    },
    OptionDecl {
        name: "import-ms",
        kind: Kind::Number(0, 86_400_000),
        default: "2000",
        does: "milliseconds that an import job takes",
    },
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
            resources: u32::try_from(values.number("resources")).unwrap_or(u32::MAX),
            // The declaration lets no other word through.
            storage: storage(values.text("storage")).unwrap_or(PeriodKind::Week),
            import: Duration::from_millis(values.number("import-ms")),
            switches: Switches::named(&setup.on, &setup.off)?,
            behind_tls: setup.behind_tls,
            shape: setup.shape.clone(),
        })
    }
}

fn build(setup: &Setup) -> Result<Box<dyn Simulator>, SetupError> {
    Ok(Box::new(AzureDigitalTwins::new(Options::of(setup)?)))
}
