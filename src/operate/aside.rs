//! What whoever operates a bridge sees of one that stands by: it lives, and its work is
//! done by another one.

use std::sync::Arc;

use jiff::Timestamp;
use planthread_engine::lease::{Keeper, Standing};
use planthread_kit::Clock;

use super::{Health, Ready, Tells, Told, metrics};
use crate::config::Operations;

/// A bridge that waits for its lease.
#[derive(Debug)]
pub struct Aside {
    keeper: Arc<Keeper>,
    clock: Arc<dyn Clock>,
    started: Timestamp,
}

impl Aside {
    /// One that waits from now on.
    #[must_use]
    pub fn new(keeper: Arc<Keeper>, clock: Arc<dyn Clock>) -> Self {
        Self { keeper, started: clock.now(), clock }
    }
}

impl Tells for Aside {
    fn health(&self) -> Health {
        let stall_seconds = Operations::STALL.as_secs();
        Health { healthy: true, now: self.clock.now(), stall_seconds, loops: Vec::new() }
    }

    fn ready(&self) -> Ready {
        let why = match self.keeper.standing() {
            Standing::Waiting { fault: Some(fault), .. } => {
                format!("standing by, and the folder of the lease can't be used: {fault}")
            }
            Standing::Waiting { .. } => "standing by: another bridge has the lease".to_owned(),
            Standing::Holding { .. } => "has the lease, and waits for the state".to_owned(),
            Standing::Lost { .. } => "another bridge has taken the lease".to_owned(),
        };
        Ready {
            ready: false,
            why: vec![why],
            now: self.clock.now(),
            last_round: None,
            round_failed: None,
            targets: Vec::new(),
        }
    }

    fn metrics(&self) -> String {
        let told = Told::default();
        let mut page = metrics::of_process(&self.ready(), &self.health(), &told, self.started);
        page.lease(false, self.keeper.permit().left());
        page.text()
    }
}
