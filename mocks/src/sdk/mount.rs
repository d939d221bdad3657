//! A simulator that several mounts and a test can share.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use jiff::Timestamp;

use crate::simulator::{Reply, Simulator};

/// A simulator that several mounts and a test can share.
pub type SharedSimulator = Arc<Mutex<Box<dyn Simulator>>>;

/// Lets a simulator be shared.
pub fn shared(simulator: impl Simulator + 'static) -> SharedSimulator {
    Arc::new(Mutex::new(Box::new(simulator)))
}

/// Hands one request to a shared simulator.
#[must_use]
pub fn handle(simulator: &SharedSimulator, at: Timestamp, request: &http::Request<Bytes>) -> Reply {
    simulator.lock().unwrap_or_else(PoisonError::into_inner).handle(at, request)
}
