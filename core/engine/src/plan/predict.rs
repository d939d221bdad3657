//! Prediction: what a plan will cost at the target, before it is applied.

use std::collections::BinaryHeap;

use planthread_kit::{Capabilities, Cost};
use serde::{Deserialize, Serialize};

/// What a plan is expected to need at its target.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prediction {
    /// Batches, each one attempt when nothing goes wrong.
    pub batches: u64,
    /// Requests that write.
    pub requests: u64,
    /// Milliseconds that they take.
    pub write_ms: u64,
    /// Requests that read the cells back.
    pub reads: u64,
    /// Milliseconds that those take.
    pub read_ms: u64,
}

/// How large a batch is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchSize {
    /// Its cells.
    pub cells: usize,
    /// Its cell groups.
    pub groups: usize,
}

/// Predicts requests and duration for batches of these sizes.
#[must_use]
pub fn predict(batches: &[BatchSize], capabilities: &Capabilities) -> Prediction {
    let cost = &capabilities.cost;
    let mut total = Prediction::default();
    for size in batches {
        let each = cells_of_a_chunk(*size, capabilities);
        total.batches += 1;
        total.requests += u64::from(cost.overhead_requests) + wide(size.cells.div_ceil(each));
        total.write_ms += cost.overhead_ms + staging_ms(size.cells, each, cost);
    }
    let cells: usize = batches.iter().map(|size| size.cells).sum();
    total.reads = wide(cells.div_ceil(cost.cells_per_read.max(1)));
    total.read_ms = rounds(total.reads, wide(cost.parallel_reads.max(1))) * cost.read_ms;
    total
}

/// Cells of a full request of this batch. Where batches are uniform a request
/// takes whole groups, all of one width.
fn cells_of_a_chunk(size: BatchSize, capabilities: &Capabilities) -> usize {
    let cost = &capabilities.cost;
    let most = cost.cells_per_request.max(1);
    let width = size.cells / size.groups.max(1);
    if !capabilities.uniform_batches || width == 0 {
        return most;
    }
    width * (most / width).min(cost.groups_per_request).max(1)
}

/// The first page tells how many there are; the others come side by side.
const fn rounds(pages: u64, parallel: u64) -> u64 {
    if pages == 0 { 0 } else { 1 + (pages - 1).div_ceil(parallel) }
}

/// Chunks of one batch on as many lanes as the target lets run at once: each
/// chunk takes the lane that is free first.
fn staging_ms(cells: usize, each: usize, cost: &Cost) -> u64 {
    let mut lanes: BinaryHeap<std::cmp::Reverse<u64>> =
        (0..cost.parallel_requests.max(1)).map(|_| std::cmp::Reverse(0)).collect();
    let mut left = cells;
    let mut end = 0;
    while left > 0 {
        let chunk = left.min(each);
        left -= chunk;
        let std::cmp::Reverse(free) = lanes.pop().unwrap_or(std::cmp::Reverse(0));
        let done = free + cost.request_ms * 1_000 + wide(chunk) * cost.cell_us;
        end = end.max(done);
        lanes.push(std::cmp::Reverse(done));
    }
    end.div_ceil(1_000)
}

fn wide(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const COST: Cost = Cost {
        overhead_requests: 4,
        overhead_ms: 1_000,
        cells_per_request: 100,
        groups_per_request: 40,
        request_ms: 200,
        cell_us: 1_000,
        parallel_requests: 2,
        cells_per_read: 500,
        read_ms: 300,
        parallel_reads: 2,
    };

    fn capabilities() -> Capabilities {
        Capabilities {
            cells_per_batch: 1_000,
            groups_per_batch: 1_000,
            uniform_batches: false,
            measures: Vec::new(),
            names_rejected_rows: true,
            published_requests_per_minute: None,
            cost: COST,
        }
    }

    #[test]
    fn requests_and_time_by_hand() {
        // 250 cells: chunks of 100, 100 and 50 on two lanes: 300 and 300, then
        // the third until 300 + 250.
        let size = |cells| BatchSize { cells, groups: cells };
        let one = predict(&[size(250)], &capabilities());
        assert_eq!((one.batches, one.requests, one.write_ms), (1, 7, 1_000 + 550));
        assert_eq!((one.reads, one.read_ms), (1, 300));
        // 2,000 cells are four pages: one alone, then two and one.
        let pages = predict(&[size(1_000), size(1_000)], &capabilities());
        assert_eq!((pages.reads, pages.read_ms), (4, 900));
        let none = predict(&[], &capabilities());
        assert_eq!(none, Prediction::default());
    }

    #[test]
    fn uniform_batches_are_cut_between_groups() {
        let capabilities = Capabilities { uniform_batches: true, ..capabilities() };
        let requests = |groups, width| {
            let size = BatchSize { cells: groups * width, groups };
            predict(&[size], &capabilities).requests - u64::from(COST.overhead_requests)
        };
        // 33 groups of three fit into 100 cells, 40 groups at most of two.
        assert_eq!((requests(33, 3), requests(34, 3), requests(67, 3)), (1, 2, 3));
        assert_eq!((requests(40, 2), requests(41, 2)), (1, 2));
        assert_eq!(requests(2, 101), 2, "a group that is too large goes alone");
    }
}
