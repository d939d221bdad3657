//! What a plan asks of each line and week, against what the line can do.
//!
//! Pure: figures in, rows and totals out. A pair of figures is compared only where
//! both are known, and a total adds up compared pairs alone: it names every line
//! that it leaves out, so that a silent line never makes it look complete. Short and
//! unused are kept apart, because hours free on one line make nothing on another.

mod rough;
mod total;

#[cfg(test)]
mod tests;

use std::{cmp::Reverse, collections::BTreeMap};

use planthread_contracts::{Name, Period, PeriodKind, Unit};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::Serialize;

pub use rough::{Bill, RoughFault};
pub use total::{Lack, LeftOut, Total};

/// Decimals of hours: figures are rounded once, as they come in, so that everything
/// that is shown of them adds up.
pub(crate) const HOURS_SCALE: u32 = 2;
/// Decimals of percents and units.
const SHOWN: u32 = 1;

/// A line, as the plan names it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[schemars(rename = "PlanLine")]
pub struct Line {
    /// The plant: the target's location.
    pub plant: Name,
    /// The line: the target's resource.
    pub line: Name,
}

/// What is known of a line in one week, in hours. What nobody knows is absent, and
/// never zero.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "KnownHours")]
pub struct Known {
    /// What the plan asks of the line.
    pub load: Option<Decimal>,
    /// What the plan has: the capacity that it assumes.
    pub assumed: Option<Decimal>,
    /// What the line can do, by factory truth.
    pub live: Option<Decimal>,
    /// What is firm for this cycle.
    pub firm: Option<Decimal>,
    /// Good units that the line makes in the hours that it can do.
    pub output: Option<Decimal>,
}

/// One line in one week.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineWeek {
    /// The line.
    pub line: Line,
    /// The week, or the month where the plan knows no weeks.
    pub week: Period,
    /// What is known.
    pub known: Known,
}

/// Two figures beside each other, in hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Balance {
    /// Hours that are asked for.
    pub asked: Decimal,
    /// Hours that are there.
    pub has: Decimal,
    /// Hours that are missing; 0 where it fits.
    pub short: Decimal,
    /// Hours that nobody asks for; 0 where it is short.
    pub unused: Decimal,
    /// What is asked for, in percent of what is there; absent where nothing is there.
    pub percent: Option<Decimal>,
}

impl Balance {
    /// Compares two figures; `None` where one of them is unknown, or below zero and so
    /// no figure of hours.
    #[must_use]
    pub fn of(asked: Option<Decimal>, has: Option<Decimal>) -> Option<Self> {
        let (asked, has) = asked.zip(has)?;
        if asked < Decimal::ZERO || has < Decimal::ZERO {
            return None;
        }
        let short = (asked - has).max(Decimal::ZERO);
        let unused = (has - asked).max(Decimal::ZERO);
        Some(Self { asked, has, short, unused, percent: percent(asked, has) })
    }
}

/// A ratio in percent, from its elements.
fn percent(asked: Decimal, has: Decimal) -> Option<Decimal> {
    let ratio = asked.checked_mul(Decimal::ONE_HUNDRED)?.checked_div(has)?;
    Some(ratio.round_dp(SHOWN))
}

/// Why a line is short: two parts, whose sum is what is missing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "ShortParts")]
pub struct Parts {
    /// Hours that the plan asks for above its own capacity.
    pub above_plan: Decimal,
    /// Hours that the plan counts on, and that the line can't do.
    pub below_plan: Decimal,
}

impl Parts {
    /// The parts of a shortage; `None` where it is none, or the plan's own capacity is
    /// unknown.
    fn of(known: &Known, live: Option<&Balance>) -> Option<Self> {
        let live = live.filter(|live| live.short > Decimal::ZERO)?;
        let assumed = known.assumed.filter(|assumed| *assumed >= Decimal::ZERO)?;
        let above_plan = (live.asked - assumed.max(live.has)).max(Decimal::ZERO);
        Some(Self { above_plan, below_plan: live.short - above_plan })
    }
}

/// One line in one week, compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "ComparedWeek")]
pub struct Row {
    /// The line.
    #[serde(flatten)]
    pub line: Line,
    /// The week, or the month where the plan knows no weeks.
    pub week: Period,
    /// What is known, in hours.
    pub known: Known,
    /// The load against what the line can do.
    pub live: Option<Balance>,
    /// The load against what is firm for this cycle.
    pub firm: Option<Balance>,
    /// What the plan has against what the line can do.
    pub assumed: Option<Balance>,
    /// Why it is short.
    pub why: Option<Parts>,
    /// Good units that are missing: short hours at the line's own rate.
    pub short_units: Option<Decimal>,
}

