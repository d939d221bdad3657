//! What would be noticed at a target: a restored state, a second writer.

use planthread_contracts::Carries;
use planthread_engine::{
    Reader,
    continuity::{self, Continuity, Restored},
};
use schemars::JsonSchema;
use serde::Serialize;

use super::{TextTable, Tone, text_table::instant};
use crate::{config::Target, failure::Failure, pipeline::second_place};

/// Says that the state was put back from a copy, before anything else of a target is told.
pub(super) fn restored(text_table: &mut TextTable, target: &str, told: Option<&Restored>) {
    let Some(Restored { known, outside, at, told_apart }) = told else { return };
    let words = text_table.tint(Tone::Bad, "the state was put back from a copy");
    let at = instant(*at);
    text_table.line(format!(
        "{target}: {words}: it knew {known} of {outside} runs, the last at {at}; everything was \
         read anew  (planthread explain restored)"
    ));
    text_table.line(if *told_apart {
        "  What stands there and is not ours counts as a person's. What people decided since \
         (locks, pauses, answers) is not in the copy: say it again."
    } else {
        "  What a person wrote there since can't be told from ours: the folder of the packs has \
         no list of what was sent. Compare with the planners before the next `apply`."
    });
}

/// How one target is guarded.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Guard {
    /// The configured target.
    pub target: String,
    /// Whether the state is still the one that landed there last.
    pub continuity: Continuity,
    /// Whether a measure carries our heartbeat.
    pub heartbeat: bool,
}

impl Guard {
    /// How `target` is guarded, by what the state and the witness beside its
    /// packs say.
    ///
    /// # Errors
    /// When the state can't be read.
    pub fn of(reader: &Reader, name: &str, target: &Target) -> Result<Self, Failure> {
        let folder = second_place(name, target);
        Ok(Self {
            target: name.to_owned(),
            continuity: continuity::continuity(reader, name, folder.as_deref())?,
            heartbeat: target.measures.iter().any(|m| m.carries == Carries::Heartbeat),
        })
    }

    /// Whether the state is a copy that was put back.
    #[must_use]
    pub const fn is_broken(&self) -> bool {
        matches!(self.continuity, Continuity::Broken { .. })
    }

    /// Says what is wrong, and what nobody would notice.
    pub fn write(&self, text_table: &mut TextTable) {
        let target = &self.target;
        if let Continuity::Broken { known, outside, at } = &self.continuity {
            let words = text_table.tint(Tone::Bad, "the state was put back from a copy");
            text_table.line(format!(
                "  {target}: {words}: it knows {known} of {outside} runs, the last at {}; what it has \
                 seen is not believed, and read anew before anything is sent  (planthread explain \
                 restored)",
                instant(*at)
            ));
        }
        if self.continuity == Continuity::Unwitnessed {
            let words = "no `pack` folder: a state put back from a copy would not be noticed";
            text_table.line(text_table.tint(Tone::Dim, &format!("  {target}: {words}")));
        }
        if !self.heartbeat {
            let words = "no heartbeat measure: a second bridge would not be noticed";
            text_table.line(text_table.tint(Tone::Dim, &format!("  {target}: {words}")));
        }
    }
}
