//! How long to wait before another try: exponential, with full jitter.

use std::time::Duration;

use crate::Clock;

/// Waits that grow and never agree between two users.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// Upper end of the first wait.
    pub base: Duration,
    /// Upper end of every wait.
    pub cap: Duration,
}

impl Backoff {
    /// The longest wait before try number `tries + 1`.
    #[must_use]
    pub(crate) fn ceiling(&self, tries: u32) -> Duration {
        let factor = 1_u32.checked_shl(tries).unwrap_or(u32::MAX);
        self.base.saturating_mul(factor).min(self.cap)
    }

    /// A wait between zero and the ceiling, evenly spread: users that
    /// failed together don't come back together.
    #[must_use]
    pub fn wait(&self, tries: u32, clock: &dyn Clock) -> Duration {
        let ceiling = u64::try_from(self.ceiling(tries).as_nanos()).unwrap_or(u64::MAX);
        let drawn = (u128::from(ceiling) * u128::from(clock.random())) >> 64;
        Duration::from_nanos(u64::try_from(drawn).unwrap_or(ceiling))
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::VirtualClock;

    #[test]
    fn waits_grow_to_the_cap_and_fill_their_range() {
        let backoff = Backoff { base: Duration::from_secs(1), cap: Duration::from_secs(30) };
        let ceilings: Vec<u64> = (0..7).map(|tries| backoff.ceiling(tries).as_secs()).collect();
        assert_eq!(ceilings, [1, 2, 4, 8, 16, 30, 30]);
        assert_eq!(backoff.ceiling(u32::MAX), backoff.cap);

        let clock = VirtualClock::new(Timestamp::UNIX_EPOCH, 7);
        let waits: Vec<Duration> = (0..1_000).map(|_| backoff.wait(3, &clock)).collect();
        assert!(waits.iter().all(|wait| *wait <= Duration::from_secs(8)));
        assert!(waits.iter().any(|wait| *wait < Duration::from_secs(1)), "full jitter");
        assert!(waits.iter().any(|wait| *wait > Duration::from_secs(7)), "full jitter");
    }
}
