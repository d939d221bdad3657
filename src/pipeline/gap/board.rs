//! What was read last of each target's plan, for the page of a bridge that runs.
//!
//! The loop of a target writes here after a walk, at most once a round, on the
//! connection and the quota that the bridge has. Whoever shows it only reads: opening
//! the page sends no request to a target.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use jiff::Timestamp;

use super::{Gap, gap};
use crate::{
    failure::Failure,
    pipeline::{Bridge, OpenTarget, TargetCycle},
};

/// The last reading of each target that a bridge serves.
#[derive(Debug)]
pub struct GapBoard(Mutex<BTreeMap<String, Reading>>);

/// What is known of one target's plan.
#[derive(Debug, Clone, Default)]
pub struct Reading {
    /// What was compared, and when the target was read; absent before the first time.
    pub last: Option<(Timestamp, Arc<Gap>)>,
    /// Why the newest round has no reading of it.
    pub missed: Option<String>,
}

impl GapBoard {
    /// A board for `targets`, of which nothing is read yet.
    #[must_use]
    pub fn new(targets: &[OpenTarget]) -> Self {
        let names = targets.iter().map(|target| target.name.clone());
        Self(Mutex::new(names.map(|name| (name, Reading::default())).collect()))
    }

    /// What is known of each target.
    #[must_use]
    pub fn readings(&self) -> BTreeMap<String, Reading> {
        self.lock().clone()
    }

    /// Notes what was read at `at`. A reading that the target did not answer takes the
    /// place of none that it did.
    pub(in crate::pipeline) fn put(
        &self,
        target: &str,
        at: Timestamp,
        found: Result<Gap, Failure>,
    ) {
        let mut readings = self.lock();
        let reading = readings.entry(target.to_owned()).or_default();
        match found {
            Ok(found) => {
                reading.missed = found.stopped.as_ref().map(ToString::to_string);
                if found.stopped.is_none() || reading.last.is_none() {
                    reading.last = Some((at, Arc::new(found)));
                }
            }
            Err(failure) => reading.missed = Some(failure.to_string()),
        }
    }

    /// Notes why the newest round has no reading.
    pub(in crate::pipeline) fn miss(&self, target: &str, why: String) {
        self.lock().entry(target.to_owned()).or_default().missed = Some(why);
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Reading>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl TargetCycle {
    /// Why the target is not to be read after this walk, where it is not: a person
    /// paused it, or it did not answer.
    pub(in crate::pipeline) fn leaves_unread(&self) -> Option<String> {
        let paused = self.paused.as_ref().map(|why| format!("paused ({why})"));
        paused.or_else(|| self.stopped.as_ref().map(ToString::to_string))
    }
}

impl Bridge {
    /// Reads what the plan of `target` says, as the verb `gap` does.
    pub(in crate::pipeline) async fn look(&self, target: &OpenTarget) -> Result<Gap, Failure> {
        let _doing = self.board.doing(&target.name, "reading what its plan says");
        gap(&self.loaded, &self.reader()?, target, self.clock.now()).await
    }
}
