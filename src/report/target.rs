//! What a target is asked before anything lands: the sheet, the check, the
//! catalogue, and how the plant's resources fit to it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use planthread_contracts::{MeasureDecl, Owner};
use planthread_kit::{
    Discovery, Finding, Grade, Info, Need, SheetLine, SurfaceKind, agreement::AgreementStatus,
    sheet::NOT_LOOKED_AT,
};
use schemars::JsonSchema;
use serde::Serialize;

use super::{
    TextTable, Tone, View, agreement,
    screens::Screens,
    text_table::{count, short},
};
use crate::{config::Target, failure::Exit};

/// The sheet for the target's consultant.
#[derive(Debug, Serialize, JsonSchema)]
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
    /// Under which agreement it is written, where it needs one.
    pub agreement: Option<AgreementStatus>,
    /// What is added on the target's own screens, for whoever plans there.
    pub screens: Screens,
}

impl Sheet {
    /// The sheet of a connector, configured as `target`, as of `now`.
    #[must_use]
    pub fn of(info: &Info, target: &Target, now: Timestamp) -> Self {
        Self {
            target: info.target.clone(),
            connector: info.name.to_owned(),
            measures: info.capabilities.measures.clone(),
            lines: info.sheet.clone(),
            grades: info.grades.clone(),
            agreement: info.agreement.as_ref().map(|gate| gate.status(now)),
            screens: Screens::of(target),
        }
    }
}

impl View for Sheet {
    const OUTPUT: &'static str = "setup";

    fn write(&self, text_table: &mut TextTable) {
        let title = format!("Target {} ({}): what must be prepared", self.target, self.connector);
        text_table.line(text_table.tint(Tone::Bold, &title)).line("");
        text_table.line("Measures, exactly as they are written:");
        let rows: Vec<[String; 7]> = self.measures.iter().map(measure_row).collect();
        text_table.table(
            ["at the target", "carries", "unit", "decimals", "level", "time / resources", "owner"],
            &rows,
        );
        text_table.line("");
        for line in &self.lines {
            text_table.line(format!("[ ] {}", line.text));
            let place = text_table.tint(Tone::Dim, &format!("    {}  ({})", line.place, line.id));
            text_table.line(place);
        }
        if let Some(agreed) = &self.agreement {
            text_table.line("").line("The agreement under which it is written:");
            agreement::line(&self.target, agreed, text_table);
        }
        self.screens.write(text_table);
        text_table.line("").line(format!(
            "`planthread check {}` ticks this sheet line by line, by asking the target.",
            self.target
        ));
        let unconfirmed: Vec<&Grade> =
            self.grades.iter().filter(|grade| grade.grade == "unconfirmed").collect();
        if !unconfirmed.is_empty() {
            text_table
                .line("")
                .line("Not confirmed in public material, off unless you switch it on:");
            for grade in unconfirmed {
                text_table
                    .line(format!("  - {} ({}, {})", grade.behaviour, grade.source, grade.date));
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

/// What is said of a line that no finding answers.
const UNSEEN: &str = "not visible from outside";

/// Cells of one measure that were landed: what a reading can't tell, a write
/// has told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Landed {
    /// Cells that the target said it took.
    pub accepted: u64,
    /// Of them, those that were read back as wanted.
    pub seen: u64,
}

/// The ticked sheet.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Checked {
    /// The configured target.
    pub target: String,
    /// Nothing is wrong.
    pub ok: bool,
    /// One answer for each line of the sheet, and what else was noticed.
    pub lines: Vec<Ticked>,
}

/// One line of the sheet with its answer.
#[derive(Debug, Serialize, JsonSchema)]
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
    /// Compares the sheet with what was found, and with what was `landed` of
    /// each measure.
    #[must_use]
    pub fn of(info: &Info, discovery: Discovery, landed: &BTreeMap<String, Landed>) -> Self {
        let ok = discovery.findings.iter().all(|finding| finding.ok);
        let line_of = |id: &str| info.sheet.iter().find(|line| line.id == id);
        let answered: Vec<String> = discovery.findings.iter().map(|f| f.line.clone()).collect();
        let found = discovery.findings.into_iter().map(|finding| {
            let line = line_of(&finding.line);
            Ticked {
                must: line.map(|line| line.text.clone()).unwrap_or_default(),
                place: line.map(|line| line.place.clone()).unwrap_or_default(),
                finding: Some(match line {
                    Some(line) => told_by_landing(line, finding, landed),
                    None => finding,
                }),
            }
        });
        let open = info.sheet.iter().filter(|line| !answered.contains(&line.id)).map(|line| {
            Ticked { must: line.text.clone(), place: line.place.clone(), finding: None }
        });
        Self { target: info.target.clone(), ok, lines: found.chain(open).collect() }
    }
}

/// Answers an open line by what was landed of its measures.
fn told_by_landing(
    line: &SheetLine,
    mut finding: Finding,
    landed: &BTreeMap<String, Landed>,
) -> Finding {
    if !finding.ok || finding.proven {
        return finding;
    }
    let mut all = Landed::default();
    for of in line.landing.iter().filter_map(|measure| landed.get(measure)) {
        all.accepted += of.accepted;
        all.seen += of.seen;
    }
    if all.seen > 0 {
        (finding.proven, finding.needs) = (true, None);
        finding.text = format!("{} landed and read back", count(cells(all.seen), "cell"));
    } else if all.accepted > 0 {
        let taken = count(cells(all.accepted), "cell");
        finding.text = format!("{taken} accepted and none read back; {}", finding.text);
    }
    finding
}

fn cells(n: u64) -> usize {
    usize::try_from(n).unwrap_or(usize::MAX)
}

impl Checked {
    /// The last lines: *prepared* is said only when nothing is open.
    fn sum(&self) -> String {
        let of = |state: State| self.lines.iter().filter(|line| line.state() == state).count();
        let (proven, wrong, unseen) = (of(State::Proven), of(State::Wrong), of(State::Unseen));
        let (landing, signature) = (of(State::Lands), of(State::Signs));
        let all = count(self.lines.len(), "line");
        let target = &self.target;
        if wrong + landing + signature + unseen == 0 {
            return format!("{target} is prepared: {all}.");
        }
        let mut parts = vec![format!("{proven} proven")];
        if landing > 0 {
            parts.push(format!("{landing} {} one landing", needs(landing)));
        }
        if signature > 0 {
            parts.push(format!("{signature} {} a signature", needs(signature)));
        }
        if unseen > 0 {
            parts.push(format!("{unseen} not looked at"));
        }
        let open = parts.join(", ");
        if wrong > 0 {
            return format!("{wrong} of {all} to put right at {target}; {open}.");
        }
        format!("{target}: {open}.")
    }
}

/// How far a line of the sheet is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Wrong,
    /// Something else stood in the way of a look.
    Unseen,
    Proven,
    Lands,
    Signs,
}

