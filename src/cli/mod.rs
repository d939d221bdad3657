//! The command line: a file per verb. A verb's file says what it takes, calls
//! one library function, and shows one view.

mod accuracy;
mod adopt;
mod agreement;
mod answer;
mod apply;
mod asof;
mod attempt;
mod audit;
mod backup;
mod check;
mod completions;
mod context;
mod demo;
mod derive;
mod digest;
mod discover;
mod drill;
mod explain;
mod export;
mod fallback;
mod flows;
mod gap;
mod ingest;
mod init;
mod locks;
mod log;
mod man;
mod map;
mod mock;
pub mod outputs;
mod pause;
mod plan;
mod promote;
mod rejects;
mod release;
mod replay;
mod retry;
mod run;
mod schema;
pub mod screen;
mod segments;
mod setup;
mod standby;
mod status;
mod stop;
mod take_back;
mod ticker;
mod trace;
mod undo;
mod validate;
mod verify;
pub mod vocabulary;

use std::{
    ffi::OsString,
    process::ExitCode,
    sync::{LazyLock, OnceLock},
};

use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use crate::failure::{Exit, Failure};
pub use context::Context;
use context::{Change, Common, WithoutState};
use screen::Screen;

/// Factory truth, landed in the plan, with proof.
#[derive(Debug, Parser)]
#[command(name = "planthread", version, long_version = LONG_VERSION.as_str())]
#[command(propagate_version = true, after_help = WALK)]
#[command(subcommand_required = true, arg_required_else_help = true, max_term_width = 100)]
struct Cli {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    verb: Verb,
}

/// What was built, of which sources, for which targets.
static LONG_VERSION: LazyLock<String> = LazyLock::new(|| {
    let commit = match option_env!("PLANTHREAD_COMMIT") {
        Some(commit) => format!("commit {commit}"),
        None => "built from a working tree, of no named commit".to_owned(),
    };
    let (version, connectors) = (env!("CARGO_PKG_VERSION"), crate::registry::names().join(", "));
    format!("{version}\n{commit}\nconnectors: {connectors}")
});

const WALK: &str = "\
The way of a number:
  ingest → derive → plan → apply → verify     (`run` does all of it, every cycle)

Begin with:
  planthread demo               a simulated plant, a planning sandbox, and the page a planner sees
  planthread init               a commented configuration that works with the sandbox

Exit codes: 0 ok, 1 findings, 2 usage or configuration, 3 later, 4 held, 70 our fault
(`planthread explain exit-codes`)";

