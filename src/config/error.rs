//! What is wrong with a configuration: file, line, field, reason, cure.

use std::{fmt, path::Path};

use schemars::JsonSchema;
use serde::Serialize;

use super::{parser_messages, tree::Position};
use crate::failure::Failure;

/// One fault in a configuration file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ConfigError {
    /// The file.
    pub file: Box<Path>,
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
    /// The profile with which it shows, when it was not the chosen one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<Box<str>>,
}

impl ConfigError {
    /// A fault at `place`, with the cure that usually helps for such a reason.
    #[must_use]
    pub fn at(
        file: &Path,
        place: Position,
        field: impl Into<String>,
        reason: impl Into<String>,
    ) -> Self {
        let (field, reason) = (field.into(), reason.into());
        let (cure, reason) =
            (parser_messages::usual_cure(&field, &reason), parser_messages::plain(&reason));
        let Position { line, column, .. } = place;
        Self { file: file.into(), line, column, field, reason, cure, profile: None }
    }

    /// What is wrong with the whole file, or around it.
    #[must_use]
    pub fn about(file: &Path, reason: impl Into<String>) -> Self {
        Self::at(file, Position { line: 0, column: 0, file: 0 }, "", reason)
    }

    /// Replaces the cure.
    #[must_use]
    pub fn cure(mut self, cure: impl Into<String>) -> Self {
        self.cure = cure.into();
        self
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if self.line > 0 {
            write!(f, ":{}:{}", self.line, self.column)?;
        }
        if let Some(profile) = &self.profile {
            write!(f, ": with profile {profile}")?;
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
