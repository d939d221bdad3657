//! `planthread digest [TARGET] --since INSTANT`

use std::{fs, path::PathBuf};

use jiff::Timestamp;

use super::Context;
use crate::{
    failure::{Exit, Failure},
    output, pipeline,
    report::gap::digest::Digest,
};

/// What the verb takes.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The configured target; without it every target is told of
    target: Option<String>,
    /// Since which instant: what was known then is compared with what is known now
    #[arg(long, value_name = "INSTANT")]
    since: Timestamp,
    /// Write it as a workbook for the review, to a new file
    #[arg(long, value_name = "FILE")]
    xlsx: Option<PathBuf>,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let (loaded, reader) = context.reader()?;
    let now = context.clock.now();
    if args.since > now {
        let text = format!("nothing is different since {}: it is {now}", args.since);
        return Err(Failure::usage(text).cure("name the instant of the last review"));
    }
    let names: Vec<String> = match &args.target {
        Some(name) => vec![name.clone()],
        None => loaded.config.targets.keys().cloned().collect(),
    };
    let mut found = Vec::new();
    for name in names {
        let target = context.open(&loaded, Some(&name))?;
        let _doing = context.board.doing(&target.name, "reading what its plan says");
        let digest = pipeline::gap::digest(&loaded, &reader, &target, args.since, now);
        found.push(context.block_on(digest)?);
    }
    let view = Digest::of(now, args.since, found);
    if let Some(file) = &args.xlsx {
        // A workbook that somebody may have worked in does not tell.
        output::only_over_ours(file, |_| false)?;
        let bytes = view.xlsx()?;
        fs::write(file, bytes).map_err(|error| Failure::io("write", file, &error))?;
        context.screen.note(&format!("written: {}", file.display()));
    }
    context.screen.show(&view)
}