#[derive(Debug, Subcommand)]
enum Verb {
    /// Show everything at work: simulated plant, sandbox, bridge, planner page
    Demo(demo::Args),
    /// Serve a vendor's sandbox on this machine
    Mock(mock::Args),
    /// Write a commented configuration to begin with
    Init(init::Args),
    /// Check the configuration without touching a target
    Validate(validate::Args),
    /// Print the sheet of what the target's consultant must prepare
    Setup(setup::Args),
    /// Ask the target whether it is prepared, line by line of the sheet
    Check(check::Args),
    /// List what the target offers
    Discover(discover::Args),
    /// Match factory resources with the target's
    Map(map::Args),
    /// Take raw records in, durably
    Ingest(ingest::Args),
    /// Compare what the plan asks of each line with what the line can do
    Gap(gap::Args),
    /// Say what is different since a supply review, and why
    Digest(digest::Args),
    /// Say which values are others than they were as of an instant, and why
    Asof(asof::Args),
    /// Say what another configuration would land from the same records
    Replay(replay::Args),
    /// Turn raw records into capacity per resource and period
    Derive(derive::Args),
    /// Compare past weeks as they were foretold with what happened
    Accuracy(accuracy::Args),
    /// Say what would be written: wanted minus seen, cell by cell
    Plan(plan::Args),
    /// Write what a plan says
    Apply(apply::Args),
    /// Read the landed cells back and say what they hold
    Verify(verify::Args),
    /// Put back what a push had replaced
    Undo(undo::Args),
    /// Run the whole way, every cycle, until stopped
    Run(run::Args),
    /// Say how every target stands
    Status(status::Args),
    /// Say which targets are away, and what can be loaded by hand meanwhile
    Fallback(fallback::Args),
    /// Rehearse bad days before the sandboxes of the configured targets
    Drill(drill::Args),
    /// Send a target nothing until it is let go
    Pause(pause::PauseArgs),
    /// Let a paused target go
    Resume(pause::ResumeArgs),
    /// List what was refused, with reason and cure
    Rejects(rejects::Args),
    /// Take refused records and cells again, after the cause was put right
    Retry(retry::Args),
    /// Let go what waits for a person: a taken cell, an open case
    Release(release::Args),
    /// List what people set in the plan and what is asked, to be answered in a sheet
    Locks(locks::Args),
    /// List the pushes that have no end, or end one
    Attempt(attempt::Args),
    /// Take back truth of a later instant than now, after a wrong clock
    TakeBack(take_back::Args),
    /// Follow one cell back to the records behind it
    Trace(trace::Args),
    /// Record who lets Planthread write a measure that it does not own
    Promote(promote::Args),
    /// Record who lets Planthread replace values that it never landed
    Adopt(adopt::Args),
    /// Sign, verify, probe and enable what lets a target be written
    Agreement(agreement::Args),
    /// Write the landed cells to a file for people
    Export(export::Args),
    /// Count the ledger again
    Audit(audit::Args),
    /// Copy the state, beside a bridge that runs
    Backup(backup::BackupArgs),
    /// Put a copy of the state back
    Restore(backup::RestoreArgs),
    /// Plant side: seal the records into numbered segments in a folder
    Collect(segments::CollectArgs),
    /// Planning side: take sealed segments from a folder
    Deliver(segments::DeliverArgs),
    /// Print every connection that the configuration asks for, as a sheet to sign
    Flows(flows::Args),
    /// Print a published JSON Schema
    Schema(schema::Args),
    /// Explain a word from a message, or an exit code
    Explain(explain::Args),
    /// Write the manual's pages, one for each verb
    Man(man::Args),
    /// Print completions for your shell
    Completions(completions::Args),
}

impl Verb {
    /// What it does where there is no state.
    const fn without_state(&self) -> WithoutState {
        match self {
            Self::Verify(_)
            | Self::Undo(_)
            | Self::Status(_)
            | Self::Rejects(_)
            | Self::Retry(_)
            | Self::Release(_)
            | Self::Locks(_)
            | Self::Attempt(_)
            | Self::TakeBack(_)
            | Self::Trace(_)
            | Self::Export(_)
            | Self::Digest(_)
            | Self::Asof(_)
            | Self::Replay(_)
            | Self::Audit(_)
            | Self::Backup(_) => WithoutState::Refuses,
            Self::Derive(_)
            | Self::Accuracy(_)
            | Self::Plan(_)
            | Self::Fallback(_)
            | Self::Pause(_)
            | Self::Resume(_)
            | Self::Promote(_)
            | Self::Adopt(_)
            | Self::Agreement(_) => WithoutState::RefusesOption,
            Self::Setup(args) if args.changes() => WithoutState::RefusesOption,
            _ => WithoutState::Goes,
        }
    }

    /// Whether it takes records in, decides something, or sends: what the audit trail
    /// holds. What is read back from a target is in the ledger.
    const fn changes(&self) -> bool {
        match self {
            Self::Apply(_)
            | Self::Run(_)
            | Self::Ingest(_)
            | Self::Collect(_)
            | Self::Deliver(_)
            | Self::Undo(_)
            | Self::Pause(_)
            | Self::Resume(_)
            | Self::Retry(_)
            | Self::Release(_)
            | Self::TakeBack(_)
            | Self::Promote(_)
            | Self::Adopt(_) => true,
            Self::Setup(args) => args.changes(),
            Self::Attempt(args) => args.changes(),
            Self::Rejects(args) => args.changes(),
            Self::Locks(args) => args.changes(),
            Self::Agreement(args) => args.changes(),
            Self::Fallback(args) => args.changes(),
            // What a restore puts back begins with it.
            Self::Restore(_)
            | Self::Backup(_)
            | Self::Flows(_)
            | Self::Drill(_)
            | Self::Demo(_)
            | Self::Mock(_)
            | Self::Init(_)
            | Self::Validate(_)
            | Self::Check(_)
            | Self::Discover(_)
            | Self::Map(_)
            | Self::Derive(_)
            | Self::Gap(_)
            | Self::Digest(_)
            | Self::Asof(_)
            | Self::Replay(_)
            | Self::Accuracy(_)
            | Self::Plan(_)
            | Self::Verify(_)
            | Self::Status(_)
            | Self::Audit(_)
            | Self::Trace(_)
            | Self::Export(_)
            | Self::Schema(_)
            | Self::Explain(_)
            | Self::Man(_)
            | Self::Completions(_) => false,
        }
    }
}

