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
    /// What kept lines from being looked at, in the order in which it was met.
    refusals: Vec<Refusal>,
    /// Whether something at the target was found to be as it must be.
    heard: bool,
}

/// What kept a line from being looked at.
#[derive(Debug)]
struct Refusal {
    line: String,
    /// What the target said, in types: its words are only for people.
    kind: (Class, Option<String>),
    text: String,
    cure: String,
}

impl Report {
    /// `line` was looked at, and is as it must be.
    pub fn tick(&mut self, line: &str, text: impl Into<String>) {
        self.heard = true;
        self.known(line, text);
    }

    /// `line` is as it must be by what we hold ourselves: the target was not asked.
    pub fn known(&mut self, line: &str, text: impl Into<String>) {
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

    /// What `line` needs can't be read: a finding of this line. As long as nothing at the
    /// target is found to be right, it may lie at what all questions have in common, so
    /// what is refused alike is said of the first line that met it, and the others are
    /// not looked at.
    ///
    /// # Errors
    /// When nobody is there, the target asks to wait, or the mistake is ours: then nothing
    /// else is worth a look.
    pub fn unread(&mut self, line: &str, error: ConnectorError) -> Result<(), ConnectorError> {
        if self.ends(&error) {
            return Err(error);
        }
        let cure = error.cure.unwrap_or_else(|| "check again; then look at the target".to_owned());
        let code = error.vendor_code.as_deref().map(|code| format!(" ({code})"));
        let code = code.unwrap_or_default();
        let text = format!("{} failed: {}{code}", error.operation, error.message);
        let kind = (error.class, error.vendor_code);
        self.refusals.push(Refusal { line: line.to_owned(), kind, text, cure });
        Ok(())
    }

    /// Whether an error leaves nothing to look at.
    fn ends(&self, error: &ConnectorError) -> bool {
        match error.class {
            Class::Throttled { .. } | Class::Fatal => true,
            _ if error.unreached() => true,
            Class::Transient { .. } => !self.heard && self.refusals.is_empty(),
            Class::Drift | Class::Auth | Class::NotYet => false,
        }
    }

    /// Takes over what `other` says.
    pub fn take(&mut self, other: Self) {
        for (line, one) in other.answers {
            self.add(&line, (one.ok, one.proven, one.needs), &one.text, &one.cure);
        }
        self.refusals.extend(other.refusals);
        self.heard |= other.heard;
    }

    /// Takes over what `other` says, without what it found to be wrong: that may only follow
    /// from what is said in its own place, and could not be looked at.
    pub fn take_good(&mut self, mut other: Self) {
        other.answers.retain(|_, one| one.ok);
        self.take(other);
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

    /// Blames the lines that were refused; before anything is right, one for each kind.
    fn blame(&mut self) {
        let mut said: Vec<(Class, Option<String>)> = Vec::new();
        let mut blamed: Vec<String> = Vec::new();
        for Refusal { line, kind, text, cure } in std::mem::take(&mut self.refusals) {
            let known = said.contains(&kind) && !blamed.contains(&line);
            if known && !self.heard {
                continue;
            }
            self.add(&line, (false, false, None), &text, &cure);
            said.push(kind);
            blamed.push(line);
        }
    }

    /// One finding for each line of the sheet, in its order, then the rest. A
    /// line that nobody answered could not be looked at.
    #[must_use]
    pub fn findings(mut self, sheet: &[SheetLine]) -> Vec<Finding> {
        self.blame();
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
        assert!(!report.answered("a"), "nobody answered it");
        let found = report.findings(&[]);
        assert!(!found[0].ok && found[0].text == "read master data failed: HTTP 403: no");
        assert!(!found[0].cure.is_empty());
    }

    fn told(class: Class, code: &str) -> ConnectorError {
        let error = ConnectorError::new(class, "read rows", "HTTP 403: no");
        if code.is_empty() { error } else { error.vendor_code(code) }
    }

    fn texts(report: Report, lines: &[&str]) -> Vec<String> {
        let sheet: Vec<_> = lines.iter().map(|id| line(*id, "", "")).collect();
        report.findings(&sheet).into_iter().map(|one| one.text).collect()
    }

    #[test]
    fn what_keeps_every_line_from_being_looked_at_is_said_once_of_each_kind() {
        let mut report = Report::default();
        for (at, code) in [("reach", "61"), ("model", "61"), ("twins", "62")] {
            report.unread(at, told(Class::Drift, code)).unwrap();
        }
        report.known("agreement", "enabled");
        let (first, other) =
            ("read rows failed: HTTP 403: no (61)", "read rows failed: HTTP 403: no (62)");
        let found = texts(report, &["reach", "model", "twins", "more"]);
        assert_eq!(found[..4], [first, NOT_LOOKED_AT, other, NOT_LOOKED_AT]);
    }

    #[test]
    fn where_nobody_is_there_nothing_else_is_worth_a_look() {
        let gone = |sent| {
            let class = Class::Transient { sent };
            let lost = crate::SendError::lost(sent, "closed");
            ConnectorError::new(class, "read rows", "closed").caused_by(lost)
        };
        let (no, maybe) = (crate::Sent::No, crate::Sent::Maybe);
        assert!(Report::default().unread("a", gone(no)).is_err());
        assert!(Report::default().unread("a", gone(maybe)).is_err(), "nobody answered yet");
        let untrusted = told(Class::Auth, "").caused_by(crate::SendError::untrusted("unknown"));
        assert!(Report::default().unread("a", untrusted).is_err());
        let mut report = Report::default();
        report.tick("a", "there");
        report.unread("b", gone(maybe)).unwrap();
        assert!(report.unread("c", gone(no)).is_err(), "it is gone now");
        assert_eq!(texts(report, &["a", "b"]), ["there", "read rows failed: closed"]);
    }

    #[test]
    fn what_only_follows_from_a_fault_is_not_blamed_and_a_refusal_is() {
        let mut theirs = Report::default();
        theirs.tick("a", "there");
        theirs.fail("b", "none of this area", "expose it");
        theirs.unread("c", told(Class::Auth, "")).unwrap();
        let mut report = Report::default();
        report.fail("area", "no such area", "correct it");
        report.take_good(theirs);
        let found = texts(report, &["area", "a", "b", "c"]);
        let refused = "read rows failed: HTTP 403: no";
        assert_eq!(found, ["no such area", "there", NOT_LOOKED_AT, refused]);
    }

    proptest::proptest! {
        /// Faults that read the same are each told, wherever the first good answer stands.
        #[test]
        fn beside_a_good_answer_each_refused_line_is_blamed(
            refused in proptest::collection::vec(proptest::bool::ANY, 1..12), good in 0_usize..12,
            auth in proptest::bool::ANY,
        ) {
            let ids: Vec<String> = (0..refused.len()).map(|nth| nth.to_string()).collect();
            let class = if auth { Class::Auth } else { Class::Drift };
            let mut report = Report::default();
            for (nth, refused) in refused.iter().enumerate() {
                if nth == good % ids.len() {
                    report.tick("good", "there");
                }
                if *refused {
                    report.unread(&ids[nth], told(class, "")).unwrap();
                }
            }
            let lines: Vec<&str> = ids.iter().map(String::as_str).collect();
            for (text, refused) in texts(report, &lines).iter().zip(refused) {
                proptest::prop_assert_eq!(text != NOT_LOOKED_AT, refused);
            }
        }
    }
}
