//! Totals of compared lines, which name the lines that they leave out.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::Serialize;

use super::{Balance, Line, Row, percent};

/// A figure that a comparison lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Lack {
    /// What the plan asks of the line.
    Load,
    /// What the plan has.
    Assumed,
    /// What the line can do.
    Live,
    /// What is firm for this cycle.
    Firm,
}

impl Lack {
    /// Whether `row` lacks it. A figure below zero is none.
    fn of(self, row: &Row) -> bool {
        let known = match self {
            Self::Load => row.known.load,
            Self::Assumed => row.known.assumed,
            Self::Live => row.known.live,
            Self::Firm => row.known.firm,
        };
        known.is_none_or(|hours| hours < Decimal::ZERO)
    }
}

/// A line that a total leaves out in some weeks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LeftOut {
    /// The line.
    #[serde(flatten)]
    pub line: Line,
    /// Weeks in which it is left out.
    pub line_weeks: usize,
    /// The figures that it lacks there.
    pub lacks: BTreeSet<Lack>,
}

/// What was compared, added up, in hours.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "ComparedTotal")]
pub struct Total {
    /// Lines and weeks that have both figures.
    pub line_weeks: usize,
    /// Lines that have both figures in some week.
    pub lines: usize,
    /// Lines and weeks that are short.
    pub short_line_weeks: usize,
    /// Hours that are asked for.
    pub asked: Decimal,
    /// Hours that are there.
    pub has: Decimal,
    /// Hours that are missing, where they are missing.
    pub short: Decimal,
    /// Hours that nobody asks for, where they are: they make up for nothing that is
    /// short.
    pub unused: Decimal,
    /// What is asked for, in percent of what is there; absent where nothing is there.
    pub percent: Option<Decimal>,
    /// Lines that are left out in some week or in all: the total says nothing of them.
    pub left_out: Vec<LeftOut>,
}

impl Total {
    pub(super) fn of(rows: &[Row], of: fn(&Row) -> Option<Balance>, needs: [Lack; 2]) -> Self {
        let mut total = Self::default();
        let mut lines = BTreeSet::new();
        let mut left_out: BTreeMap<&Line, LeftOut> = BTreeMap::new();
        for row in rows {
            if let Some(balance) = of(row) {
                lines.insert(&row.line);
                total.add(&balance);
                continue;
            }
            let left = left_out.entry(&row.line).or_insert_with(|| LeftOut {
                line: row.line.clone(),
                line_weeks: 0,
                lacks: BTreeSet::new(),
            });
            left.line_weeks += 1;
            left.lacks.extend(needs.into_iter().filter(|one| one.of(row)));
        }
        total.lines = lines.len();
        total.percent = percent(total.asked, total.has);
        total.left_out = left_out.into_values().collect();
        total
    }

    fn add(&mut self, balance: &Balance) {
        self.line_weeks += 1;
        self.short_line_weeks += usize::from(balance.short > Decimal::ZERO);
        self.asked += balance.asked;
        self.has += balance.has;
        self.short += balance.short;
        self.unused += balance.unused;
    }

    /// Whether no line is left out, and something was compared.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.line_weeks > 0 && self.left_out.is_empty()
    }
}
