//! `planthread drill [--target NAME] [--report FILE]`

use std::{fs, path::PathBuf};

use super::Context;
use crate::{
    drill::{Drill, FIRST_WORDS, markdown},
    failure::{Exit, Failure},
    output::only_over_ours,
};

/// What the verb takes.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The configured target, with those that share its address; without it all of them
    #[arg(long, value_name = "NAME")]
    target: Option<String>,
    /// Where the report is written; `drill-DATE.md` by default. Only a report of an
    /// earlier drill is overwritten
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let (loaded, now) = (context.config()?, context.clock.now());
    let named = || PathBuf::from(format!("drill-{}.md", now.strftime("%Y-%m-%d")));
    let file = args.report.clone().unwrap_or_else(named);
    only_over_ours(&file, |first| first.starts_with(FIRST_WORDS.as_bytes()))?;
    let mut doing = None;
    let mut drilled = Drill::new(&loaded, now).run(
        args.target.as_deref(),
        |target, scenario: &'static str| {
            doing = None;
            doing = Some(context.board.doing(target, scenario));
        },
    )?;
    drop(doing);
    fs::write(&file, markdown(&drilled)).map_err(|error| Failure::io("write", &file, &error))?;
    drilled.report = Some(file);
    context.screen.show(&drilled)
}
