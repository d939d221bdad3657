//! The figures of one resource or line in one period, and the elements that
//! they are computed from.

use std::{collections::BTreeSet, sync::Arc};

use jiff::Timestamp;
use planthread_contracts::{
    CapacityBasis, Carries, Distribution, Loss, Mix, Name, Period, Quality, Quantile,
    SeverityMethod, Status,
};
use rust_decimal::Decimal;
use serde::{Serialize, Serializer};

use super::{decline::Decline, line_figures::LineFigures};
use crate::calendar::span::hours;

/// Sums of time, in milliseconds: they add over periods, ratios never do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Elements {
    /// Scheduled by the calendar, with what people decided for single days.
    pub scheduled: i64,
    /// Scheduled by the weekly shifts alone.
    pub regular: i64,
    /// Planned stops within scheduled time.
    pub planned: i64,
    /// Measured unplanned stops within scheduled time.
    pub down: i64,
    /// Measured standby within scheduled time: never a loss. Of a line only the
    /// time without order or operator, in which its output was counted.
    pub standby: i64,
    /// Scheduled time before `as_of` of which nobody knows; 0 when the source
    /// told everything.
    pub unknown: i64,
    /// Scheduled time after `as_of`, less planned stops.
    pub ahead: i64,
}

impl Elements {
    /// Measured and up: scheduled, less planned stops, down, unknown, ahead.
    #[must_use]
    pub const fn up(&self) -> i64 {
        self.scheduled - self.planned - self.down - self.unknown - self.ahead
    }
}

/// Where a period lies against `as_of`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Over: measured.
    Past,
    /// Measured to `as_of`, foretold for the rest.
    Current,
    /// Not begun: foretold.
    Future,
}

/// Demonstrated availability and what it rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Demonstrated {
    /// 1 − down ÷ (scheduled − planned), 0..1.
    pub availability: Decimal,
    /// The weeks of the pool, in order; none when the figure is the standard one of
    /// the master data.
    pub weeks: Vec<PoolWeek>,
    /// What is taken off because they get worse; `None` where nothing is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decline: Option<Decline>,
    /// How much was seen of them.
    pub rests_on: RestsOn,
    /// Whether sources of one rank differ in them beyond the tolerance: the lower
    /// side was pooled.
    pub conflicting: bool,
    /// The pool from which the low figure is read, where that is another one: while
    /// nothing is told, the least that any of them lets expect holds (law 8).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lowest: Option<Box<Self>>,
}

impl Demonstrated {
    /// The standard availability of the master data, where it stands behind this.
    pub(super) fn standard(&self) -> Option<Decimal> {
        match self.rests_on {
            RestsOn::FullWeeks => None,
            RestsOn::PartWeeks { standard } => standard,
            RestsOn::MasterData => Some(self.availability),
        }
    }

    /// The pool from which the low figure is read.
    #[must_use]
    pub fn low_pool(&self) -> &Self {
        self.lowest.as_deref().unwrap_or(self)
    }

    /// Whether it was shown over weeks that were seen fully enough; everything
    /// else is assumed.
    #[must_use]
    pub fn is_shown(&self) -> bool {
        self.rests_on == RestsOn::FullWeeks
    }

    /// By how much the availability lies below that of all the weeks: so far does
    /// their low quantile move down with it.
    #[must_use]
    pub fn fallen(&self) -> Decimal {
        let all = self.decline.and_then(|_| availability(&self.weeks));
        all.map_or(Decimal::ZERO, |all| (all - self.availability).max(Decimal::ZERO))
    }
}

/// 1 − down ÷ base over `weeks`, from sums; `None` where nothing was asked for.
pub(super) fn availability(weeks: &[PoolWeek]) -> Option<Decimal> {
    let base: i64 = weeks.iter().map(PoolWeek::base).sum();
    let down: i64 = weeks.iter().map(|week| week.elements.down).sum();
    Some(Decimal::ONE - Decimal::from(down).checked_div(Decimal::from(base))?)
}

/// What an availability rests on, the best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RestsOn {
    /// Weeks that were seen fully enough.
    FullWeeks,
    /// Weeks of which a part was seen, and none fully enough before the last word:
    /// the time that was seen, and never above the standard availability, where one
    /// is declared.
    PartWeeks {
        /// The standard availability of the master data.
        standard: Option<Decimal>,
    },
    /// The standard availability of the master data: there is no history.
    MasterData,
}

/// One week of the pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct PoolWeek {
    /// The ISO week.
    pub period: Period,
    /// Its elements.
    pub elements: Elements,
    /// Its good parts, where it was counted and the machine was seen.
    pub parts: Option<Decimal>,
}

impl PoolWeek {
    /// Milliseconds in which the machine was asked to be up and was observed.
    #[must_use]
    pub const fn base(&self) -> i64 {
        self.elements.scheduled - self.elements.planned - self.elements.unknown
    }
}

