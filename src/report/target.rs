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

/// How connectors begin a finding about a line that can't be asked for.
const UNSEEN: &str = "not visible from outside";

/// The ticked sheet.
#[derive(Debug, Serialize)]
pub struct Checked {
    /// The configured target.
    pub target: String,
    /// Nothing is wrong.
    pub ok: bool,
    /// One answer for each line of the sheet, and what else was noticed.
    pub lines: Vec<Ticked>,
}

/// One line of the sheet with its answer.
#[derive(Debug, Serialize)]
pub struct Ticked {
    /// What must be true; empty for a remark of its own.
    pub must: String,
    /// Where to do it in the target.
    pub place: String,
    /// What was found; absent when nobody could look.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub finding: Option<Finding>,
}

impl Checked {
    /// Compares the sheet with what was found.
    #[must_use]
    pub fn of(info: &Info, discovery: Discovery) -> Self {
        let ok = discovery.findings.iter().all(|finding| finding.ok);
        let line_of = |id: &str| info.sheet.iter().find(|line| line.id == id);
        let answered: Vec<String> = discovery.findings.iter().map(|f| f.line.clone()).collect();
        let found = discovery.findings.into_iter().map(|finding| Ticked {
            must: line_of(&finding.line).map(|line| line.text.clone()).unwrap_or_default(),
            place: line_of(&finding.line).map(|line| line.place.clone()).unwrap_or_default(),
            finding: Some(finding),
        });
        let open = info.sheet.iter().filter(|line| !answered.contains(&line.id)).map(|line| {
            Ticked { must: line.text.clone(), place: line.place.clone(), finding: None }
        });
        Self { target: info.target.clone(), ok, lines: found.chain(open).collect() }
    }
}

impl View for Checked {
    fn write(&self, paper: &mut Paper) {
        for line in &self.lines {
            line.write(paper);
        }
        let wrong = |line: &&Ticked| line.finding.as_ref().is_some_and(|finding| !finding.ok);
        let open = self.lines.iter().filter(wrong).count();
        let all = count(self.lines.len(), "line");
        paper.line(if self.ok {
            format!("\n{} is prepared, as far as can be seen: {all}.", self.target)
        } else {
            format!("\n{open} of {all} to put right at {}.", self.target)
        });
    }

    fn exit(&self) -> Exit {
        if self.ok { Exit::Ok } else { Exit::Findings }
    }
}

impl Ticked {
    fn write(&self, paper: &mut Paper) {
        let (tick, found) = match &self.finding {
            // Nobody looked: a tick would claim more than is known.
            Some(finding) if finding.ok && finding.text.starts_with(UNSEEN) => {
                ("[?]".to_owned(), finding.text.clone())
            }
            Some(finding) if finding.ok => (paper.tint(Tone::Good, "[x]"), finding.text.clone()),
            Some(finding) => (paper.tint(Tone::Bad, "[!]"), finding.text.clone()),
            None => ("[?]".to_owned(), UNSEEN.to_owned()),
        };
        if self.must.is_empty() {
            paper.line(format!("{tick} {found}"));
        } else {
            paper.line(format!("{tick} {}", self.must));
            paper.line(paper.tint(Tone::Dim, &format!("    {found}")));
        }
        if let Some(finding) = self.finding.as_ref().filter(|f| !f.ok && !f.cure.is_empty()) {
            let place =
                if self.place.is_empty() { String::new() } else { format!(" ({})", self.place) };
            paper.line(format!("    cure: {}{place}", finding.cure));
        }
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
