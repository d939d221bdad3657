//! The sheet of what a target's consultant prepares, and the answers to it.

use std::collections::BTreeMap;

use crate::{Finding, SheetLine};

/// A line of the sheet, without a landing that could answer it.
#[must_use]
pub fn line(id: impl Into<String>, place: &str, text: impl Into<String>) -> SheetLine {
    SheetLine { id: id.into(), text: text.into(), place: place.to_owned(), landing: Vec::new() }
}

/// Collects answers to the lines of a sheet into one finding a line.
#[derive(Debug, Default)]
pub struct Report(BTreeMap<String, Finding>);

impl Report {
    /// `line` was looked at, and is as it must be.
    pub fn tick(&mut self, line: &str, text: impl Into<String>) {
        self.add(line, (true, true), &text.into(), "");
    }

    /// Nothing speaks against `line`, and nothing proves it; the text says what
    /// would.
    pub fn open(&mut self, line: &str, text: impl Into<String>) {
        self.add(line, (true, false), &text.into(), "");
    }

    /// `line` is not as it must be.
    pub fn fail(&mut self, line: &str, text: impl Into<String>, cure: &str) {
        self.add(line, (false, true), &text.into(), cure);
    }

    /// Whether somebody answered `line`.
    #[must_use]
    pub fn answered(&self, line: &str) -> bool {
        self.0.contains_key(line)
    }

    fn add(&mut self, line: &str, (ok, proven): (bool, bool), text: &str, cure: &str) {
        let finding = self.0.entry(line.to_owned()).or_insert_with(|| Finding {
            line: line.to_owned(),
            ok: true,
            proven: true,
            text: String::new(),
            cure: String::new(),
        });
        finding.ok &= ok;
        finding.proven &= proven;
        for (kept, new) in [(&mut finding.text, text), (&mut finding.cure, cure)] {
            if !kept.is_empty() && !new.is_empty() {
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
                self.0.remove(&line.id).unwrap_or_else(|| Finding {
                    line: line.id.clone(),
                    ok: false,
                    proven: false,
                    text: "could not be looked at".to_owned(),
                    cure: "clear the other findings first".to_owned(),
                })
            })
            .collect();
        findings.extend(self.0.into_values().map(|mut finding| {
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
        assert_eq!(found[1].text, "there; wrong decimals");
        assert_eq!(found[1].cure, "set 2");
        assert_eq!(found[4].line, "");
    }
}
