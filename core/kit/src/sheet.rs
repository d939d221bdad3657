//! The sheet of what a target's consultant prepares, and the answers to it.

use std::collections::BTreeMap;

use crate::{Class, ConnectorError, Finding, Need, SheetLine};

/// A line of the sheet, without a landing that could answer it.
#[must_use]
pub fn line(id: impl Into<String>, place: &str, text: impl Into<String>) -> SheetLine {
    SheetLine { id: id.into(), text: text.into(), place: place.to_owned(), landing: Vec::new() }
}

/// What is said of a line that nobody could look at, because of something else that is
/// said in its own place: it is not wrong, and not right.
pub const NOT_LOOKED_AT: &str = "could not be looked at";

/// Collects answers to the lines of a sheet into one finding a line.
#[derive(Debug, Default)]
pub struct Report {
    answers: BTreeMap<String, Finding>,
    /// What kept lines from being looked at, and the line that says so.
    obstacles: BTreeMap<String, String>,
}

impl Report {
    /// `line` was looked at, and is as it must be.
    pub fn tick(&mut self, line: &str, text: impl Into<String>) {
        self.add(line, (true, true, None), &text.into(), "");
    }

    /// Nothing speaks against `line`, and nothing proves it: a landing that is
    /// read back would.
    pub fn open(&mut self, line: &str, text: impl Into<String>) {
        self.add(line, (true, false, Some(Need::Landing)), &text.into(), "");
    }

    /// Nothing speaks against `line`, and only a person can say so.
    pub fn sign(&mut self, line: &str, text: impl Into<String>) {
        self.add(line, (true, false, Some(Need::Signature)), &text.into(), "");
    }

    /// `line` is not as it must be.
    pub fn fail(&mut self, line: &str, text: impl Into<String>, cure: &str) {
        self.add(line, (false, true, None), &text.into(), cure);
    }

    /// What `line` needs can't be read. That is one finding, of the first line that met
    /// it: what meets the same later says nothing of its own line, which is not looked at.
    ///
    /// # Errors
    /// When the target asks to wait, or the mistake is ours: then nothing else
    /// is worth a look.
    pub fn unread(&mut self, line: &str, error: ConnectorError) -> Result<(), ConnectorError> {
        match error.class {
            Class::Throttled { .. } | Class::Fatal => Err(error),
            Class::Drift | Class::Auth | Class::Transient { .. } | Class::NotYet => {
                let cure = error.cure.as_deref().unwrap_or("check again; then look at the target");
                let code = error.vendor_code.as_deref().map(|code| format!(" ({code})"));
                let code = code.unwrap_or_default();
                let text = format!("{} failed: {}{code}", error.operation, error.message);
                // Nobody who is not there was asked anything: it is one obstacle for all.
                let obstacle = match error.class {
                    Class::Transient { .. } => error.message.clone(),
                    _ => text.clone(),
                };
                let first = self.obstacles.entry(obstacle).or_insert_with(|| line.to_owned());
                if first == line {
                    self.add(line, (false, false, None), &text, cure);
                }
                Ok(())
            }
        }
    }

    /// Whether somebody answered `line`.
    #[must_use]
    pub fn answered(&self, line: &str) -> bool {
        self.answers.contains_key(line)
    }

    fn add(
        &mut self,
        line: &str,
        (ok, proven, needs): (bool, bool, Option<Need>),
        text: &str,
        cure: &str,
    ) {
        let finding = self.answers.entry(line.to_owned()).or_insert_with(|| Finding {
            line: line.to_owned(),
            ok: true,
            proven: true,
            needs: None,
            text: String::new(),
            cure: String::new(),
        });
        finding.ok &= ok;
        finding.proven &= proven;
        // What a person must say stays to be said after a landing.
        finding.needs = finding.needs.max(needs);
        for (kept, new) in [(&mut finding.text, text), (&mut finding.cure, cure)] {
            if kept.contains(new) {
                continue;
            }
            if !kept.is_empty() {
                kept.push_str("; ");
            }
            kept.push_str(new);
        }
    }

    /// One finding for each line of the sheet, in its order, then the rest. A
    /// line that nobody answered could not be looked at.
    #[must_use]
    pub fn findings(mut self, sheet: &[SheetLine]) -> Vec<Finding> {
        let mut findings: Vec<Finding> = sheet
            .iter()
            .map(|line| {
                self.answers.remove(&line.id).unwrap_or_else(|| Finding {
                    line: line.id.clone(),
                    ok: false,
                    proven: false,
                    needs: None,
                    text: NOT_LOOKED_AT.to_owned(),
                    cure: "clear the other findings first".to_owned(),
                })
            })
            .collect();
        findings.extend(self.answers.into_values().map(|mut finding| {
            finding.line.clear();
            finding
        }));
        findings
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_ok_only_when_all_its_answers_are() {
        let line = |id: &str| line(id, "", "");
        let mut report = Report::default();
        report.tick("a", "there");
        report.fail("a", "wrong decimals", "set 2");
        report.tick("b", "there");
        report.tick("d", "there");
        report.sign("d", "which one is not visible");
        report.open("d", "nobody landed yet");
        report.tick("remark", "by the way");
        assert!(report.answered("d") && !report.answered("c"));
        let found = report.findings(&[line("b"), line("a"), line("c"), line("d")]);
        assert_eq!(
            found.iter().map(|f| f.ok).collect::<Vec<_>>(),
            [true, false, false, true, true]
        );
        assert_eq!(
            found.iter().map(|f| f.proven).collect::<Vec<_>>(),
            [true, true, false, false, true]
        );
        assert_eq!(found[3].needs, Some(Need::Signature), "a landing would not be enough");
        assert_eq!(found[1].text, "there; wrong decimals");
        assert_eq!(found[1].cure, "set 2");
        assert_eq!(found[4].line, "");
    }

    #[test]
    fn a_refused_read_is_one_finding_and_a_busy_target_is_the_end() {
        let mut report = Report::default();
        let error = |class| ConnectorError::new(class, "read master data", "HTTP 403: no");
        report.unread("a", error(Class::Auth)).unwrap();
        let busy = Class::Throttled { after: std::time::Duration::from_secs(9) };
        assert!(report.unread("a", error(busy)).is_err());
        let found = report.findings(&[]);
        assert!(!found[0].ok && found[0].text == "read master data failed: HTTP 403: no");
        assert!(!found[0].cure.is_empty());
    }

    #[test]
    fn what_kept_several_lines_from_being_looked_at_is_said_once() {
        let mut report = Report::default();
        let error = |text: &str| ConnectorError::new(Class::Drift, "read rows", text);
        for at in ["reach", "model", "twins"] {
            report.unread(at, error("connection refused").vendor_code("61")).unwrap();
        }
        report.unread("model", error("no such model")).unwrap();
        let gone = Class::Transient { sent: crate::Sent::No };
        for (at, step) in [("key", "ask who we are"), ("rows", "read rows")] {
            report.unread(at, ConnectorError::new(gone, step, "no answer")).unwrap();
        }
        assert!(report.answered("key") && !report.answered("rows"));
        report.tick("twins", "12 are there");
        let found =
            report.findings(&["reach", "model", "twins", "more"].map(|id| line(id, "", "")));
        let texts: Vec<_> = found[..4].iter().map(|one| one.text.as_str()).collect();
        let (refused, model) =
            ("read rows failed: connection refused (61)", "read rows failed: no such model");
        assert_eq!(texts, [refused, model, "12 are there", NOT_LOOKED_AT]);
    }
}
