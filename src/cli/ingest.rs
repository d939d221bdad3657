//! `planthread ingest [FILE]...`

use std::{
    io,
    path::{Path, PathBuf},
};

use planthread_engine::journal;

use super::Context;
use crate::{
    failure::{Exit, Failure},
    pipeline::Bridge,
    report::intake::Ingested,
    serve::{
        files::{self, FileReport},
        piped,
    },
};

/// What the verb takes.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Files of newline-delimited CloudEvents, `-` for standard input; without
    /// any, the files of every configured source
    files: Vec<PathBuf>,
    /// Read the files, or standard input, as this configured source declares
    #[arg(long, value_name = "NAME")]
    source: Option<String>,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let bridge = context.bridge()?;
    let reports = if args.files.is_empty() {
        bridge.ingest()?
    } else {
        args.files
            .iter()
            .map(|file| take(context, &bridge, file, args))
            .collect::<Result<_, _>>()?
    };
    let journal = journal::counts(&bridge.reader()?)?;
    context.screen.show(&Ingested { files: reports, journal })
}

fn take(
    context: &Context,
    bridge: &Bridge,
    file: &Path,
    args: &Args,
) -> Result<FileReport, Failure> {
    let door = bridge.door().counted_by(context.board.doing("", "taking records in"));
    let stdin = file == Path::new("-");
    if let Some(name) = &args.source {
        let plant = &bridge.loaded.config.plant;
        let source = plant.source(name).ok_or_else(|| {
            let known: Vec<&str> = plant.sources.iter().map(|s| s.name.as_str()).collect();
            Failure::usage(format!("there is no source `{name}`"))
                .cure(format!("sources: {}", known.join(", ")))
        })?;
        if stdin {
            return piped::piped(source, io::stdin().lock(), "stdin", &door);
        }
        return files::source_file(plant, source, file, &door, &bridge.reader()?);
    }
    if stdin {
        return piped::events(io::stdin().lock(), "stdin", &door);
    }
    piped::events_file(file, &door)
}
