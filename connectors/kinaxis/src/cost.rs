//! What a push and a read cost: requests are known, times are not (§6).

use planthread_contracts::MeasureDecl;
use planthread_kit::{Carriage, Cost, Together, agreement::Gate};

use crate::{
    config::{Layout, NonKeyed, Route},
    context::Context,
};

/// Rows of one commit: it brings everything at once.
const COMMITTED_MAX: usize = 1_000_000;

/// Most rows in one request that carries cells.
pub(crate) fn rows_per_request(context: &Context) -> usize {
    let agreed = context.gate.as_ref().and_then(Gate::agreement).map(|one| one.limits.rows);
    match context.route {
        Route::Commit(_) => COMMITTED_MAX,
        _ => context.config.writing.rows_per_request.min(agreed.unwrap_or(usize::MAX)).max(1),
    }
}

/// Which measures share a request, and what a read takes.
pub(crate) fn carriage(context: &Context) -> Carriage {
    let of = |layout: &Layout| {
        let mine = |one: &&MeasureDecl| layout.holds(&one.surface);
        context.measures.iter().filter(mine).map(|one| one.name.clone()).collect()
    };
    let columns = Together::Columns(context.layouts.iter().map(of).collect());
    let (together, requests, fewest) = match context.route {
        Route::Bulk => (columns, 2, BULK),
        Route::Import(_) => (columns, 1, IMPORT),
        Route::Load(_) => (Together::Batch, 1, LOAD),
        Route::Commit(_) => (Together::Batch, 1, COMMIT),
    };
    let once = u32::from(context.config.scenario.ensure.is_some());
    let questions = u32::try_from(context.layouts.len()).unwrap_or(u32::MAX);
    Carriage { together, requests, once, questions, opening: 1, fewest }
}

const BULK: &str = "an upload takes rows of one table and one list of fields: it is staged, then \
    completed; a read of a table is opened, then paged";
const IMPORT: &str = "an import takes rows of one worksheet and one list of fields, read before \
    where some are lacking; a read of a table is opened, then paged";
const LOAD: &str = "one file a table, one trigger, one question after it";
const COMMIT: &str = "both scenarios are read, table by table, before the script commits one";

/// Figures for `plan`: requests are known, times are the profile's.
pub(crate) fn cost(context: &Context) -> Cost {
    let Context { config, layouts, route, .. } = context;
    let tables = layouts.len().max(1);
    let measures: usize = layouts.iter().map(|layout| layout.values.len()).sum();
    let (rows, ms) = (rows_per_request(context), config.writing.request_ms);
    let overhead = match route {
        // Surplus rows are read, and removed like others are written.
        Route::Bulk if config.non_keyed == Some(NonKeyed::Append) => {
            4 * layouts.iter().filter(|layout| !layout.keyed).count()
        }
        Route::Bulk | Route::Import(_) => 0,
        // A Full file carries all that its table holds.
        Route::Load(load) => tables + 1 + if load.full() { 2 * tables } else { 0 },
        Route::Commit(_) => 4 * tables,
    };
    let widest = layouts.iter().map(|layout| layout.values.len()).max().unwrap_or(1);
    Cost {
        overhead_requests: u32::try_from(overhead).unwrap_or(u32::MAX),
        overhead_ms: ms.saturating_mul(u64::try_from(overhead).unwrap_or(u64::MAX)),
        cells_per_request: rows * measures.max(1),
        groups_per_request: rows,
        request_ms: ms,
        cell_us: 0,
        parallel_requests: 1,
        cells_per_read: config.reading.page_size * widest,
        read_ms: ms,
        parallel_reads: 1,
    }
}