impl Row {
    fn of(one: LineWeek) -> Self {
        let LineWeek { line, week, known } = one;
        let live = Balance::of(known.load, known.live);
        let missing = |live: Balance| {
            let made = known.output.filter(|output| *output >= Decimal::ZERO)?;
            let units = live.short.checked_mul(made)?.checked_div(live.has)?;
            Some(units.round_dp(SHOWN))
        };
        Self {
            line,
            week,
            known,
            live,
            firm: Balance::of(known.load, known.firm),
            assumed: Balance::of(known.assumed, known.live),
            why: Parts::of(&known, live.as_ref()),
            short_units: live.and_then(missing),
        }
    }

    /// Whether the load is known to be more than the line can do.
    #[must_use]
    pub fn is_short(&self) -> bool {
        self.live.is_some_and(|live| live.short > Decimal::ZERO)
    }

    /// The worst first: what is short by hours, then what nobody can tell, by how much
    /// the plan counts on too much, then what fits, the fullest first.
    fn worst(&self) -> impl Ord + use<> {
        let short = self.live.map_or(Decimal::ZERO, |live| live.short);
        let rank = match self.live {
            Some(_) if short > Decimal::ZERO => 0,
            None => 1,
            Some(_) => 2,
        };
        let counted_on = self.assumed.map_or(Decimal::ZERO, |assumed| assumed.short);
        let counted_on = if rank == 1 { counted_on } else { Decimal::ZERO };
        let unused = self.live.map_or(Decimal::ZERO, |live| live.unused);
        (rank, Reverse(short), Reverse(counted_on), unused, self.week.start(), self.line.clone())
    }
}

/// Every line and week, compared, with totals that say what they leave out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Comparison {
    /// Lines and weeks, the worst first.
    pub rows: Vec<Row>,
    /// The load against what the lines can do.
    pub live: Total,
    /// The load against what is firm for this cycle.
    pub firm: Total,
    /// What the plan has against what the lines can do.
    pub assumed: Total,
}

/// Compares lines and weeks, each given once.
#[must_use]
pub fn compare(line_weeks: Vec<LineWeek>) -> Comparison {
    let mut rows: Vec<Row> = line_weeks.into_iter().map(Row::of).collect();
    rows.sort_by_cached_key(Row::worst);
    let total = |of: fn(&Row) -> Option<Balance>, needs: [Lack; 2]| Total::of(&rows, of, needs);
    Comparison {
        live: total(|row| row.live, [Lack::Load, Lack::Live]),
        firm: total(|row| row.firm, [Lack::Load, Lack::Firm]),
        assumed: total(|row| row.assumed, [Lack::Assumed, Lack::Live]),
        rows,
    }
}

/// A value of a target in hours, rounded once; `None` where its unit is none of time.
#[must_use]
pub fn hours(value: Decimal, unit: Unit) -> Option<Decimal> {
    Some(unit.convert(value, Unit::Hour)?.round_dp(HOURS_SCALE))
}

/// Makes weeks of days and of weeks that a month's end cuts. A figure of a week is
/// known only where it is known of each of its parts; weeks and months stay.
#[must_use]
pub fn weekly(parts: Vec<LineWeek>) -> Vec<LineWeek> {
    let mut weeks: BTreeMap<(Line, Period), Vec<(Period, Known)>> = BTreeMap::new();
    for part in parts {
        let whole = match part.week.kind() {
            PeriodKind::Day | PeriodKind::TechnicalWeek => {
                Period::containing(PeriodKind::Week, part.week.start())
            }
            PeriodKind::Week | PeriodKind::Month => part.week,
        };
        weeks.entry((part.line, whole)).or_default().push((part.week, part.known));
    }
    let whole = |((line, week), parts): ((Line, Period), Vec<(Period, Known)>)| {
        let days: usize = parts.iter().map(|(part, _)| part.days().count()).sum();
        let sum = |of: fn(&Known) -> Option<Decimal>| {
            let all = parts.iter().map(|(_, known)| of(known)).sum::<Option<Decimal>>();
            all.filter(|_| days == week.days().count())
        };
        let known = Known {
            load: sum(|known| known.load),
            assumed: sum(|known| known.assumed),
            live: sum(|known| known.live),
            firm: sum(|known| known.firm),
            output: sum(|known| known.output),
        };
        LineWeek { line, week, known }
    };
    weeks.into_iter().map(whole).collect()
}
