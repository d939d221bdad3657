//! Leaves a target alone that is down.
//!
//! Closed: pushes go through, and consecutive transient ends are counted.
//! Open: nobody pushes for a while. Half-open: exactly one push may try.
//! Bad rows, throttling, credentials and drift never count: a target that
//! says no is not down.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jiff::Timestamp;

use crate::{Class, table::treatment};

/// When to open, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BreakerPolicy {
    /// Transient ends in a row that open it; at least 1.
    pub failures: u32,
    /// How long it stays open.
    pub open_for: Duration,
}

impl Default for BreakerPolicy {
    fn default() -> Self {
        Self { failures: 5, open_for: Duration::from_secs(60) }
    }
}

/// One target's breaker, shared by all that push to it.
#[derive(Debug)]
pub struct Breaker {
    policy: BreakerPolicy,
    state: Mutex<State>,
}

/// How a breaker stands, for whoever looks at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BreakerStanding {
    /// Pushes go through.
    Closed,
    /// Nobody pushes.
    Open,
    /// One push finds out whether the target is back.
    HalfOpen,
}

impl BreakerStanding {
    /// Every one, in the order in which a breaker goes through them.
    pub const ALL: [Self; 3] = [Self::Closed, Self::Open, Self::HalfOpen];

    /// Its word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half_open",
        }
    }
}

#[derive(Debug, Clone, Copy)]
enum State {
    Closed { failures: u32 },
    Open { until: Timestamp },
    HalfOpen { probing: bool },
}

impl Breaker {
    /// A closed breaker.
    #[must_use]
    pub const fn new(policy: BreakerPolicy) -> Self {
        Self { policy, state: Mutex::new(State::Closed { failures: 0 }) }
    }

