//! `planthread check TARGET`

use std::collections::BTreeMap;

use planthread_contracts::RevisionState;
use planthread_engine::{
    EngineError, Reader,
    ledger::{self, CellView},
};

use super::Context;
use crate::{
    config::Loaded,
    failure::{Exit, Failure},
    pipeline::OpenTarget,
    report::target::{Checked, Landed},
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
    let landed = landed(context, &loaded, &target)?;
    context.screen.show(&Checked::of(target.connector.info(), discovery, &landed))
}

/// What was landed of each measure so far; nothing where there is no state yet.
fn landed(
    context: &Context,
    loaded: &Loaded,
    target: &OpenTarget,
) -> Result<BTreeMap<String, Landed>, Failure> {
    let mut landed: BTreeMap<String, Landed> = BTreeMap::new();
    let reader = match Reader::open(&loaded.config.state) {
        Ok(reader) => reader,
        Err(EngineError::NoState(_)) => return Ok(landed),
        Err(error) => return Err(error.into()),
    };
    ledger::cells(&reader, context.clock.now(), &mut |cell: CellView| {
        let ours = cell.key.target == target.name && cell.key.scope == target.scope.name();
        if ours && cell.accepted_revision > 0 {
            let of = landed.entry(cell.key.measure.into()).or_default();
            of.accepted += 1;
            let current = cell.accepted_revision == cell.revision;
            of.seen += u64::from(current && cell.state == RevisionState::Seen);
        }
        Ok(())
    })?;
    Ok(landed)
}
