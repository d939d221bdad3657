//! Answer: a named person says that a landing out of proportion may go.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Fault;

/// A recorded answer to one question. It holds for the mapping that was in force
/// when it was given: another change is another question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// Who answers for it.
    pub who: String,
    /// Why it may go.
    pub why: String,
    /// From here on it is asked again.
    pub until: Timestamp,
    /// Name of the scope; empty for base.
    #[serde(default)]
    pub scope: String,
    /// Our name of the measure.
    pub measure: String,
    /// What the figures look like.
    pub fault: Fault,
    /// Digest of the mapping in force.
    pub mapping: String,
}

/// An answer that answers for nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AnswerError {
    /// The record can't be read.
    #[error("answer record: {0}; it needs who, why, until, measure, fault, mapping, and scope")]
    Unreadable(String),
    /// A field says nothing.
    #[error("answer record: `{0}` is empty; name it, so that the record can be answered for")]
    Empty(&'static str),
}

impl Answer {
    /// Reads an answer from its JSON record.
    ///
    /// # Errors
    /// When the record can't be read, or leaves who, why or what empty.
    pub fn read(record: &str) -> Result<Self, AnswerError> {
        let read: Self = serde_json::from_str(record)
            .map_err(|error| AnswerError::Unreadable(error.to_string()))?;
        let fields = [("who", &read.who), ("why", &read.why), ("measure", &read.measure)];
        if let Some((field, _)) = fields.into_iter().find(|(_, text)| text.trim().is_empty()) {
            return Err(AnswerError::Empty(field));
        }
        Ok(read)
    }

    /// Whether it answers this question at `now`.
    #[must_use]
    pub fn answers(
        &self,
        (scope, measure): (&str, &str),
        fault: Fault,
        mapping: &str,
        now: Timestamp,
    ) -> bool {
        self.scope == scope
            && self.measure == measure
            && self.fault == fault
            && self.mapping == mapping
            && now < self.until
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_holds_for_its_question_its_mapping_and_its_time() {
        let record = |who: &str| {
            format!(
                r#"{{"who":"{who}","why":"new unit","until":"2026-12-01T00:00:00Z",
                "measure":"live","fault":"unit","mapping":"ab"}}"#
            )
        };
        let answer = Answer::read(&record("A. Planner")).unwrap();
        let (before, after): (Timestamp, Timestamp) =
            ("2026-11-30T00:00:00Z".parse().unwrap(), "2026-12-01T00:00:00Z".parse().unwrap());
        assert!(answer.answers(("", "live"), Fault::Unit, "ab", before));
        assert!(!answer.answers(("", "live"), Fault::Unit, "ab", after));
        assert!(!answer.answers(("", "live"), Fault::Unit, "cd", before), "another change");
        assert!(!answer.answers(("", "live"), Fault::Week, "ab", before));
        assert!(!answer.answers(("UPSIDE", "live"), Fault::Unit, "ab", before));
        assert_eq!(Answer::read(&record(" ")), Err(AnswerError::Empty("who")));
        assert!(matches!(Answer::read("{}"), Err(AnswerError::Unreadable(_))));
    }
}
