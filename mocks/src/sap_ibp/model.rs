//! The planning area: its names, versions, attributes, time levels, key figures.
//!
//! By default it is `PTDEMO`; with a shape it has the names of a configured
//! target.

use std::sync::Arc;

use jiff::{ToSpan as _, civil::Date};
use planthread_contracts::{Aggregation, Period, PeriodKind, Unit};
use rust_decimal::Decimal;

use super::options::{Family, Options};
use crate::sdk::plan::{Measure, Model, Part};

/// Decimals of a key figure (section 8.1: precision 18, scale 6).
const SCALE_MAX: u32 = 6;
/// Digits before the point: precision 18 less scale 6.
const WHOLE_MAX: i64 = 1_000_000_000_000;

/// The planning area, unless a shape names another.
pub(crate) const PLANNING_AREA: &str = "PTDEMO";

/// An area that exists for master data only: 404 in the planning service.
pub(crate) const MASTER_ONLY_AREA: &str = "PTMASTER";

/// How reads name the base version.
pub const BASELINE: &str = "__BASELINE";

/// The second version, with its own values.
pub(crate) const TWIN_VERSION: &str = "TWIN";

/// A name as it stands in many answers.
pub(super) type Name = Arc<str>;

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

/// The span of a time level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Span {
    /// A period that cells are stored at.
    Of(PeriodKind),
    Quarter,
    Year,
}

impl Span {
    /// First day of the span that holds `day`.
    pub(super) fn start(self, day: Date) -> Date {
        match self {
            Self::Of(kind) => Period::containing(kind, day).start(),
            Self::Quarter => {
                let month = (day.month() - 1) / 3 * 3 + 1;
                Date::new(day.year(), month, 1).unwrap_or(day)
            }
            Self::Year => Date::new(day.year(), 1, 1).unwrap_or(day),
        }
    }

    /// First day of the next span.
    pub(super) fn next(self, start: Date) -> Date {
        match self {
            Self::Of(kind) => Period::containing(kind, start).end(),
            Self::Quarter => start.saturating_add(3.months()),
            Self::Year => start.saturating_add(1.year()),
        }
    }
}

/// How fine a kind of period is: the least is the finest.
pub(super) const fn coarseness(kind: PeriodKind) -> u8 {
    match kind {
        PeriodKind::Day => 0,
        PeriodKind::TechnicalWeek => 1,
        PeriodKind::Week => 2,
        PeriodKind::Month => 3,
    }
}

/// One level of the time profile.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct TimeLevel {
    /// The timestamp field.
    pub(super) stamp: Name,
    /// The relative field: filters only.
    pub(super) relative: String,
    pub(super) span: Span,
    /// `sap:label` of the timestamp field, in English and in German.
    pub(super) labels: [&'static str; 2],
}

const DAY: (&str, Span, [&str; 2]) =
    ("day", Span::Of(PeriodKind::Day), ["Day (As Timestamp)", "Tag (als Zeitstempel)"]);
const MONTH: (&str, Span, [&str; 2]) =
    ("month", Span::Of(PeriodKind::Month), ["Month (As Timestamp)", "Monat (als Zeitstempel)"]);
const WEEK: (&str, Span, [&str; 2]) = (
    "week",
    Span::Of(PeriodKind::Week),
    ["Week (As Timestamp)", "Kalenderwoche (als Zeitstempel)"],
);
const TECHNICAL_WEEK: (&str, Span, [&str; 2]) = (
    "technical_week",
    Span::Of(PeriodKind::TechnicalWeek),
    ["Technical Week (As Timestamp)", "Technische Woche (als Zeitstempel)"],
);
const QUARTER: (&str, Span, [&str; 2]) =
    ("quarter", Span::Quarter, ["Quarter (As Timestamp)", "Quartal (als Zeitstempel)"]);
const YEAR: (&str, Span, [&str; 2]) =
    ("year", Span::Year, ["Year (As Timestamp)", "Jahr (als Zeitstempel)"]);

/// The planning area.
#[derive(Debug)]
pub(super) struct Area {
    pub(super) name: String,
    /// What the names of its master data types begin with.
    pub(super) prefix: String,
    pub(super) family: Family,
    pub(super) resource: Name,
    pub(super) location: Name,
    pub(super) times: Vec<TimeLevel>,
    /// The conversion attribute that reads of a key figure need, by its place.
    pub(super) conversions: Vec<Option<Conversion>>,
    /// Units of quantities, with how many of the first one each holds.
    pub(super) units: Vec<(String, u32)>,
    pub(super) currencies: Vec<String>,
}

