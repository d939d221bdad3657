//! `planthread locks [TARGET]`: what people set in the plan, and what is asked;
//! `planthread locks answer FILE` takes in the sheet that comes back.

use std::{
    fs,
    path::{Path, PathBuf},
};

use clap::Subcommand;

use super::{Context, answer::Who};
use crate::{
    failure::{Exit, Failure},
    output,
    pipeline::locked,
    report::locked::Written,
    serve::sheet,
};

/// What the verb takes.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Args {
    /// The configured target; without it every target is told of
    target: Option<String>,
    /// Write them into this workbook, to be answered in it; `-` is standard output
    #[arg(long, value_name = "FILE")]
    xlsx: Option<PathBuf>,
    #[command(subcommand)]
    what: Option<What>,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Carry out what a sheet answers: all of it or nothing
    Answer(Answers),
}

#[derive(Debug, clap::Args)]
struct Answers {
    /// The workbook, or its sheets saved as CSV
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Leave out the rows of which something has changed since the sheet was made
    #[arg(long)]
    only_unmoved: bool,
    #[command(flatten)]
    by: Who,
}

impl Args {
    /// Whether it decides something.
    pub(super) const fn changes(&self) -> bool {
        self.what.is_some()
    }
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    if let Some(What::Answer(answers)) = &args.what {
        return answer(context, answers);
    }
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

fn answer(
    context: &Context,
    Answers { files, only_unmoved, by }: &Answers,
) -> Result<Exit, Failure> {
    // What can't be read at all changes nothing, and stands in no trail.
    let mut sheets = Vec::new();
    for file in files {
        sheets
            .extend(sheet::tables(file)?.into_iter().map(|(name, rows)| (named(file, name), rows)));
    }
    let bridge = context.bridge()?;
    let who = by.name(&bridge.loaded.config)?;
    let names = bridge.loaded.config.targets.keys();
    let targets: Result<Vec<_>, Failure> =
        names.map(|name| context.open_offline(&bridge.loaded, Some(name))).collect();
    context.screen.show(&bridge.answer_locks(&targets?, &sheets, &who, *only_unmoved)?)
}

/// The sheet's name, or that of a file that has none.
fn named(file: &Path, sheet: String) -> String {
    if sheet.is_empty() {
        file.file_name().unwrap_or_default().to_string_lossy().into()
    } else {
        sheet
    }
}
