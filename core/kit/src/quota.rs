//! How many requests a tenant gets from us, and when.
//!
//! A quota is data per tenant: our share of the published rate, a burst,
//! blackout windows, and the pause that the target last asked for. Everything
//! that talks to a tenant shares one [`Quota`], handed out by [`QuotaBook`].
//! The limiter is asked and never waited on: waits go through the [`Clock`].

mod blackout;
mod book;
mod config;
mod lanes;
mod learned;
mod ticks;

use std::{
    fmt,
    num::NonZeroU32,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use governor::{
    RateLimiter,
    middleware::NoOpMiddleware,
    state::{InMemoryState, NotKeyed},
};
use jiff::Timestamp;
use serde::Serialize;

pub use self::{
    blackout::Blackout,
    book::QuotaBook,
    config::{QuotaConfig, QuotaError, TenantKey},
    learned::KeptRate,
};
use self::{
    lanes::Lanes,
    learned::Learned,
    ticks::{Tick, Ticks},
};
use crate::{
    Clock,
    http::{Lane, Witness},
};

/// What was counted since start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct QuotaCounters {
    /// Requests that went out.
    pub requests: u64,
    /// Answers that asked us to wait.
    pub refusals: u64,
    /// Requests that had to wait here first.
    pub waits: u64,
    /// Milliseconds that they waited, together.
    pub waited_ms: u64,
    /// Requests that were sent again, after a lost answer, a busy target or a pause.
    pub retries: u64,
    /// Requests that started inside an announced pause. Must stay 0.
    pub inside_pause: u64,
}

/// How the quota of one tenant stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuotaStanding {
    /// What was counted since start.
    pub counters: QuotaCounters,
    /// From one request to the next at our share of the published rate; `None` where
    /// none is published.
    pub every: Option<Duration>,
    /// From one request to the next at the rate that the tenant's refusals taught;
    /// `None` while it refused nothing, or takes our whole share.
    pub learned_every: Option<Duration>,
    /// What is left of the pause that the target asked for.
    pub paused_for: Option<Duration>,
    /// What the tenant last said about our clock.
    pub witness: Option<Witness>,
}

type Limiter = RateLimiter<NotKeyed, InMemoryState, Ticks, NoOpMiddleware<Tick>>;

/// The quota of one tenant, shared by all its users.
pub struct Quota {
    config: QuotaConfig,
    clock: Arc<dyn Clock>,
    ticks: Ticks,
    blackouts: Vec<blackout::Window>,
    spacing: Option<(Limiter, Duration)>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    paused_until: Tick,
    lanes: Lanes,
    learned: Learned,
    counters: QuotaCounters,
    witness: Option<Witness>,
}

impl Quota {
    /// A quota by `config`, with its full burst.
    ///
    /// # Errors
    /// When the configuration makes no sense.
    pub fn new(config: QuotaConfig, clock: Arc<dyn Clock>) -> Result<Self, QuotaError> {
        let ticks = Ticks::new(Arc::clone(&clock));
        let blackouts =
            config.blackouts.iter().map(blackout::Window::new).collect::<Result<_, _>>()?;
        let spacing = config.spacing()?.map(|(interval, burst)| {
            let quota = governor::Quota::with_period(interval)
                .unwrap_or_else(|| governor::Quota::per_minute(NonZeroU32::MIN));
            (RateLimiter::direct_with_clock(quota.allow_burst(burst), ticks.clone()), interval)
        });
        Ok(Self { config, clock, ticks, blackouts, spacing, state: Mutex::default() })
    }

    /// A quota that spaces nothing until a request is refused, and honours pauses.
    #[must_use]
    pub fn unlimited(clock: Arc<dyn Clock>) -> Self {
        let ticks = Ticks::new(Arc::clone(&clock));
        let (config, blackouts) = (QuotaConfig::default(), Vec::new());
        Self { config, clock, ticks, blackouts, spacing: None, state: Mutex::default() }
    }

    /// May `lane` send now? Taking the permission uses it up.
    ///
    /// # Errors
    /// How long to wait before asking again.
    pub fn ask(&self, lane: Lane) -> Result<(), Duration> {
        let mut state = self.lock();
        self.closed(&state)?;
        let (now, published) = (self.ticks.tick(), self.published());
        if let Some(every) = published.max(state.learned.every()) {
            if state.lanes.next(lane) != lane {
                return Err(every);
            }
            if let Some(wait) = state.learned.wait(now) {
                return Err(wait);
            }
            if let Some((limiter, _)) = &self.spacing {
                limiter.check().map_err(|until| until.wait_time_from(now))?;
            }
            state.lanes.granted(lane);
        }
        state.learned.granted(now, published);
        Ok(())
    }

