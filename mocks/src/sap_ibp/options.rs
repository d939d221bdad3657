//! What a sandbox is started with.

use std::{str::FromStr, time::Duration};

use planthread_contracts::PeriodKind;

use super::behaviours::Switches;
use crate::latency::Profile;

/// How the landed capacity drives the plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Wiring {
    /// It does not: planners see it, the plan goes on with `CAPASUPPLY`.
    #[default]
    None,
    /// A copy operator in the nightly chain copies `TWINCAPA` to `CAPASUPPLY`.
    Job,
    /// `CAPASUPPLY` is calculated: `TWINCAPA` where there is one, else the ERP's.
    Calculation,
    /// The bridge itself writes `CAPASUPPLY`; the nightly load competes.
    Direct,
}

/// The text names no wiring.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a wiring: use `none`, `job`, `calculation` or `direct`")]
pub struct WiringError(pub String);

impl FromStr for Wiring {
    type Err = WiringError;

    fn from_str(text: &str) -> Result<Self, WiringError> {
        Ok(match text {
            "none" => Self::None,
            "job" => Self::Job,
            "calculation" => Self::Calculation,
            "direct" => Self::Direct,
            _ => return Err(WiringError(text.to_owned())),
        })
    }
}

impl Wiring {
    /// Its word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Job => "job",
            Self::Calculation => "calculation",
            Self::Direct => "direct",
        }
    }
}

/// The text names no level at which key figures can be stored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a storage level: use `day`, `week`, `technical_week` or `month`")]
pub struct StorageError(pub String);

/// The level at which key figures are stored, from its word.
///
/// # Errors
/// When the text is none of the levels of the time profile.
pub fn storage(text: &str) -> Result<PeriodKind, StorageError> {
    STORAGE
        .iter()
        .find(|(word, _)| *word == text)
        .map(|(_, kind)| *kind)
        .ok_or_else(|| StorageError(text.to_owned()))
}

/// Levels at which key figures can be stored, in their words.
pub const STORAGE: [(&str, PeriodKind); 4] = [
    ("day", PeriodKind::Day),
    ("week", PeriodKind::Week),
    ("technical_week", PeriodKind::TechnicalWeek),
    ("month", PeriodKind::Month),
];

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
}

impl Default for Options {
    fn default() -> Self {
        Self {
            resources: 6,
            wiring: Wiring::None,
            latency: Profile::None,
            switches: Switches::default(),
            storage: PeriodKind::Week,
            import_starts_after: Duration::from_millis(200),
            import_ends_after: Duration::from_millis(600),
            session_ttl: Duration::from_secs(30 * 60),
            behind_tls: false,
            nightly_hour: None,
            weeks: (8, 78),
            seed: 1,
        }
    }
}

/// Where resource number `n` (from 1) stands.
#[must_use]
pub const fn location_of(n: u32) -> &'static str {
    if n % 2 == 1 { "1010" } else { "1020" }
}