/// Attributes that describe a resource and a location.
pub(super) const DESCRIPTIONS: [&str; 2] = ["RESDESCR", "LOCDESCR"];

/// Fields that every area has.
pub(super) const VERSION_FIELDS: [&str; 4] =
    ["VERSIONID", "VERSIONNAME", "SCENARIOID", "SCENARIONAME"];

/// Fields that rows carry but that nobody can write as columns.
pub(super) const NOT_WRITABLE: [&str; 7] = [
    "VERSIONID",
    "VERSIONNAME",
    "SCENARIOID",
    "SCENARIONAME",
    "AGGREGATE",
    "LASTMODIFIEDDATE",
    "CREATEDDATE",
];

impl Area {
    /// The area of these options, and what it stores.
    pub(super) fn of(options: &Options) -> (Self, Model) {
        let (mut area, mut model) = demo(options.family);
        if let Some(shape) = &options.shape {
            super::shaped::take(&mut area, &mut model, shape);
        }
        (area, model)
    }

    /// The time level with this timestamp field.
    pub(super) fn time(&self, stamp: &str) -> Option<&TimeLevel> {
        self.times.iter().find(|level| &*level.stamp == stamp)
    }

    /// The time level with this relative field.
    pub(super) fn relative(&self, name: &str) -> Option<&TimeLevel> {
        self.times.iter().find(|level| level.relative == name)
    }

    /// The time level of a kind of period.
    pub(super) fn level(&self, kind: PeriodKind) -> Option<&TimeLevel> {
        self.times.iter().find(|level| level.span == Span::Of(kind))
    }

