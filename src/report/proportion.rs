//! What is out of proportion, in words: both figures, the likely cause, the cure.

use planthread_engine::plan::plausible::Note;

use super::{Paper, Tone, paper::count};
use crate::pipeline::Proportion;

/// Changes of the mapping that are named one by one.
const NAMED: usize = 8;

/// Writes what waits for a person, what the mapping changed, and notes.
pub(super) fn proportion(paper: &mut Paper, of: &Proportion) {
    for asked in &of.asked {
        let held = paper.tint(Tone::Warn, "held");
        let (cells, places) = (wide(asked.cells), wide(asked.places.len()));
        paper.line(format!(
            "  {held} {}: {} of {} look like {}",
            asked.measure,
            count(cells, "cell"),
            count(places, "place"),
            asked.fault.line()
        ));
        paper.line(format!("      {}", asked.example));
        paper.line(format!(
            "      cure: correct it; or answer for it: `planthread release question {} {} --target {} \
             --who .. --why ..`  (planthread explain implausible)",
            asked.measure,
            asked.fault.word(),
            of.target
        ));
    }
    if !of.edits.is_empty() {
        paper.line("  The mapping was changed; what it moves is named `mapping` above:");
    }
    for edit in of.edits.iter().take(NAMED) {
        paper.line(format!("      {edit}"));
    }
    if of.edits.len() > NAMED {
        paper.line(format!("      ... and {} more", of.edits.len() - NAMED));
    }
    for noted in &of.noted {
        let places = match noted.note {
            Note::First => String::new(),
            _ => format!("{}, {}: ", noted.measure, count(wide(noted.places.len()), "place")),
        };
        let words = paper.tint(Tone::Dim, &format!("note: {places}{}", noted.example));
        paper.line(format!("  {words}"));
    }
}

fn wide(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}
