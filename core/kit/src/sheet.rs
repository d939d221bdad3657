//! The sheet of what a target's consultant prepares, and the answers to it.

use std::collections::BTreeMap;

use crate::{Class, ConnectorError, Finding, Need, SheetLine};

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

    /// What `line` needs can't be read. That is one finding, and the others are
    /// looked at all the same.
    ///
    /// # Errors
    /// When the target asks to wait, or the mistake is ours: then nothing else
    /// is worth a look.
    pub fn unread(&mut self, line: &str, error: ConnectorError) -> Result<(), ConnectorError> {
        match error.class {
            Class::Throttled { .. } | Class::Fatal => Err(error),
            Class::Drift | Class::Auth | Class::Transient { .. } | Class::NotYet => {
                let cure = error.cure.as_deref().unwrap_or("check again; then look at the target");
                let text = format!("{} failed: {}", error.operation, error.message);
                self.add(line, (false, false, None), &text, cure);
                Ok(())
            }
        }
    }

    /// Whether somebody answered `line`.
    #[must_use]
    pub fn answered(&self, line: &str) -> bool {
        self.0.contains_key(line)
    }

    fn add(
        &mut self,
        line: &str,
        (ok, proven, needs): (bool, bool, Option<Need>),
        text: &str,
        cure: &str,
    ) {
        let finding = self.0.entry(line.to_owned()).or_insert_with(|| Finding {
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
                self.0.remove(&line.id).unwrap_or_else(|| Finding {
                    line: line.id.clone(),
                    ok: false,
                    proven: false,
                    needs: None,
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
}
