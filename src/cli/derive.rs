//! `planthread derive [--explain RESOURCE PERIOD [--measure NAME | --figure NAME] | --signals]`

use jiff::Timestamp;
use planthread_contracts::{Carries, Period};
use planthread_domain::{Deriver, lanes::in_order};
use planthread_engine::Reader;

use super::Context;
use crate::{
    config::Loaded,
    failure::{Exit, Failure},
    pipeline::{self, Journaled},
    report::derived::{Derived, Explained, ExplainedCells},
};

/// What the verb takes.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Show the arithmetic of one number in words
    #[arg(long, num_args = 2, value_names = ["RESOURCE", "PERIOD"])]
    explain: Option<Vec<String>>,
    /// Explain what this measure of a target holds: figure, share, unit, rounding
    #[arg(long, value_name = "NAME", requires = "explain")]
    measure: Option<String>,
    /// Explain this figure instead of attainable hours: low_hours, severity, ...
    #[arg(long, value_name = "NAME", requires = "explain", conflicts_with = "measure",
        value_parser = figure)]
    figure: Option<Carries>,
    /// Print the three planning signals, one CloudEvent a line
    #[arg(long, conflicts_with = "explain")]
    signals: bool,
    /// The instant to speak for; the current cycle by default
    #[arg(long, value_name = "INSTANT")]
    as_of: Option<Timestamp>,
    /// Read the files of the sources, even where there is a journal
    #[arg(long)]
    files: bool,
}

/// A figure by the word that measures use in `carries`.
fn figure(word: &str) -> Result<Carries, String> {
    serde_json::from_value(word.replace('-', "_").into()).map_err(|error| error.to_string())
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let loaded = context.config()?;
    let plant = &loaded.config.plant;
    let as_of = args.as_of.unwrap_or_else(|| plant.as_of(context.clock.now()));
    let _doing = context.board.doing("", "deriving");
    let (facts, from, refused) = facts(context, &loaded, args.files, as_of)?;
    if let Some([resource, period]) = args.explain.as_deref() {
        let period: Period = period.parse().map_err(|error| Failure::usage(format!("{error}")))?;
        return explain(context, &loaded, &facts, as_of, args, (resource, period));
    }
    let deriver = pipeline::derive_facts(&loaded, &facts.all, as_of)?;
    if args.signals {
        return print_signals(context, &loaded, &deriver, refused);
    }
    let as_of = deriver.origin().as_of;
    context.screen.say(&format!("As of {as_of}, from {from}. Hours.\n"))?;
    let names: Vec<&str> = deriver.names().collect();
    let derived = |(): &mut (), name: &&str| Derived::of(&deriver.of([*name]));
    in_order(vec![(); pipeline::cores()], &names, derived, |all| {
        for one in all {
            show(context, &one)?;
        }
        Ok::<_, Failure>(())
    })?;
    if refused == 0 {
        return Ok(Exit::Ok);
    }
    context.screen.say(&format!("{refused} records were refused: `planthread rejects`"))?;
    Ok(Exit::Findings)
}

fn show(context: &Context, derived: &Derived) -> Result<(), Failure> {
    if !context.screen.json {
        return context.screen.text(|text_table| derived.write(text_table));
    }
    // Many lines: one object each, so that a reader can begin with the first.
    derived.lines.iter().try_for_each(|line| context.screen.show(line).map(|_| ()))
}

fn explain(
    context: &Context,
    loaded: &Loaded,
    facts: &Journaled,
    as_of: Timestamp,
    args: &Args,
    (resource, period): (&str, Period),
) -> Result<Exit, Failure> {
    let measure =
        args.measure.as_deref().map(|name| pipeline::measure(loaded, name)).transpose()?;
    let carries = measure.map(|(.., measure)| measure.carries).or(args.figure);
    let deriver = match carries {
        Some(Carries::PlanCut) => pipeline::derive_taken_cut(loaded, &facts.at_cut, as_of)?,
        _ => pipeline::derive_facts(loaded, &facts.all, as_of)?,
    };
    let decided = |resource: &str, period| {
        pipeline::decided_notes(&facts.decided, &loaded.config.plant, resource, period)
    };
    if let Some(measure) = measure {
        let mut cells = pipeline::explain_measure(loaded, &deriver, (resource, period), measure)?;
        for figure in cells.iter_mut().flat_map(|cell| &mut cell.figures) {
            figure.notes.extend(decided(&figure.resource, figure.period));
        }
        return context.screen.show(&ExplainedCells { cells });
    }
    let figure = args.figure.unwrap_or(Carries::AttainableClockHours);
    let figure = pipeline::capacity_of_cut(loaded, figure);
    let mut explanation = pipeline::explain(loaded, &deriver, resource, period, figure)?;
    explanation.notes.extend(decided(resource, period));
    context.screen.show(&Explained(explanation))
}

/// One event a line, always as JSON: it is a contract, not a view.
fn print_signals(
    context: &Context,
    loaded: &Loaded,
    deriver: &Deriver<'_>,
    refused: usize,
) -> Result<Exit, Failure> {
    let mut exit = if refused == 0 { Exit::Ok } else { Exit::Findings };
    for signal in pipeline::signals(loaded, deriver) {
        match signal {
            Ok(event) => context.screen.event(&event)?,
            Err(broken) => {
                let words = format!("not printed, because it breaks its contract: {broken}");
                context.screen.note(&words);
                exit = Exit::Findings;
            }
        }
    }
    Ok(exit)
}

/// Where the facts come from, and how many records were refused.
pub(super) fn facts(
    context: &Context,
    loaded: &Loaded,
    files: bool,
    as_of: Timestamp,
) -> Result<(Journaled, &'static str, usize), Failure> {
    if !files && let Ok(reader) = Reader::open(&loaded.config.state) {
        return Ok((pipeline::facts_of_journal(loaded, &reader, as_of)?, "the journal", 0));
    }
    let (facts, refused) = pipeline::facts_of_files(loaded, context.clock.now())?;
    for one in refused.iter().take(5) {
        let (place, line) = (&one.origin.place, one.origin.line);
        context.screen.note(&format!("{place} line {line}: {}: {}", one.field, one.reason));
    }
    let undecoded = refused.len() as u64;
    let facts = Journaled { at_cut: facts.clone(), all: facts, decided: Vec::new(), undecoded };
    Ok((facts, "the files of the sources", refused.len()))
}
