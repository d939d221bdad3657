//! `planthread audit verify`

use clap::Subcommand;
use planthread_engine::ledger::{self, Audit};
use schemars::JsonSchema;
use serde::Serialize;

use super::Context;
use crate::{
    failure::{Exit, Failure},
    report::{TextTable, Tone, View, text_table::count},
};

/// What the verb takes.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Count every revision again, read every value, compare every record with
    /// its digest, and check the database file
    Verify,
}

/// What was counted.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(transparent)]
pub(super) struct Audited(Audit);

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let What::Verify = args.what;
    let (_, reader) = context.reader()?;
    context.screen.show(&Audited(ledger::audit(&reader)?))
}

impl View for Audited {
    const OUTPUT: &'static str = "audit";

    fn write(&self, text_table: &mut TextTable) {
        let audit = &self.0;
        text_table.line(format!(
            "{} revisions were ever made, {} are in a state.",
            audit.made, audit.counted
        ));
        text_table.line(format!(
            "{} compared with their digests; the database file is {}.",
            count(audit.records, "record"),
            if audit.database { "sound" } else { "damaged" }
        ));
        if audit.findings.is_empty() {
            text_table.line("Nothing is wrong.");
        }
        for finding in &audit.findings {
            text_table.line(format!("  {} {finding}", text_table.tint(Tone::Bad, "wrong:")));
        }
        if !audit.findings.is_empty() {
            text_table.line("  cure: stop what writes this state, and put it back from its backup");
        }
    }

    fn exit(&self) -> Exit {
        if self.0.findings.is_empty() { Exit::Ok } else { Exit::Findings }
    }
}
