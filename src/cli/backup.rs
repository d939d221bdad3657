//! `planthread backup --to FOLDER` and `planthread restore --from FOLDER`

use std::path::PathBuf;

use planthread_engine::{
    Reader,
    backup::{self, BackupManifest, RestoreRequest, Restored},
};
use schemars::JsonSchema;
use serde::Serialize;

use super::{Context, answer::Answer};
use crate::{
    failure::{Exit, Failure},
    pipeline::{Actor, DecisionSince, SinceBackup, locks},
    report::{
        TextTable, View,
        guard::Guard,
        text_table::{count, instant},
    },
};

/// What `backup` takes.
#[derive(Debug, clap::Args)]
pub(super) struct BackupArgs {
    /// A folder that is not there yet; it gets this name when the backup is complete
    #[arg(long, value_name = "FOLDER")]
    to: PathBuf,
}

/// What `restore` takes.
#[derive(Debug, clap::Args)]
pub(super) struct RestoreArgs {
    /// A folder that `backup --to` made
    #[arg(long, value_name = "FOLDER")]
    from: PathBuf,
    #[command(flatten)]
    answer: Answer,
    /// Put it in the place of the state that is there, which is kept aside
    #[arg(long)]
    replace: bool,
}

/// A backup that was made.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct BackupMade {
    /// Where it is.
    folder: PathBuf,
    /// What is in it.
    backup: BackupManifest,
}

/// A state that was put back.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct PutBack {
    /// The state directory.
    state: PathBuf,
    /// What the backup says of itself.
    backup: BackupManifest,
    /// Where the state before is now; none where there was none.
    #[serde(skip_serializing_if = "Option::is_none")]
    kept: Option<PathBuf>,
    /// Values that it had seen, which are not believed any more and read anew.
    expired: u64,
    /// Pushes that were open in it: their end is unclear, and is read back.
    unclear: u64,
    /// The number by which heartbeats of the new writer are known.
    identity: u32,
    /// What the witness of each target says of it.
    guards: Vec<Guard>,
    /// What people decided since the backup was made.
    since: SinceBackup,
}

/// Works beside a bridge that runs.
pub(super) fn backup(context: &Context, args: &BackupArgs) -> Result<Exit, Failure> {
    let state = context.config()?.config.state;
    let _doing = context.board.doing("", "copying the state");
    let version = env!("CARGO_PKG_VERSION");
    let backup = backup::backup(&state, &args.to, version, context.clock.now())?;
    context.screen.show(&BackupMade { folder: args.to.clone(), backup })
}

pub(super) fn restore(context: &Context, args: &RestoreArgs) -> Result<Exit, Failure> {
    let config = context.config()?.config;
    let doing = context.board.doing("", "putting the state back");
    let actor = Actor::new(Some(&args.answer.who(&config)?), &config);
    let request = RestoreRequest {
        from: &args.from,
        state: &config.state,
        replace: args.replace,
        who: &actor.who,
        why: &args.answer.why,
        account: &actor.account,
        random: context.clock.random(),
    };
    // What goes can be told only while it is there; another schema can't be read.
    let now = context.clock.now();
    let since = SinceBackup::of(&config.state, &args.from)?;
    let before = Reader::open(&config.state).ok().map(|reader| locks(&reader, now));
    let before = before.transpose()?.unwrap_or_default();
    let restored = backup::restore(&request, now)?;
    drop(doing);
    let reader = Reader::open(&config.state)?;
    let since = since.without(&before, &locks(&reader, now)?.into_keys().collect());
    let guards = config.targets.iter().map(|(name, target)| Guard::of(&reader, name, target));
    let guards = guards.collect::<Result<_, _>>()?;
    let Restored { backup, kept, expired, unclear, identity } = restored;
    let state = config.state;
    context.screen.show(&PutBack { state, backup, kept, expired, unclear, identity, guards, since })
}

impl View for BackupMade {
    const OUTPUT: &'static str = "backup";

    fn write(&self, text_table: &mut TextTable) {
        let BackupManifest { files, made_at, schema, runs, .. } = &self.backup;
        let bytes: u64 = files.iter().map(|file| file.bytes).sum();
        text_table.line(format!(
            "{}: the state of {}, {} in {}, schema {schema}.",
            self.folder.display(),
            instant(*made_at),
            count(usize::try_from(bytes).unwrap_or(usize::MAX), "byte"),
            count(files.len(), "file")
        ));
        for (target, runs) in runs {
            text_table.line(format!("  {target}: it knows {runs} runs"));
        }
        text_table.line(
            "The configuration, secrets and packs are not in it. `planthread restore --from` puts \
             it back.",
        );
    }
}

impl PutBack {
    /// What became of decisions that the backup does not know.
    fn write_since(&self, text_table: &mut TextTable) {
        let SinceBackup { gone, stay, locks } = &self.since;
        let mut list = |head: &str, all: &[DecisionSince]| {
            if !all.is_empty() {
                text_table
                    .line(format!("  {} since the backup {head}:", count(all.len(), "decision")));
            }
            for DecisionSince { at, who, line, .. } in all {
                text_table.line(format!("    {}, {who}: {line}", instant(*at)));
            }
        };
        list("gone with the state before; decide again what still holds", gone);
        list("kept as records, in force as before", stay);
        if !locks.is_empty() {
            let cells = count(locks.len(), "cell");
            text_table.line(format!("  {cells} locked in the state before and not in this one:"));
        }
        for lock in locks {
            text_table.line(format!("    {lock}"));
        }
    }
}

impl View for PutBack {
    const OUTPUT: &'static str = "restore";

    fn write(&self, text_table: &mut TextTable) {
        text_table.line(format!(
            "{} holds the state of {} again.",
            self.state.display(),
            instant(self.backup.made_at)
        ));
        if let Some(kept) = &self.kept {
            text_table.line(format!(
                "  the state before is kept in {}; remove it when nobody needs it",
                kept.display()
            ));
        }
        text_table.line(format!(
            "  nobody knows what was sent since: {} had been seen and {} not believed, and everything \
             is read before anything is sent",
            count(usize::try_from(self.expired).unwrap_or(usize::MAX), "value"),
            if self.expired == 1 { "is" } else { "are" }
        ));
        if self.unclear > 0 {
            let pushes = count(usize::try_from(self.unclear).unwrap_or(usize::MAX), "push");
            text_table.line(format!("  {pushes} open in it: the end is unclear, and is read back"));
        }
        text_table.line(format!(
            "  it is another writer from now on, number {}: stop what still runs on the other state",
            self.identity
        ));
        text_table.line(
            "  a value that a person wrote at a target since then stays theirs where the folder of \
             packs kept its witness; elsewhere it is taken for ours",
        );
        text_table.line(
            "  records since then are read again from their files and segments; what came over HTTP \
             must be sent again",
        );
        self.write_since(text_table);
        for guard in &self.guards {
            guard.write(text_table);
        }
        text_table.line("Next: `planthread run`, or `planthread plan` to look first.");
    }
}
