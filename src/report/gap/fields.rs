//! The columns of a line and week: one list, from which terminal, page and workbook are
//! made, so that they can't differ.

use rust_decimal::Decimal;

use super::{GapRow, Verdict, words};

/// The columns of page and workbook, in the words of every screen.
pub(super) const COLUMNS: [&str; 18] = [
    "State",
    "Plant",
    "Line",
    "Week",
    "Load",
    "Plan has",
    "Line can do",
    "Firm",
    "Short h",
    "Unused h",
    "Load %",
    "Short units",
    "Why",
    "Changed",
    "Data (age)",
    "Firm (age)",
    "Decided",
    "Owner",
];

/// Those that fit on a terminal.
pub(super) const NARROW: [usize; 11] = [1, 2, 3, 4, 5, 6, 8, 12, 14, 16, 17];
/// Where the state stands.
pub(super) const STATE: usize = 0;
/// Where the line stands.
pub(super) const LINE: usize = 2;
/// Where the week stands.
pub(super) const WEEK: usize = 3;
/// Where it is said how old the data are.
pub(super) const DATA: usize = 14;
/// Where it is said how what is firm stands.
pub(super) const FIRM_DATA: usize = 15;
/// Where it is said what was decided.
pub(super) const DECIDED: usize = 16;

/// What stands in a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Field {
    /// Words.
    Text(String),
    /// Hours; absent where nobody knows them.
    Hours(Option<Decimal>),
    /// A percentage or a count of units, to one decimal; absent where there is none.
    Tenths(Option<Decimal>),
}

impl Field {
    /// As people read it.
    pub(super) fn text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Hours(value) => words::maybe(*value),
            Self::Tenths(value) => value.map_or("-".to_owned(), |value| format!("{value:.1}")),
        }
    }

    /// The number that it is.
    pub(super) const fn number(&self) -> Option<Decimal> {
        match self {
            Self::Text(_) => None,
            Self::Hours(value) | Self::Tenths(value) => *value,
        }
    }

    /// Whether it is a column of numbers.
    pub(super) const fn is_number(&self) -> bool {
        !matches!(self, Self::Text(_))
    }
}

impl GapRow {
    /// What stands in each of [`COLUMNS`].
    pub(super) fn fields(&self) -> [Field; COLUMNS.len()] {
        let text = |text: &str| Field::Text(text.to_owned());
        let (known, live) = (&self.row.known, self.row.live);
        [
            Field::Text(format!("{} {}", self.sign(), self.state())),
            text(&self.row.line.plant),
            text(&self.row.line.line),
            Field::Text(words::week(self.row.week)),
            Field::Hours(known.load),
            Field::Hours(known.assumed),
            Field::Hours(known.live),
            Field::Hours(known.firm),
            Field::Hours(live.map(|live| live.short)),
            Field::Hours(live.map(|live| live.unused)),
            Field::Tenths(live.and_then(|live| live.percent)),
            Field::Tenths(self.row.short_units),
            text(&self.reason),
            Field::Text(self.moved_words()),
            text(&self.data_words),
            text(&self.firm_words),
            Field::Text(self.decided_words()),
            text(&self.owner),
        ]
    }

    /// The sign that stands beside the colour.
    pub(super) const fn sign(&self) -> &'static str {
        match (self.verdict, self.proven) {
            (Verdict::Short, _) => "!",
            (Verdict::Unknown, _) => "?",
            (Verdict::Fits, true) => "+",
            (Verdict::Fits, false) => "=",
        }
    }

    /// The state in words.
    pub(super) const fn state(&self) -> &'static str {
        match (self.verdict, self.proven) {
            (Verdict::Short, _) => "short",
            (Verdict::Unknown, _) => "not known",
            (Verdict::Fits, true) => "fits, proven",
            (Verdict::Fits, false) => "fits, not proven",
        }
    }

    /// Whether what the line can do is no fresh measurement: it is hatched.
    pub(super) fn is_doubtful(&self) -> bool {
        let fresh = |data: &crate::pipeline::gap::Standing| {
            data.status == planthread_contracts::Status::Live && data.taken.is_none()
        };
        self.old || !self.data.as_ref().is_some_and(fresh)
    }
}