    /// May a push start at `now`?
    ///
    /// # Errors
    /// How long to leave the target alone.
    pub fn admit(&self, now: Timestamp) -> Result<Permit<'_>, Duration> {
        let mut state = self.lock();
        let probe = match *state {
            State::Closed { .. } => false,
            State::Open { until } if now < until => {
                let left = until.duration_since(now).unsigned_abs();
                if left > self.policy.open_for {
                    // The wall clock was set back: that adds nothing to the wait.
                    let until = now.saturating_add(self.policy.open_for);
                    *state = State::Open { until: until.unwrap_or(Timestamp::MAX) };
                }
                return Err(left.min(self.policy.open_for));
            }
            // Somebody is finding out; nobody knows for how long.
            State::HalfOpen { probing: true } => return Err(self.policy.open_for),
            State::Open { .. } | State::HalfOpen { probing: false } => {
                *state = State::HalfOpen { probing: true };
                true
            }
        };
        drop(state);
        Ok(Permit { breaker: self, probe, told: false })
    }

    /// How it stands at `now`. Asking changes nothing.
    #[must_use]
    pub fn standing(&self, now: Timestamp) -> BreakerStanding {
        match *self.lock() {
            State::Closed { .. } => BreakerStanding::Closed,
            State::Open { until } if now < until => BreakerStanding::Open,
            State::Open { .. } | State::HalfOpen { .. } => BreakerStanding::HalfOpen,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One push that may start. Say how it ended; a permit that is dropped says
/// nothing, and frees its probe.
#[derive(Debug)]
pub struct Permit<'a> {
    breaker: &'a Breaker,
    probe: bool,
    told: bool,
}

impl Permit<'_> {
    /// The target took the batch.
    pub fn succeeded(mut self) {
        self.told = true;
        let mut state = self.breaker.lock();
        if self.probe || matches!(*state, State::Closed { .. }) {
            *state = State::Closed { failures: 0 };
        }
    }

    /// The push ended with `class` at `now`.
    pub fn failed(mut self, class: Class, now: Timestamp) {
        if !treatment(class).counts_on_breaker {
            return;
        }
        self.told = true;
        let policy = self.breaker.policy;
        let open =
            State::Open { until: now.saturating_add(policy.open_for).unwrap_or(Timestamp::MAX) };
        let mut state = self.breaker.lock();
        *state = match *state {
            _ if self.probe => open,
            State::Closed { failures } if failures + 1 >= policy.failures => open,
            State::Closed { failures } => State::Closed { failures: failures + 1 },
            // Started before it opened: it tells nothing new.
            State::Open { .. } | State::HalfOpen { .. } => *state,
        };
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        if self.probe && !self.told {
            *self.breaker.lock() = State::HalfOpen { probing: false };
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;
    use crate::Sent;

    const DOWN: Class = Class::Transient { sent: Sent::No };
    const POLICY: BreakerPolicy = BreakerPolicy { failures: 3, open_for: Duration::from_secs(60) };

    fn at(second: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_secs(second)
    }

    fn fail(breaker: &Breaker, class: Class, second: i64) {
        breaker.admit(at(second)).unwrap().failed(class, at(second));
    }

    fn opened() -> Breaker {
        let breaker = Breaker::new(POLICY);
        (0..3).for_each(|second| fail(&breaker, DOWN, second));
        breaker
    }

    #[test]
    fn it_opens_after_failures_in_a_row_and_says_what_is_left() {
        let breaker = Breaker::new(POLICY);
        fail(&breaker, DOWN, 0);
        fail(&breaker, DOWN, 1);
        breaker.admit(at(2)).unwrap().succeeded();
        (3..6).for_each(|second| fail(&breaker, DOWN, second));
        assert_eq!(breaker.admit(at(15)).unwrap_err(), Duration::from_secs(50));
    }

    #[test]
    fn a_target_that_says_no_is_not_down() {
        let breaker = Breaker::new(POLICY);
        let after = Duration::from_secs(1);
        for class in [Class::Auth, Class::Drift, Class::Fatal, Class::Throttled { after }] {
            (0..9).for_each(|second| fail(&breaker, class, second));
        }
        assert!(breaker.admit(at(9)).is_ok());
    }

    #[test]
    fn half_open_lets_exactly_one_probe_through() {
        let breaker = opened();
        let standing = |second| breaker.standing(at(second)).word();
        assert_eq!((standing(61), standing(62)), ("open", "half_open"));
        let probe = breaker.admit(at(62)).unwrap();
        assert_eq!(breaker.admit(at(62)).unwrap_err(), POLICY.open_for);
        probe.succeeded();
        assert_eq!(standing(62), "closed");
        let both = (breaker.admit(at(63)), breaker.admit(at(63)));
        assert!(both.0.is_ok() && both.1.is_ok());
    }

    #[test]
    fn a_failed_probe_opens_again_and_a_dropped_one_makes_room() {
        let breaker = opened();
        breaker.admit(at(62)).unwrap().failed(DOWN, at(70));
        assert_eq!(breaker.admit(at(71)).unwrap_err(), Duration::from_secs(59));
        drop(breaker.admit(at(130)).unwrap());
        breaker.admit(at(130)).unwrap().failed(Class::Auth, at(130));
        assert!(breaker.admit(at(130)).is_ok(), "neither said anything about the target");
    }

    #[test]
    fn a_clock_that_is_set_back_does_not_keep_it_open() {
        let breaker = Breaker::new(POLICY);
        (0..3).for_each(|second| fail(&breaker, DOWN, 86_400 + second));
        assert_eq!(breaker.admit(at(10)).unwrap_err(), POLICY.open_for);
        assert!(breaker.admit(at(70)).is_ok(), "a day must not be waited for");
    }

    #[test]
    fn late_ends_of_earlier_pushes_change_nothing() {
        let breaker = Breaker::new(POLICY);
        let (late_failure, late_success) =
            (breaker.admit(at(0)).unwrap(), breaker.admit(at(0)).unwrap());
        (0..3).for_each(|second| fail(&breaker, DOWN, second));
        late_failure.failed(DOWN, at(30));
        late_success.succeeded();
        assert_eq!(breaker.admit(at(32)).unwrap_err(), Duration::from_secs(30));
    }
}
