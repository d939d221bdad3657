//! The kit's clock as the limiter wants it: time that only grows.

use std::{
    fmt,
    ops::Add,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use governor::{
    clock::{Clock as LimiterClock, Reference},
    nanos::Nanos,
};
use jiff::Timestamp;

use crate::Clock;

/// Nanoseconds since the quota was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) struct Tick(u64);

impl Tick {
    pub(super) fn after(self, duration: Duration) -> Self {
        let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        Self(self.0.saturating_add(nanos))
    }

    pub(super) const fn until(self, later: Self) -> Duration {
        Duration::from_nanos(later.0.saturating_sub(self.0))
    }
}

impl Add<Nanos> for Tick {
    type Output = Self;

    fn add(self, nanos: Nanos) -> Self {
        Self(self.0.saturating_add(nanos.as_u64()))
    }
}

impl Reference for Tick {
    fn duration_since(&self, earlier: Self) -> Nanos {
        Nanos::new(self.0.saturating_sub(earlier.0))
    }

    fn saturating_sub(&self, duration: Nanos) -> Self {
        Self(self.0.checked_sub(duration.as_u64()).unwrap_or(self.0))
    }
}

/// A wall clock may be set back. Here such a step counts as no time at all, so
/// that a pause never ends early and never lasts hours.
#[derive(Clone)]
pub(super) struct Ticks {
    clock: Arc<dyn Clock>,
    last: Arc<Mutex<(Timestamp, u64)>>,
}

impl Ticks {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        let last = Arc::new(Mutex::new((clock.now(), 0)));
        Self { clock, last }
    }

    pub(super) fn tick(&self) -> Tick {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.now();
        let step = u64::try_from(now.duration_since(last.0).as_nanos()).unwrap_or(0);
        *last = (now, last.1.saturating_add(step));
        Tick(last.1)
    }
}

impl LimiterClock for Ticks {
    type Instant = Tick;

    fn now(&self) -> Tick {
        self.tick()
    }
}

impl fmt::Debug for Ticks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.tick().fmt(f)
    }
}
