//! What the sandbox is started with.

use std::time::Duration;

use planthread_contracts::PeriodKind;

use super::{behaviours::Switches, dates::Format};
use crate::sdk::{Kind, OptionDecl, SandboxShape, Setup, SetupError, Values, plan::storage};

/// Its options on the command line.
pub const DECLARED: [OptionDecl; 9] = [
    OptionDecl {
        name: "resources",
        kind: Kind::Number(0, 100_000),
        default: "6",
        does: "number of constraints LINE-1.. ; odd ones at 1010, even ones at 1020",
    },
    OptionDecl {
        name: "storage",
        kind: Kind::Word(&["day", "week", "month"]),
        default: "week",
        does: "length of the periods of the planner's grid",
    },
    OptionDecl {
        name: "effective-out",
        kind: Kind::Word(&["inclusive", "exclusive"]),
        default: "inclusive",
        does: "whether EffectiveOutDate is the last day or the day after (unconfirmed)",
    },
    OptionDecl {
        name: "import-dates",
        kind: Kind::Word(&["yyyy-mm-dd", "dd-mm-yy", "yyyymmdd"]),
        default: "dd-mm-yy",
        does: "locale of the web service user: dates of a worksheet import",
    },
    OptionDecl {
        name: "start-row",
        kind: Kind::Word(&["0", "1"]),
        default: "0",
        does: "number of the first row of a worksheet",
    },
    OptionDecl {
        name: "token-seconds",
        kind: Kind::Number(1, 86_400),
        default: "3600",
        does: "seconds after which a token ends (unconfirmed)",
    },
    OptionDecl {
        name: "update-ms",
        kind: Kind::Number(0, 86_400_000),
        default: "600",
        does: "milliseconds from the trigger of a data update to its end",
    },
    OptionDecl {
        name: "success-text",
        kind: Kind::Text,
        default: "Completed",
        does: "the status of a data update that has ended well",
    },
    OptionDecl {
        name: "cut-table",
        kind: Kind::Text,
        default: "",
        does: "name of one more own table, Planthread::NAME with a Rate a week: where nothing but a plan cut lies",
    },
];

/// Start-up options.
#[derive(Debug, Clone)]
pub struct Options {
    /// Number of constraints.
    pub resources: u32,
    /// Length of the grid's periods.
    pub storage: PeriodKind,
    /// Whether an effective-out date is the last day.
    pub inclusive: bool,
    /// Form of the dates in a worksheet import.
    pub import_dates: Format,
    /// Number of a worksheet's first row.
    pub start_row: usize,
    /// How long a token lives.
    pub token_life: Duration,
    /// How long a data update takes.
    pub update: Duration,
    /// What a data update says when it has ended well.
    pub success_text: String,
    /// One more own table, for a plan cut alone.
    pub cut_table: Option<String>,
    /// Which behaviours are on.
    pub switches: Switches,
    /// The target whose shape it takes, if it stands in for one.
    pub shape: Option<SandboxShape>,
}

impl Options {
    /// The options of a command line.
    ///
    /// # Errors
    /// When an option or a behaviour is none, or the shape names no resource.
    pub fn of(setup: &Setup) -> Result<Self, SetupError> {
        let values = Values::read(&DECLARED, &setup.options)?;
        if let Some(shape) = setup.shape.as_ref().filter(|shape| shape.resources.is_empty()) {
            let reason = "no resource is mapped, and none is given".to_owned();
            return Err(SetupError::Shape { target: shape.target.clone(), reason });
        }
        let of_shape = setup.shape.as_ref().filter(|_| !values.is_given("storage"));
        let level = of_shape.and_then(|shape| Some(shape.measures.first()?.level));
        Ok(Self {
            resources: u32::try_from(values.number("resources")).unwrap_or(u32::MAX),
            // The declarations let no other words through.
            storage: level.unwrap_or(storage(values.text("storage")).unwrap_or(PeriodKind::Week)),
            inclusive: values.text("effective-out") == "inclusive",
            import_dates: Format::named(values.text("import-dates")),
            start_row: usize::from(values.text("start-row") == "1"),
            token_life: Duration::from_secs(values.number("token-seconds")),
            update: Duration::from_millis(values.number("update-ms")),
            success_text: values.text("success-text").to_owned(),
            cut_table: Some(values.text("cut-table").to_owned()).filter(|name| !name.is_empty()),
            switches: Switches::named(&setup.on, &setup.off)?,
            shape: setup.shape.clone(),
        })
    }
}
