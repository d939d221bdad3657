//! The planning area `PTDEMO`: versions, attributes, time levels, key figures.

use planthread_contracts::{Aggregation, PeriodKind};
use rust_decimal::Decimal;

/// Decimals of a key figure (section 8.1: precision 18, scale 6).
const SCALE_MAX: u32 = 6;
/// Digits before the point: precision 18 less scale 6.
const WHOLE_MAX: i64 = 1_000_000_000_000;

/// The planning area.
pub const PLANNING_AREA: &str = "PTDEMO";

/// An area that exists for master data only: 404 in the planning service.
pub const MASTER_ONLY_AREA: &str = "PTMASTER";

/// How reads name the base version.
pub const BASELINE: &str = "__BASELINE";

/// The second version, with its own values.
pub const TWIN_VERSION: &str = "TWIN";

/// Unit in which quantities are stored, and dozens, so that conversion shows.
pub const UNITS: [(&str, u32); 2] = [("EA", 1), ("DZ", 12)];

/// Currency of the only money key figure.
pub const CURRENCIES: [&str; 1] = ["EUR"];

/// A key figure that a conversion attribute must go with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conversion {
    /// A quantity: `UOMTOID`.
    Quantity,
    /// Money: `CURRTOID`.
    Money,
}

impl Conversion {
    /// The conversion whose attribute this is.
    #[must_use]
    pub fn named(attribute: &str) -> Option<Self> {
        [Self::Quantity, Self::Money].into_iter().find(|of| of.attribute() == attribute)
    }

    /// The attribute that a filter must name.
    #[must_use]
    pub const fn attribute(self) -> &'static str {
        match self {
            Self::Quantity => "UOMTOID",
            Self::Money => "CURRTOID",
        }
    }
}

/// One key figure.
#[derive(Debug, Clone, Copy)]
pub struct KeyFigure {
    /// Its id.
    pub id: &'static str,
    /// What planners read.
    pub label: &'static str,
    /// How it adds up over time and over resources. Calculated ones ignore it.
    pub aggregation: Aggregation,
    /// Stored and editable, or calculated.
    pub stored: bool,
    /// The conversion attribute that reads need.
    pub conversion: Option<Conversion>,
    /// Whether it is assigned to the version `TWIN` (base has all).
    pub in_twin: bool,
}

const fn stored(id: &'static str, label: &'static str, aggregation: Aggregation) -> KeyFigure {
    KeyFigure { id, label, aggregation, stored: true, conversion: None, in_twin: true }
}

const fn base_only(figure: KeyFigure) -> KeyFigure {
    KeyFigure { in_twin: false, ..figure }
}

const fn converted(figure: KeyFigure, conversion: Conversion) -> KeyFigure {
    KeyFigure { conversion: Some(conversion), ..figure }
}

/// Index of `CAPASUPPLY` in [`KEY_FIGURES`].
pub const CAPASUPPLY: usize = 0;
/// Index of `TWINCAPA`.
pub const TWINCAPA: usize = 1;
/// Index of `TWINCAPALIVE`.
pub const TWINCAPALIVE: usize = 2;
/// Index of `TWINSTATUS`.
pub const TWINSTATUS: usize = 7;
/// Index of `TWINASOF`.
pub const TWINASOF: usize = 8;
/// Index of `TWINVALIDTO`.
pub const TWINVALIDTO: usize = 9;
/// Index of `CAPADEMAND`.
pub const CAPADEMAND: usize = 13;
/// Index of `UTILIZATIONPCT`.
pub const UTILIZATIONPCT: usize = 15;
/// How many key figures there are.
pub const KEY_FIGURE_COUNT: usize = 16;

/// All key figures, in the order of the planner's grid.
pub const KEY_FIGURES: [KeyFigure; KEY_FIGURE_COUNT] = [
    base_only(stored("CAPASUPPLY", "Capacity Supply (assumed)", Aggregation::Sum)),
    stored("TWINCAPA", "Twin Capacity, Plan Cut", Aggregation::Sum),
    stored("TWINCAPALIVE", "Twin Capacity, Live", Aggregation::Sum),
    stored("TWINCAPALOW", "Twin Capacity, Cautious", Aggregation::Min),
    stored("TWINLOST", "Twin Expected Lost Hours", Aggregation::Sum),
    stored("TWINSEVERITY", "Twin Constraint Severity", Aggregation::Max),
    stored("TWINRISK", "Twin Hours at Risk", Aggregation::Sum),
    stored("TWINSTATUS", "Twin Status", Aggregation::Max),
    stored("TWINASOF", "Twin As Of (yyyymmdd)", Aggregation::Min),
    stored("TWINVALIDTO", "Twin Valid Until (yyyymmdd)", Aggregation::Min),
    stored("TWINBEAT", "Twin Heartbeat", Aggregation::Max),
    converted(stored("TWINOUTPUT", "Twin Good Output", Aggregation::Sum), Conversion::Quantity),
    stored("TWINCOVERED", "Twin Covered (adds up)", Aggregation::Sum),
    base_only(stored("CAPADEMAND", "Capacity Demand (load)", Aggregation::Sum)),
    base_only(converted(
        stored("CAPASUPPLYEXPANSIONCOSTRATE", "Capacity Expansion Cost Rate", Aggregation::Max),
        Conversion::Money,
    )),
    KeyFigure {
        id: "UTILIZATIONPCT",
        label: "Utilisation (load / supply)",
        aggregation: Aggregation::None,
        stored: false,
        conversion: None,
        in_twin: false,
    },
];

