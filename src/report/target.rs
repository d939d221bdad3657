//! What a target is asked before anything lands: the sheet, the check, the
//! catalogue, and how the plant's resources fit to it.

use planthread_contracts::{MeasureDecl, Owner};
use planthread_kit::{Discovery, Finding, Grade, Info, SheetLine, SurfaceKind};
use serde::Serialize;

use super::{
    Paper, Tone, View,
    paper::{count, short},
};
use crate::failure::Exit;

/// The sheet for the target's consultant.
#[derive(Debug, Serialize)]
pub struct Sheet {
    /// The configured target.
    pub target: String,
    /// Its connector.
    pub connector: String,
    /// What lands: name at the target, unit, decimals, level, aggregation.
    pub measures: Vec<MeasureDecl>,
    /// What must be true at the target.
    pub lines: Vec<SheetLine>,
    /// Every behaviour that the connector relies on, graded.
    pub grades: Vec<Grade>,
}

impl Sheet {
    /// The sheet of a connector.
    #[must_use]
    pub fn of(info: &Info) -> Self {
        Self {
            target: info.target.clone(),
            connector: info.name.to_owned(),
            measures: info.capabilities.measures.clone(),
            lines: info.sheet.clone(),
            grades: info.grades.clone(),
        }
    }
}

impl View for Sheet {
    fn write(&self, paper: &mut Paper) {
        let title = format!("Target {} ({}): what must be prepared", self.target, self.connector);
        paper.line(paper.tint(Tone::Bold, &title)).line("");
        paper.line("Measures, exactly as they are written:");
        let rows: Vec<[String; 7]> = self.measures.iter().map(measure_row).collect();
        paper.table(
            ["at the target", "carries", "unit", "decimals", "level", "time / resources", "owner"],
            &rows,
        );
        paper.line("");
        for line in &self.lines {
            paper.line(format!("[ ] {}", line.text));
            let place = paper.tint(Tone::Dim, &format!("    {}  ({})", line.place, line.id));
            paper.line(place);
        }
        paper.line("").line(format!(
            "`planthread check {}` ticks this sheet line by line, by asking the target.",
            self.target
        ));
        let unconfirmed: Vec<&Grade> =
            self.grades.iter().filter(|grade| grade.grade == "unconfirmed").collect();
        if !unconfirmed.is_empty() {
            paper.line("").line("Not confirmed in public material, off unless you switch it on:");
            for grade in unconfirmed {
                paper.line(format!("  - {} ({}, {})", grade.behaviour, grade.source, grade.date));
            }
        }
    }
}

fn measure_row(measure: &MeasureDecl) -> [String; 7] {
    [
        measure.surface.clone(),
        word(&measure.carries),
        measure.unit.to_string(),
        measure.scale.to_string(),
        word(&measure.level),
        format!("{} / {}", word(&measure.over_time), word(&measure.over_resources)),
        match &measure.owner {
            Owner::Bridge => "planthread".to_owned(),
            Owner::Other(name) => format!("{name} (read only)"),
        },
    ]
}

/// The word under which a value stands in files.
fn word<T: Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(text)) => text,
        Ok(other) => other.to_string(),
        Err(_) => "?".to_owned(),
    }
}

/// The ticked sheet.
#[derive(Debug, Serialize)]
pub struct Checked {
    /// The configured target.
    pub target: String,
    /// Nothing is wrong.
    pub ok: bool,
    /// One answer for each line of the sheet, and what else was noticed.
    pub findings: Vec<Finding>,
    /// Lines of the sheet that nobody could answer from outside.
    pub unanswered: Vec<SheetLine>,
}

impl Checked {
    /// Compares the sheet with what was found.
    #[must_use]
    pub fn of(info: &Info, discovery: Discovery) -> Self {
        let answered = |line: &SheetLine| discovery.findings.iter().any(|f| f.line == line.id);
        let unanswered = info.sheet.iter().filter(|line| !answered(line)).cloned().collect();
        let ok = discovery.findings.iter().all(|finding| finding.ok);
        Self { target: info.target.clone(), ok, findings: discovery.findings, unanswered }
    }
}

impl View for Checked {
    fn write(&self, paper: &mut Paper) {
        for finding in &self.findings {
            let tick = if finding.ok {
                paper.tint(Tone::Good, "[x]")
            } else {
                paper.tint(Tone::Bad, "[!]")
            };
            paper.line(format!("{tick} {}", finding.text));
            if !finding.ok && !finding.cure.is_empty() {
                paper.line(format!("    cure: {}", finding.cure));
            }
        }
        for line in &self.unanswered {
            paper.line(format!("[?] {}", line.text));
            let place = format!("    can't be seen from outside; look at {}", line.place);
            paper.line(paper.tint(Tone::Dim, &place));
        }
        let open = self.findings.iter().filter(|finding| !finding.ok).count();
        let verdict = if self.ok {
            format!("\n{} is prepared: {}.", self.target, count(self.findings.len(), "line"))
        } else {
            format!(
                "\n{} of {} to put right at {}.",
                open,
                count(self.findings.len(), "line"),
                self.target
            )
        };
        paper.line(verdict);
    }

    fn exit(&self) -> Exit {
        if self.ok { Exit::Ok } else { Exit::Findings }
    }
}

/// What a target offers.
#[derive(Debug, Serialize)]
pub struct Offer {
    /// The configured target.
    pub target: String,
    /// What was found.
    #[serde(flatten)]
    pub discovery: Discovery,
}

impl View for Offer {
    fn write(&self, paper: &mut Paper) {
        let found = &self.discovery;
        let title = format!("Target {}, surface {}", self.target, short(&found.fingerprint, 17));
        paper.line(paper.tint(Tone::Bold, &title));
        let periods: Vec<String> = found.periods.iter().map(word).collect();
        let scopes =
            if found.scopes.is_empty() { "none".to_owned() } else { found.scopes.join(", ") };
        paper.line(format!("  periods: {}", periods.join(", ")));
        paper.line(format!("  scopes besides base: {scopes}"));
        paper.line(format!("  {}", count(found.resources.len(), "resource and location pair")));
        for kind in [SurfaceKind::Measure, SurfaceKind::Attribute, SurfaceKind::Time] {
            let rows: Vec<[String; 3]> = found
                .surface
                .iter()
                .filter(|item| item.kind == kind)
                .map(|item| [item.name.clone(), short(&item.label, 40), item.declared.clone()])
                .collect();
            if !rows.is_empty() {
                let heading = format!("\n{}s", word(&kind));
                paper.line(heading).table(["name", "label", "declared"], &rows);
            }
        }
        let rows: Vec<[String; 2]> =
            found.resources.iter().map(|(r, l)| [r.clone(), l.clone()]).collect();
        paper.line("\nresources").table(["resource", "location"], &rows);
    }
}
