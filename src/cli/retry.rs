//! `planthread retry`

use super::Context;
use crate::{
    failure::{Exit, Failure},
    report::{Paper, View, paper::count},
    run::Retried,
};

/// What the verb takes: only the common options.
#[derive(Debug, clap::Args)]
pub(super) struct Args {}

pub(super) fn run(context: &Context, _: &Args) -> Result<Exit, Failure> {
    context.screen.show(&context.bridge()?.retry()?)
}

impl View for Retried {
    fn write(&self, paper: &mut Paper) {
        paper.line(format!(
            "{} came in now; {} left the list, {} still on it.",
            count(self.taken, "record"),
            self.cured,
            self.still
        ));
        if self.cells > 0 {
            paper.line(format!(
                "{} refused by a target go out again with the next plan.",
                count(self.cells, "cell")
            ));
        }
        if self.still > 0 {
            paper.line("The rest: `planthread rejects`");
        }
    }

    fn exit(&self) -> Exit {
        if self.still == 0 { Exit::Ok } else { Exit::Findings }
    }
}
