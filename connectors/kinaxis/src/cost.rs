//! What a push and a read cost: requests are known, times are not (§6).

use planthread_kit::Cost;

use crate::config::{Config, Layout, Route};

/// Rows of one commit: it brings everything at once.
const COMMITTED_MAX: usize = 1_000_000;

/// Most rows in one request that carries cells.
pub(crate) const fn rows_per_request(config: &Config, route: &Route) -> usize {
    match route {
        Route::Commit(_) => COMMITTED_MAX,
        Route::Bulk | Route::Import(_) | Route::Load(_) => config.writing.rows_per_request,
    }
}

/// Figures for `plan`. Each table of a batch is staged in one request and
/// completed in another.
pub(crate) fn cost(config: &Config, route: &Route, layouts: &[Layout]) -> Cost {
    let tables = layouts.len().max(1);
    let measures: usize = layouts.iter().map(|layout| layout.values.len()).sum();
    let (rows, ms) = (rows_per_request(config, route), config.writing.request_ms);
    let overhead = 2 * tables - 1;
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
        read_ms: ms.saturating_mul(2),
        parallel_reads: 1,
    }
}
