//! Reading page by page: where pages end, and counts that lie.

use std::collections::BTreeMap;

use planthread_contracts::{CellKey, SeenCell};
use planthread_kit::CellWrite;
use rust_decimal::Decimal;

use crate::{
    bench::{Bench, Fault},
    cases::{push, read},
};

/// Requests that one read may cost when a count lies.
const REQUESTS_MAX: usize = 60;

/// Cells whose pages are exactly full, one row less and one row more, come back
/// whole, in whatever order the pages bring them.
pub(crate) fn pages_end_where_the_cells_do(bench: &dyn Bench) -> Result<(), String> {
    let capabilities = bench.world().connector.info().capabilities.clone();
    let (page, row) = (capabilities.cost.cells_per_read, capabilities.measures.len().max(1));
    if page > 2_000 {
        return Err(format!("{page} cells a page: set a smaller page in conformance.json"));
    }
    for count in [page, 2 * page, 2 * page - row, 2 * page + row] {
        let (world, cells) = (bench.world(), bench.cells(count));
        push(&world, &cells).map_err(|error| format!("push failed: {error}"))?;
        let seen = read(&world, &cells).map_err(|error| format!("{count} cells: {error}"))?;
        same(&cells, seen).map_err(|reason| format!("{count} cells, {page} a page: {reason}"))?;
    }
    Ok(())
}

/// A target that announces a trillion rows is not asked for them, and what it
/// says otherwise is not taken for everything.
pub(crate) fn a_count_that_lies_costs_little(bench: &dyn Bench) -> Result<(), String> {
    let (world, cells) = (bench.world(), bench.cells(30));
    push(&world, &cells).map_err(|error| format!("push failed: {error}"))?;
    let before = world.target.requests();
    for nth in 1..=2 * REQUESTS_MAX {
        world.target.inject(nth, Fault::CountLies);
    }
    let seen = read(&world, &cells);
    let made = world.target.requests() - before;
    if made > REQUESTS_MAX {
        return Err(format!("{made} requests for 30 cells"));
    }
    // Who does not ask for a count may well read everything.
    seen.map_or(Ok(()), |seen| same(&cells, seen))
}

fn same(wanted: &[CellWrite], seen: Vec<SeenCell>) -> Result<(), String> {
    let seen: BTreeMap<CellKey, Option<Decimal>> =
        seen.into_iter().map(|cell| (cell.key, cell.value)).collect();
    match wanted.iter().find(|cell| seen.get(&cell.key) != Some(&Some(cell.value))) {
        Some(cell) => Err(format!("{} came as {:?}", cell.key, seen.get(&cell.key))),
        None if seen.len() == wanted.len() => Ok(()),
        None => Err(format!("{} cells came, {} are there", seen.len(), wanted.len())),
    }
}
