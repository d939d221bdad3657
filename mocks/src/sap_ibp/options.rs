//! What a sandbox is started with, and how it is started by name.

use std::time::Duration;

use planthread_contracts::PeriodKind;

use super::{
    SapIbp,
    behaviours::{Switch, Switches},
    model::coarseness,
    shaped,
};
pub use crate::sdk::plan::{Wiring, storage};
use crate::sdk::{
    Kind, OptionDecl, SandboxFactory, SandboxShape, Setup, SetupError, Values, behaviours,
    latency::Profile,
};

/// The SAP IBP sandbox.
pub const FACTORY: SandboxFactory = SandboxFactory {
    name: "sap-ibp",
    about: "SAP IBP, time-series planning area behind PLANNING_DATA_API_SRV",
    login: "user planthread, password planthread; or a client certificate of that name",
    listen: "127.0.0.1:9101",
    demo: &[("resources", "4"), ("wiring", "calculation")],
    options: &DECLARED,
    behaviours: behaviours::described::<Switch>,
    build: |setup| Ok(Box::new(SapIbp::new(Options::of(setup)?))),
};

/// Its options on the command line.
#[rustfmt::skip]
const DECLARED: [OptionDecl; 8] = [
    OptionDecl::of("resources", Kind::Number(0, 100_000), "6", "number of resources LINE-1.. ; odd ones at 1010, even ones at 1020"),
    OptionDecl::of("wiring", Kind::Word(&["none", "job", "calculation", "direct"]), "none", "how landed capacity drives the plan"),
    OptionDecl::of("storage", Kind::Word(&["day", "week", "technical_week", "month"]), "week", "level at which key figures are stored"),
    OptionDecl::of("family", Kind::Word(&["sapibp1", "i_sapibp2"]), "sapibp1", "family of the planning area"),
    OptionDecl::of("import-ms", Kind::Number(0, 86_400_000), "600", "milliseconds from a commit to the end of its import"),
    OptionDecl::of("session-seconds", Kind::Number(1, 86_400), "1800", "idle time after which a session and its token end"),
    OptionDecl::of("weeks-ahead", Kind::Number(1, 520), "78", "weeks ahead of today for which the ERP has loaded capacity"),
    OptionDecl::of("nightly-hour", Kind::NumberOr("never", 0, 23), "never", "hour (UTC, 0 to 23) at which the nightly job runs by itself"),
];

/// Which planning model an area is made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Family {
    /// The unified model: time series.
    #[default]
    Sapibp1,
    /// The harmonised model: orders and time series in one area.
    ISapibp2,
}

/// Start-up options of the SAP IBP sandbox.
#[derive(Debug, Clone)]
pub struct Options {
    /// Number of resources `LINE-1`..; odd ones at `1010`, even ones at `1020`.
    pub resources: u32,
    /// How landed capacity drives the plan.
    pub wiring: Wiring,
    /// How long answers take.
    pub latency: Profile,
    /// Which behaviours are on.
    pub switches: Switches,
    /// Level at which key figures are stored.
    pub storage: PeriodKind,
    /// Which planning model the area is made from.
    pub family: Family,
    /// Time from the commit until `PROCESSING` (not documented: our choice).
    pub import_starts_after: Duration,
    /// Time from the commit until the import has ended (our choice).
    pub import_ends_after: Duration,
    /// Idle time after which a session and its token end (our choice).
    pub session_ttl: Duration,
    /// Whether it is served over TLS: addresses in answers are https then, and
    /// cookies carry `Secure` (over plain http clients would lose them).
    pub behind_tls: bool,
    /// Hour (UTC) at which the nightly ERP job runs by itself.
    pub nightly_hour: Option<i8>,
    /// Weeks before and after the first request's day that the ERP has loaded.
    pub weeks: (u32, u32),
    /// Decides ids, tokens and the load.
    pub seed: u64,
    /// The target whose shape it takes, if it stands in for one.
    pub shape: Option<SandboxShape>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            resources: 6,
            wiring: Wiring::None,
            latency: Profile::None,
            switches: Switches::default(),
            storage: PeriodKind::Week,
            family: Family::Sapibp1,
            import_starts_after: Duration::from_millis(200),
            import_ends_after: Duration::from_millis(600),
            session_ttl: Duration::from_secs(30 * 60),
            behind_tls: false,
            nightly_hour: None,
            weeks: (8, 78),
            seed: 1,
            shape: None,
        }
    }
}

impl Options {
    /// The options of a command line. What it leaves open is the shape's, where
    /// there is one.
    ///
    /// # Errors
    /// When an option or a behaviour is none.
    pub fn of(setup: &Setup) -> Result<Self, SetupError> {
        let values = Values::read(&DECLARED, &setup.options)?;
        let mut options = Self {
            latency: setup.latency,
            switches: Switches::named(&setup.on, &setup.off)?,
            behind_tls: setup.behind_tls,
            shape: setup.shape.clone(),
            ..Self::default()
        };
        options.resources = values.count("resources");
        options.wiring = values.text("wiring").parse().unwrap_or_default();
        options.storage = values.storage("storage");
        if values.text("family") == "i_sapibp2" {
            options.family = Family::ISapibp2;
        }
        options.import_ends_after = Duration::from_millis(values.number("import-ms"));
        options.import_starts_after = options.import_ends_after / 3;
        options.session_ttl = Duration::from_secs(values.number("session-seconds"));
        options.weeks.1 = values.count("weeks-ahead");
        options.nightly_hour = values.text("nightly-hour").parse().ok();
        if let Some(shape) = &setup.shape {
            shaped::check(shape)?;
            if !values.is_given("wiring") {
                options.wiring = shape.wiring.parse().unwrap_or_default();
            }
            if !values.is_given("storage") {
                let levels = shape.measures.iter().map(|measure| measure.level);
                let finest = levels.min_by_key(|level| coarseness(*level));
                options.storage = finest.unwrap_or(PeriodKind::Week);
            }
        }
        Ok(options)
    }
}
