//! `planthread rejects`

use planthread_engine::{journal, status};

use super::Context;
use crate::{
    failure::{Exit, Failure},
    report::intake::{RejectedCell, RejectedLine, Rejects},
    serve::Refusal,
};

/// What the verb takes: only the common options.
#[derive(Debug, clap::Args)]
pub(super) struct Args {}

pub(super) fn run(context: &Context, _: &Args) -> Result<Exit, Failure> {
    let (_, reader) = context.reader()?;
    let records = journal::rejected(&reader)?
        .iter()
        .map(|entry| RejectedLine {
            at: entry.at,
            refusal: Refusal::from(&entry.record),
            text: String::from_utf8_lossy(&entry.record.body).into_owned(),
        })
        .collect();
    let quarantined = journal::quarantined(&reader)?.into_iter().map(|waiting| {
        let origin = waiting.record.origin;
        format!("{} line {}: {}", origin.place, origin.line, waiting.reason)
    });
    let conflicts = journal::conflicts(&reader)?.into_iter().map(|(conflict, _)| {
        let (place, line) = conflict.origin;
        format!(
            "{place} line {line}: source {} sent id {} twice with different bodies; the first \
             counts",
            conflict.source, conflict.id
        )
    });
    let waiting = quarantined.chain(conflicts).collect();
    let cells = status::rejects(&reader)?
        .into_iter()
        .map(|reject| RejectedCell {
            cell: reject.key.to_string(),
            value: reject.value.to_string(),
            reason: reject.reason,
            cure: reject.cure,
        })
        .collect();
    context.screen.show(&Rejects { records, waiting, cells })
}
