//! `planthread retry`

use super::Context;
use crate::{
    failure::{Exit, Failure},
    pipeline::{Retried, Where},
    report::{
        TextTable, Tone, View,
        text_table::{count, indented},
    },
};

/// What the verb takes.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Only the refused cells with this value, and no records; several narrow it.
    /// FIELD is target, scope, resource, location, product, measure, period, code or owner
    #[arg(long = "where", value_name = "FIELD=VALUE")]
    conditions: Vec<Where>,
}

pub(super) fn run(context: &Context, Args { conditions }: &Args) -> Result<Exit, Failure> {
    let doing = context.board.doing("", "taking what was refused again");
    let bridge = context.bridge()?;
    let retried = match conditions.as_slice() {
        [] => bridge.retry()?,
        conditions => bridge.retry_cells(conditions)?,
    };
    drop(doing);
    context.screen.show(&retried)
}

impl View for Retried {
    const OUTPUT: &'static str = "retry";

    fn write(&self, text_table: &mut TextTable) {
        if let Some(left) = self.cells_left {
            let again = count(self.cells, "refused cell");
            text_table
                .line(format!("{again} go out again with the next plan; {left} stay refused."));
            return;
        }
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
