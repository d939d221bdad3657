//! The first cell group of a plan, as a plan of its own: what a person lets out
//! to see what the target makes of it, before the rest follows.

use std::io::{BufRead, Write};

use planthread_contracts::CellKey;
use planthread_kit::{Capabilities, CellWrite};

use super::{
    PlanCounts, PlanHeader, PlanLine,
    carriers::{self, Carriers},
    file::{PlanReader, PlanWriter},
    predict::{self, BatchSize},
};
use crate::error::Result;

/// Writes the plan of the first cell group of `plan` to `out`; its cells, none
/// where the plan has none.
///
/// # Errors
/// When `plan` is none, was changed, or `out` refuses.
pub fn first_group(
    plan: &mut (dyn BufRead + Send),
    capabilities: &Capabilities,
    out: &mut dyn Write,
) -> Result<Vec<CellWrite>> {
    let mut reader = PlanReader::open(plan)?;
    let mut kept: Vec<PlanLine> = Vec::new();
    // The digest is proven at its end, so all of it is read.
    while let Some(line) = reader.next()? {
        if kept.first().is_none_or(|first| first.cell.group() == line.cell.group()) {
            kept.push(line);
        }
    }
    let mut counts = PlanCounts { groups: u64::from(!kept.is_empty()), ..PlanCounts::default() };
    for line in &kept {
        if line.carried {
            counts.carried += 1;
        } else {
            counts.cells += 1;
            *counts.reasons.entry(line.reason.word().to_owned()).or_default() += 1;
        }
    }
    let keys: Vec<&CellKey> = kept.iter().map(|line| &line.cell).collect();
    let carriers = carriers::sizes(&Carriers::new(capabilities).of(&keys));
    let size = BatchSize { cells: kept.len(), groups: 1, carriers };
    let sizes: &[BatchSize] = if kept.is_empty() { &[] } else { &[size] };
    let prediction = predict::predict(sizes, 1, capabilities);
    let header = PlanHeader { counts, prediction, ..reader.header().clone() };
    let mut writer = PlanWriter::new(out);
    writer.line(&header)?;
    kept.iter().try_for_each(|line| writer.line(line))?;
    writer.finish()?;
    Ok(kept.iter().map(CellWrite::from).collect())
}
