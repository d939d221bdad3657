//! Time as a parameter: whoever serves a sandbox hands in its clock.

use std::{fmt, future::Future, pin::Pin, time::Duration};

use jiff::Timestamp;

/// Current time and sleeping, as the caller sees them.
pub trait Time: Send + Sync + fmt::Debug {
    /// The present instant.
    fn now(&self) -> Timestamp;

    /// Completes after `duration`.
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;
}
