//! `planthread map suggest|coverage TARGET`

use clap::Subcommand;
use planthread_domain::project;

use super::Context;
use crate::{
    failure::{Exit, Failure},
    report::mapping::{Covered, Suggested},
};

/// What the verb takes.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Propose rows for resources that land nowhere yet
    Suggest(Target),
    /// Say which resources land, and which pairs the target does not know
    Coverage(Target),
}

#[derive(Debug, clap::Args)]
struct Target {
    /// The configured target; may be left out when there is only one
    target: Option<String>,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let (What::Suggest(wanted) | What::Coverage(wanted)) = &args.what;
    let loaded = context.config()?;
    let target = context.open(&loaded, wanted.target.as_deref())?;
    let found = context.discover(&target)?;
    let (plant, mapping) = (&loaded.config.plant, &target.config.mapping);
    let coverage = project::coverage(plant, mapping, &found.resources);
    let target = target.name.clone();
    match args.what {
        What::Suggest(_) => {
            let rows = project::suggest(plant, mapping, &found.resources, &found.descriptions);
            context.screen.show(&Suggested { target, open: coverage.unmapped_sources, rows })
        }
        What::Coverage(_) => context.screen.show(&Covered { target, coverage }),
    }
}
