//! What was refused or waits for a person, and what persons said of it.

use std::{collections::HashMap, path::PathBuf};

use jiff::Timestamp;
use planthread_domain::{decode::Verdict, derive::About};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::Serialize;

pub use super::rejected_cells::{MasterWait, RejectedCell};
use super::{
    TextTable, Tone, View,
    intake::refused,
    rejected_cells::{self, some},
    text_table::{count, short},
};
use crate::{failure::Exit, pipeline::Undecided, serve::Refusal};

/// Everything that was refused: records at the door, cells at the target.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct Rejects {
    /// Records that could not be understood.
    pub records: Vec<RejectedLine>,
    /// Records that wait for a person, and why.
    pub waiting: Vec<String>,
    /// Second rows of an id that wait for a person.
    pub repeats: Vec<RepeatLine>,
    /// Exports that lost too many rows, and wait for a person.
    pub exports: Vec<String>,
    /// Sources that differ on a machine until a person says which is right.
    pub conflicts: Vec<Doubt>,
    /// Time of which a counter's readings were not counted.
    pub gaps: Vec<Doubt>,
    /// Cells that a target refused, and that wait for somebody.
    pub cells: Vec<RejectedCell>,
    /// Refused cells that wait no more: they go out again, or it ended in the last 7 days.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cells_over: Vec<RejectedCell>,
    /// Cells that were sent and are not decided yet, target by target: what a read-back does
    /// not find later is sent again, or told as refused.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub undecided: Vec<Undecided>,
    /// When the master data was read last for which refused cells wait, target by target.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub master_data: Vec<MasterWait>,
}

/// A record that could not be understood.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RejectedLine {
    /// Its number, for `rejects dismiss`.
    pub id: u64,
    /// When.
    pub at: Timestamp,
    /// Where, why, and the cure.
    #[serde(flatten)]
    pub refusal: Refusal,
    /// The record's first characters, so that it can be found again.
    pub text: String,
}

/// Refusals that say the same of several lines of one place.
struct Group<'a> {
    first: &'a RejectedLine,
    lines: Vec<u64>,
}

/// Lines of a group that are named one by one.
const LINES_SHOWN: usize = 8;

/// Refusals by what they say, in the order in which each came first.
fn groups(records: &[RejectedLine]) -> Vec<Group<'_>> {
    let mut at: HashMap<[&str; 4], usize> = HashMap::new();
    let mut groups: Vec<Group<'_>> = Vec::new();
    for one in records {
        let Refusal { place, line, field, reason, cure } = &one.refusal;
        let next = groups.len();
        let known = *at.entry([place, field, reason, cure]).or_insert(next);
        match groups.get_mut(known) {
            Some(group) => group.lines.push(*line),
            None => groups.push(Group { first: one, lines: vec![*line] }),
        }
    }
    groups
}

impl Group<'_> {
    fn write(&self, text_table: &mut TextTable) {
        let RejectedLine { id, refusal, text, .. } = self.first;
        let known = |lines: &[u64]| {
            let lines: Vec<String> = lines.iter().map(u64::to_string).collect();
            lines.join(", ")
        };
        refused(text_table, refusal);
        if let Some(others) = self.lines.get(1..).filter(|others| !others.is_empty()) {
            let named = others.len().min(LINES_SHOWN);
            let more = match others.len() - named {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            let lines = known(&others[..named]);
            text_table.line(format!("           the same of lines {lines}{more}"));
        }
        let text = format!("           was: {} (number {id})", short(text, 100));
        text_table.line(text_table.tint(Tone::Dim, &text));
    }
}

/// Refused records that somebody has dismissed.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Dismissed {
    /// How many leave the list now.
    pub dismissed: usize,
    /// How many stay on it.
    pub left: u64,
    /// Refused cells, where those were chosen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cells: Option<DismissedCells>,
}

/// Refused cells that somebody has dismissed.
#[derive(Debug, Serialize, JsonSchema)]
pub struct DismissedCells {
    /// How many leave the list now: their values are not sent, newer ones are.
    pub dismissed: u64,
    /// How many stay on it.
    pub left: u64,
}

impl View for Dismissed {
    const OUTPUT: &'static str = "rejects dismiss";