    /// Attributes with their labels in English and German; the first two are the
    /// root of every key figure.
    pub(super) fn attributes(&self) -> [(Name, [&'static str; 2]); 4] {
        [
            (Arc::clone(&self.resource), ["Resource ID", "Ressource"]),
            (Arc::clone(&self.location), ["Location ID", "Lokation"]),
            (DESCRIPTIONS[0].into(), ["Resource Description", "Ressourcenbeschreibung"]),
            (DESCRIPTIONS[1].into(), ["Location Description", "Lokationsbeschreibung"]),
        ]
    }

    /// The field of this name that holds text.
    pub(super) fn text_field(&self, name: &str) -> Option<Name> {
        let version = VERSION_FIELDS.iter().find(|field| **field == name);
        let found = version.map(|field| (*field).into());
        let attribute = |(field, _): (Name, _)| (&*field == name).then_some(field);
        found.or_else(|| self.attributes().into_iter().find_map(attribute))
    }
}

/// A time level of the profile.
fn level((_, span, labels): (&str, Span, [&'static str; 2]), number: u8) -> TimeLevel {
    let stamp = format!("PERIODID{number}_TSTAMP").into();
    TimeLevel { stamp, relative: format!("PERIODID{number}_REL"), span, labels }
}

/// The word of a level in configurations.
pub(super) fn level_word(span: Span) -> &'static str {
    let all = [DAY, MONTH, WEEK, TECHNICAL_WEEK, QUARTER, YEAR];
    all.iter().find(|(_, of, _)| *of == span).map_or("", |(word, ..)| word)
}

/// The time profile of a family: numbers as in SAP's unified model; of the
/// harmonised one only the levels are public, not their numbers (grade S).
fn profile(family: Family) -> Vec<TimeLevel> {
    match family {
        Family::Sapibp1 => {
            vec![level(DAY, 0), level(MONTH, 3), level(WEEK, 4), level(TECHNICAL_WEEK, 5)]
        }
        Family::ISapibp2 => vec![
            level(DAY, 0),
            level(YEAR, 1),
            level(QUARTER, 2),
            level(WEEK, 4),
            level(TECHNICAL_WEEK, 5),
        ],
    }
}

/// Key figures: id, label, how it adds up, part, whether TWIN has it, conversion.
type Declared = (&'static str, &'static str, Aggregation, Part, bool, Option<Conversion>);

#[rustfmt::skip]
const KEY_FIGURES: [Declared; 17] = [
    ("CAPASUPPLY", "Capacity Supply (assumed)", Aggregation::Sum, Part::Assumed, false, None),
    ("TWINCAPA", "Twin Capacity, Plan Cut", Aggregation::Sum, Part::Cut, true, None),
    ("TWINCAPALIVE", "Twin Capacity, Live", Aggregation::Sum, Part::Live, true, None),
    ("TWINCAPALOW", "Twin Capacity, Cautious", Aggregation::Min, Part::Low, true, None),
    ("TWINLOST", "Twin Expected Lost Hours", Aggregation::Sum, Part::Lost, true, None),
    ("TWINSEVERITY", "Twin Constraint Severity", Aggregation::Max, Part::Severity, true, None),
    ("TWINRISK", "Twin Hours at Risk", Aggregation::Sum, Part::Risk, true, None),
    ("TWINDECIDED", "Twin Decided Hours", Aggregation::Sum, Part::Decided, true, None),
    ("TWINSTATUS", "Twin Status", Aggregation::Max, Part::Status, true, None),
    ("TWINASOF", "Twin As Of (yyyymmdd)", Aggregation::Min, Part::AsOf, true, None),
    ("TWINVALIDTO", "Twin Valid Until (yyyymmdd)", Aggregation::Min, Part::ValidUntil, true, None),
    ("TWINBEAT", "Twin Heartbeat", Aggregation::Max, Part::Beat, true, None),
    ("TWINOUTPUT", "Twin Good Output", Aggregation::Sum, Part::Output, true, Some(Conversion::Quantity)),
    ("TWINCOVERED", "Twin Covered (adds up)", Aggregation::Sum, Part::Covered, true, None),
    ("CAPADEMAND", "Capacity Demand (load)", Aggregation::Sum, Part::Load, false, None),
    ("CAPASUPPLYEXPANSIONCOSTRATE", "Capacity Expansion Cost Rate", Aggregation::Max, Part::Other, false, Some(Conversion::Money)),
    ("UTILIZATIONPCT", "Utilisation (load / supply)", Aggregation::None, Part::Utilisation, false, None),
];

/// `PTDEMO`.
fn demo(family: Family) -> (Area, Model) {
    let measure = |(id, label, aggregation, part, in_scopes, _): Declared| Measure {
        id: id.into(),
        label: label.to_owned(),
        aggregation,
        part,
        in_scopes,
    };
    let model = Model {
        unit: Unit::Hour,
        measures: KEY_FIGURES.into_iter().map(measure).collect(),
        scopes: vec![(TWIN_VERSION.to_owned(), "Digital twin".to_owned())],
    };
    let area = Area {
        name: PLANNING_AREA.to_owned(),
        prefix: "PT".to_owned(),
        family,
        resource: "RESID".into(),
        location: "LOCID".into(),
        times: profile(family),
        conversions: KEY_FIGURES.iter().map(|declared| declared.5).collect(),
        // Dozens, too, so that conversion shows.
        units: vec![("EA".to_owned(), 1), ("DZ".to_owned(), 12)],
        currencies: vec!["EUR".to_owned()],
    };
    (area, model)
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

/// What people call a version.
pub(super) fn version_name<'a>(model: &'a Model, version: &str) -> &'a str {
    let found = model.scopes.iter().find(|(known, _)| known == version);
    found.map_or("Base Version", |(_, name)| name)
}

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
    fn each_part_of_the_plan_is_taken_once() {
        let (area, model) = demo(Family::Sapibp1);
        for part in [Part::Assumed, Part::Cut, Part::Live, Part::Load, Part::Utilisation] {
            assert_eq!(model.measures.iter().filter(|one| one.part == part).count(), 1, "{part:?}");
        }
        assert!(area.name.len() <= 10 && model.measures.iter().all(|one| one.id.len() <= 32));
        assert_eq!(area.conversions.len(), model.measures.len());
    }

    #[test]
    fn spans_follow_each_other() {
        let day = jiff::civil::date(2026, 11, 25);
        for (span, start, next) in [
            (Span::Of(PeriodKind::Week), (2026, 11, 23), (2026, 11, 30)),
            (Span::Quarter, (2026, 10, 1), (2027, 1, 1)),
            (Span::Year, (2026, 1, 1), (2027, 1, 1)),
        ] {
            let date = |(y, m, d)| jiff::civil::date(y, m, d);
            assert_eq!(span.start(day), date(start), "{span:?}");
            assert_eq!(span.next(span.start(day)), date(next), "{span:?}");
        }
    }
}