/// Good parts an hour, as they were counted over the pooled weeks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Rate {
    /// Good parts.
    pub parts: Decimal,
    /// Milliseconds in which they were made: counted, seen, up and loaded.
    pub ms: i64,
    /// In how many weeks.
    pub weeks: u32,
    /// Whether the time without load was told.
    pub load: Loaded,
}

impl Rate {
    /// Both together.
    pub(super) fn and(self, other: Self) -> Self {
        Self {
            parts: self.parts + other.parts,
            ms: self.ms + other.ms,
            weeks: self.weeks + other.weeks,
            load: self.load,
        }
    }

    /// Parts an hour; `None` when no hour was counted.
    #[must_use]
    pub fn an_hour(&self) -> Option<Decimal> {
        self.parts.checked_div(hours(self.ms))
    }
}

/// What the hours of a rate are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Loaded {
    /// Up and loaded: a source tells standby.
    Told,
    /// Up, loaded or not: nobody tells standby, and the rate is a floor.
    Untold,
    /// Scheduled: only the counter speaks of the machine.
    CounterOnly,
}

/// A part of the time that was not measured, for which a twin foretold
/// availability.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Foreseen {
    /// Milliseconds of scheduled time, less planned stops.
    pub ms: i64,
    /// Share of it that is expected to be up.
    pub up_fraction: Decimal,
    /// Low quantile of that share, P(X ≤ value) = 0.1.
    pub low_fraction: Option<Decimal>,
    /// Distribution of that share, where the twin gave one that still holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub distribution: Option<Distribution>,
    /// How far it can be trusted.
    pub status: Status,
    /// Who foretold it.
    pub source: String,
    /// When.
    pub issued: Timestamp,
    /// Whether it is time before `as_of` of which nobody knows.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub behind: bool,
}

/// Severity as a constraint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Severity {
    /// 0 none to 1 full; the largest of the period.
    pub value: Decimal,
    /// How it was found.
    pub method: SeverityMethod,
    /// For which product mix.
    pub mix: Mix,
    /// First instant of the window that it was told for.
    pub start: Timestamp,
    /// The first instant after it.
    pub end: Timestamp,
    /// How far it can be trusted.
    pub status: Status,
}

/// Maintenance risk of the period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Risk {
    /// P(forced stop in the period).
    pub failure_probability: Decimal,
    /// Hours that the repair takes.
    pub repair_hours: Decimal,
    /// Their product, for the part of the forecast that lies in the period.
    pub hours_at_risk: Decimal,
    /// The asset that it is about.
    pub asset: String,
    /// Up to here the model looks.
    pub model_horizon: Timestamp,
    /// The parts of forecasts that lie in the period.
    pub parts: Vec<RiskPart>,
    /// How far it can be trusted.
    pub status: Status,
}

/// The part of one forecast of a failure that lies in a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct RiskPart {
    /// P(forced stop in the forecast's interval).
    pub probability: Decimal,
    /// Hours that the repair takes.
    pub repair_hours: Decimal,
    /// Scheduled milliseconds of the forecast's interval.
    pub whole: i64,
    /// Those of them that lie in the period.
    pub inside: i64,
}

impl RiskPart {
    /// The share of the forecast's scheduled time that lies in the period.
    #[must_use]
    pub fn share(&self) -> Option<Decimal> {
        Decimal::from(self.inside).checked_div(self.whole.into())
    }

    /// Expected hours lost: no repair loses more than what is scheduled.
    #[must_use]
    pub fn hours_at_risk(&self) -> Option<Decimal> {
        Some(self.probability * self.repair_hours.min(hours(self.whole)) * self.share()?)
    }
}

/// How the good parts of a machine in one period come about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Good {
    /// Parts that were counted.
    pub counted: Decimal,
    /// Attainable hours of the time that was not counted, or lies ahead; of a
    /// machine of which only the counter speaks, its scheduled hours.
    pub open_hours: Decimal,
    /// Parts an hour of that time; `None` where no rate was shown, or none is
    /// needed.
    pub rate: Option<Rate>,
}

impl Good {
    /// All of them.
    #[must_use]
    pub fn parts(&self) -> Decimal {
        let rate = self.rate.as_ref().and_then(Rate::an_hour).unwrap_or_default();
        self.counted + rate * self.open_hours
    }
}

