//! `planthread setup TARGET`

use super::Context;
use crate::{
    failure::{Exit, Failure},
    report::target::Sheet,
};

/// What the verb takes.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The configured target; may be left out when there is only one
    target: Option<String>,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let loaded = context.config()?;
    let target = context.open_offline(&loaded, args.target.as_deref())?;
    context.screen.show(&Sheet::of(target.connector.info()))
}
