//! `planthread locks [TARGET]`: what people set in the plan, and what is asked.

use std::{fs, path::PathBuf};

use super::Context;
use crate::{
    failure::{Exit, Failure},
    output,
    pipeline::locked,
    report::locked::Written,
};

/// What the verb takes.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The configured target; without it every target is told of
    target: Option<String>,
    /// Write them into this workbook, to be answered in it; `-` is standard output
    #[arg(long, value_name = "FILE")]
    xlsx: Option<PathBuf>,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let (loaded, reader) = context.reader()?;
    let names: Vec<&String> = match &args.target {
        Some(name) => vec![name],
        None => loaded.config.targets.keys().collect(),
    };
    let targets: Result<Vec<_>, Failure> =
        names.into_iter().map(|name| context.open_offline(&loaded, Some(name))).collect();
    let found = locked::locked(&loaded, &reader, &targets?, context.clock.now())?;
    let Some(file) = &args.xlsx else { return context.screen.show(&found) };
    let bytes = found.xlsx()?;
    if file.as_os_str() == "-" {
        context.screen.raw(&bytes)?;
        return Ok(Exit::Ok);
    }
    // Somebody may have answered in one that is there.
    output::only_over_ours(file, |_| false)?;
    fs::write(file, &bytes).map_err(|error| Failure::io("write", file, &error))?;
    let (locks, questions) = (found.locks.len(), found.questions.len());
    context.screen.show(&Written { file: file.clone(), locks, questions })
}
