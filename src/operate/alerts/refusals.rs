//! Whether a tenant refuses more than one request in a hundred, told from counters
//! that only grow, half an hour at a time.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use jiff::{SignedDuration, Timestamp};

/// How long is counted at a time.
const WINDOW: SignedDuration = SignedDuration::from_mins(30);
/// One refusal in so many requests is too many.
const ONE_IN: u64 = 100;

/// What each tenant was counted to have refused.
#[derive(Debug, Default)]
pub struct Refusals(Mutex<BTreeMap<String, Window>>);

#[derive(Debug, Clone, Copy)]
struct Window {
    began: Timestamp,
    requests: u64,
    refusals: u64,
    /// What the one before it found.
    refused: bool,
}

impl Refusals {
    /// Whether `tenant` refused too much in the last whole window, when it has counted
    /// so many requests and refusals by `now`.
    pub(super) fn refuses(
        &self,
        tenant: &str,
        (requests, refusals): (u64, u64),
        now: Timestamp,
    ) -> bool {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let begins = |refused| Window { began: now, requests, refusals, refused };
        let window = all.entry(tenant.to_owned()).or_insert_with(|| begins(false));
        if now.duration_since(window.began).abs() >= WINDOW {
            let asked = requests.saturating_sub(window.requests);
            let refused = refusals.saturating_sub(window.refusals);
            *window = begins(refused.saturating_mul(ONE_IN) > asked);
        }
        window.refused
    }
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan as _;

    use super::*;

    #[test]
    fn a_window_with_too_many_refusals_is_told_until_one_without_has_passed() {
        let all = Refusals::default();
        let at = |minutes: i64| Timestamp::UNIX_EPOCH + minutes.minutes();
        let told: Vec<bool> =
            [(0, 0, 0), (29, 900, 90), (30, 1_000, 90), (59, 1_900, 90), (61, 2_000, 90)]
                .map(|(minute, requests, refusals)| {
                    all.refuses("t", (requests, refusals), at(minute))
                })
                .into();
        assert_eq!(told, [false, false, true, true, false]);
        assert!(!all.refuses("another", (5, 5), at(61)), "what was counted before is nobody's");
    }
}
