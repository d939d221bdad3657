//! `planthread accuracy [RESOURCE] [--weeks N]`

use jiff::Timestamp;

use super::{Context, derive::facts};
use crate::{
    failure::{Exit, Failure},
    pipeline,
};

/// What the verb takes.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Only this resource or line, week by week
    resource: Option<String>,
    /// How many weeks to look back
    #[arg(long, value_name = "N", default_value_t = 26,
        value_parser = clap::value_parser!(u32).range(1..=260))]
    weeks: u32,
    /// The instant to look back from; the current cycle by default
    #[arg(long, value_name = "INSTANT")]
    as_of: Option<Timestamp>,
    /// Read the files of the sources, even where there is a journal
    #[arg(long)]
    files: bool,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let loaded = context.config()?;
    let as_of = args.as_of.unwrap_or_else(|| loaded.config.plant.as_of(context.clock.now()));
    let _doing = context.board.doing("", "deriving past weeks");
    let (facts, from, _) = facts(context, &loaded, args.files, as_of)?;
    let resource = args.resource.as_deref();
    context.screen.show(&pipeline::accuracy(
        &loaded,
        &facts.all,
        as_of,
        args.weeks,
        (resource, from),
    )?)
}
