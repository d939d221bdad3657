//! Pace: how large the next batch may be, so that none outlives its deadline.
//!
//! The target's cost sheet says what a batch should take; what the last
//! attempts took says how much slower the target is today. The first batch is
//! small, growth is bounded, and a batch that did not end in time at least
//! halves the next one. Pure, from what the ledger holds: the next process
//! goes on at the same pace.

use std::time::Duration;

use planthread_kit::Capabilities;

use super::{BatchSize, Policy, predict};

/// Share of the limit that a batch may take by what was measured.
const MEASURED_SHARE: u32 = 4;
/// Share of the limit that a batch may take by the sheet, while nothing was
/// measured: a target that is five times slower still takes it in time, and an
/// ordinary plan is not cut for nothing.
const UNKNOWN_SHARE: u32 = 7;
/// Most cells that are out at once, whatever the target takes: a batch is in memory
/// while it is under way, as lines of the plan, as cells, as the connector's rows and
/// as outcomes. A target that takes its time has smaller ones anyway.
const IN_MEMORY: usize = 50_000;
/// How much larger than the largest batch that ended in time the next may be.
const GROWTH: usize = 4;

/// One attempt of a target, as far as its pace is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tried {
    pub(crate) cells: usize,
    /// From opened to closed; until now while it is open.
    pub(crate) took: Duration,
    /// Whether the target ended it, and not as failed.
    pub(crate) done: bool,
}

/// The pace of one target.
#[derive(Debug)]
pub(crate) struct Pace<'a> {
    capabilities: &'a Capabilities,
    limit: Duration,
    /// Batches that are out at once.
    slots: usize,
    /// The newest first.
    tried: Vec<Tried>,
}

impl<'a> Pace<'a> {
    /// The pace after the attempts in `tried`, the newest first, where none may
    /// take longer than `limit` and so many `slots` are out at once.
    pub(crate) const fn new(
        capabilities: &'a Capabilities,
        limit: Duration,
        slots: usize,
        tried: Vec<Tried>,
    ) -> Self {
        Self { capabilities, limit, slots, tried }
    }

    /// Most cells of the next batch; at least one.
    pub(crate) fn most_cells(&self) -> usize {
        let late = self.tried.iter().filter(|tried| tried.took > self.limit);
        let halved = late.map(|tried| tried.cells / 2).min().unwrap_or(usize::MAX);
        let first = self.largest(self.limit / UNKNOWN_SHARE);
        let most = match self.in_time().map(|tried| tried.cells).max() {
            Some(largest) => {
                let grown = largest.saturating_mul(GROWTH).max(first);
                self.largest(self.limit / MEASURED_SHARE).min(grown)
            }
            None => first,
        };
        most.min(halved).max(1)
    }

    /// Most cells of a batch of a plan that is only predicted: what is measured
    /// on the way is not known yet.
    pub(crate) fn planned(capabilities: &'a Capabilities, policy: &Policy) -> usize {
        let (limit, slots) = (policy.batch_limit, policy.slots(capabilities));
        Self::new(capabilities, limit, slots, Vec::new()).largest(limit / MEASURED_SHARE).max(1)
    }

    /// How long a batch of so many cells should take.
    fn takes(&self, cells: usize) -> Duration {
        let scaled = u128::from(by_sheet(cells, self.capabilities)) * self.slowdown() / 1_000;
        Duration::from_millis(u64::try_from(scaled).unwrap_or(u64::MAX))
    }

    fn in_time(&self) -> impl Iterator<Item = &Tried> {
        self.tried.iter().filter(|tried| tried.done && tried.took <= self.limit)
    }

    /// How many thousandths of the sheet's time the slowest batch took.
    fn slowdown(&self) -> u128 {
        let of = |tried: &Tried| {
            let sheet = u128::from(by_sheet(tried.cells, self.capabilities).max(1));
            tried.took.as_millis() * 1_000 / sheet
        };
        self.in_time().map(of).max().unwrap_or(1_000)
    }

    /// The largest batch that should take at most `share`.
    fn largest(&self, share: Duration) -> usize {
        let most = self.capabilities.cells_per_batch.min(IN_MEMORY / self.slots);
        let (mut fits, mut above) = (0, most.saturating_add(1));
        while above - fits > 1 {
            let middle = fits + (above - fits) / 2;
            if self.takes(middle) <= share { fits = middle } else { above = middle }
        }
        fits
    }
}

/// Milliseconds that the target's cost sheet says for a batch.
fn by_sheet(cells: usize, capabilities: &Capabilities) -> u64 {
    let width = capabilities.cells_per_batch / capabilities.groups_per_batch.max(1);
    let groups = cells.div_ceil(width.max(1));
    predict(&[BatchSize::whole(cells, groups)], 1, capabilities).write_ms
}

#[cfg(test)]
mod tests {
    use planthread_kit::{Carriage, Cost};
    use proptest::prelude::*;

    use super::*;

    const LIMIT: Duration = Duration::from_mins(30);