/// All figures of one resource or line in one period. A plant has them for each
/// of its resources in a hundred periods, so what these have in common is shared,
/// and what few have stands aside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Figures {
    /// The plant's id.
    pub resource: Name,
    /// How many units of it work in parallel; a line is one.
    pub units: u32,
    /// The period.
    pub period: Period,
    /// Its first instant.
    pub start: Timestamp,
    /// The first instant after it.
    pub end: Timestamp,
    /// The zone in which it is civil time.
    pub zone: Name,
    /// The calendar.
    pub calendar_id: Name,
    /// The calendar's version.
    pub calendar_version: Name,
    /// Against `as_of`.
    pub phase: Phase,
    /// Whether a part of the period is measured and a part foretold, or a past
    /// period was not seen completely.
    pub partial: bool,
    /// Where the figures come from.
    pub basis: CapacityBasis,
    /// The sums of time.
    pub elements: Elements,
    /// Demonstrated availability; `None` without any history.
    #[serde(serialize_with = "shared")]
    pub demonstrated: Option<Arc<Demonstrated>>,
    /// Parts of the time ahead that twins foretold.
    pub foreseen: Vec<Foreseen>,
    /// Expected unplanned down of the time that was not measured. A line has no
    /// stops of its own: `None`.
    pub expected_down_hours: Option<Decimal>,
    /// Since when the machine is down as of now; its return is not known, and
    /// the time ahead counts at demonstrated availability all the same. `None`
    /// when it is not down, of past periods, and of lines.
    pub down_since: Option<Timestamp>,
    /// Scheduled − planned − down − expected down. `None` when nothing is known.
    pub attainable_hours: Option<Decimal>,
    /// Standard hours of the good output so far, not corrected for load.
    pub output_standard_hours: Option<Decimal>,
    /// The same corrected for load. `None` where no source tells standby from
    /// slow running: the correction is never invented.
    pub demonstrated_standard_hours: Option<Decimal>,
    /// Good parts: what was counted, and the rest at the demonstrated rate.
    pub good_units: Option<Decimal>,
    /// How good parts come about, where they do.
    pub made: Option<Box<Good>>,
    /// Cautious attainable hours.
    pub low_hours: Option<Quantile>,
    /// Severity as a constraint, where a twin told it.
    pub severity: Option<Box<Severity>>,
    /// Maintenance risk, where a twin told it.
    pub risk: Option<Box<Risk>>,
    /// What only a line has.
    pub line: Option<Box<LineFigures>>,
    /// Losses that attainable hours have paid.
    pub netted_losses: BTreeSet<Loss>,
    /// How far the figures can be trusted.
    pub status: Status,
    /// How well the input was seen.
    pub quality: Quality,
    /// Instant of the truth behind them.
    pub as_of: Timestamp,
    /// From here on they are stale.
    pub valid_until: Timestamp,
}

#[expect(clippy::ref_option, reason = "the signature is serde's")]
fn shared<S: Serializer>(
    pool: &Option<Arc<Demonstrated>>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    pool.as_deref().serialize(serializer)
}

impl Figures {
    /// Hours that the calendar schedules.
    #[must_use]
    pub fn scheduled_hours(&self) -> Decimal {
        hours(self.elements.scheduled)
    }

    /// Hours that people decided on top of the weekly shifts, or took away.
    #[must_use]
    pub fn decided_hours(&self) -> Decimal {
        hours(self.elements.scheduled - self.elements.regular)
    }

    /// Planned stops within scheduled hours.
    #[must_use]
    pub fn planned_maintenance_hours(&self) -> Decimal {
        hours(self.elements.planned)
    }

    /// Measured unplanned down within scheduled hours.
    #[must_use]
    pub fn down_hours(&self) -> Decimal {
        hours(self.elements.down)
    }

    /// Hours that are lost on top of planned stops: of a machine its unplanned
    /// down, measured and expected; of a line all that its output falls short,
    /// below zero where it made more than its cycle allows for the scheduled
    /// hours. `None` when nothing is known.
    #[must_use]
    pub fn lost_hours(&self) -> Option<Decimal> {
        let open = hours(self.elements.scheduled - self.elements.planned);
        self.attainable_hours.map(|attainable| open - attainable)
    }

    /// The number that a measure of this kind carries, before units, shares and
    /// rounding; `None` where there is none. Stamps are not numbers yet
    /// ([`super::explain::day_number`]); a plan cut is the attainable hours of
    /// the cut-off.
    #[must_use]
    pub fn carried(&self, what: Carries) -> Option<Decimal> {
        match what {
            Carries::AttainableClockHours | Carries::PlanCut => self.attainable_hours,
            Carries::DemonstratedStandardHours => self.demonstrated_standard_hours,
            Carries::LowHours => self.low_hours.map(|low| low.value),
            Carries::ExpectedLostHours => self.lost_hours(),
            Carries::GoodUnits => self.good_units,
            Carries::Severity => self.severity.as_ref().map(|severity| severity.value),
            Carries::HoursAtRisk => self.risk.as_ref().map(|risk| risk.hours_at_risk),
            Carries::DecidedHours => Some(self.decided_hours()),
            Carries::Status => Some(self.status.code().into()),
            Carries::Covered => Some(u8::from(self.status.is_measured()).into()),
            Carries::AsOf | Carries::ValidUntil | Carries::Heartbeat | Carries::Observed => None,
        }
    }
}