impl View for Checked {
    const OUTPUT: &'static str = "check";

    fn write(&self, text_table: &mut TextTable) {
        let (unseen, told): (Vec<&Ticked>, Vec<&Ticked>) =
            self.lines.iter().partition(|line| line.state() == State::Unseen);
        for line in told {
            line.write(&self.target, text_table);
        }
        if let Some(finding) = unseen.first().and_then(|line| line.finding.as_ref()) {
            let lines = count(unseen.len(), "line");
            text_table.line(format!("[ ] {lines} {}; {}:", finding.text, finding.cure));
            for line in &unseen {
                text_table.line(text_table.tint(Tone::Dim, &format!("    {}", line.must)));
            }
        }
        text_table.line(format!("\n{}", self.sum()));
    }

    fn exit(&self) -> Exit {
        if self.ok { Exit::Ok } else { Exit::Findings }
    }
}

impl Ticked {
    fn state(&self) -> State {
        match &self.finding {
            None => State::Signs,
            Some(finding) if !finding.ok && finding.text == NOT_LOOKED_AT => State::Unseen,
            Some(finding) if !finding.ok => State::Wrong,
            Some(finding) if finding.proven => State::Proven,
            Some(finding) => match finding.needs {
                Some(Need::Landing) => State::Lands,
                Some(Need::Signature) | None => State::Signs,
            },
        }
    }

    /// Writes the line; what is wrong names its target, so that it can be passed on alone.
    fn write(&self, target: &str, text_table: &mut TextTable) {
        let (tick, found) = match &self.finding {
            // A tick would claim more than was observed.
            Some(finding) if finding.ok && !finding.proven => {
                ("[?]".to_owned(), finding.text.clone())
            }
            Some(finding) if finding.ok => {
                (text_table.tint(Tone::Good, "[x]"), finding.text.clone())
            }
            Some(finding) => {
                let wrong = text_table.tint(Tone::Bad, "[!]");
                (format!("{wrong} {target}:"), finding.text.clone())
            }
            None => ("[?]".to_owned(), UNSEEN.to_owned()),
        };
        if self.must.is_empty() {
            text_table.line(format!("{tick} {found}"));
        } else {
            text_table.line(format!("{tick} {}", self.must));
            text_table.line(text_table.tint(Tone::Dim, &format!("    {found}")));
        }
        if let Some(finding) = self.finding.as_ref().filter(|f| !f.ok && !f.cure.is_empty()) {
            let place =
                if self.place.is_empty() { String::new() } else { format!(" ({})", self.place) };
            text_table.line(format!("    cure: {}{place}", finding.cure));
        }
    }
}

/// What a target offers.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Offer {
    /// The configured target.
    pub target: String,
    /// What was found.
    #[serde(flatten)]
    pub discovery: Discovery,
}

impl View for Offer {
    const OUTPUT: &'static str = "discover";

