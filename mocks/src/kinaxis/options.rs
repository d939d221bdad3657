//! What the sandbox is started with, and how it is started by name.

use std::time::Duration;

use planthread_contracts::PeriodKind;

use super::{
    Kinaxis,
    behaviours::{Switch, Switches},
    dates::Format,
};
use crate::sdk::{
    Kind, OptionDecl, SandboxFactory, SandboxShape, Setup, SetupError, Values, behaviours,
};

/// The Kinaxis sandbox.
pub const FACTORY: SandboxFactory = SandboxFactory {
    name: "kinaxis",
    about: "Kinaxis (RapidResponse, Maestro): company PTDM01_DEV01 behind integration/V1",
    login: "web service user and OAuth client planthread, password planthread",
    listen: "127.0.0.1:9102",
    demo: &[("resources", "4"), ("storage", "day")],
    options: &DECLARED,
    behaviours: behaviours::described::<Switch>,
    build: |setup| Ok(Box::new(Kinaxis::new(Options::of(setup)?))),
};

/// Its options on the command line.
#[rustfmt::skip]
const DECLARED: [OptionDecl; 9] = [
    OptionDecl::of("resources", Kind::Number(0, 100_000), "6", "number of constraints LINE-1.. ; odd ones at 1010, even ones at 1020"),
    OptionDecl::of("storage", Kind::Word(&["day", "week", "month"]), "week", "length of the periods of the planner's grid"),
    OptionDecl::of("effective-out", Kind::Word(&["inclusive", "exclusive"]), "inclusive", "whether EffectiveOutDate is the last day or the day after (unconfirmed)"),
    OptionDecl::of("import-dates", Kind::Word(&["yyyy-mm-dd", "dd-mm-yy", "yyyymmdd"]), "dd-mm-yy", "locale of the web service user: dates of a worksheet import"),
    OptionDecl::of("start-row", Kind::Word(&["0", "1"]), "0", "number of the first row of a worksheet"),
    OptionDecl::of("token-seconds", Kind::Number(1, 86_400), "3600", "seconds after which a token ends (unconfirmed)"),
    OptionDecl::of("update-ms", Kind::Number(0, 86_400_000), "600", "milliseconds from the trigger of a data update to its end"),
    OptionDecl::of("success-text", Kind::Text, "Completed", "the status of a data update that has ended well"),
    OptionDecl::of("cut-table", Kind::Text, "", "name of one more own table, Planthread::NAME with a Rate a week: where nothing but a plan cut lies"),
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
            resources: values.count("resources"),
            storage: level.unwrap_or(values.storage("storage")),
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
