//! `planthread retry`

use super::Context;
use crate::{
    failure::{Exit, Failure},
    pipeline::Retried,
    report::{
        TextTable, Tone, View,
        text_table::{count, indented},
    },
};

/// What the verb takes: only the common options.
#[derive(Debug, clap::Args)]
pub(super) struct Args {}

pub(super) fn run(context: &Context, _: &Args) -> Result<Exit, Failure> {
    let doing = context.board.doing("", "taking refused records again");
    let retried = context.bridge()?.retry()?;
    drop(doing);
    context.screen.show(&retried)
}

impl View for Retried {
    const OUTPUT: &'static str = "retry";

    fn write(&self, text_table: &mut TextTable) {
        text_table.line(format!(
            "{} came in now; {} left the list, {} still on it.",
            count(self.taken, "record"),
            self.cured,
            self.still
        ));
        if self.cells > 0 {
            text_table.line(format!(
                "{} refused by a target go out again with the next plan.",
                count(self.cells, "cell")
            ));
        }
        if self.still > 0 {
            text_table.line("The rest: `planthread rejects`");
        }
        for failure in &self.stopped {
            let text = indented(&failure.to_string(), 2);
            text_table.line(format!("  {} {text}", text_table.tint(Tone::Bad, "not read:")));
        }
    }

    fn exit(&self) -> Exit {
        let found = if self.still == 0 { Exit::Ok } else { Exit::Findings };
        self.stopped.iter().map(|failure| failure.exit).fold(found, Exit::max)
    }
}
