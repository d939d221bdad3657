//! The demo's clock: real time, and hours more with every cycle, so that a
//! planner sees weeks of movement in minutes.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use planthread_kit::{BoxFuture, Clock};

/// Real time, moved ahead. Waiting takes as long as it takes.
#[derive(Debug, Clone)]
pub struct DemoClock {
    real: Arc<dyn Clock>,
    ahead_seconds: Arc<AtomicI64>,
}

impl DemoClock {
    /// A clock that begins with the real time.
    #[must_use]
    pub fn new(real: Arc<dyn Clock>) -> Self {
        Self { real, ahead_seconds: Arc::default() }
    }

    /// Moves it ahead; everybody who shares it sees the same.
    pub fn advance(&self, by: SignedDuration) {
        self.ahead_seconds.fetch_add(by.as_secs(), Ordering::Relaxed);
    }
}

impl Clock for DemoClock {
    fn now(&self) -> Timestamp {
        let ahead = SignedDuration::from_secs(self.ahead_seconds.load(Ordering::Relaxed));
        self.real.now().saturating_add(ahead).unwrap_or(Timestamp::MAX)
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        self.real.sleep(duration)
    }

    fn random(&self) -> u64 {
        self.real.random()
    }
}
