//! Work side by side whose results come in order.
//!
//! Each lane is a thread that makes every n-th result and waits while it is a few
//! ahead: so whoever takes them sees the order of one thread, whatever the threads
//! do, and few results are in memory at a time.

use std::{
    panic::resume_unwind,
    sync::mpsc::{Receiver, sync_channel},
    thread,
};

/// Results of one lane that wait to be taken.
const AHEAD: usize = 2;

/// Makes a result of each of `items`, one lane for each of `lanes`, and gives them
/// to `take` in the order of the items. What a lane needs for itself is its own
/// part of `lanes`. Where `take` ends before the last result, the lanes end, too.
pub fn in_order<L: Send, T: Sync, R: Send, O>(
    lanes: Vec<L>,
    items: &[T],
    make: impl Fn(&mut L, &T) -> R + Sync,
    take: impl FnOnce(&mut dyn Iterator<Item = R>) -> O,
) -> O {
    let (count, make) = (lanes.len(), &make);
    thread::scope(|scope| {
        let begin = |(first, mut lane): (usize, L)| -> Receiver<R> {
            let (give, results) = sync_channel(AHEAD);
            scope.spawn(move || {
                let mine = items.iter().skip(first).step_by(count);
                // Nobody takes any more: the rest is not needed.
                let _ = mine.map(|item| make(&mut lane, item)).try_for_each(|one| give.send(one));
            });
            results
        };
        let lanes: Vec<Receiver<R>> = lanes.into_iter().enumerate().map(begin).collect();
        let next = |at: usize| {
            // A lane that broke off has told why; the rest must not pass for all.
            lanes[at % count].recv().unwrap_or_else(|_| resume_unwind(Box::new("a lane broke off")))
        };
        take(&mut (0..if count == 0 { 0 } else { items.len() }).map(next))
    })
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;

    fn squares(lanes: usize, items: &[u64]) -> Vec<u64> {
        in_order(vec![(); lanes], items, |(), one| one * one, |all| all.collect())
    }

    #[test]
    fn any_number_of_lanes_gives_the_same_in_the_same_order() {
        let items: Vec<u64> = (0..1_000).collect();
        let expected: Vec<u64> = items.iter().map(|one| one * one).collect();
        for lanes in 1..=4 {
            assert_eq!(squares(lanes, &items), expected);
        }
        assert_eq!(squares(3, &[7]), [49]);
        assert!(squares(2, &[]).is_empty());
    }

    #[test]
    fn lanes_end_with_whoever_takes_their_results() {
        let items: Vec<u64> = (0..1_000).collect();
        let few: Vec<u64> =
            in_order(vec![(); 2], &items, |(), one| *one, |all| all.take(3).collect());
        assert_eq!(few, [0, 1, 2]);
    }

    #[test]
    fn a_lane_that_breaks_off_never_looks_like_the_end() {
        let items: Vec<u64> = (0..10).collect();
        let make = |(): &mut (), one: &u64| if *one == 5 { panic!("broken") } else { *one };
        let mut taken = 0;
        let all = catch_unwind(AssertUnwindSafe(|| {
            in_order(vec![(); 2], &items, make, |all| all.for_each(|_| taken += 1));
        }));
        assert!(all.is_err() && taken == 5, "{taken}");
    }
}
