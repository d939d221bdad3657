//! Whoever does not take a message is asked again later, and less and less often.

use std::{collections::BTreeMap, time::Duration};

use jiff::{SignedDuration, Timestamp};

/// The first rest is twice as long.
const FIRST: Duration = Duration::from_secs(5);
/// Longest wait after messages that were not taken.
const REST_MAX: Duration = Duration::from_hours(1);

/// How often the last messages to each owner were not taken in a row, and when the last
/// one was not.
#[derive(Debug, Default)]
pub(super) struct Rests(BTreeMap<String, (u32, Timestamp)>);

impl Rests {
    /// Whether `owner` may be sent something at `now`. A clock that was set back makes
    /// nobody wait for longer.
    pub(super) fn may(&self, owner: &str, now: Timestamp) -> bool {
        self.0.get(owner).is_none_or(|(times, at)| {
            let rest = FIRST.saturating_mul(2_u32.saturating_pow(*times)).min(REST_MAX);
            let rest = SignedDuration::try_from(rest).unwrap_or(SignedDuration::MAX);
            now.duration_since(*at).abs() >= rest
        })
    }

    /// Notes that `owner` took a message.
    pub(super) fn taken(&mut self, owner: &str) {
        self.0.remove(owner);
    }

    /// Notes that a message to `owner` was not taken at `now`, and says for which time in
    /// a row.
    pub(super) fn failed(&mut self, owner: &str, now: Timestamp) -> u32 {
        let (times, at) = self.0.entry(owner.to_owned()).or_insert((0, now));
        *times = times.saturating_add(1);
        *at = now;
        *times
    }

    /// Nobody rests any more.
    pub(super) fn end(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan as _;

    use super::*;

    #[test]
    fn a_rest_doubles_up_to_an_hour_and_is_of_one_owner() {
        let at = |seconds: i64| Timestamp::UNIX_EPOCH + seconds.seconds();
        let mut rests = Rests::default();
        for (time, rest) in (1..40).zip(
            [10, 20, 40, 80, 160, 320, 640, 1_280, 2_560, 3_600].into_iter().chain([3_600; 30]),
        ) {
            assert_eq!(rests.failed("anna", at(0)), time);
            assert!(!rests.may("anna", at(rest - 1)) && rests.may("anna", at(rest)), "{time}");
            assert!(!rests.may("anna", at(1 - rest)) && rests.may("anna", at(-rest)), "{time}");
            assert!(rests.may("bo", at(0)), "nobody else waits");
        }
        rests.taken("anna");
        assert!(rests.may("anna", at(0)));
        assert_eq!(rests.failed("anna", at(0)), 1);
    }
}