/// Runs the program with the process's arguments.
#[must_use]
pub fn main(arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<OsString> = arguments.collect();
    let (cli, act) = match parse(&arguments) {
        Ok(parsed) => parsed,
        Err(error) => return usage(&error, &arguments),
    };
    let change =
        cli.verb.changes().then(|| Change { act, line: line(&arguments), begun: OnceLock::new() });
    let context = Context::new(cli.common, change, cli.verb.without_state());
    let exit = dispatch(&context, cli.verb).unwrap_or_else(|failure| {
        context.screen.fail(&failure, None);
        failure.exit
    });
    context.end(exit);
    ExitCode::from(exit.code())
}

/// The command line, and its verb in words.
fn parse(arguments: &[OsString]) -> Result<(Cli, String), clap::Error> {
    let matches = command().try_get_matches_from(arguments)?;
    let mut words = Vec::new();
    let mut verb = matches.subcommand();
    while let Some((word, of_it)) = verb {
        words.push(word);
        verb = of_it.subcommand();
    }
    let act = words.join(" ");
    Ok((Cli::from_arg_matches(&matches)?, act))
}

/// The arguments as one line; what holds a space is quoted.
fn line(arguments: &[OsString]) -> String {
    let quoted = |argument: &OsString| {
        let text = argument.to_string_lossy();
        if text.contains(char::is_whitespace) || text.is_empty() {
            format!("{text:?}")
        } else {
            text.into_owned()
        }
    };
    let mut line = arguments.iter().skip(1).map(quoted).collect::<Vec<_>>().join(" ");
    let most = line.floor_char_boundary(LINE_MAX);
    if most < line.len() {
        let whole = line.len();
        line.truncate(most);
        line.push_str(&format!("... ({whole} bytes in all)"));
    }
    line
}

/// Bytes of a command line that the audit trail keeps: a pattern of a shell may stand for
/// thousands of files.
const LINE_MAX: usize = 8 << 10;

/// The whole command line, for help, completions, and whoever checks pages
/// that show command lines.
#[must_use]
pub fn command() -> clap::Command {
    Cli::command()
}

/// clap prints help on standard output and faults on standard error by itself. A fault is
/// told as JSON where JSON was asked for.
fn usage(error: &clap::Error, arguments: &[OsString]) -> ExitCode {
    if error.use_stderr() && asks_for_json(arguments) {
        let failure = usage_failure(error);
        Screen::of_process(true).fail(&failure, None);
        return ExitCode::from(failure.exit.code());
    }
    // Nobody to tell when the terminal is gone.
    let _ = error.print();
    let exit = if error.use_stderr() { Exit::Usage } else { Exit::Ok };
    ExitCode::from(exit.code())
}

/// Whether `--json` stands among arguments that can't be read as a whole.
fn asks_for_json(arguments: &[OsString]) -> bool {
    arguments.iter().skip(1).take_while(|one| *one != "--").any(|one| one == "--json")
}

/// What clap says of a fault, as the failure of any verb: its first sentence is what
/// happened, the rest what to do.
fn usage_failure(error: &clap::Error) -> Failure {
    let text = error.render().to_string();
    let one_line = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    if !text.starts_with("error:") {
        // The help, where a verb is missing.
        return Failure::usage("a verb, or a part of one, is missing")
            .cure("`planthread --help` lists the verbs, and `planthread VERB --help` its parts");
    }
    let (what, rest) = text.split_once("\n\n").unwrap_or((&text, ""));
    let message = one_line(what.trim_start_matches("error:"));
    let parts: Vec<String> =
        rest.split("\n\n").map(one_line).filter(|part| !part.is_empty()).collect();
    Failure::usage(message).cure(parts.join("; "))
}

