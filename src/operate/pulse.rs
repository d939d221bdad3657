//! Whether the loops of a bridge that runs still turn.
//!
//! Each loop runs on a thread of its own. While it waits, it beats every second;
//! while it computes, it does not, and it must come round within the time that the
//! configuration states. A loop that ended by a panic beats no more, either.

use std::{
    collections::BTreeMap,
    future::Future,
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::future::{Either, select};
use jiff::{SignedDuration, Timestamp};
use planthread_kit::Clock;

/// From one beat of a loop that waits to the next.
const BEAT: Duration = Duration::from_secs(1);

/// When each loop beat last.
#[derive(Debug)]
pub struct Pulses {
    clock: Arc<dyn Clock>,
    stall: Duration,
    beats: Mutex<BTreeMap<String, Timestamp>>,
}

/// How one loop stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pulse {
    /// The loop.
    pub name: String,
    /// When it came round last.
    pub at: Timestamp,
    /// Whether that is too long ago.
    pub late: bool,
}

impl Pulses {
    /// Nobody beats yet; a loop is late when it is silent for longer than `stall`.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, stall: Duration) -> Self {
        Self { clock, stall, beats: Mutex::default() }
    }

    /// Does `work`, and beats for the loop called `name` until that is done.
    pub async fn keep<F: Future>(&self, name: &str, work: F) -> F::Output {
        let mut work = pin!(work);
        loop {
            self.beats().insert(name.to_owned(), self.clock.now());
            match select(work, self.clock.sleep(BEAT)).await {
                Either::Left((done, _)) => {
                    // It ended as it should: nobody waits for it any more.
                    self.beats().remove(name);
                    return done;
                }
                Either::Right(((), rest)) => work = rest,
            }
        }
    }

    /// How each loop stands now, by name.
    #[must_use]
    pub fn now(&self) -> Vec<Pulse> {
        let now = self.clock.now();
        let stall = SignedDuration::try_from(self.stall).unwrap_or(SignedDuration::MAX);
        // A clock that was set back must not hide a loop that has died.
        let is_late = |at: Timestamp| now.duration_since(at).abs() > stall;
        let beats = self.beats();
        beats
            .iter()
            .map(|(name, at)| Pulse { name: name.clone(), at: *at, late: is_late(*at) })
            .collect()
    }

    /// How long a loop may be silent.
    #[must_use]
    pub const fn stall(&self) -> Duration {
        self.stall
    }

    fn beats(&self) -> MutexGuard<'_, BTreeMap<String, Timestamp>> {
        self.beats.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use planthread_kit::VirtualClock;

    use super::*;

    #[test]
    fn who_waits_beats_who_computes_is_late_and_who_ended_is_forgotten() {
        let clock = VirtualClock::new(Timestamp::UNIX_EPOCH, 1);
        let pulses = Pulses::new(Arc::new(clock.clone()), Duration::from_secs(60));
        let late = || pulses.now().iter().map(|pulse| pulse.late).collect::<Vec<_>>();
        clock.block_on(pulses.keep("ibp", async {
            clock.sleep(Duration::from_secs(3_600)).await;
            assert_eq!(late(), [false], "an hour of waiting is no stall");
            // Time that passes within one step of the loop.
            clock.advance(Duration::from_secs(55));
            assert_eq!(late(), [false]);
            clock.advance(Duration::from_secs(10));
            assert_eq!(late(), [true]);
            clock.sleep(Duration::from_secs(2)).await;
            assert_eq!(late(), [false], "it came round again");
        }));
        assert!(pulses.now().is_empty());
    }

    #[test]
    fn a_loop_that_panicked_is_late_in_the_end() {
        let clock = VirtualClock::new(Timestamp::UNIX_EPOCH, 1);
        let pulses = Pulses::new(Arc::new(clock.clone()), Duration::from_secs(60));
        let work = pulses.keep("ibp", async { panic!("as a fault would") });
        let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            clock.block_on(work);
        }));
        assert!(ended.is_err());
        clock.advance(Duration::from_secs(61));
        assert!(pulses.now()[0].late);
    }
}
