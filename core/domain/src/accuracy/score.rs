//! Bias, error and coverage over the weeks of one resource.

use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::Serialize;

use super::WeekForetold;

/// How far a forecast lay from what happened, over some weeks. Hours a week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Score {
    /// Mean of foretold − happened: above zero it promised too much.
    pub bias: Decimal,
    /// Mean of the distance, whatever its side.
    pub error: Decimal,
}

impl Score {
    /// Of pairs of foretold and happened; `None` without any.
    #[must_use]
    pub fn of(pairs: impl Iterator<Item = (Decimal, Decimal)>) -> Option<Self> {
        let missed: Vec<Decimal> = pairs.map(|(foretold, happened)| foretold - happened).collect();
        let mean = |sum: Decimal| sum.checked_div(missed.len().into());
        Some(Self {
            bias: mean(missed.iter().sum())?,
            error: mean(missed.iter().map(Decimal::abs).sum())?,
        })
    }
}

/// Whether what landed was worth more than the mean of the last four weeks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Skill {
    /// Its error was smaller.
    Shown,
    /// It was not.
    NoSkill,
    /// There are too few weeks to tell one from the other.
    TooFew,
}

/// Fewest weeks of which it is told whether there is skill: with less of them two
/// errors differ by chance.
const WEEKS_FOR_SKILL: usize = 8;

/// In how many weeks a quantile was compared, and in how many it was passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Coverage {
    /// Weeks with such a figure.
    pub weeks: usize,
    /// Weeks beyond it: below the low one, above the high one.
    pub beyond: usize,
    /// Their share, 0..1; 0.1 is what both say of themselves.
    pub share: Decimal,
}

impl Coverage {
    fn of(beyond: impl Iterator<Item = bool>) -> Option<Self> {
        let beyond: Vec<bool> = beyond.collect();
        let (weeks, beyond) = (beyond.len(), beyond.into_iter().filter(|beyond| *beyond).count());
        let share = Decimal::from(beyond).checked_div(weeks.into())?;
        Some(Self { weeks, beyond, share })
    }
}

/// The weeks of one resource that were foretold equally far ahead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Summary {
    /// 1: foretold as the week began; 4: three weeks earlier.
    pub ahead: u32,
    /// How many weeks were foretold and measured.
    pub weeks: usize,
    /// Mean of what happened. Hours a week.
    pub happened: Decimal,
    /// Hours of the calendar.
    pub rated: Score,
    /// Mean of the last four weeks.
    pub trailing: Score,
    /// What was derived.
    pub landed: Score,
    /// Of the low figure; `None` where there was none.
    pub low: Option<Coverage>,
    /// Of the high figure; `None` where there was none.
    pub high: Option<Coverage>,
    /// Whether what landed was better than the trailing mean.
    pub skill: Skill,
}

impl Summary {
    /// Of `weeks`; `None` without any.
    #[must_use]
    pub fn of(ahead: u32, weeks: &[&WeekForetold]) -> Option<Self> {
        let score = |of: fn(&WeekForetold) -> Decimal| {
            Score::of(weeks.iter().map(|week| (of(week), week.happened)))
        };
        let (trailing, landed) = (score(|week| week.trailing)?, score(|week| week.landed)?);
        let skill = match landed.error < trailing.error {
            _ if weeks.len() < WEEKS_FOR_SKILL => Skill::TooFew,
            true => Skill::Shown,
            false => Skill::NoSkill,
        };
        let happened: Decimal = weeks.iter().map(|week| week.happened).sum();
        Some(Self {
            ahead,
            weeks: weeks.len(),
            happened: happened.checked_div(weeks.len().into())?,
            rated: score(|week| week.rated)?,
            trailing,
            landed,
            low: Coverage::of(weeks.iter().filter_map(|week| Some(week.happened < week.low?))),
            high: Coverage::of(weeks.iter().filter_map(|week| Some(week.happened > week.high?))),
            skill,
        })
    }
}
