//! `planthread export csv|xlsx`

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
};

use clap::ValueEnum;
use planthread_engine::{
    ledger::{self, CellView},
    plan::HoldReason,
};
use schemars::JsonSchema;
use serde::Serialize;

use super::Context;
use crate::{
    config::{Loaded, Wiring},
    failure::{Exit, Failure},
    output,
    report::{
        TextTable, View,
        cells::{self, CellRow},
        text_table::count,
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
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Exported {
    /// The file.
    file: PathBuf,
    /// Cells in it, a row each.
    cells: usize,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let (loaded, reader) = context.reader()?;
    let mut rows = Vec::new();
    let mut known = Known::of(&loaded);
    ledger::cells(&reader, context.clock.now(), |cell| {
        let wanted = |name: &Option<String>, own: &str| name.as_ref().is_none_or(|n| n == own);
        known.add(&cell.key.target, &cell.key.resource);
        if wanted(&args.target, &cell.key.target) && wanted(&args.resource, &cell.key.resource) {
            rows.push(row(&loaded, &cell));
        }
        Ok(())
    })?;
    known.check(args)?;
    let (bytes, extension) = match args.format {
        FileFormat::Csv => (cells::csv(&rows)?, "csv"),
        FileFormat::Xlsx => (cells::xlsx(&rows)?, "xlsx"),
    };
    let file = args.output.clone().unwrap_or_else(|| PathBuf::from(format!("cells.{extension}")));
    if file.as_os_str() == "-" {
        context.screen.raw(&bytes)?;
        return Ok(Exit::Ok);
    }
    output::only_over_ours(&file, |first| match args.format {
        // The heading is ours; a workbook that somebody may have worked in does
        // not tell.
        FileFormat::Csv => heading(&bytes).is_some_and(|ours| heading(first) == Some(ours)),
        FileFormat::Xlsx => false,
    })?;
    fs::write(&file, &bytes).map_err(|error| Failure::io("write", &file, &error))?;
    context.screen.show(&Exported { file, cells: rows.len() })
}

/// The first line of a table, where it has one.
fn heading(text: &[u8]) -> Option<&[u8]> {
    text.iter().position(|byte| *byte == b'\n').map(|end| &text[..end])
}

/// The names that may be asked for, with the resources of each target.
struct Known(BTreeMap<String, BTreeSet<String>>);

impl Known {
    /// Names in a message; more would hide the one that was meant.
    const NAMED: usize = 20;

    fn of(loaded: &Loaded) -> Self {
        let targets = loaded.config.targets.iter().map(|(name, target)| {
            let rows = target.mapping.rows.iter();
            (name.clone(), rows.map(|row| row.resource.clone()).collect())
        });
        Self(targets.collect())
    }

    /// What the ledger has counts, too: it outlives a configuration.
    fn add(&mut self, target: &str, resource: &str) {
        match self.0.get_mut(target) {
            Some(resources) if resources.contains(resource) => {}
            Some(resources) => drop(resources.insert(resource.to_owned())),
            None => drop(self.0.insert(target.to_owned(), [resource.to_owned()].into())),
        }
    }

    /// A name that nothing has would give an empty file, and nobody would know
    /// why.
    fn check(&self, args: &Args) -> Result<(), Failure> {
        let none = |what: &str, name: &str, known: BTreeSet<&String>| {
            let more = known.len().saturating_sub(Self::NAMED);
            let list: Vec<&str> = known.into_iter().take(Self::NAMED).map(String::as_str).collect();
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            Failure::usage(format!("there is no {what} `{name}`"))
                .cure(format!("known: {}{more}", list.join(", ")))
        };
        if let Some(name) = args.target.as_ref().filter(|name| !self.0.contains_key(*name)) {
            return Err(none("target", name, self.0.keys().collect()));
        }
        let asked = |target: &String| args.target.as_ref().is_none_or(|name| name == target);
        let resources: BTreeSet<&String> =
            self.0.iter().filter(|(target, _)| asked(target)).flat_map(|(_, r)| r).collect();
        match &args.resource {
            Some(name) if !resources.contains(name) => Err(none("resource", name, resources)),
            _ => Ok(()),
        }
    }
}

fn row(loaded: &Loaded, cell: &CellView) -> CellRow {
    let target = loaded.config.targets.get(cell.key.target.as_str());
    let decl =
        target.and_then(|t| t.measures.iter().find(|measure| measure.name == cell.key.measure));
    let surface = decl.map_or("", |decl| decl.surface.as_str());
    let code = decl.is_some_and(|decl| decl.carries.accompanies());
    let unit = decl.map_or("", |decl| decl.unit.code());
    let drives = target.is_some_and(|target| {
        let in_use = &target.in_use;
        in_use.wiring != Wiring::None
            && in_use.measure.as_deref() == Some(cell.key.measure.as_str())
    });
    let seen = cell.seen.as_ref();
    CellRow {
        wanted: Some(cell.value),
        seen: seen.and_then(|seen| seen.value),
        seen_at: seen.map(|seen| seen.at),
        status: cell.status.word().to_owned(),
        state: cell.state.word().replace('_', " "),
        held: cell.held_for.map_or("", HoldReason::word).replace('_', " "),
        as_of: Some(cell.as_of),
        valid_until: Some(cell.valid_until),
        in_use: match (drives, cell.in_use_since) {
            (false, _) => String::new(),
            (true, Some(_)) => "yes".to_owned(),
            (true, None) => "no".to_owned(),
        },
        code,
        ..CellRow::of(&cell.key, surface, unit)
    }
}

impl View for Exported {
    const OUTPUT: &'static str = "export";

    fn write(&self, text_table: &mut TextTable) {
        text_table.line(format!("{} with {}", self.file.display(), count(self.cells, "cell")));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_nothing_has_is_answered_with_the_known_ones() {
        let file = std::path::Path::new("/etc/pt/planthread.yaml");
        let loaded = crate::config::parse(
            &crate::starter::config(&[&crate::registry::TARGETS[0]]),
            file,
            None,
        )
        .unwrap();
        let mut known = Known::of(&loaded);
        known.add("old", "OVEN-9");
        let ask = |target: Option<&str>, resource: Option<&str>| {
            let (target, resource) = (target.map(str::to_owned), resource.map(str::to_owned));
            known.check(&Args { format: FileFormat::Csv, output: None, target, resource })
        };
        let failure = ask(Some("nosuch"), None).unwrap_err();
        assert_eq!(failure.exit, Exit::Usage);
        assert_eq!(failure.cure, "known: ibp, old");
        let failure = ask(Some("ibp"), Some("NOPE")).unwrap_err();
        assert_eq!(failure.cure, "known: LINE-1, LINE-2, LINE-3, LINE-4");
        assert!(ask(None, Some("OVEN-9")).is_ok() && ask(Some("ibp"), Some("LINE-2")).is_ok());
    }
}
