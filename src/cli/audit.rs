//! `planthread audit verify|list`

use std::{collections::VecDeque, path::Path};

use clap::Subcommand;
use planthread_engine::{
    audit_trail::{self, Checked, Entry},
    ledger::{self, Audit},
};
use schemars::JsonSchema;
use serde::Serialize;

use super::Context;
use crate::{
    failure::{Exit, Failure},
    report::{
        TextTable, Tone, View,
        text_table::{count, instant},
    },
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
    Verify {
        /// The head of the audit trail that somebody kept: it names what is missing since
        #[arg(long, value_name = "DIGEST")]
        head: Option<String>,
    },
    /// List who changed what: the last entries of the audit trail
    List {
        /// So many of them
        #[arg(long, value_name = "N", default_value_t = 50)]
        last: usize,
    },
}

/// What was counted, and whether the audit trail is whole.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(transparent)]
pub(super) struct Audited(Audit);

/// The last entries of the audit trail.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Listed {
    /// The entries, the oldest first.
    entries: Vec<Entry>,
    /// Whether the trail is whole, and where it ends.
    trail: Checked,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    match &args.what {
        What::Verify { head } => {
            let (loaded, reader) = context.reader()?;
            let state = &loaded.config.state;
            let mut trail = audit_trail::check(state, head.as_deref(), |_| Ok(()))?;
            if trail.entries == 0 && trail.fault.is_none() {
                trail.fault = ledger::done_without_trail(&reader, state)?;
            }
            context.screen.show(&Audited(Audit { trail: Some(trail), ..ledger::audit(&reader)? }))
        }
        What::List { last } => {
            let state = context.config()?.config.state;
            context.screen.show(&listed(&state, *last)?)
        }
    }
}

fn listed(state: &Path, last: usize) -> Result<Listed, Failure> {
    let mut entries = VecDeque::new();
    let trail = audit_trail::check(state, None, |entry| {
        if entries.len() == last {
            entries.pop_front();
        }
        entries.push_back(entry.clone());
        Ok(())
    })?;
    entries.truncate(last);
    Ok(Listed { entries: entries.into(), trail })
}

impl View for Listed {
    const OUTPUT: &'static str = "audit list";

    fn write(&self, text_table: &mut TextTable) {
        for Entry { number, act, .. } in &self.entries {
            let about: Vec<String> =
                act.about.iter().map(|(word, text)| format!("{word} {text}")).collect();
            text_table.line(format!(
                "{number:>6}  {}  {} ({}): {}; {}",
                instant(act.at),
                act.who,
                act.account,
                act.act,
                about.join(", ")
            ));
        }
        write_trail(&self.trail, text_table);
    }

    fn exit(&self) -> Exit {
        exit_of(&self.trail)
    }
}

fn exit_of(trail: &Checked) -> Exit {
    if trail.fault.is_none() { Exit::Ok } else { Exit::Findings }
}

fn write_trail(trail: &Checked, text_table: &mut TextTable) {
    match &trail.head {
        Some(head) => text_table.line(format!(
            "Audit trail: {}, head {}",
            if trail.entries == 1 {
                "1 entry".to_owned()
            } else {
                format!("{} entries", trail.entries)
            },
            head.digest
        )),
        None => text_table.line("Audit trail: no entry."),
    };
    if let Some(fault) = &trail.fault {
        let wrong = text_table.tint(Tone::Bad, "wrong:");
        text_table.line(format!("  {wrong} entry {}: {}", fault.number, fault.reason));
        text_table.line("  nothing proves what stands behind it");
        text_table.line(
            "  cure: find out who had the state directory in hands; a backup holds the trail as \
             it was",
        );
    }
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
        if self.exit() == Exit::Ok {
            text_table.line("Nothing is wrong.");
        }
        for finding in &audit.findings {
            text_table.line(format!("  {} {finding}", text_table.tint(Tone::Bad, "wrong:")));
        }
        if !audit.findings.is_empty() {
            text_table.line("  cure: stop what writes this state, and put it back from its backup");
        }
        if let Some(trail) = &audit.trail {
            write_trail(trail, text_table);
        }
    }

    fn exit(&self) -> Exit {
        if self.0.findings.is_empty() {
            self.0.trail.as_ref().map_or(Exit::Ok, exit_of)
        } else {
            Exit::Findings
        }
    }
}
