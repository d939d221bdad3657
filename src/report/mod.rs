//! What people and programs get to see. A view is one struct: `--json` prints
//! it as it is, otherwise it writes itself on text_table.

pub mod accuracy;
pub mod agreement;
pub mod applied;
pub mod breaker;
pub mod cells;
pub mod compared;
pub mod cycled;
pub mod derived;
pub mod drill;
mod endings;
pub mod explain;
pub mod fallback;
pub mod flows;
pub mod gap;
pub mod guard;
pub mod intake;
pub mod lease;
pub mod lock_line;
pub mod locked;
pub mod mapping;
pub mod planned;
pub mod plans;
pub mod progress;
mod proportion;
mod refused_places;
pub mod reject_sheet;
mod rejected_cells;
pub mod rejects;
mod screens;
pub mod skew;
pub mod status;
pub mod target;
pub mod text_table;
pub mod traced;
pub mod verified;

use schemars::JsonSchema;
use serde::Serialize;

use crate::failure::Exit;

pub use text_table::{TextTable, Tone};

/// The answer of a verb.
pub trait View: Serialize + JsonSchema {
    /// What its JSON calls itself: the verb, and a word more where a verb has
    /// several answers.
    const OUTPUT: &'static str;
    /// Version of its JSON: a field that leaves or means something else raises
    /// it, a new field does not.
    const VERSION: u32 = 1;

    /// Writes the answer for people.
    fn write(&self, text_table: &mut TextTable);

    /// How the program ends after showing it.
    fn exit(&self) -> Exit {
        Exit::Ok
    }
}
