//! What a push and a read cost at the service, from documented figures.

use std::collections::BTreeMap;

use planthread_contracts::{MeasureDecl, Owner};
use planthread_kit::Cost;

use crate::{config::Config, translate::encode::rows_per_post};

/// One POST at a time takes about 20 ms a value (§8.1, B).
const VALUES_PER_SECOND_ALONE: u64 = 50;
/// Values a second of one tenant at so many POSTs at a time, as measured
/// (§8.1, B). Below the first, POSTs don't slow each other down until its
/// figure is reached.
const MEASURED: [(u64, u64); 3] = [(12, 298), (16, 354), (20, 415)];
/// A read costs about this, whatever its size and depth (§7, B).
const READ_MS: u64 = 6_000;

/// Values a second with `posts` at a time.
fn values_per_second(posts: u64) -> u64 {
    let mut ceiling = MEASURED[0].1;
    for pair in MEASURED.windows(2) {
        let ((from, low), (to, high)) = (pair[0], pair[1]);
        if posts > from {
            ceiling = low + (high - low) * (posts.min(to) - from) / (to - from);
        }
    }
    (VALUES_PER_SECOND_ALONE * posts).min(ceiling).max(1)
}

/// Key figures that one read brings at most: those of one level, one product
/// setting and the same conversions come together, a page is rows of them.
fn figures_per_read(config: &Config, measures: &[MeasureDecl]) -> usize {
    let mut groups: BTreeMap<_, usize> = BTreeMap::new();
    for measure in measures {
        let options = config.options(&measure.name);
        let time = config.time_fields.of(measure.level);
        *groups.entry((time, options.by_product, options.conversions)).or_default() += 1;
    }
    groups.into_values().max().unwrap_or(1)
}

/// Figures for `plan`, for batches in which all our measures travel together.
pub(crate) fn cost(config: &Config, measures: &[MeasureDecl]) -> Cost {
    let ours = measures.iter().filter(|measure| measure.owner == Owner::Bridge).count().max(1);
    let transaction = &config.transaction;
    let posts = transaction.parallel_posts;
    let each = u64::try_from(posts).unwrap_or(1).max(1);
    let extra =
        u32::from(transaction.id_from_service) + u32::from(transaction.initiate_parallel_process);
    Cost {
        // Token, commit, and two questions: one at once, one after the wait.
        overhead_requests: 4 + extra,
        overhead_ms: config.polling.every_seconds * 1_000,
        cells_per_request: rows_per_post(ours, config) * ours,
        // The published figure is per value; a fixed part is not published.
        request_ms: 0,
        cell_us: 1_000_000 * each / values_per_second(each),
        parallel_requests: posts,
        cells_per_read: config.reading.page_size * figures_per_read(config, measures),
        read_ms: READ_MS,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documented_points_are_met() {
        let points: Vec<u64> = [1, 2, 12, 14, 16, 20].map(values_per_second).to_vec();
        assert_eq!(points, [50, 100, 298, 326, 354, 415]);
        let cost = cost(&crate::samples::config(), &crate::samples::measures());
        assert_eq!((cost.cell_us, cost.parallel_requests), (20_000, 2));
        assert_eq!(cost.cells_per_request, 2_000, "500 rows of four measures");
        assert_eq!(cost.cells_per_read, 15_000, "the measure with a unit is read apart");
    }
}
