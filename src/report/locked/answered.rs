//! What became of a sheet of locks and questions that came back.

use super::super::{
    TextTable, Tone, View,
    text_table::{count, instant},
};
use crate::{
    failure::Exit,
    pipeline::locked::{
        Answered, AnsweredRow,
        answers::{RowFault, Word},
    },
};

/// Answers that people see.
const SHOWN: usize = 20;

impl View for Answered {
    const OUTPUT: &'static str = "locks answer";

    fn write(&self, text_table: &mut TextTable) {
        let answers = count(self.answers.len(), "answer");
        let told = match (self.taken, self.answers.is_empty()) {
            (true, true) => "Nothing is answered in it, and nothing is changed.".to_owned(),
            (true, false) => {
                format!("{answers} of {}; the next plan carries what is due.", self.who)
            }
            (false, _) => "Nothing of it is taken.".to_owned(),
        };
        let tone = if self.taken { Tone::Bold } else { Tone::Bad };
        text_table.line(text_table.tint(tone, &told));
        if self.taken {
            self.answers.iter().take(SHOWN).for_each(|row| text_table_row(text_table, row));
            if self.answers.len() > SHOWN {
                text_table.line(format!("  and {} more, with --json", self.answers.len() - SHOWN));
            }
        }
        if self.held > 0 {
            text_table.line(format!("  {} held already", count(self.held, "answer")));
        }
        self.faults.iter().for_each(|fault| write_fault(text_table, fault));
        self.moved.iter().for_each(|fault| write_fault(text_table, fault));
        if !self.taken && self.faults.is_empty() {
            text_table.line("  `--only-unmoved` takes the other rows");
        }
    }

    fn exit(&self) -> Exit {
        match () {
            () if !self.moved.is_empty() => Exit::Held,
            () if !self.faults.is_empty() => Exit::Findings,
            () => Exit::Ok,
        }
    }
}

fn text_table_row(text_table: &mut TextTable, row: &AnsweredRow) {
    let word = match row.answer {
        Word::Keep => "kept",
        Word::Accept => "accepted",
    };
    let until = row.until.map_or_else(String::new, |until| format!(" until {}", instant(until)));
    let why = if row.why.is_empty() { String::new() } else { format!(": {}", row.why) };
    text_table.line(format!("  {}: {word}{until}{why}", row.what));
}

fn write_fault(text_table: &mut TextTable, fault: &RowFault) {
    let RowFault { sheet, row, column, reason, cure } = fault;
    let place = [sheet.clone(), format!("row {row}"), column.clone()];
    let place: Vec<String> = place.into_iter().filter(|part| !part.is_empty()).collect();
    text_table.line(format!("  {}: {reason}", place.join(", ")));
    text_table.line(format!("      cure: {cure}"));
}
