//! What the sandbox is started with.

use planthread_contracts::PeriodKind;

use super::{behaviours::Switches, names::Names};
use crate::sdk::{
    Kind, OptionDecl, SandboxShape, Setup, SetupError, Values, plan::Wiring, shape::ShapeResource,
};

/// Its options on the command line.
pub(super) const DECLARED: [OptionDecl; 5] = [
    OptionDecl {
        name: "resources",
        kind: Kind::Number(0, 100_000),
        default: "6",
        does: "number of resources LINE-1.. ; odd ones at 1010, even ones at 1020",
    },
    OptionDecl {
        name: "level",
        kind: Kind::Word(&["week", "partial_week", "day", "month"]),
        default: "week",
        does: "leaf level of the Time dimension",
    },
    OptionDecl {
        name: "wiring",
        kind: Kind::Word(&["none", "job", "calculation", "direct"]),
        default: "none",
        does: "how landed capacity drives the working view",
    },
    OptionDecl {
        name: "weeks-ahead",
        kind: Kind::Number(1, 520),
        default: "78",
        does: "weeks ahead of today that the calendar has and the ERP has loaded",
    },
    OptionDecl {
        name: "nightly-hour",
        kind: Kind::Text,
        default: "never",
        does: "hour (UTC, 0 to 23) at which the nightly job runs by itself",
    },
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
        let hour = values.text("nightly-hour");
        let hour = match hour {
            "never" => None,
            text => {
                Some(text.parse().ok().filter(|hour| (0..24).contains(hour)).ok_or_else(|| {
                    let (value, wants) = (text.to_owned(), "never, or 0 to 23".to_owned());
                    crate::sdk::OptionError::Value { name: "nightly-hour", value, wants }
                })?)
            }
        };
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
            weeks_ahead: u32::try_from(values.number("weeks-ahead")).unwrap_or(u32::MAX),
            nightly_hour: hour,
            switches: Switches::named(&setup.on, &setup.off)?,
        })
    }
}