    fn write(&self, text_table: &mut TextTable) {
        if let Some(DismissedCells { dismissed, left }) = &self.cells {
            let gone = count(*dismissed, "refused cell");
            text_table.line(format!("{gone} dismissed; {left} left on the list."));
            text_table.line("Their values are not sent; newer ones are.");
            return;
        }
        let gone = count(self.dismissed, "refused record");
        text_table.line(format!("{gone} dismissed; {} left on the list.", self.left));
        text_table.line("They stay in the state, with the name and the reason: `rejects decided`.");
    }
}

/// What was refused, written into a workbook.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Written {
    /// The file.
    pub file: PathBuf,
    /// Refused cells in it, a row each.
    pub cells: usize,
    /// Refused records in it, a row each.
    pub records: usize,
}

impl View for Written {
    const OUTPUT: &'static str = "rejects xlsx";

    fn write(&self, text_table: &mut TextTable) {
        let cells = count(self.cells, "refused cell");
        let records = count(self.records, "refused record");
        text_table.line(format!("{} with {cells} and {records}", self.file.display()));
    }
}

/// A second row of an id, which waits for a person or was decided of.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RepeatLine {
    /// Its number.
    pub id: u64,
    /// What it says, and which row counts.
    pub text: String,
    /// What was decided, by whom, when and why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decided: Option<String>,
}

/// What is doubtful about a machine, of all the times at once at which it is so for
/// the same reason.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Doubt {
    /// The machine.
    pub resource: String,
    /// What it is about.
    #[serde(skip)]
    pub about: About,
    /// Why.
    pub words: String,
    /// The first instant.
    pub start: Timestamp,
    /// The end of the last time.
    pub end: Timestamp,
    /// How often.
    pub times: usize,
    /// Hours in all.
    pub hours: Decimal,
}

impl Doubt {
    fn write(&self, text_table: &mut TextTable) {
        let Self { resource, words, start, end, times, hours, .. } = self;
        let often = if *times > 1 { format!("{times} times, ") } else { String::new() };
        let hours = hours.round_dp(2).normalize();
        text_table.line(format!("  {resource}, {start} to {end}: {words} ({often}{hours} h)"));
    }
}

/// What a person said of sources that differ.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Believed {
    /// Which source is right of what, and when.
    pub verdict: Verdict,
}

impl View for Believed {
    const OUTPUT: &'static str = "rejects believe";

    fn write(&self, text_table: &mut TextTable) {
        let Verdict { resource, source, start, end, .. } = &self.verdict;
        text_table.line(format!(
            "{source} is right of {resource} from {start} to {end}: `planthread plan` shows what that moves."
        ));
    }
}

/// What a person said of an export.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Answered {
    /// Its file.
    pub file: String,
    /// Rows that count no more.
    pub retracted: usize,
}

impl View for Answered {
    const OUTPUT: &'static str = "rejects export";

    fn write(&self, text_table: &mut TextTable) {
        let rows = count(self.retracted, "row");
        text_table.line(format!("{}: {rows} vanished and count no more.", self.file));
    }
}

/// Second rows of an id of which somebody has decided.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct Decided {
    /// One by one, the oldest first.
    pub repeats: Vec<RepeatLine>,
    /// What was said of exports that had lost too many rows.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub exports: Vec<String>,
    /// What was said of sources that differ.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub verdicts: Vec<Doubt>,
    /// Refused records that were dismissed, by whom and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dismissed: Vec<String>,
}

impl View for Decided {
    const OUTPUT: &'static str = "rejects decided";

    fn write(&self, text_table: &mut TextTable) {
        self.verdicts.iter().for_each(|one| one.write(text_table));
        let others = self.exports.is_empty() && self.dismissed.is_empty();
        if self.repeats.is_empty() && self.verdicts.is_empty() && others {
            text_table.line("Nothing was decided.");
        }
        for text in self.exports.iter().chain(&self.dismissed) {
            text_table.line(format!("  {text}"));
        }
        for RepeatLine { id, text, decided } in &self.repeats {
            text_table.line(format!("  {id}: {text}"));
            text_table.line(format!("     {}", decided.as_deref().unwrap_or("waits for a person")));
        }
    }
}

impl View for Rejects {
    const OUTPUT: &'static str = "rejects";

