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

/// Cuts groups into batches of at most `limit` cells. A group stays whole;
/// one that is larger than a batch goes alone.
#[derive(Debug)]
pub(crate) struct Packer {
    limit: usize,
    open: usize,
}

impl Packer {
    pub(crate) const fn new(limit: usize) -> Self {
        Self { limit, open: 0 }
    }

    /// Adds a group; true when it begins a new batch.
    pub(crate) const fn add(&mut self, cells: usize) -> bool {
        let fits = self.open > 0 && self.open + cells <= self.limit;
        self.open = if fits { self.open + cells } else { cells };
        !fits
    }
}

/// Predicts requests and duration for batches of these sizes, in cells.
#[must_use]
pub fn predict(batches: &[usize], capabilities: &Capabilities) -> Prediction {
    let cost = &capabilities.cost;
    let mut total = Prediction::default();
    for &cells in batches {
        let chunks = cells.div_ceil(cost.cells_per_request.max(1));
        total.batches += 1;
        total.requests += u64::from(cost.overhead_requests) + wide(chunks);
        total.write_ms += cost.overhead_ms + staging_ms(cells, cost);
    }
    let cells: usize = batches.iter().sum();
    total.reads = wide(cells.div_ceil(cost.cells_per_read.max(1)));
    total.read_ms = rounds(total.reads, wide(cost.parallel_reads.max(1))) * cost.read_ms;
    total
}

/// The first page tells how many there are; the others come side by side.
const fn rounds(pages: u64, parallel: u64) -> u64 {
    if pages == 0 { 0 } else { 1 + (pages - 1).div_ceil(parallel) }
}

/// Chunks of one batch on as many lanes as the target lets run at once: each
/// chunk takes the lane that is free first.
fn staging_ms(cells: usize, cost: &Cost) -> u64 {
    let mut lanes: BinaryHeap<std::cmp::Reverse<u64>> =
        (0..cost.parallel_requests.max(1)).map(|_| std::cmp::Reverse(0)).collect();
    let mut left = cells;
    let mut end = 0;
    while left > 0 {
        let chunk = left.min(cost.cells_per_request.max(1));
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
            measures: Vec::new(),
            idempotent_upsert: true,
            settles: true,
            names_rejected_rows: true,
            clears: false,
            published_requests_per_minute: None,
            cost: COST,
        }
    }

    #[test]
    fn requests_and_time_by_hand() {
        // 250 cells: chunks of 100, 100 and 50 on two lanes: 300 and 300, then
        // the third until 300 + 250.
        let one = predict(&[250], &capabilities());
        assert_eq!((one.batches, one.requests, one.write_ms), (1, 7, 1_000 + 550));
        assert_eq!((one.reads, one.read_ms), (1, 300));
        // 2,000 cells are four pages: one alone, then two and one.
        let pages = predict(&[1_000, 1_000], &capabilities());
        assert_eq!((pages.reads, pages.read_ms), (4, 900));
        let none = predict(&[], &capabilities());
        assert_eq!(none, Prediction::default());
    }

    #[test]
    fn groups_stay_whole() {
        let mut packer = Packer::new(10);
        let begins: Vec<bool> = [4, 4, 4, 12, 1, 9].map(|cells| packer.add(cells)).to_vec();
        assert_eq!(begins, [true, false, true, true, true, false]);
    }
}
