//! `planthread check TARGET`

use super::Context;
use crate::{
    failure::{Exit, Failure},
    report::target::Checked,
};

/// What the verb takes.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The configured target; may be left out when there is only one
    target: Option<String>,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let loaded = context.config()?;
    let target = context.open(&loaded, args.target.as_deref())?;
    let discovery = context.discover(&target)?;
    context.screen.show(&Checked::of(target.connector.info(), discovery))
}
