//! The plans of all targets, and where the audit trail stood when they were made.

use planthread_engine::audit_trail::Head;
use schemars::JsonSchema;
use serde::Serialize;

use super::{TextTable, Tone, View, planned::Planned};
use crate::failure::Exit;

/// What is said where no record was ever taken in, and what to do.
pub(super) const NOTHING_INGESTED: &str = "Nothing was ingested yet, so no figure is known: \
    `planthread ingest` takes the records in, then `planthread plan`";

/// The plans of all targets that were asked for.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Plans {
    /// Target by target.
    pub targets: Vec<Planned>,
    /// That no record was ever taken in: then nothing is known of any machine.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub nothing_ingested: bool,
    /// Where the audit trail ends: whoever keeps it can tell later that nothing before it
    /// was changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audit: Option<Head>,
}

impl Plans {
    /// Whether any of them sends a cell.
    #[must_use]
    pub fn change_something(&self) -> bool {
        self.targets.iter().any(|plan| plan.summary.header.counts.cells > 0)
    }
}

impl View for Plans {
    const OUTPUT: &'static str = "plan";

    fn write(&self, text_table: &mut TextTable) {
        if self.nothing_ingested {
            let nothing = text_table.tint(Tone::Warn, NOTHING_INGESTED);
            text_table.line(nothing);
        }
        for plan in &self.targets {
            plan.write(text_table);
        }
        if let Some(head) = &self.audit {
            text_table.line(format!("Audit trail: entry {}, head {}", head.number, head.digest));
        }
    }

    /// A plan of a target that could not be read is one, and not the whole
    /// answer.
    fn exit(&self) -> Exit {
        let unread = self.targets.iter().filter_map(|plan| plan.unread.as_ref());
        let unread = unread.map(|failure| failure.exit).max().unwrap_or(Exit::Ok);
        // Nothing of such a measure goes before somebody has answered for it.
        let waits = self
            .targets
            .iter()
            .any(|plan| !plan.not_adopted.is_empty() || !plan.proportion.asked.is_empty());
        unread.max(if waits { Exit::Held } else { Exit::Ok })
    }
}
