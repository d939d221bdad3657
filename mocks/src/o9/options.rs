//! What the sandbox is started with, and how it is started by name.

use planthread_contracts::PeriodKind;

use super::{
    O9,
    behaviours::{Switch, Switches},
    names::Names,
};
use crate::sdk::{
    Kind, OptionDecl, SandboxFactory, SandboxShape, Setup, SetupError, Values, behaviours,
    plan::Wiring, shape::ShapeResource,
};

/// The o9 sandbox.
pub const FACTORY: SandboxFactory = SandboxFactory {
    name: "o9",
    about: "o9 Digital Brain: IBPL queries, a tenant rule, reads of the Platform API",
    login: "ApiKey planthread.planthread; or user planthread, password planthread",
    listen: "127.0.0.1:9103",
    demo: &[("resources", "4"), ("level", "partial_week")],
    options: &DECLARED,
    behaviours: behaviours::described::<Switch>,
    build: |setup| Ok(Box::new(O9::new(Options::of(setup)?))),
};

/// Its options on the command line.
#[rustfmt::skip]
const DECLARED: [OptionDecl; 5] = [
    OptionDecl::of("resources", Kind::Number(0, 100_000), "6", "number of resources LINE-1.. ; odd ones at 1010, even ones at 1020"),
    OptionDecl::of("level", Kind::Word(&["week", "partial_week", "day", "month"]), "week", "leaf level of the Time dimension"),
    OptionDecl::of("wiring", Kind::Word(&["none", "job", "calculation", "direct"]), "none", "how landed capacity drives the working view"),
    OptionDecl::of("weeks-ahead", Kind::Number(1, 520), "78", "weeks ahead of today that the calendar has and the ERP has loaded"),
    OptionDecl::of("nightly-hour", Kind::NumberOr("never", 0, 23), "never", "hour (UTC, 0 to 23) at which the nightly job runs by itself"),
];

/// Start-up options.
#[derive(Debug, Clone)]
pub struct Options {
    /// What the tenant calls its things.
    pub(super) names: Names,
    /// The target that it stands in for.
    pub(super) shape: Option<SandboxShape>,
    /// Resources with their locations.
    pub resources: Vec<ShapeResource>,
    /// Leaf level of time.
    pub storage: PeriodKind,
    /// How landed capacity drives the plan.
    pub wiring: Wiring,
    /// Weeks ahead of today.
    pub weeks_ahead: u32,
    /// Hour of the nightly job.
    pub nightly_hour: Option<i8>,
    /// Which behaviours are on.
    pub switches: Switches,
}

impl Options {
    /// The options of a command line; the resources are a shape's, where there
    /// is one.
    ///
    /// # Errors
    /// When an option or a behaviour is none.
    pub fn of(setup: &Setup) -> Result<Self, SetupError> {
        let values = Values::read(&DECLARED, &setup.options)?;
        let names = Names::of(setup.shape.as_ref())?;
        let demo = values.number("resources");
        let resources = SandboxShape::resources_or_demo(setup.shape.as_ref(), demo);
        let shaped = setup.shape.as_ref().and_then(|shape| Some(shape.measures.first()?.level));
        Ok(Self {
            names,
            shape: setup.shape.clone(),
            resources,
            storage: match values.text("level") {
                _ if shaped.is_some() && !values.is_given("level") => {
                    shaped.unwrap_or(PeriodKind::Week)
                }
                "partial_week" => PeriodKind::TechnicalWeek,
                "day" => PeriodKind::Day,
                "month" => PeriodKind::Month,
                _ => PeriodKind::Week,
            },
            wiring: values.text("wiring").parse().unwrap_or_default(),
            weeks_ahead: values.count("weeks-ahead"),
            nightly_hour: values.text("nightly-hour").parse().ok(),
            switches: Switches::named(&setup.on, &setup.off)?,
        })
    }
}
