//! What is wrong with a configuration: file, line, field, reason, cure.

use std::{fmt, path::PathBuf};

use serde::Serialize;

use super::tree::Place;
use crate::failure::Failure;

/// One fault in a configuration file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ConfigError {
    /// The file.
    pub file: PathBuf,
    /// Line, from 1; 0 when the whole file is at fault.
    pub line: u64,
    /// Column, from 1.
    pub column: u64,
    /// Path of the field: `targets.ibp.measures[0].unit`.
    pub field: String,
    /// What is wrong.
    pub reason: String,
    /// What to do.
    pub cure: String,
}

impl ConfigError {
    /// A fault at `place`, with the cure that usually helps for such a reason.
    #[must_use]
    pub fn at(
        file: &std::path::Path,
        place: Place,
        field: impl Into<String>,
        reason: impl Into<String>,
    ) -> Self {
        let (field, reason) = (field.into(), reason.into());
        let cure = usual_cure(&field, &reason);
        let Place { line, column } = place;
        Self { file: file.to_owned(), line, column, field, reason, cure }
    }

    /// Replaces the cure.
    #[must_use]
    pub fn cure(mut self, cure: impl Into<String>) -> Self {
        self.cure = cure.into();
        self
    }
}

/// Reads serde's reason and says what to write instead.
fn usual_cure(field: &str, reason: &str) -> String {
    if let Some((name, known)) = unknown_field(reason) {
        return match nearest(name, &known) {
            Some(near) => format!("did you mean `{near}`? otherwise remove it"),
            None => "remove it, or move it to where it belongs".to_owned(),
        };
    }
    if let Some(name) = reason.strip_prefix("missing field ") {
        let inside = if field.is_empty() { "the top level" } else { field };
        return format!("add {name} under {inside}");
    }
    let number = reason.contains("integer `") || reason.contains("floating point");
    if number && reason.contains("expected a string") {
        return "put the value in quotes, so that leading zeros and digits stay as they are"
            .to_owned();
    }
    if reason.contains("null") || reason.contains("unit value") {
        return "give it a value, or remove the line".to_owned();
    }
    "`planthread schema config` prints every field with its meaning".to_owned()
}

/// The name and the known names of serde's `unknown field` message.
fn unknown_field(reason: &str) -> Option<(&str, Vec<&str>)> {
    let rest = reason
        .strip_prefix("unknown field `")
        .or_else(|| reason.strip_prefix("unknown variant `"))?;
    let (name, rest) = rest.split_once('`')?;
    Some((name, rest.split('`').skip(1).step_by(2).collect()))
}

/// The known name that differs least, when it differs little.
fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    known
        .iter()
        .map(|candidate| (distance(name, candidate), *candidate))
        .filter(|(far, _)| *far <= 2.max(name.len() / 3))
        .min()
        .map(|(_, candidate)| candidate)
}

/// Edit distance; both words are short.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if self.line > 0 {
            write!(f, ":{}:{}", self.line, self.column)?;
        }
        if !self.field.is_empty() {
            write!(f, ": {}", self.field)?;
        }
        write!(f, ": {}", self.reason)
    }
}

impl std::error::Error for ConfigError {}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::usage(error.to_string()).cure(error.cure).explain("config")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_field_is_answered_with_the_right_one() {
        let reason = "unknown field `conector`, expected one of `connector`, `scope`, `settings`";
        assert_eq!(usual_cure("", reason), "did you mean `connector`? otherwise remove it");
    }

    #[test]
    fn a_number_where_a_name_belongs_asks_for_quotes() {
        let reason = "invalid type: integer `1010`, expected a string";
        assert!(usual_cure("x", reason).contains("quotes"));
    }
}
