//! `planthread export csv|xlsx`

use std::{fs, path::PathBuf};

use clap::ValueEnum;
use planthread_engine::ledger::{self, CellView};
use serde::Serialize;

use super::Context;
use crate::{
    config::{Loaded, Wiring},
    failure::{Exit, Failure},
    report::{
        Paper, View,
        cells::{self, CellRow},
        paper::count,
    },
};

/// What the verb takes.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The format
    format: FileFormat,
    /// The file; `-` is standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Only this target
    #[arg(long, value_name = "NAME")]
    target: Option<String>,
    /// Only this resource, as the target calls it
    #[arg(long, value_name = "NAME")]
    resource: Option<String>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum FileFormat {
    /// Comma-separated text
    Csv,
    /// A workbook: frozen heading, filter, numbers as numbers
    Xlsx,
}

/// What was written.
#[derive(Debug, Serialize)]
struct Exported {
    file: PathBuf,
    cells: usize,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let (loaded, reader) = context.reader()?;
    let mut rows = Vec::new();
    ledger::cells(&reader, context.clock.now(), |cell| {
        let wanted = |name: &Option<String>, own: &str| name.as_ref().is_none_or(|n| n == own);
        if wanted(&args.target, &cell.key.target) && wanted(&args.resource, &cell.key.resource) {
            rows.push(row(&loaded, &cell));
        }
        Ok(())
    })?;
    let (bytes, extension) = match args.format {
        FileFormat::Csv => (cells::csv(&rows)?, "csv"),
        FileFormat::Xlsx => (cells::xlsx(&rows)?, "xlsx"),
    };
    let file = args.output.clone().unwrap_or_else(|| PathBuf::from(format!("cells.{extension}")));
    if file.as_os_str() == "-" {
        context.screen.raw(&bytes)?;
        return Ok(Exit::Ok);
    }
    fs::write(&file, &bytes).map_err(|error| Failure::io("write", &file, &error))?;
    context.screen.show(&Exported { file, cells: rows.len() })
}

fn row(loaded: &Loaded, cell: &CellView) -> CellRow {
    let target = loaded.config.targets.get(&cell.key.target);
    let decl =
        target.and_then(|t| t.measures.iter().find(|measure| measure.name == cell.key.measure));
    let surface = decl.map_or("", |decl| decl.surface.as_str());
    let unit = decl.map_or("", |decl| decl.unit.code());
    let drives = target.is_some_and(|target| {
        let in_use = &target.in_use;
        in_use.wiring != Wiring::None && in_use.measure.as_ref() == Some(&cell.key.measure)
    });
    let seen = cell.seen.as_ref();
    CellRow {
        wanted: Some(cell.value),
        seen: seen.and_then(|seen| seen.value),
        seen_at: seen.map(|seen| seen.at),
        status: cell.status.word().to_owned(),
        state: cell.state.word().replace('_', " "),
        held: cell.held_for.as_deref().unwrap_or_default().replace('_', " "),
        as_of: Some(cell.as_of),
        valid_until: Some(cell.valid_until),
        in_use: match (drives, cell.in_use_since) {
            (false, _) => String::new(),
            (true, Some(_)) => "yes".to_owned(),
            (true, None) => "no".to_owned(),
        },
        ..CellRow::of(&cell.key, surface, unit)
    }
}

impl View for Exported {
    fn write(&self, paper: &mut Paper) {
        paper.line(format!("{} with {}", self.file.display(), count(self.cells, "cell")));
    }
}
