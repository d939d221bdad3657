//! What a plan stores: measures, their parts in it, its scopes.

use std::{str::FromStr, sync::Arc};

use planthread_contracts::{Aggregation, Carries, PeriodKind, Unit};
use rust_decimal::Decimal;

use super::store::{Cell, Row};

/// The part that a measure has in the plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// What the plan assumes: it drives it.
    Assumed,
    /// Landed: the cut that may drive the plan.
    Cut,
    /// Landed: live capacity.
    Live,
    /// Landed: cautious capacity.
    Low,
    /// Landed: expected lost hours.
    Lost,
    /// Landed: severity of the constraint.
    Severity,
    /// Landed: hours at risk.
    Risk,
    /// Landed: scheduled hours that people decided.
    Decided,
    /// Landed: the status of the live value.
    Status,
    /// Landed: whether the live value was measured.
    Covered,
    /// Landed: as of.
    AsOf,
    /// Landed: valid until.
    ValidUntil,
    /// Landed: the writer's heartbeat.
    Beat,
    /// Landed: good output.
    Output,
    /// What orders need.
    Load,
    /// Load by supply: calculated, never stored.
    Utilisation,
    /// None that the page knows.
    Other,
}

impl Part {
    /// The part of what carries a figure of ours.
    #[must_use]
    pub const fn of(carries: Carries) -> Self {
        match carries {
            Carries::AttainableClockHours | Carries::DemonstratedStandardHours => Self::Live,
            Carries::PlanCut => Self::Cut,
            Carries::LowHours => Self::Low,
            Carries::ExpectedLostHours => Self::Lost,
            Carries::GoodUnits => Self::Output,
            Carries::Severity => Self::Severity,
            Carries::HoursAtRisk => Self::Risk,
            Carries::DecidedHours => Self::Decided,
            Carries::Status => Self::Status,
            Carries::Covered => Self::Covered,
            Carries::AsOf => Self::AsOf,
            Carries::ValidUntil => Self::ValidUntil,
            Carries::Heartbeat => Self::Beat,
            Carries::Observed => Self::Other,
        }
    }

    /// The row of the page that shows it; empty when none does.
    #[must_use]
    pub const fn slot(self) -> &'static str {
        match self {
            Self::Assumed => "assumed",
            Self::Cut => "cut",
            Self::Live => "live",
            Self::Low => "low",
            Self::Lost => "lost",
            Self::Severity => "severity",
            Self::Risk => "risk",
            Self::Decided => "decided",
            Self::Status => "status",
            Self::Covered => "covered",
            Self::AsOf => "as_of",
            Self::ValidUntil => "valid_until",
            Self::Beat => "beat",
            Self::Output => "output",
            Self::Load => "load",
            Self::Utilisation => "utilisation",
            Self::Other => "",
        }
    }
}

/// One measure.
#[derive(Debug, Clone)]
pub struct Measure {
    /// Its name.
    pub id: Arc<str>,
    /// What planners read.
    pub label: String,
    /// How it adds up over time and over resources. Calculated ones ignore it.
    pub aggregation: Aggregation,
    /// Its part in the plan.
    pub part: Part,
    /// Whether the named scopes have it (base has all).
    pub in_scopes: bool,
}

/// How the landed capacity drives the plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Wiring {
    /// It does not: planners see it, the plan goes on with what it assumes.
    #[default]
    None,
    /// A copy operator in the nightly chain copies the cut to what is assumed.
    Job,
    /// What is assumed is calculated: the cut where there is one, else the ERP's.
    Calculation,
    /// The bridge itself writes what is assumed; the nightly load competes.
    Direct,
}

/// The words of all wirings.
const WIRINGS: [(&str, Wiring); 4] = [
    ("none", Wiring::None),
    ("job", Wiring::Job),
    ("calculation", Wiring::Calculation),
    ("direct", Wiring::Direct),
];

/// The text names no wiring.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a wiring: use `none`, `job`, `calculation` or `direct`")]
pub struct WiringError(pub String);

impl FromStr for Wiring {
    type Err = WiringError;