    /// Waits until `lane` may send, at most `patience`.
    ///
    /// # Errors
    /// How long it would still have to wait, when that is beyond `patience`;
    /// then it has not waited for it.
    pub(crate) async fn acquire(
        &self,
        lane: Lane,
        patience: Duration,
    ) -> Result<Duration, Duration> {
        let Err(mut wait) = self.ask(lane) else { return Ok(Duration::ZERO) };
        let turn = Turn::take(self, lane);
        let mut waited = Duration::ZERO;
        loop {
            if waited.saturating_add(wait) > patience {
                return Err(wait);
            }
            self.clock.sleep(wait).await;
            waited = waited.saturating_add(wait);
            match turn.quota.ask(lane) {
                Ok(()) => break,
                Err(more) => wait = more,
            }
        }
        let mut state = self.lock();
        state.counters.waits += 1;
        let millis = u64::try_from(waited.as_millis()).unwrap_or(u64::MAX);
        state.counters.waited_ms = state.counters.waited_ms.saturating_add(millis);
        drop(state);
        Ok(waited)
    }

    /// The target asked to wait: nobody of this tenant sends before `after`
    /// has passed. A shorter pause never ends a longer one.
    pub fn pause(&self, after: Duration) {
        let until = self.ticks.tick().after(after);
        let mut state = self.lock();
        state.counters.refusals += 1;
        state.paused_until = state.paused_until.max(until);
    }

    /// The target took no request, because there were too many, and asked to wait:
    /// a pause, from which the rate is learned that it takes.
    pub(crate) fn refused(&self, after: Duration) {
        let now = self.ticks.tick();
        self.lock().learned.refused(now, after);
        self.pause(after);
    }

    /// Goes on with a pause that an earlier process was asked for.
    pub(super) fn resume_pause(&self, until: Timestamp) {
        let left = Duration::try_from(until.duration_since(self.clock.now()));
        let left = left.unwrap_or(Duration::ZERO).min(crate::http::LONGEST_WAIT);
        let until = self.ticks.tick().after(left);
        let mut state = self.lock();
        state.paused_until = state.paused_until.max(until);
    }

    /// Goes on with the rate that an earlier process learned.
    pub(super) fn resume_rate(&self, kept: &KeptRate) {
        let (now, tick) = (self.clock.now(), self.ticks.tick());
        self.lock().learned = Learned::of_before(kept, now, tick);
    }

    /// What is to be kept of the rate that was learned, where anything was asked.
    pub(super) fn kept_rate(&self) -> Option<Option<KeptRate>> {
        let (now, state) = (self.clock.now(), self.lock());
        (state.counters.requests > 0).then(|| state.learned.kept(now))
    }

    /// What is left of the pause that the target asked for.
    #[must_use]
    pub(crate) fn paused_for(&self) -> Option<Duration> {
        let (until, now) = (self.lock().paused_until, self.ticks.tick());
        (until > now).then(|| now.until(until))
    }

    /// What is left of the pause or of a blackout window.
    #[must_use]
    pub(crate) fn closed_for(&self) -> Option<Duration> {
        self.closed(&self.lock()).err()
    }

    /// Counts a request at the moment in which it goes out.
    pub fn started(&self) {
        let mut state = self.lock();
        state.counters.requests += 1;
        state.counters.inside_pause += u64::from(state.paused_until > self.ticks.tick());
    }

    /// Counts a request that will be sent again.
    pub(crate) fn retried(&self) {
        self.lock().counters.retries += 1;
    }

    /// What was counted so far.
    #[must_use]
    pub fn counters(&self) -> QuotaCounters {
        self.lock().counters
    }

    /// How it stands now.
    #[must_use]
    pub fn standing(&self) -> QuotaStanding {
        let learned_every = self.lock().learned.every();
        QuotaStanding {
            counters: self.counters(),
            every: self.published(),
            learned_every,
            paused_for: self.paused_for(),
            witness: self.witness(),
        }
    }

    /// From one request to the next at our share of the published rate.
    fn published(&self) -> Option<Duration> {
        self.spacing.as_ref().map(|(_, interval)| *interval)
    }

    fn closed(&self, state: &State) -> Result<(), Duration> {
        let now = self.ticks.tick();
        if state.paused_until > now {
            return Err(now.until(state.paused_until));
        }
        let at = self.clock.now();
        match self.blackouts.iter().filter_map(|window| window.left(at)).max() {
            Some(left) => Err(left),
            None => Ok(()),
        }
    }

    /// Keeps what the tenant's last answer said about our clock.
    pub(crate) fn testify(&self, witness: Witness) {
        self.lock().witness = Some(witness);
    }

    /// What the tenant last said about our clock.
    #[must_use]
    pub fn witness(&self) -> Option<Witness> {
        self.lock().witness
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Quota {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Quota")
            .field("config", &self.config)
            .field("counters", &self.counters())
            .finish_non_exhaustive()
    }
}

/// A place in the queue of a lane, given back when its owner goes away.
struct Turn<'a> {
    quota: &'a Quota,
    lane: Lane,
}

impl<'a> Turn<'a> {
    fn take(quota: &'a Quota, lane: Lane) -> Self {
        quota.lock().lanes.enter(lane);
        Self { quota, lane }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.quota.lock().lanes.leave(self.lane);
    }
}

#[cfg(test)]
mod tests;
