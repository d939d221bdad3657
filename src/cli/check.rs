//! `planthread check TARGET`

use std::collections::BTreeMap;

use jiff::Timestamp;
use planthread_contracts::RevisionState;
use planthread_engine::{
    EngineError, Reader,
    ledger::{self, CellView},
};
use planthread_kit::{Finding, target::Certificates};

use super::Context;
use crate::{
    config::Loaded,
    failure::{Exit, Failure},
    pipeline::{OpenTarget, certificates},
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
    let mut discovery = context.discover(&target)?;
    let now = context.clock.now();
    let named = certificates(&loaded, &target.name, &target.config);
    discovery.findings.extend(named.iter().map(|one| of_certificates(one, now)));
    let landed = landed(context, &loaded, &target)?;
    context.screen.show(&Checked::of(target.connector.info(), discovery, &landed))
}

/// A remark on certificates: wrong where they end within thirty days.
fn of_certificates(certificates: &Certificates, now: Timestamp) -> Finding {
    let Certificates { target, what, file, ends } = certificates;
    let end = ends.map_or_else(String::new, |ends| format!(" ends at {ends}"));
    let fine = format!("{target}: the {} certificate in {file}{end}", what.replace('_', " "));
    let (ok, text, cure) = match certificates.remark(now) {
        Some((text, cure)) => (false, text, cure.to_owned()),
        None => (true, fine, String::new()),
    };
    Finding { line: String::new(), ok, proven: true, needs: None, text, cure }
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
