//! Prediction: what a plan will cost at the target, before it is applied.

use std::{cmp::Reverse, collections::BinaryHeap};

use planthread_kit::{Capabilities, Together};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a plan is expected to need at its target.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
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
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchSize {
    /// Its cells.
    pub cells: usize,
    /// Its cell groups.
    pub groups: usize,
    /// Its cells once more, by what travels together.
    pub carriers: Vec<usize>,
}

impl BatchSize {
    /// A batch of which all cells travel together.
    #[must_use]
    pub fn whole(cells: usize, groups: usize) -> Self {
        Self { cells, groups, carriers: vec![cells] }
    }
}

/// Predicts requests and duration for batches of these sizes, of which so many are
/// out at once.
#[must_use]
pub fn predict(
    batches: &[BatchSize],
    side_by_side: usize,
    capabilities: &Capabilities,
) -> Prediction {
    let Capabilities { cost, carriage, .. } = capabilities;
    let mut total = Prediction::default();
    let mut slots = Slots::new(side_by_side);
    for size in batches {
        let chunks = chunks(size, capabilities);
        total.batches += 1;
        total.requests +=
            u64::from(cost.overhead_requests) + wide(chunks.len()) * u64::from(carriage.requests);
        slots.add(cost.overhead_ms + staging_ms(&chunks, capabilities));
    }
    total.write_ms = slots.end;
    (total.reads, total.read_ms) = reading(batches, capabilities);
    total
}

/// Requests that read the cells of all batches back, and how long they take.
fn reading(batches: &[BatchSize], capabilities: &Capabilities) -> (u64, u64) {
    let Capabilities { cost, carriage, .. } = capabilities;
    let parallel = wide(cost.parallel_reads.max(1));
    let cells: usize = batches.iter().map(|size| size.cells).sum();
    if cells == 0 {
        return (0, 0);
    }
    if carriage.together == Together::Place {
        let places = wide(batches.iter().map(|size| size.carriers.len()).sum());
        return (places, places.div_ceil(parallel) * cost.read_ms);
    }
    let questions = u64::from(carriage.questions.max(1));
    let pages = wide(cells.div_ceil(cost.cells_per_read.max(1))).max(questions);
    let opening = questions * u64::from(carriage.opening);
    // Questions come one after the other; the pages of the longest side by side.
    let others = questions - 1;
    let one_by_one = opening + others + rounds(pages - others, parallel);
    (opening + pages, one_by_one * cost.read_ms)
}

/// Cells of each request of a batch: what travels together, cut at its limit.
fn chunks(size: &BatchSize, capabilities: &Capabilities) -> Vec<usize> {
    let each = cells_of_a_chunk(size, capabilities);
    let cut = |cells: &usize| {
        let (full, rest) = (*cells / each, *cells % each);
        std::iter::repeat_n(each, full).chain((rest > 0).then_some(rest))
    };
    size.carriers.iter().flat_map(cut).collect()
}