fn dispatch(context: &Context, verb: Verb) -> Result<Exit, Failure> {
    match verb {
        Verb::Demo(args) => demo::run(context, &args),
        Verb::Mock(args) => mock::run(context, &args),
        Verb::Init(args) => init::run(context, &args),
        Verb::Validate(args) => validate::run(context, &args),
        Verb::Setup(args) => setup::run(context, &args),
        Verb::Check(args) => check::run(context, &args),
        Verb::Discover(args) => discover::run(context, &args),
        Verb::Map(args) => map::run(context, &args),
        Verb::Ingest(args) => ingest::run(context, &args),
        Verb::Gap(args) => gap::run(context, &args),
        Verb::Digest(args) => digest::run(context, &args),
        Verb::Asof(args) => asof::run(context, &args),
        Verb::Replay(args) => replay::run(context, &args),
        Verb::Derive(args) => derive::run(context, &args),
        Verb::Accuracy(args) => accuracy::run(context, &args),
        Verb::Plan(args) => plan::run(context, &args),
        Verb::Apply(args) => apply::run(context, &args),
        Verb::Verify(args) => verify::run(context, &args),
        Verb::Undo(args) => undo::run(context, &args),
        Verb::Run(args) => run::run(context, &args),
        Verb::Status(args) => status::run(context, &args),
        Verb::Fallback(args) => fallback::run(context, &args),
        Verb::Drill(args) => drill::run(context, &args),
        Verb::Pause(args) => pause::pause(context, &args),
        Verb::Resume(args) => pause::resume(context, &args),
        Verb::Rejects(args) => rejects::run(context, &args),
        Verb::Retry(args) => retry::run(context, &args),
        Verb::Release(args) => release::run(context, &args),
        Verb::Locks(args) => locks::run(context, &args),
        Verb::Attempt(args) => attempt::run(context, &args),
        Verb::Audit(args) => audit::run(context, &args),
        Verb::TakeBack(args) => take_back::run(context, &args),
        Verb::Trace(args) => trace::run(context, &args),
        Verb::Promote(args) => promote::run(context, &args),
        Verb::Adopt(args) => adopt::run(context, &args),
        Verb::Agreement(args) => agreement::run(context, &args),
        Verb::Export(args) => export::run(context, &args),
        Verb::Backup(args) => backup::backup(context, &args),
        Verb::Restore(args) => backup::restore(context, &args),
        Verb::Collect(args) => segments::collect(context, &args),
        Verb::Deliver(args) => segments::deliver(context, &args),
        Verb::Flows(args) => flows::run(context, &args),
        Verb::Schema(args) => schema::run(context, &args),
        Verb::Explain(args) => explain::run(context, &args),
        Verb::Man(args) => man::run(context, &args),
        Verb::Completions(args) => completions::run(context, &args),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        command().debug_assert();
    }

    #[test]
    fn a_wrong_call_is_told_as_any_failure_where_json_was_asked_for() {
        let failure = |line: &[&str]| {
            let line: Vec<OsString> = line.iter().map(OsString::from).collect();
            let error = parse(&line).unwrap_err();
            (asks_for_json(&line), usage_failure(&error))
        };
        let (json, wrong) = failure(&["planthread", "status", "--json", "--tagret", "x"]);
        assert!(json && wrong.exit == Exit::Usage, "{wrong}");
        assert!(wrong.message.starts_with("unexpected argument '--tagret'"), "{wrong}");
        assert!(wrong.cure.contains("Usage: planthread status"), "{wrong}");
        assert!(!wrong.to_string().contains("error:"), "{wrong}");
        let (json, missing) = failure(&["planthread", "--json", "pause"]);
        assert!(json && missing.message.contains("<TARGET>"), "{missing}");
        let (json, no_part) = failure(&["planthread", "audit", "--json"]);
        assert!(json && no_part.message.contains("requires a subcommand"), "{no_part}");
        // What stands behind `--` is no option.
        assert!(!failure(&["planthread", "status", "a", "b", "--", "--json"]).0);
    }

    #[test]
    fn json_may_stand_before_or_after_the_verb() {
        for line in [["planthread", "--json", "status"], ["planthread", "status", "--json"]] {
            let (cli, _) = parse(&line.map(OsString::from)).unwrap();
            assert!(cli.common.json);
        }
    }
}