    fn write(&self, text_table: &mut TextTable) {
        if self.exit() == Exit::Ok {
            let so_far = if self.undecided.is_empty() { "" } else { " so far" };
            text_table.line(format!("Nothing is refused{so_far}."));
        }
        if !self.records.is_empty() {
            text_table.line(text_table.tint(Tone::Bold, "Records that could not be understood"));
        }
        for group in groups(&self.records) {
            group.write(text_table);
        }
        if !self.waiting.is_empty() {
            text_table.line(text_table.tint(Tone::Bold, "Records that wait for a person"));
        }
        some(text_table, &self.waiting, |text_table, text| {
            text_table.line(format!("  {text}"));
        });
        if !self.exports.is_empty() {
            text_table.line(text_table.tint(Tone::Bold, "Exports that wait for a person"));
        }
        some(text_table, &self.exports, |text_table, text| {
            text_table.line(format!("  {text}"));
        });
        if !self.repeats.is_empty() {
            text_table.line(
                text_table.tint(Tone::Bold, "Rows that say otherwise than the row of their id"),
            );
        }
        some(text_table, &self.repeats, |text_table, RepeatLine { id, text, .. }| {
            text_table.line(format!("  {id}: {text}"));
        });
        if !self.repeats.is_empty() {
            text_table.line(
                "      cure: `planthread rejects accept NUMBER --who NAME --why WHY`, or `refuse`",
            );
            text_table.line("      more: planthread explain repeats");
        }
        if !self.conflicts.is_empty() {
            text_table.line(text_table.tint(Tone::Bold, "Sources that differ"));
            some(text_table, &self.conflicts, |text_table, one| one.write(text_table));
            text_table.line(
                "      cure: `planthread rejects believe SOURCE --of MACHINE --from INSTANT --until INSTANT \
                 --who NAME --why WHY`",
            );
        }
        if !self.gaps.is_empty() {
            text_table
                .line(text_table.tint(Tone::Bold, "Readings of counters that were not counted"));
            some(text_table, &self.gaps, |text_table, one| one.write(text_table));
        }
        rejected_cells::write(text_table, (&self.cells, &self.cells_over), &self.master_data);
        rejected_cells::undecided(text_table, &self.undecided);
        if !(self.records.is_empty() && self.waiting.is_empty() && self.cells.is_empty()) {
            text_table.line("\nWhen the cause is put right: `planthread retry`");
        }
        if !self.records.is_empty() {
            text_table.line("When nothing is to come of a record: `planthread rejects dismiss`");
        }
    }

    fn exit(&self) -> Exit {
        let rows = !self.waiting.is_empty() || !self.repeats.is_empty();
        let waiting = rows || !self.exports.is_empty();
        let doubtful = !self.conflicts.is_empty() || !self.gaps.is_empty();
        let nothing = self.records.is_empty() && !waiting && !doubtful && self.cells.is_empty();
        if nothing { Exit::Ok } else { Exit::Findings }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identical_refusals_are_one_with_their_lines() {
        let line = |id: u64, reason: &str| RejectedLine {
            id,
            at: Timestamp::UNIX_EPOCH,
            refusal: Refusal {
                place: "e.csv".into(),
                line: id + 1,
                field: "machine".into(),
                reason: reason.into(),
                cure: "declare it".into(),
            },
            text: format!("row {id}"),
        };
        let mut records: Vec<RejectedLine> = (1..=12).map(|id| line(id, "`M9` is none")).collect();
        records.insert(3, line(99, "`M8` is none"));
        let (waiting, repeats) = (Vec::new(), Vec::new());
        let (exports, cells, cells_over) = (Vec::new(), Vec::new(), Vec::new());
        let (conflicts, gaps) = (Vec::new(), Vec::new());
        let mut text_table = TextTable::new(false);
        let master_data = Vec::new();
        Rejects {
            records,
            waiting,
            repeats,
            exports,
            conflicts,
            gaps,
            cells,
            cells_over,
            undecided: Vec::new(),
            master_data,
        }
        .write(&mut text_table);
        let said = text_table.into_text();
        assert_eq!(said.matches("refused:").count(), 2, "{said}");
        assert!(said.contains("the same of lines 3, 4, 5, 6, 7, 8, 9, 10 and 3 more"), "{said}");
        assert!(said.contains("was: row 1 (number 1)"), "{said}");
    }
}
