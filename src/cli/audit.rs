//! `planthread audit verify`

use clap::Subcommand;
use planthread_engine::ledger::{self, Audit};
use serde::Serialize;

use super::Context;
use crate::{
    failure::{Exit, Failure},
    report::{Paper, Tone, View},
};

/// What the verb takes.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Count every revision again and compare it with the books
    Verify,
}

/// What was counted.
#[derive(Debug, Serialize)]
#[serde(transparent)]
struct Audited(Audit);

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let What::Verify = args.what;
    let (_, reader) = context.reader()?;
    context.screen.show(&Audited(ledger::audit(&reader)?))
}

impl View for Audited {
    fn write(&self, paper: &mut Paper) {
        let audit = &self.0;
        paper.line(format!(
            "{} revisions were ever made, {} are in a state.",
            audit.made, audit.counted
        ));
        for finding in &audit.findings {
            paper.line(format!("  {} {finding}", paper.tint(Tone::Bad, "wrong:")));
        }
    }

    fn exit(&self) -> Exit {
        if self.0.findings.is_empty() { Exit::Ok } else { Exit::Internal }
    }
}
