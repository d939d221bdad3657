//! What is short, line by line and week by week: one view, which terminal, JSON and
//! files show alike.

pub mod digest;
mod digest_sheets;
mod fields;
mod html;
mod served;
mod table;
pub(super) mod words;
pub(super) mod xlsx;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use jiff::Timestamp;
use planthread_contracts::Status;
use planthread_domain::gap::{Line, Row, Total};
use schemars::JsonSchema;
use serde::Serialize;

pub use served::Served;

use super::{TextTable, View};
use crate::{
    failure::{Exit, Failure},
    pipeline::gap::{self, DecidedChange, Moved, Proof, Sources, Standing},
};

/// The answer of `gap`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Gap {
    /// When the targets were read.
    pub at: Timestamp,
    /// Target by target: the hours of one are never added to those of another.
    pub targets: Vec<TargetGap>,
    /// Targets that nobody has read yet, with the reason where one is known.
    #[serde(skip)]
    unread: Vec<(String, Option<String>)>,
    /// Whether every line and week is shown to people.
    #[serde(skip)]
    pub all: bool,
}

/// One target's plan beside what its lines can do.
#[derive(Debug, Serialize, JsonSchema)]
pub struct TargetGap {
    /// The configured target.
    pub target: String,
    /// The scope; empty for base.
    pub scope: String,
    /// What matters, in one sentence.
    pub headline: String,
    /// Zone of the plant.
    pub zone: String,
    /// Where each figure is from, who answers for it, and when it was read.
    pub sources: Sources,
    /// Lines that the plan or the mapping names.
    pub lines: usize,
    /// Lines of the plan that no mapping names: nothing tells what they can do.
    pub not_connected: Vec<Line>,
    /// Lines of which some figure is old, last known, a fallback, or in conflict between
    /// sources: totals count it, and are no better than it.
    pub not_measured: Vec<Line>,
    /// Lines of which some figure that is firm for this cycle does not stand at the
    /// target, is old, or is no fresh factory truth: its total is no better.
    pub firm_not_proven: Vec<Line>,
    /// Totals, each of what has both of its figures.
    pub totals: Totals,
    /// Lines and weeks, the worst first.
    pub rows: Vec<GapRow>,
    /// Why the target could not be read; what is known without it stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stopped: Option<Failure>,
    /// Why nothing is sent to the target, where its agreement does not let us: what the
    /// lines can do is then no value of its plan.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_sent: Option<Failure>,
    /// How old the reading is, where it was kept.
    #[serde(skip)]
    age: Option<served::Age>,
}

/// Totals, in hours. What is short and what is unused are never set off.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Totals {
    /// The load against what the lines can do.
    pub live: Total,
    /// The load against what is firm for this cycle.
    pub firm: Total,
    /// What the plan has against what the lines can do.
    pub assumed: Total,
}

/// How a line stands in a week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "LineVerdict")]
pub enum Verdict {
    /// The load is more than the line can do.
    Short,
    /// The load, or what the line can do, is not known.
    Unknown,
    /// The line can do the load.
    Fits,
}

/// One line in one week.
#[derive(Debug, Serialize, JsonSchema)]
pub struct GapRow {
    /// What was compared.
    #[serde(flatten)]
    pub row: Row,
    /// How it stands.
    pub verdict: Verdict,
    /// Why, in words.
    pub reason: String,
    /// How what the line can do moved last; absent where it never did, or that is not
    /// known.
    pub moved: Option<Moved>,
    /// Whether a mapping names the line.
    pub connected: bool,
    /// Whether it fits and that is proven: what the line can do was measured, is not
    /// old, and was read back from the target.
    pub proven: bool,
    /// Whether what the line can do is past its end.
    pub old: bool,
    /// How the figure of what the line can do stands; absent where there is none.
    pub data: Option<Standing>,
    /// The same in words, with its age.
    pub data_words: String,
    /// How the figure stands that is firm for this cycle; absent where there is none.
    pub firm_data: Option<Standing>,
    /// The same in words, with its age; `-` where there is none.
    pub firm_words: String,
    /// What people decided for these days.
    pub decided: Vec<DecidedChange>,
    /// Whom to ask.
    pub owner: String,
    /// Zone in which the week begins.
    pub zone: String,
}

impl Gap {
    /// How a page of it begins.
    pub const PAGE_BEGINS: &str = html::BEGINS;

    /// The view of what was compared at `at`.
    #[must_use]
    pub fn of(at: Timestamp, found: Vec<gap::Gap>) -> Self {
        let targets = found.into_iter().map(|one| TargetGap::of(at, one)).collect();
        Self { at, targets, unread: Vec::new(), all: false }
    }

    /// The page for mail and intranet.
    #[must_use]
    pub fn html(&self) -> String {
        html::page(self)
    }

    /// The workbook.
    ///
    /// # Errors
    /// When it can't be made.
    pub fn xlsx(&self) -> Result<Vec<u8>, Failure> {
        xlsx::workbook(self)
    }

    /// The same, of which people see every line and week.
    #[must_use]
    pub fn showing_all(self, all: bool) -> Self {
        Self { all, ..self }
    }
}

