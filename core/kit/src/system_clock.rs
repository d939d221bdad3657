//! The real clock: the only place that reads the system's time and sleeps.

use std::{
    hash::{BuildHasher, Hasher, RandomState},
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use jiff::Timestamp;

use crate::{BoxFuture, Clock, Steady};

/// Wall time, the runtime's timer, the system's randomness. Sleeping needs a
/// running tokio runtime with its timer.
#[derive(Debug, Default)]
pub struct SystemClock {
    drawn: AtomicU64,
}

impl SystemClock {
    /// The clock.
    #[must_use]
    pub const fn new() -> Self {
        Self { drawn: AtomicU64::new(0) }
    }
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock that everybody else takes")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    #[expect(clippy::disallowed_methods, reason = "this is the clock that everybody else takes")]
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        // Made inside, so that a future can be built outside of the runtime.
        Box::pin(async move { tokio::time::sleep(duration).await })
    }

    /// A keyed hash of a counter, the key drawn by the system: good for ids
    /// and jitter, not for keys.
    fn random(&self) -> u64 {
        let mut hasher = RandomState::new().build_hasher();
        hasher.write_u64(self.drawn.fetch_add(1, Ordering::Relaxed));
        hasher.finish()
    }
}

/// The system's clock that never goes back. It may stand still while the machine sleeps.
#[derive(Debug)]
pub struct SteadyClock(Instant);

impl SteadyClock {
    /// The clock, which begins now.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the clock that everybody else takes")]
    pub fn start() -> Self {
        Self(Instant::now())
    }
}

impl Steady for SteadyClock {
    fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn randomness_does_not_repeat() {
        let clock = SystemClock::new();
        let drawn: BTreeSet<u64> = (0..10_000).map(|_| clock.random()).collect();
        assert_eq!(drawn.len(), 10_000);
    }

    #[tokio::test]
    async fn it_sleeps_at_least_as_long_as_asked() {
        let clock = SystemClock::new();
        let started = SteadyClock::start();
        clock.sleep(Duration::from_millis(20)).await;
        assert!(started.elapsed() >= Duration::from_millis(19));
    }
}