/// Cells of a full request of this batch. Where batches are uniform a request
/// takes whole groups, all of one width.
fn cells_of_a_chunk(size: &BatchSize, capabilities: &Capabilities) -> usize {
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

/// Chunks of one batch, on as many slots as the target lets run at once.
fn staging_ms(chunks: &[usize], capabilities: &Capabilities) -> u64 {
    let Capabilities { cost, carriage, .. } = capabilities;
    let mut slots = Slots::new(cost.parallel_requests);
    for chunk in chunks {
        let requests_us = cost.request_ms * 1_000 * u64::from(carriage.requests);
        slots.add(requests_us + wide(*chunk) * cost.cell_us);
    }
    slots.end.div_ceil(1_000)
}

/// Work that runs side by side: each piece takes the slot that is free first.
struct Slots {
    free_at: BinaryHeap<Reverse<u64>>,
    end: u64,
}

impl Slots {
    fn new(slots: usize) -> Self {
        Self { free_at: (0..slots.max(1)).map(|_| Reverse(0)).collect(), end: 0 }
    }

    fn add(&mut self, takes: u64) {
        let free_at = self.free_at.pop().map_or(0, |Reverse(at)| at);
        self.free_at.push(Reverse(free_at + takes));
        self.end = self.end.max(free_at + takes);
    }
}

fn wide(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use planthread_kit::{Carriage, Cost};

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
            tells: false,
            lists_master_data: false,
            takes_from: None,
            side_by_side: 1,
            cost: COST,
            carriage: Carriage::plain(""),
        }
    }

    #[test]
    fn requests_and_time_by_hand() {
        // 250 cells: chunks of 100, 100 and 50 on two slots: 300 and 300, then
        // the third until 300 + 250.
        let size = |cells| BatchSize::whole(cells, cells);
        let one = predict(&[size(250)], 1, &capabilities());
        assert_eq!((one.batches, one.requests, one.write_ms), (1, 7, 1_000 + 550));
        assert_eq!((one.reads, one.read_ms), (1, 300));
        // 2,000 cells are four pages: one alone, then two and one.
        let pages = predict(&[size(1_000), size(1_000)], 1, &capabilities());
        assert_eq!((pages.reads, pages.read_ms), (4, 900));
        let none = predict(&[], 1, &capabilities());
        assert_eq!(none, Prediction::default());
    }

    #[test]
    fn batches_that_are_out_side_by_side_take_as_long_as_the_last_slot() {
        let size = |cells| BatchSize::whole(cells, cells);
        let took = |slots, cells: &[usize]| {
            let sizes: Vec<BatchSize> = cells.iter().map(|cells| size(*cells)).collect();
            predict(&sizes, slots, &capabilities())
        };
        // A batch of 100 takes 1,000 + 300 ms, one of 250 takes 1,550.
        let (one, two) = (took(1, &[250, 100, 100, 100]), took(2, &[250, 100, 100, 100]));
        assert_eq!((one.write_ms, two.write_ms), (5_450, 1_550 + 1_300));
        assert_eq!((one.requests, one.reads, one.read_ms), (two.requests, two.reads, two.read_ms));
        assert_eq!(took(9, &[250, 100, 100, 100]).write_ms, 1_550);
    }

    #[test]
    fn uniform_batches_are_cut_between_groups() {
        let capabilities = Capabilities { uniform_batches: true, ..capabilities() };
        let requests = |groups, width| {
            let size = BatchSize::whole(groups * width, groups);
            predict(&[size], 1, &capabilities).requests - u64::from(COST.overhead_requests)
        };
        // 33 groups of three fit into 100 cells, 40 groups at most of two.
        assert_eq!((requests(33, 3), requests(34, 3), requests(67, 3)), (1, 2, 3));
        assert_eq!((requests(40, 2), requests(41, 2)), (1, 2));
        assert_eq!(requests(2, 101), 2, "a group that is too large goes alone");
    }
    #[test]
    fn what_does_not_travel_together_has_requests_of_its_own() {
        let by = |together, requests, questions, opening| {
            let plain = Carriage::plain("");
            let carriage = Carriage { together, requests, questions, opening, ..plain };
            Capabilities { carriage, ..capabilities() }
        };
        let size = BatchSize { cells: 130, groups: 13, carriers: vec![101, 20, 9] };
        // Three twins, one of them in two parts, two at a time: 200 ms each, then 1 ms
        // a cell; each is read by itself.
        let twins = predict(std::slice::from_ref(&size), 1, &by(Together::Place, 1, 1, 0));
        assert_eq!((twins.requests, twins.reads, twins.read_ms), (4 + 4, 3, 2 * 300));
        // Parts of 100 and of 9 cells on one slot, of 1 and of 20 on the other.
        assert_eq!(twins.write_ms, 1_000 + (200 + 100) + (200 + 9));
        // Two tables: each part is staged and applied, each table opened and read.
        let tables = predict(&[size], 1, &by(Together::Columns(Vec::new()), 2, 2, 1));
        assert_eq!((tables.requests, tables.reads, tables.read_ms), (4 + 8, 4, 4 * 300));
    }
}
