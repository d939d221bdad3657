//! How many requests a tenant gets from us, and when.
//!
//! A quota is data per tenant: our share of the published rate, a burst,
//! blackout windows, and the pause that the target last asked for. Everything
//! that talks to a tenant shares one [`Quota`], handed out by [`QuotaBook`].
//! The limiter is asked and never waited on: waits go through the [`Clock`].

mod blackout;
mod lanes;
mod ticks;

use std::{
    collections::BTreeMap,
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
use rust_decimal::{Decimal, prelude::ToPrimitive};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::blackout::Blackout;
use self::{
    lanes::Lanes,
    ticks::{Tick, Ticks},
};
use crate::{Clock, http::Lane};

/// Who shares a quota: host and identity, by default.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct TenantKey(String);

impl TenantKey {
    /// The usual key: one user (or client id) at one host.
    #[must_use]
    pub fn of(host: &str, identity: &str) -> Self {
        Self(format!("{}/{identity}", host.to_ascii_lowercase()))
    }

    /// A key that the configuration names, so that several identities or
    /// hosts of one tenant share a quota.
    #[must_use]
    pub fn named(name: impl Into<String>) -> Self {
        Self(name.into())
    }
}

impl fmt::Display for TenantKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What may be sent to a tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct QuotaConfig {
    /// Requests per minute that the vendor publishes. Without it nothing is
    /// spaced; pauses and blackouts hold all the same.
    pub published_per_minute: Option<u32>,
    /// Our share of it, above 0 and at most 1. Half by default, because the
    /// nightly load of others needs the rest.
    pub share: Decimal,
    /// Requests that may go out at once after a quiet time; at least 1.
    pub burst: u32,
    /// Daily windows in which nothing is sent.
    pub blackouts: Vec<Blackout>,
}

impl Default for QuotaConfig {
    fn default() -> Self {
        Self {
            published_per_minute: None,
            share: Decimal::new(5, 1),
            burst: 5,
            blackouts: Vec::new(),
        }
    }
}

/// A quota that can't be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QuotaError {
    /// Zero requests per minute.
    #[error("published_per_minute is 0; leave it out when the vendor publishes no rate")]
    NoRate,
    /// Not a share.
    #[error("share is {0}; it must be above 0 and at most 1")]
    Share(Decimal),
    /// No burst.
    #[error("burst is 0; it must be at least 1")]
    NoBurst,
    /// A blackout window that is none.
    #[error("blackout {from} to {to}: both ends are the same; leave it out, or stop the target")]
    EmptyBlackout {
        /// Its start.
        from: jiff::civil::Time,
        /// Its end.
        to: jiff::civil::Time,
    },
    /// A zone that nobody knows.
    #[error("blackout zone {0:?} is not in the time zone database; write an IANA name")]
    Zone(String),
    /// Two targets of one tenant disagree.
    #[error("tenant {0} has two different quotas; give both targets the same, or their own keys")]
    Conflict(TenantKey),
}

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
    /// Requests that started inside an announced pause. Must stay 0.
    pub inside_pause: u64,
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
    counters: QuotaCounters,
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

    /// A quota that spaces nothing and only honours pauses.
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
        let Some((limiter, interval)) = &self.spacing else { return Ok(()) };
        if state.lanes.next(lane) != lane {
            return Err(*interval);
        }
        limiter.check().map_err(|until| until.wait_time_from(self.ticks.tick()))?;
        state.lanes.granted(lane);
        Ok(())
    }

    /// Waits until `lane` may send, at most `patience`.
    ///
    /// # Errors
    /// How long it would still have to wait, when that is beyond `patience`;
    /// then it has not waited for it.
    pub async fn acquire(&self, lane: Lane, patience: Duration) -> Result<Duration, Duration> {
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

    /// What is left of the pause or of a blackout window.
    #[must_use]
    pub fn closed_for(&self) -> Option<Duration> {
        self.closed(&self.lock()).err()
    }

    /// Counts a request at the moment in which it goes out.
    pub fn started(&self) {
        let mut state = self.lock();
        state.counters.requests += 1;
        state.counters.inside_pause += u64::from(state.paused_until > self.ticks.tick());
    }

    /// What was counted so far.
    #[must_use]
    pub fn counters(&self) -> QuotaCounters {
        self.lock().counters
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

impl QuotaConfig {
    /// Time between two requests, and the burst; `None` without a rate.
    fn spacing(&self) -> Result<Option<(Duration, NonZeroU32)>, QuotaError> {
        const MINUTE_NS: u64 = 60_000_000_000;
        let burst = NonZeroU32::new(self.burst).ok_or(QuotaError::NoBurst)?;
        if self.share <= Decimal::ZERO || self.share > Decimal::ONE {
            return Err(QuotaError::Share(self.share));
        }
        let Some(published) = self.published_per_minute else { return Ok(None) };
        if published == 0 {
            return Err(QuotaError::NoRate);
        }
        // Rounded up: a hair slower than our share, never faster.
        let ours = self.share * Decimal::from(published);
        let interval = (Decimal::from(MINUTE_NS) / ours).ceil().to_u64().unwrap_or(MINUTE_NS);
        Ok(Some((Duration::from_nanos(interval), burst)))
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

/// All quotas of the process, one a tenant.
#[derive(Debug)]
pub struct QuotaBook {
    clock: Arc<dyn Clock>,
    quotas: Mutex<BTreeMap<TenantKey, Arc<Quota>>>,
}

impl QuotaBook {
    /// An empty book.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, quotas: Mutex::default() }
    }

    /// The quota of `key`: the same one for everybody who asks.
    ///
    /// # Errors
    /// When `config` makes no sense, or differs from what somebody else of
    /// the same tenant brought.
    pub fn for_tenant(
        &self,
        key: TenantKey,
        config: QuotaConfig,
    ) -> Result<Arc<Quota>, QuotaError> {
        let mut quotas = self.quotas.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(quota) = quotas.get(&key) {
            let same = quota.config == config;
            return if same { Ok(Arc::clone(quota)) } else { Err(QuotaError::Conflict(key)) };
        }
        let quota = Arc::new(Quota::new(config, Arc::clone(&self.clock))?);
        quotas.insert(key, Arc::clone(&quota));
        Ok(quota)
    }

    /// Counters by tenant, for the report.
    #[must_use]
    pub fn counters(&self) -> BTreeMap<TenantKey, QuotaCounters> {
        let quotas = self.quotas.lock().unwrap_or_else(PoisonError::into_inner);
        quotas.iter().map(|(key, quota)| (key.clone(), quota.counters())).collect()
    }
}

#[cfg(test)]
mod tests;