    fn from_str(text: &str) -> Result<Self, WiringError> {
        let found = WIRINGS.iter().find(|(word, _)| *word == text);
        found.map(|(_, wiring)| *wiring).ok_or_else(|| WiringError(text.to_owned()))
    }
}

impl Wiring {
    /// Its word.
    #[must_use]
    pub fn word(self) -> &'static str {
        WIRINGS.iter().find(|(_, wiring)| *wiring == self).map_or("none", |(word, _)| word)
    }
}

/// The text names no level at which measures can be stored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a storage level: use `day`, `week`, `technical_week` or `month`")]
pub struct StorageError(pub String);

/// The level at which measures are stored, from its word.
///
/// # Errors
/// When the text is none of the levels of the time profile.
pub fn storage(text: &str) -> Result<PeriodKind, StorageError> {
    let found = STORAGE.iter().find(|(word, _)| *word == text);
    found.map(|(_, kind)| *kind).ok_or_else(|| StorageError(text.to_owned()))
}

/// Levels at which measures can be stored, in their words.
pub const STORAGE: [(&str, PeriodKind); 4] = [
    ("day", PeriodKind::Day),
    ("week", PeriodKind::Week),
    ("technical_week", PeriodKind::TechnicalWeek),
    ("month", PeriodKind::Month),
];

/// What people call a unit.
#[must_use]
pub const fn unit_name(unit: Unit) -> &'static str {
    match unit {
        Unit::Hour => "Hours",
        Unit::Minute => "Minutes",
        Unit::Second => "Seconds",
        Unit::Day => "Days",
        Unit::Piece => "Pieces",
        Unit::One => "Units",
        Unit::Kilogram => "Kilograms",
        Unit::Tonne => "Tonnes",
        Unit::Litre => "Litres",
    }
}

/// What a plan stores.
#[derive(Debug, Clone)]
pub struct Model {
    /// The unit of its capacity and of its load.
    pub unit: Unit,
    /// Measures, in the order of the planner's grid.
    pub measures: Vec<Measure>,
    /// Scopes besides base: name, and what people call it.
    pub scopes: Vec<(String, String)>,
}

impl Default for Model {
    fn default() -> Self {
        Self { unit: Unit::Hour, measures: Vec::new(), scopes: Vec::new() }
    }
}

impl Model {
    /// So many hours in the unit of the plan; where that measures no time, the number
    /// as it is.
    #[must_use]
    pub fn of_hours(&self, hours: Decimal) -> Decimal {
        Unit::Hour.convert(hours, self.unit).unwrap_or(hours)
    }

    /// Finds a measure by its name.
    #[must_use]
    pub fn find(&self, id: &str) -> Option<usize> {
        self.measures.iter().position(|measure| &*measure.id == id)
    }

    /// Finds the measure that has a part.
    #[must_use]
    pub fn part(&self, part: Part) -> Option<usize> {
        self.measures.iter().position(|measure| measure.part == part)
    }

    /// Whether a scope exists; empty is base.
    #[must_use]
    pub(crate) fn has_scope(&self, scope: &str) -> bool {
        scope.is_empty() || self.scopes.iter().any(|(name, _)| name == scope)
    }

    /// The cell behind the value that the plan sees: what is assumed may be
    /// calculated.
    #[must_use]
    pub fn seen<'a>(&self, row: &'a Row, measure: usize, wiring: Wiring) -> Option<&'a Cell> {
        let own = row.cell(measure);
        let assumed = self.measures[measure].part == Part::Assumed;
        match self.part(Part::Cut) {
            Some(cut) if assumed && wiring == Wiring::Calculation => row.cell(cut).or(own),
            _ => own,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_lead_back_to_what_they_name() {
        for (word, wiring) in WIRINGS {
            assert_eq!((word.parse(), wiring.word()), (Ok(wiring), word));
        }
        assert!("copy".parse::<Wiring>().unwrap_err().to_string().contains("calculation"));
        assert!(storage("fortnight").unwrap_err().to_string().contains("technical_week"));
    }
}
