//! The lease by which one of several bridges sends.

use std::path::PathBuf;

use planthread_engine::lease::{LEAST_SECONDS, MOST_SECONDS};
use schemars::JsonSchema;
use serde::Deserialize;

use super::locate::Faults;

/// The lease that a bridge must hold to send, where another one stands by
/// (`planthread run --standby`). Every verb that writes the state takes it, and gives it
/// back at its end.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LeaseConfig {
    /// A folder on a volume that all bridges share, outside every target. What one machine
    /// has written and synced there must be read by the others at once: no cache of names
    /// or attributes.
    pub folder: PathBuf,
    /// How long the lease lasts without being renewed, in seconds; the same for all. The
    /// holder renews it five times in that time, and sends nothing in its last fifth.
    #[serde(default = "seconds")]
    #[schemars(range(min = 5, max = 300))]
    pub seconds: u64,
}

const fn seconds() -> u64 {
    20
}

impl LeaseConfig {
    /// What can't be meant.
    pub(super) fn check(&self, faults: &mut Faults<'_>) {
        if !(LEAST_SECONDS..=MOST_SECONDS).contains(&self.seconds) {
            faults.add(
                "run.lease.seconds",
                format!("{} is not {LEAST_SECONDS} to {MOST_SECONDS}", self.seconds),
                "write how long the lease lasts without being renewed, 20 by default",
            );
        }
        if self.folder.is_file() {
            faults.add(
                "run.lease.folder",
                format!("{} is a file", self.folder.display()),
                "name a folder on a volume that all bridges share",
            );
        }
    }
}