    /// 72 cells a second in requests of 2,000, two at a time: what a vendor's
    /// sheet says.
    fn capabilities() -> Capabilities {
        Capabilities {
            cells_per_batch: 160_000,
            groups_per_batch: 20_000,
            uniform_batches: true,
            measures: Vec::new(),
            names_rejected_rows: true,
            tells: false,
            lists_master_data: false,
            takes_from: None,
            side_by_side: 1,
            cost: Cost {
                overhead_requests: 3,
                overhead_ms: 3_000,
                cells_per_request: 2_000,
                groups_per_request: 5_000,
                request_ms: 0,
                cell_us: 27_569,
                parallel_requests: 2,
                cells_per_read: 5_000,
                read_ms: 6_000,
                parallel_reads: 6,
            },
            carriage: Carriage::plain(""),
        }
    }

    /// What a target really takes, that is so many times slower than its sheet.
    fn real(cells: usize, tenths: u64) -> Duration {
        Duration::from_millis(by_sheet(cells, &capabilities()) * tenths / 10)
    }

    /// Sizes of the batches until `cells` have landed; every batch that takes
    /// longer than the limit lands nothing.
    fn land(cells: usize, tenths: u64) -> Vec<(usize, bool)> {
        let (mut tried, mut sizes, mut left) = (Vec::new(), Vec::new(), cells);
        let capabilities = capabilities();
        while left > 0 && sizes.len() < 2_000 {
            let recent: Vec<Tried> = tried.iter().rev().take(8).copied().collect();
            let size = Pace::new(&capabilities, LIMIT, 1, recent).most_cells().min(left);
            let took = real(size, tenths);
            let landed = took <= LIMIT;
            // What outlives its limit is ended there.
            tried.push(Tried { cells: size, took: took.min(LIMIT + LIMIT / 60), done: landed });
            sizes.push((size, landed));
            left -= if landed { size } else { 0 };
        }
        sizes
    }

    #[test]
    fn the_first_batch_is_small_and_the_next_use_what_was_measured() {
        let capabilities = capabilities();
        let first = Pace::new(&capabilities, LIMIT, 1, Vec::new()).most_cells();
        assert!((15_000..20_000).contains(&first), "4 minutes of the sheet: {first}");
        let done = Tried { cells: first, took: real(first, 10), done: true };
        let next = Pace::new(&capabilities, LIMIT, 1, vec![done]).most_cells();
        assert!((30_000..34_000).contains(&next), "a quarter of 30 minutes: {next}");
        let fast = Tried { cells: 1_000, took: Duration::from_secs(1), done: true };
        let next = Pace::new(&capabilities, LIMIT, 1, vec![fast]).most_cells();
        assert!(next <= 160_000 && next >= first, "{next}");
    }

    #[test]
    fn a_target_five_times_slower_than_its_sheet_lands_in_smaller_batches() {
        let sizes = land(500_000, 50);
        assert!(sizes.iter().all(|(_, landed)| *landed), "{sizes:?}");
        assert!(sizes.iter().all(|(size, _)| real(*size, 50) <= LIMIT * 3 / 4), "{sizes:?}");
        assert!(sizes.len() < 100, "{}", sizes.len());
    }

    #[test]
    fn all_that_is_out_at_once_fits_into_memory() {
        let capabilities = capabilities();
        for slots in [1, 2, 5, 100] {
            let most = Pace::new(&capabilities, LIMIT * 1_000, slots, Vec::new()).most_cells();
            assert_eq!(most * slots, IN_MEMORY, "{slots}");
        }
    }

    #[test]
    fn a_batch_that_did_not_end_in_time_halves_the_next() {
        let capabilities = capabilities();
        let late = |cells| Tried { cells, took: LIMIT * 2, done: false };
        let most = |tried| Pace::new(&capabilities, LIMIT, 1, tried).most_cells();
        assert_eq!(most(vec![late(8_000)]), 4_000);
        assert_eq!(most(vec![late(4_000), late(8_000)]), 2_000);
        assert_eq!(most(vec![late(1)]), 1, "one cell is the least");
        let small = Tried { cells: 10, took: Duration::from_secs(1), done: true };
        assert_eq!(most(vec![small, late(8_000)]), 4_000, "one small batch forgets nothing");
        // What failed or was refused at once says nothing about the pace.
        let failed = Tried { cells: 9, took: Duration::from_secs(900), done: false };
        assert_eq!(most(vec![failed]), most(Vec::new()));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        /// However slow a target is, its load lands; and no size that outlived
        /// its limit is tried twice in a row. At forty times the sheet a batch
        /// holds about 300 cells, so 100,000 are some 330 batches.
        #[test]
        fn nothing_is_staged_for_ever(cells in 1..100_000_usize, tenths in 1..400_u64) {
            let sizes = land(cells, tenths);
            let landed: usize = sizes.iter().filter(|(_, ok)| *ok).map(|(size, _)| size).sum();
            prop_assert_eq!(landed, cells);
            for pair in sizes.windows(2).filter(|pair| !pair[0].1) {
                prop_assert!(pair[1].0 * 2 <= pair[0].0, "{sizes:?}");
            }
        }
    }
}