    fn write(&self, text_table: &mut TextTable) {
        let found = &self.discovery;
        let title = format!("Target {}, surface {}", self.target, short(&found.fingerprint, 17));
        text_table.line(text_table.tint(Tone::Bold, &title));
        let periods: Vec<String> = found.periods.iter().map(word).collect();
        let scopes =
            if found.scopes.is_empty() { "none".to_owned() } else { found.scopes.join(", ") };
        text_table.line(format!("  periods: {}", periods.join(", ")));
        text_table.line(format!("  scopes besides base: {scopes}"));
        text_table
            .line(format!("  {}", count(found.resources.len(), "resource and location pair")));
        for kind in [SurfaceKind::Measure, SurfaceKind::Attribute, SurfaceKind::Time] {
            let rows: Vec<[String; 3]> = found
                .surface
                .iter()
                .filter(|item| item.kind == kind)
                .map(|item| [item.name.clone(), short(&item.label, 40), item.declared.clone()])
                .collect();
            if !rows.is_empty() {
                let heading = format!("\n{}s", word(&kind));
                text_table.line(heading).table(["name", "label", "declared"], &rows);
            }
        }
        let rows: Vec<[String; 2]> =
            found.resources.iter().map(|(r, l)| [r.clone(), l.clone()]).collect();
        text_table.line("\nresources").table(["resource", "location"], &rows);
    }
}

const fn needs(lines: usize) -> &'static str {
    if lines == 1 { "needs" } else { "need" }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(landing: &[&str]) -> SheetLine {
        let landing = landing.iter().map(|name| (*name).to_owned()).collect();
        SheetLine { id: "w".to_owned(), text: "writable".to_owned(), place: String::new(), landing }
    }

    fn finding(ok: bool) -> Finding {
        let text = "land once".to_owned();
        let needs = Some(Need::Landing);
        Finding { line: "w".to_owned(), ok, proven: false, needs, text, cure: String::new() }
    }

    #[test]
    fn what_is_wrong_names_its_target_and_nothing_else_does() {
        let line = |ok| Ticked {
            must: "writable".to_owned(),
            place: String::new(),
            finding: Some(Finding { cure: "switch it on".to_owned(), ..finding(ok) }),
        };
        let said = |ok| {
            let checked = Checked { target: "ibp".to_owned(), ok, lines: vec![line(ok)] };
            let mut text_table = TextTable::new(false);
            checked.write(&mut text_table);
            text_table.into_text()
        };
        assert!(said(false).starts_with("[!] ibp: writable\n"), "{}", said(false));
        assert!(said(true).starts_with("[?] writable\n"), "{}", said(true));
    }

    #[test]
    fn prepared_is_said_only_when_nothing_is_open() {
        let line = |ok, proven, needs| {
            let finding = Finding { ok, proven, needs, ..finding(true) };
            Ticked { must: "x".to_owned(), place: String::new(), finding: Some(finding) }
        };
        let sum = |lines: Vec<Ticked>| {
            let ok = lines.iter().all(|line| line.state() != State::Wrong);
            Checked { target: "ibp".to_owned(), ok, lines }.sum()
        };
        let proven = || line(true, true, None);
        assert_eq!(sum(vec![proven(), proven()]), "ibp is prepared: 2 lines.");
        let lands = || line(true, false, Some(Need::Landing));
        let signs = || line(true, false, Some(Need::Signature));
        let open = sum(vec![proven(), lands(), lands(), signs()]);
        assert_eq!(open, "ibp: 1 proven, 2 need one landing, 1 needs a signature.");
        assert_eq!(sum(vec![proven(), lands()]), "ibp: 1 proven, 1 needs one landing.");
        let wrong = sum(vec![line(false, false, None), proven(), signs()]);
        assert_eq!(wrong, "1 of 3 lines to put right at ibp; 1 proven, 1 needs a signature.");
    }

    #[test]
    fn a_landing_proves_what_a_reading_cannot_and_heals_nothing() {
        let landed =
            |accepted, seen| BTreeMap::from([("live".to_owned(), Landed { accepted, seen })]);
        let told = |ok, landing: &[&str], landed: &BTreeMap<String, Landed>| {
            let told = told_by_landing(&line(landing), finding(ok), landed);
            (told.ok, told.proven, told.text)
        };
        let (ok, proven, text) = told(true, &["live", "cut"], &landed(9, 7));
        assert!(ok && proven && text == "7 cells landed and read back", "{text}");
        let (ok, proven, text) = told(true, &["live"], &landed(9, 0));
        assert!(ok && !proven && text.starts_with("9 cells accepted and none read back"), "{text}");
        assert!(!told(true, &["cut"], &landed(9, 9)).1, "another measure's");
        assert!(!told(true, &[], &landed(9, 9)).1);
        assert!(!told(false, &["live"], &landed(9, 9)).0, "what failed stays failed");
    }
}
