//! How the plant's resources and a target's resources find each other.

use planthread_domain::project::{Coverage, Suggestion};
use schemars::JsonSchema;
use serde::Serialize;

use super::{TextTable, Tone, View, text_table::count};
use crate::failure::Exit;

/// Which side of the mapping has no counterpart.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Covered {
    /// The configured target.
    pub target: String,
    /// What was found.
    #[serde(flatten)]
    pub coverage: Coverage,
}

impl View for Covered {
    const OUTPUT: &'static str = "map coverage";

    fn write(&self, text_table: &mut TextTable) {
        let found = &self.coverage;
        let total = found.mapped.len() + found.unmapped_sources.len();
        text_table.line(format!(
            "{} of {} of the plant land at {}.",
            found.mapped.len(),
            count(total, "resource"),
            self.target
        ));
        if !found.unmapped_sources.is_empty() {
            text_table.line(format!("  land nowhere: {}", found.unmapped_sources.join(", ")));
        }
        for (resource, location) in &found.unknown_targets {
            let bad = text_table.tint(Tone::Bad, "unknown at the target:");
            text_table.line(format!(
                "  {bad} {resource}@{location}; create it there, or correct the row"
            ));
        }
        for source in &found.unknown_sources {
            let bad = text_table.tint(Tone::Bad, "unknown in the plant:");
            text_table.line(format!("  {bad} {source}; correct the row"));
        }
        if !found.unmapped_targets.is_empty() {
            let pairs = count(found.unmapped_targets.len(), "pair");
            text_table.line(format!("  {pairs} of the target get nothing from the plant"));
        }
    }

    fn exit(&self) -> Exit {
        if self.coverage.is_sound() { Exit::Ok } else { Exit::Findings }
    }
}

/// Proposals for rows of the mapping, for a person to decide.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Suggested {
    /// The configured target.
    pub target: String,
    /// Resources and lines that land nowhere yet.
    pub open: Vec<String>,
    /// Rows by likeness of names.
    pub rows: Vec<Suggestion>,
}

impl View for Suggested {
    const OUTPUT: &'static str = "map suggest";

    fn write(&self, text_table: &mut TextTable) {
        if self.open.is_empty() {
            text_table
                .line(format!("Every resource of the plant lands at {} already.", self.target));
            return;
        }
        if !self.rows.is_empty() {
            text_table.line("Proposals by name; look at each before you copy it:").line("");
        }
        for row in &self.rows {
            let like = if row.exact {
                "same name".to_owned()
            } else {
                format!("similar name, {} %", row.likeness)
            };
            text_table.line(format!(
                "        - {{ source: {}, resource: {}, location: \"{}\" }}  # {like}",
                row.source, row.resource, row.location
            ));
        }
        let lonely: Vec<&str> = self
            .open
            .iter()
            .filter(|name| !self.rows.iter().any(|row| row.source == **name))
            .map(String::as_str)
            .collect();
        if !lonely.is_empty() {
            let target = &self.target;
            let lonely = lonely.join(", ");
            text_table.line(format!("No name at {target} stands out as like: {lonely}"));
        }
    }
}
