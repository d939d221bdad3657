//! `planthread derive [--explain RESOURCE PERIOD]`

use jiff::Timestamp;
use planthread_contracts::Period;
use planthread_domain::derive::Derivation;
use planthread_engine::Reader;

use super::Context;
use crate::{
    config::Loaded,
    failure::{Exit, Failure},
    report::derived::{Derived, Explained},
    run,
};

/// What the verb takes.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Show the arithmetic of one number in words
    #[arg(long, num_args = 2, value_names = ["RESOURCE", "PERIOD"])]
    explain: Option<Vec<String>>,
    /// The instant to speak for; the current cycle by default
    #[arg(long, value_name = "INSTANT")]
    as_of: Option<Timestamp>,
    /// Read the files of the sources, even where there is a journal
    #[arg(long)]
    files: bool,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let loaded = context.config()?;
    let plant = &loaded.config.plant;
    let as_of = args.as_of.unwrap_or_else(|| plant.as_of(context.clock.now()));
    let (derivation, from, refused) = derive(context, &loaded, args.files, as_of)?;
    if let Some([resource, period]) = args.explain.as_deref() {
        let period: Period = period.parse().map_err(|error| Failure::usage(format!("{error}")))?;
        let explanation = run::explain(&loaded, &derivation, resource, period)?;
        return context.screen.show(&Explained(explanation));
    }
    let view = Derived::of(&derivation, from, refused);
    if !context.screen.json {
        return context.screen.show(&view);
    }
    // Many lines: one object each, so that a reader can begin with the first.
    for line in &view.lines {
        context.screen.json_line(line)?;
    }
    Ok(crate::report::View::exit(&view))
}

fn derive(
    context: &Context,
    loaded: &Loaded,
    files: bool,
    as_of: Timestamp,
) -> Result<(Derivation, &'static str, usize), Failure> {
    if !files && let Ok(reader) = Reader::open(&loaded.config.state) {
        return Ok((run::derive_journal(loaded, &reader, as_of)?, "the journal", 0));
    }
    let (facts, refused) = run::facts_of_files(loaded, context.clock.now())?;
    for one in refused.iter().take(5) {
        let (place, line) = (&one.origin.place, one.origin.line);
        context.screen.note(&format!("{place} line {line}: {}: {}", one.field, one.reason));
    }
    let derivation = run::derive_facts(loaded, &facts, as_of)?;
    Ok((derivation, "the files of the sources", refused.len()))
}