/// Finds a key figure by id.
#[must_use]
pub fn key_figure(id: &str) -> Option<usize> {
    KEY_FIGURES.iter().position(|figure| figure.id == id)
}

/// A value as text, if a key figure can hold it: an optional minus, digits, and
/// a point only between digits.
pub(super) fn value_of(text: &str) -> Option<Decimal> {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (whole, decimals) = unsigned.split_once('.').unwrap_or((unsigned, "0"));
    if !digits(whole) || !digits(decimals) {
        return None;
    }
    let value: Decimal = text.parse().ok()?;
    let holds = value.normalize().scale() <= SCALE_MAX && value.abs() < Decimal::from(WHOLE_MAX);
    holds.then_some(value)
}

/// One level of the time profile.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TimeLevel {
    /// The timestamp field.
    pub stamp: &'static str,
    /// The relative field: filters only.
    pub relative: &'static str,
    /// The kind of period.
    pub kind: PeriodKind,
    /// `sap:label` of the timestamp field.
    pub label: &'static str,
}

/// The time profile: numbers as in SAP's unified model.
pub const TIME_LEVELS: [TimeLevel; 4] = [
    level("PERIODID0_TSTAMP", "PERIODID0_REL", PeriodKind::Day, "Day (As Timestamp)"),
    level("PERIODID3_TSTAMP", "PERIODID3_REL", PeriodKind::Month, "Month (As Timestamp)"),
    level("PERIODID4_TSTAMP", "PERIODID4_REL", PeriodKind::Week, "Week (As Timestamp)"),
    level(
        "PERIODID5_TSTAMP",
        "PERIODID5_REL",
        PeriodKind::TechnicalWeek,
        "Technical Week (As Timestamp)",
    ),
];

const fn level(
    stamp: &'static str,
    relative: &'static str,
    kind: PeriodKind,
    label: &'static str,
) -> TimeLevel {
    TimeLevel { stamp, relative, kind, label }
}

/// The time level with this timestamp field.
#[must_use]
pub fn time_level(stamp: &str) -> Option<&'static TimeLevel> {
    TIME_LEVELS.iter().find(|level| level.stamp == stamp)
}

/// Attributes with their labels; the first two are the root of every key figure.
pub const ATTRIBUTES: [(&str, &str); 4] = [
    ("RESID", "Resource ID"),
    ("LOCID", "Location ID"),
    ("RESDESCR", "Resource Description"),
    ("LOCDESCR", "Location Description"),
];

/// Fields that rows carry but that nobody can write as columns.
pub const NOT_WRITABLE: [&str; 7] = [
    "VERSIONID",
    "VERSIONNAME",
    "SCENARIOID",
    "SCENARIONAME",
    "AGGREGATE",
    "LASTMODIFIEDDATE",
    "CREATEDDATE",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_plain_digits_within_precision_and_scale() {
        for text in ["0", "-5", "12.5", "0.123456", "1.5000000", "999999999999.999999", "007"] {
            assert_eq!(value_of(text), text.parse().ok(), "{text}");
        }
        for text in [
            "",
            "-",
            ".",
            "+5",
            "1_000",
            "1e3",
            "1E3",
            ".5",
            "5.",
            "--5",
            "1,5",
            " 1",
            "0x1",
            "٣",
            "0.1234567",
            "1000000000000",
            "NaN",
        ] {
            assert_eq!(value_of(text), None, "{text}");
        }
    }

    #[test]
    fn indices_name_what_they_say() {
        for (index, id) in [
            (CAPASUPPLY, "CAPASUPPLY"),
            (TWINCAPA, "TWINCAPA"),
            (TWINCAPALIVE, "TWINCAPALIVE"),
            (TWINSTATUS, "TWINSTATUS"),
            (TWINASOF, "TWINASOF"),
            (TWINVALIDTO, "TWINVALIDTO"),
            (CAPADEMAND, "CAPADEMAND"),
            (UTILIZATIONPCT, "UTILIZATIONPCT"),
        ] {
            assert_eq!(key_figure(id), Some(index));
        }
        assert!(PLANNING_AREA.len() <= 10 && KEY_FIGURES.iter().all(|f| f.id.len() <= 32));
    }
}