impl TargetGap {
    fn of(at: Timestamp, mut found: gap::Gap) -> Self {
        let rows = std::mem::take(&mut found.compared.rows);
        let rows: Vec<GapRow> = rows.into_iter().map(|row| GapRow::of(at, &found, row)).collect();
        let doubtful: BTreeSet<&Line> =
            rows.iter().filter(|row| !row.is_measured()).map(|row| &row.row.line).collect();
        let not_measured = doubtful.into_iter().cloned().collect();
        let unproven: BTreeSet<&Line> =
            rows.iter().filter(|row| !row.firm_stands(at)).map(|row| &row.row.line).collect();
        let firm_not_proven = unproven.into_iter().cloned().collect();
        let totals = Totals {
            live: found.compared.live,
            firm: found.compared.firm,
            assumed: found.compared.assumed,
        };
        let mut done = Self {
            target: found.target,
            scope: found.scope,
            headline: String::new(),
            zone: found.zone,
            sources: found.sources,
            lines: found.lines.len(),
            not_connected: found.not_connected.into_iter().collect(),
            not_measured,
            firm_not_proven,
            totals,
            rows,
            stopped: found.stopped,
            not_sent: found.not_sent,
            age: None,
        };
        done.headline = words::headline(&done);
        done
    }
}

impl TargetGap {
    /// Whether the total of what the lines can do, or of the plan beside it, leaves no
    /// line out, and counts none that is not measured.
    fn is_sure(&self, total: &Total) -> bool {
        total.is_complete() && self.not_measured.is_empty()
    }

    /// Whether the total of what is firm leaves no line out, and all of it was read back.
    fn is_firm_sure(&self) -> bool {
        self.totals.firm.is_complete() && self.firm_not_proven.is_empty()
    }
}

impl GapRow {
    fn of(at: Timestamp, found: &gap::Gap, row: Row) -> Self {
        let place = (row.line.clone(), row.week);
        let connected = !found.not_connected.contains(&row.line);
        let data = found.standing.get(&place).cloned();
        let old = data.as_ref().is_some_and(|data| data.valid_until <= at);
        let zone = found.zones.get(&row.line).unwrap_or(&found.zone).clone();
        let verdict = match row.live {
            None => Verdict::Unknown,
            Some(_) if row.is_short() => Verdict::Short,
            Some(_) => Verdict::Fits,
        };
        let decided = found.decided.get(&place).cloned().unwrap_or_default();
        let firm_data = row.known.firm.and_then(|_| found.firm.get(&place).cloned());
        Self {
            verdict,
            reason: words::reason(&row, connected, &decided, found.frozen_before),
            connected,
            proven: verdict == Verdict::Fits && !old && data.as_ref().is_some_and(is_proven),
            old,
            data_words: words::data(at, data.as_ref(), connected, &zone),
            data,
            moved: found.moved.get(&place).cloned(),
            firm_words: words::firm(at, row.known.firm, firm_data.as_ref(), &zone),
            firm_data,
            decided,
            owner: words::owner(&row, &found.sources, &found.owners),
            zone,
            row,
        }
    }

    /// Whether its figure, where it has one, is fresh factory truth or a planner's word.
    fn is_measured(&self) -> bool {
        let sure = |data: &Standing| matches!(data.status, Status::Live | Status::Planner);
        self.row.known.live.is_none() || !self.old && self.data.as_ref().is_some_and(sure)
    }

    /// Whether what is firm for this cycle, where anything is, stands at the target and
    /// is not old at `at`.
    fn firm_stands(&self, at: Timestamp) -> bool {
        let stands = |data: &Standing| is_proven(data) && at < data.valid_until;
        self.row.known.firm.is_none() || self.firm_data.as_ref().is_some_and(stands)
    }

    /// How what the line can do moved last, in words: by how many hours, why, and for
    /// which instant.
    #[must_use]
    pub fn moved_words(&self) -> String {
        let Some(Moved { as_of, change }) = &self.moved else { return "-".to_owned() };
        let (by, why) = (change.to - change.from, change.words());
        format!("{by:+.2} h as of {}: {why}", words::local(*as_of, &self.zone))
    }

    /// What people decided, in words.
    #[must_use]
    pub fn decided_words(&self) -> String {
        let all: Vec<String> = self.decided.iter().map(DecidedChange::words).collect();
        all.join("; ")
    }
}

/// Whether a figure is fresh factory truth that was read back from the target.
fn is_proven(data: &Standing) -> bool {
    data.status == Status::Live && data.proof == Proof::Proven && data.taken.is_none()
}

impl View for Gap {
    const OUTPUT: &'static str = "gap";

    fn write(&self, text_table: &mut TextTable) {
        for target in &self.targets {
            target.write(text_table, self.all, self.targets.len() > 1);
        }
    }

    fn exit(&self) -> Exit {
        let of = |target: &TargetGap| match &target.stopped {
            Some(failure) => failure.exit,
            None if target.totals.live.short_line_weeks > 0 => Exit::Findings,
            None => Exit::Ok,
        };
        self.targets.iter().map(of).max().unwrap_or(Exit::Ok)
    }
}
