//! The clock of the bridge's machine, which somebody may set wrongly.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use planthread_kit::{BoxFuture, Clock, VirtualClock};

/// The time of a machine: the real one, and how far it is off.
#[derive(Debug, Clone)]
pub struct Machine {
    real: VirtualClock,
    ahead: Arc<Mutex<SignedDuration>>,
}

impl Machine {
    /// A machine that agrees with `real`.
    #[must_use]
    pub fn new(real: VirtualClock) -> Self {
        Self { real, ahead: Arc::default() }
    }

    /// Somebody sets its clock; everybody who shares it sees the same.
    pub fn set_ahead(&self, ahead: SignedDuration) {
        *self.ahead.lock().unwrap_or_else(PoisonError::into_inner) = ahead;
    }
}

impl Clock for Machine {
    fn now(&self) -> Timestamp {
        self.real.now() + *self.ahead.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        self.real.sleep(duration)
    }

    fn random(&self) -> u64 {
        self.real.random()
    }
}
