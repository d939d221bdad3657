//! `planthread gap [TARGET]`

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::Context;
use crate::{
    failure::{Exit, Failure},
    output, pipeline,
    report::gap::Gap,
};

/// What the verb takes.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The configured target; without it every target is compared
    target: Option<String>,
    /// Show every line and week, and not only what is short
    #[arg(long)]
    all: bool,
    /// Write it as one page without scripts, for mail and intranet; the file may be
    /// written again
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Write it as a workbook, to a new file
    #[arg(long, value_name = "FILE")]
    xlsx: Option<PathBuf>,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let (loaded, reader) = context.reader()?;
    let names: Vec<String> = match &args.target {
        Some(name) => vec![name.clone()],
        None => loaded.config.targets.keys().cloned().collect(),
    };
    let now = context.clock.now();
    let mut found = Vec::new();
    for name in names {
        let target = context.open(&loaded, Some(&name))?;
        let _doing = context.board.doing(&target.name, "reading what its plan says");
        found.push(context.block_on(pipeline::gap::gap(&loaded, &reader, &target, now))?);
    }
    let view = Gap::of(now, found).showing_all(args.all);
    let mut files: Vec<(&Path, Vec<u8>)> = Vec::new();
    if let Some(file) = &args.html {
        let ours = |first: &[u8]| first.starts_with(Gap::PAGE_BEGINS.as_bytes());
        output::only_over_ours(file, ours)?;
        files.push((file, view.html().into_bytes()));
    }
    if let Some(file) = &args.xlsx {
        // A workbook that somebody may have worked in does not tell.
        output::only_over_ours(file, |_| false)?;
        files.push((file, view.xlsx()?));
    }
    for (file, bytes) in files {
        fs::write(file, bytes).map_err(|error| Failure::io("write", file, &error))?;
        context.screen.note(&format!("written: {}", file.display()));
    }
    context.screen.show(&view)
}
