//! Until when what was sent of a cell may still come: the one rule of the guard, of a
//! read-back, and of whoever tells it.

use jiff::{SignedDuration, Timestamp};

/// Until when what went out at `sent_at` may still come, where that is later than `now`:
/// `window` after it was sent, and until `unclear`, the target's own word of an attempt
/// whose end nobody knows. A read-back decides nothing else before.
#[must_use]
pub fn settles(
    (sent_at, unclear): (Option<Timestamp>, Option<Timestamp>),
    window: SignedDuration,
    now: Timestamp,
) -> Option<Timestamp> {
    // Sent in the future: the clock was set back since, and far ahead of it no window runs.
    let runs = |at: &Timestamp| now.duration_since(*at).abs() < window;
    let sent = sent_at.filter(runs).map(|at| at.checked_add(window).unwrap_or(Timestamp::MAX));
    sent.max(unclear.filter(|until| now < *until))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::now;

    fn minutes() -> impl Strategy<Value = Option<i64>> {
        proptest::option::of(-90..90_i64)
    }

    proptest! {
        /// It ends at the instant that it names, and not before.
        #[test]
        fn what_settles_does_so_until_the_instant_that_is_told(
            sent in minutes(), unclear in minutes(), window in 1..60_i64,
        ) {
            // What was sent far ahead of a clock that was set back runs when it comes near.
            prop_assume!(sent.is_none_or(|sent| sent < window));
            let at = |minutes: i64| now() + SignedDuration::from_mins(minutes);
            let both = (sent.map(at), unclear.map(at));
            let window = SignedDuration::from_mins(window);
            let busy = |now| settles(both, window, now);
            let Some(until) = busy(now()) else {
                let over = |sent: Timestamp| now().duration_since(sent).abs() >= window;
                prop_assert!(both.0.is_none_or(over));
                prop_assert!(both.1.is_none_or(|unclear| unclear <= now()));
                return Ok(());
            };
            prop_assert!(until > now());
            prop_assert_eq!(busy(until - SignedDuration::from_secs(1)), Some(until));
            prop_assert_eq!(busy(until), None);
        }
    }
}
