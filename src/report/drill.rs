//! What a drill was, and what it showed.

use std::{collections::BTreeMap, path::PathBuf};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::{TextTable, Tone, View};
use crate::failure::Exit;

/// How a rehearsal ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// What was promised was seen.
    Pass,
    /// Something else was seen.
    Fail,
    /// It can't happen at this target, or can't be rehearsed before its sandbox.
    NotApplicable,
}

impl Outcome {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Pass, Self::Fail, Self::NotApplicable];

    /// Its word in JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::NotApplicable => "not_applicable",
        }
    }

    /// Its words for people.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "FAIL",
            Self::NotApplicable => "not applicable",
        }
    }
}

/// A drill: every scenario before every target.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Drilled {
    /// When it was held; every rehearsal begins at this instant.
    pub at: Timestamp,
    /// Version of the program.
    pub program: String,
    /// SHA-256 of the configuration.
    pub digest: String,
    /// Rehearsals by outcome.
    pub counts: BTreeMap<&'static str, u64>,
    /// Every rehearsal.
    pub rehearsed: Vec<Rehearsed>,
    /// The report that was written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub report: Option<PathBuf>,
}

/// One scenario before one target.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Rehearsed {
    /// The configured target; several, with a plus between them, where they share an
    /// address.
    pub target: String,
    /// Its connector.
    pub connector: String,
    /// The name of the scenario.
    pub scenario: String,
    /// The law that was rehearsed.
    pub law: u8,
    /// What was done.
    pub done: String,
    /// What was promised.
    pub promised: String,
    /// What was seen, in numbers.
    pub seen: Vec<Count>,
    /// How it ended.
    pub outcome: Outcome,
    /// Why it is not applicable.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub because: Option<String>,
    /// What is otherwise than promised.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<String>,
}

/// A number that was counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Count {
    /// What was counted.
    pub what: String,
    /// How many there were.
    pub count: u64,
}

impl Rehearsed {
    /// What was seen, in one line.
    #[must_use]
    pub fn in_numbers(&self) -> String {
        let each = self.seen.iter().map(|one| format!("{} {}", one.count, one.what));
        each.collect::<Vec<_>>().join(", ")
    }
}

impl View for Drilled {
    const OUTPUT: &'static str = "drill";

    fn write(&self, text_table: &mut TextTable) {
        let rows: Vec<[String; 4]> = self
            .rehearsed
            .iter()
            .map(|one| {
                let law = one.law.to_string();
                [one.target.clone(), one.scenario.clone(), law, one.outcome.words().to_owned()]
            })
            .collect();
        text_table.table(["target", "scenario", "law", "outcome"], &rows);
        for one in &self.rehearsed {
            if let Some(because) = &one.because {
                text_table
                    .line(format!("{} {}: not applicable: {because}", one.target, one.scenario));
            } else if one.outcome == Outcome::Fail {
                let name = text_table.tint(Tone::Bad, &format!("{} {}:", one.target, one.scenario));
                text_table.line(format!("{name} promised: {}", one.promised));
                for finding in &one.findings {
                    text_table.line(format!("  {finding}"));
                }
            }
        }
        let count = |outcome: Outcome| self.counts.get(outcome.word()).copied().unwrap_or_default();
        let failed = count(Outcome::Fail);
        let tone = if failed == 0 { Tone::Good } else { Tone::Bad };
        let said = format!(
            "{} passed, {failed} failed, {} not applicable",
            count(Outcome::Pass),
            count(Outcome::NotApplicable)
        );
        let said = text_table.tint(tone, &said);
        let at = self.report.as_ref().map(|file| format!("; the report is {}", file.display()));
        text_table.line(format!("{said}{}", at.unwrap_or_default()));
    }

    fn exit(&self) -> Exit {
        let failed = self.rehearsed.iter().any(|one| one.outcome == Outcome::Fail);
        if failed { Exit::Findings } else { Exit::Ok }
    }
}
