//! What a push and a read cost at the service, from documented figures.

use std::collections::BTreeMap;

use planthread_contracts::MeasureDecl;
use planthread_kit::{Carriage, Cost};

use crate::config::Config;

/// Values a second of one tenant at so many POSTs at a time, as measured: about
/// 20 ms a value for one, then 12, 16 and 20 (§8.1, B). Between the points we
/// draw straight lines; beyond the last nothing is known, so nothing is gained.
const MEASURED: [(u64, u64); 4] = [(1, 50), (12, 298), (16, 354), (20, 415)];
/// An import is asked for the first time after about this (§6.5, B).
const FIRST_QUESTION_MS: u64 = 3_000;
/// A read costs about this, whatever its size and depth (§7, B).
const READ_MS: u64 = 6_000;

/// Values in a thousand seconds with `posts` at a time.
fn values_per_1000_seconds(posts: u64) -> u64 {
    let mut rate = MEASURED[0].1 * 1_000;
    for pair in MEASURED.windows(2) {
        let ((from, low), (to, high)) = (pair[0], pair[1]);
        if posts > from {
            rate = 1_000 * low + 1_000 * (high - low) * (posts.min(to) - from) / (to - from);
        }
    }
    rate
}

/// Key figures of each question: those of one level, one product setting and the
/// same conversions come together, a page is rows of them.
fn questions(config: &Config, measures: &[MeasureDecl]) -> Vec<usize> {
    let mut groups: BTreeMap<_, usize> = BTreeMap::new();
    for measure in measures {
        let options = config.options(&measure.name);
        let time = config.time_fields.of(measure.level);
        *groups.entry((time, options.by_product, options.conversions)).or_default() += 1;
    }
    groups.into_values().collect()
}

/// What one request holds, and how values are read back.
pub(crate) fn carriage(config: &Config, measures: &[MeasureDecl]) -> Carriage {
    let questions = u32::try_from(questions(config, measures).len()).unwrap_or(u32::MAX);
    Carriage {
        questions,
        ..Carriage::plain(
            "a transaction takes rows of one list of columns: token, rows, commit, and one question \
             after the wait; then one read for each level, product setting and conversion",
        )
    }
}

/// Figures for `plan`. Requests that carry cells are cut by the same two limits
/// as [`rows_per_post`](crate::translate::encode::rows_per_post) knows.
pub(crate) fn cost(config: &Config, measures: &[MeasureDecl]) -> Cost {
    let transaction = &config.transaction;
    let posts = transaction.parallel_posts;
    let each = u64::try_from(posts).unwrap_or(1).max(1);
    let extra =
        u32::from(transaction.id_from_service) + u32::from(transaction.initiate_parallel_process);
    Cost {
        // Token, commit, and one question after the wait.
        overhead_requests: 3 + extra,
        overhead_ms: FIRST_QUESTION_MS,
        cells_per_request: transaction.values_per_post,
        groups_per_request: transaction.rows_per_post,
        // The published figure is per value; a fixed part is not published.
        request_ms: 0,
        cell_us: 1_000_000_000 * each / values_per_1000_seconds(each),
        parallel_requests: posts,
        cells_per_read: config.reading.page_size
            * questions(config, measures).into_iter().max().unwrap_or(1),
        read_ms: READ_MS,
        parallel_reads: config.reading.parallel,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documented_points_are_met() {
        let points = [1, 2, 12, 14, 16, 20, 30].map(values_per_1000_seconds);
        assert_eq!(points, [50_000, 72_545, 298_000, 326_000, 354_000, 415_000, 415_000]);
        let cost = cost(&crate::samples::config(), &crate::samples::measures());
        assert_eq!((cost.cell_us, cost.parallel_requests), (27_569, 2));
        assert_eq!((cost.cells_per_request, cost.groups_per_request), (2_000, 5_000));
        assert_eq!(cost.cells_per_read, 15_000, "the measure with a unit is read apart");
    }
}
