//! What is out of proportion, in words: both figures, the likely cause, the cure.

use planthread_engine::plan::plausible::Note;

use super::{TextTable, Tone, text_table::count};
use crate::pipeline::Proportion;

/// Changes of the mapping that are named one by one.
const NAMED: usize = 8;

/// Writes what waits for a person, what the mapping changed, and notes.
pub(super) fn proportion(text_table: &mut TextTable, of: &Proportion) {
    for asked in &of.asked {
        let held = text_table.tint(Tone::Warn, "held");
        let (cells, places) = (wide(asked.cells), wide(asked.places.len()));
        text_table.line(format!(
            "  {held} {}: {} of {} look like {}",
            asked.measure,
            count(cells, "cell"),
            count(places, "place"),
            asked.fault.line()
        ));
        text_table.line(format!("      {}", asked.example));
        text_table.line(format!(
            "      cure: correct it; or answer for it: `planthread release question {} {} --target {} \
             --who .. --why ..`  (planthread explain implausible)",
            asked.measure,
            asked.fault.word(),
            of.target
        ));
    }
    if !of.edits.is_empty() {
        text_table.line("  The mapping was changed; what it moves is named `mapping` above:");
    }
    for edit in of.edits.iter().take(NAMED) {
        text_table.line(format!("      {edit}"));
    }
    if of.edits.len() > NAMED {
        text_table.line(format!("      ... and {} more", of.edits.len() - NAMED));
    }
    for noted in &of.noted {
        let places = match noted.note {
            Note::First => String::new(),
            _ => format!("{}, {}: ", noted.measure, count(wide(noted.places.len()), "place")),
        };
        let words = text_table.tint(Tone::Dim, &format!("note: {places}{}", noted.example));
        text_table.line(format!("  {words}"));
    }
}

fn wide(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}
