//! What waits for a person's word: values that people set, and open questions. Terminal,
//! JSON and workbook show the same rows.

mod answered;
mod sheets;

use std::path::PathBuf;

use planthread_contracts::Carries;
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::Serialize;

use super::{
    TextTable, Tone, View,
    gap::words,
    reject_sheet::{meaning, unit},
    text_table::count,
};
use crate::{
    failure::{Exit, Failure},
    pipeline::locked::{Example, LockRow, Locked, Question, QuestionAbout, TakenAs},
};

/// Rows that people see of each kind.
const SHOWN: usize = 20;

impl Locked {
    /// The workbook.
    ///
    /// # Errors
    /// When there are more rows than come back, or it can't be made.
    pub fn xlsx(&self) -> Result<Vec<u8>, Failure> {
        sheets::workbook(self)
    }
}

impl View for Locked {
    const OUTPUT: &'static str = "locks";

    fn write(&self, text_table: &mut TextTable) {
        let (locks, questions) = (self.locks.len() as u64, self.questions.len() as u64);
        let taken = if locks == 0 {
            "No value is set by a person".to_owned()
        } else {
            format!("{} set by people", count(locks, "value"))
        };
        text_table.line(text_table.tint(Tone::Bold, &taken));
        for row in self.locks.iter().take(SHOWN) {
            row.write(text_table);
        }
        more(text_table, self.locks.len());
        let open = if questions == 0 {
            "No question is open".to_owned()
        } else {
            format!("{} open", count(questions, "question"))
        };
        text_table.line(text_table.tint(Tone::Bold, &open));
        for question in self.questions.iter().take(SHOWN) {
            question.write(text_table);
        }
        more(text_table, self.questions.len());
        if locks + questions > 0 {
            text_table.line(
                "\nTo answer: `planthread locks --xlsx FILE`, fill it in, then `planthread locks \
                 answer FILE --who NAME`",
            );
        }
    }

    fn exit(&self) -> Exit {
        if self.questions.is_empty() { Exit::Ok } else { Exit::Findings }
    }
}

fn more(text_table: &mut TextTable, all: usize) {
    if all > SHOWN {
        text_table.line(format!("  and {} more, with --xlsx FILE or --json", all - SHOWN));
    }
}

impl LockRow {
    fn write(&self, text_table: &mut TextTable) {
        let (there, unit) = (self.there(), self.unit());
        text_table.line(format!(
            "  {}, {}, {}: {there} in the plan, {} by Planthread, in {unit}",
            self.place(),
            words::week(self.period),
            self.surface,
            self.ours(),
        ));
        let until = words::local(self.until, &self.zone);
        text_table.line(format!(
            "      {} until {until} ({}): {}",
            self.taken.words(),
            self.who,
            self.why
        ));
    }

    /// The line with its plant, and the product where there is one.
    fn place(&self) -> String {
        match &self.product {
            Some(product) => format!("{}, {product}", words::line(&self.line)),
            None => words::line(&self.line),
        }
    }

    /// The figure, in the words of every screen.
    fn figure(&self) -> String {
        let Some(decl) = &self.decl else { return "not configured any more".to_owned() };
        match decl.carries {
            Carries::AttainableClockHours | Carries::DemonstratedStandardHours => {
                "Line can do".to_owned()
            }
            Carries::PlanCut => "Firm for this cycle".to_owned(),
            _ => meaning(decl),
        }
    }

    fn unit(&self) -> &'static str {
        self.unit.map_or("", unit)
    }

    fn there(&self) -> String {
        match (self.in_plan, self.read_at) {
            (Some(value), _) => plain(value),
            (None, Some(_)) => "nothing".to_owned(),
            (None, None) => "not read".to_owned(),
        }
    }

    fn ours(&self) -> String {
        self.would_land.map_or_else(|| "nothing new until then".to_owned(), plain)
    }
}

impl TakenAs {
    /// The words on every screen.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Typed => "set by a planner",
            Self::PutBack => "put back by a planner",
        }
    }
}

impl Question {
    fn write(&self, text_table: &mut TextTable) {
        let (cells, text) = (self.about_cells(), &self.text);
        text_table.line(format!("  {cells}, for the {}: {text}", self.ask));
        text_table.line(text_table.tint(Tone::Dim, &format!("      {}", self.example.words())));
    }

    /// How many cells it is about, of what.
    fn about_cells(&self) -> String {
        let cells = self.cells.map(|cells| count(cells, "cell"));
        let all = [self.surface.clone(), cells].into_iter().flatten().collect::<Vec<_>>();
        if all.is_empty() { self.target.clone() } else { all.join(", ") }
    }

    /// What becomes of it, if it is accepted.
    const fn if_accepted(&self) -> &'static str {
        match (&self.about, self.holds) {
            (QuestionAbout::Proportion, _) => {
                "the figures go out as they are, until the day that you write, else for 30 days"
            }
            (QuestionAbout::Adoption, _) => "Planthread replaces what stands there, now and later",
            (QuestionAbout::Case, true) => "what waited for it goes out",
            (QuestionAbout::Case, false) => "the question is closed, nothing else changes",
        }
    }

    /// What becomes of it, if it is kept.
    const fn if_kept(&self) -> &'static str {
        if self.holds {
            "nothing goes out, and what stands there stays"
        } else {
            "the question stays open, nothing waits for it"
        }
    }
}

impl Example {
    fn words(&self) -> String {
        let line = self.line.as_ref().map(words::line);
        let period = self.period.map(words::week);
        let place: Vec<String> = [line, period].into_iter().flatten().collect();
        if place.is_empty() {
            return self.figures.clone();
        }
        format!("{}: {}", place.join(", "), self.figures)
    }
}

fn plain(value: Decimal) -> String {
    value.normalize().to_string()
}

/// Where the workbook was written.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Written {
    /// The workbook.
    pub file: PathBuf,
    /// How many values that people set stand in it.
    pub locks: usize,
    /// How many questions stand in it.
    pub questions: usize,
}

impl View for Written {
    const OUTPUT: &'static str = "locks xlsx";

    fn write(&self, text_table: &mut TextTable) {
        text_table.line(format!(
            "Written: {}, with {} and {}",
            self.file.display(),
            count(self.locks, "value"),
            count(self.questions, "question")
        ));
        text_table.line("When it comes back: `planthread locks answer FILE --who NAME`");
    }
}
