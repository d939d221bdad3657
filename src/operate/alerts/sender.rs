//! The loop that looks, decides, sends, and keeps what was told.

use std::{
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use futures_util::future::{Either, select};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use planthread_engine::journal::{self, Append};
use planthread_kit::Clock;

use super::{Alert, Pace, Told, decide, hook::Hook};
use crate::{
    cli::{outputs::json_of, screen::Screen},
    config,
    failure::Failure,
    operate::Watch,
    pipeline::Stop,
};

/// From one look to the next.
const EVERY: Duration = Duration::from_secs(5);
/// How long the last message before the program ends may take, tried again and again.
pub const LAST_WORD: Duration = Duration::from_secs(10);
/// Between two tries of it.
const LAST_REST: Duration = Duration::from_secs(1);
/// Longest wait after messages that were not taken.
const REST_MAX: Duration = Duration::from_hours(1);
/// Under which name the journal keeps what was told.
const KEPT: &str = "alerts:told";

/// Messages since the program started.
#[derive(Debug, Default)]
pub struct Counts {
    sent: AtomicU64,
    failed: AtomicU64,
}

impl Counts {
    /// Messages that were taken, and tries that failed.
    #[must_use]
    pub fn so_far(&self) -> (u64, u64) {
        (self.sent.load(Ordering::Relaxed), self.failed.load(Ordering::Relaxed))
    }
}

/// Sends the messages of one bridge.
#[derive(Debug)]
pub struct Alerts {
    watch: Arc<Watch>,
    hook: Hook,
    config: config::Alerts,
    zone: TimeZone,
    told: Told,
    /// Tries in a row that failed.
    failures: u32,
}

impl Alerts {
    /// Ready to send what `config` asks for.
    ///
    /// # Errors
    /// When the webhook can't be put together, or the state can't be read.
    pub fn open(watch: &Arc<Watch>, config: &config::Alerts) -> Result<Self, Failure> {
        let bridge = &watch.bridge;
        let loaded = &bridge.loaded;
        let hook = Hook::open(&config.webhook, loaded, &bridge.clock)?;
        let kept = journal::checkpoint(&bridge.reader()?, KEPT)?;
        // What can't be understood was written by another version: it begins anew.
        let told = kept.and_then(|text| serde_json::from_str(&text).ok());
        let told = told.unwrap_or_else(|| Told::new(bridge.clock.now()));
        let zone = TimeZone::get(&loaded.config.plant.zone).unwrap_or(TimeZone::UTC);
        let (watch, config) = (Arc::clone(watch), config.clone());
        Ok(Self { watch, hook, config, zone, told, failures: 0 })
    }

    /// Looks and sends until the stop. Whoever does not take a message is asked again
    /// later, and less and less often.
    pub async fn run(mut self, mut stop: Stop) {
        let clock = Arc::clone(&self.watch.bridge.clock);
        loop {
            let mut asked = pin!(stop.asked());
            let least = self.least();
            if let Either::Right(_) = select(pin!(self.turn(least)), asked.as_mut()).await {
                break;
            }
            let rest = EVERY.saturating_mul(2_u32.saturating_pow(self.failures.min(12)));
            let pause = clock.sleep(rest.min(REST_MAX));
            if let Either::Right(_) = select(pause, asked).await {
                break;
            }
        }
        if !self.watch.register.told().died.is_empty() {
            // Who asked for the stop waits for a moment; nobody else tells of it.
            let limit = clock.sleep(LAST_WORD);
            if let Either::Right(_) = select(pin!(self.last_turns(clock.as_ref())), limit).await {
                Screen::of_process(false)
                    .note("the last alert before the end was not taken in time");
            }
        }
    }

    /// Tells what is open before the program ends, until it is taken. Nobody is there
    /// after the fewest time between two messages, so it does not count.
    async fn last_turns(&mut self, clock: &dyn Clock) {
        loop {
            self.failures = 0;
            self.turn(SignedDuration::ZERO).await;
            if self.failures == 0 {
                return;
            }
            clock.sleep(LAST_REST).await;
        }
    }

    /// The configured fewest time between two messages to one owner.
    fn least(&self) -> SignedDuration {
        SignedDuration::from_mins(i64::from(self.config.least_minutes))
    }

    /// One look, and the messages that are due by it, `least` after the one before.
    async fn turn(&mut self, least: SignedDuration) {
        let now = self.watch.bridge.clock.now();
        let pace = Pace { least, digest_due: self.digest_due(now) };
        let known = self.told.clone();
        let seen = self.told.know(self.watch.open(now), now);
        if self.told != known {
            // Before anything is sent: a restart must know what it was.
            self.keep(now);
        }
        let plant = &self.watch.bridge.loaded.config.plant.id;
        for alert in decide(&seen, &self.told, pace, plant, now) {
            match self.send(&alert, now).await {
                Ok(()) => {
                    self.watch.alerts.sent.fetch_add(1, Ordering::Relaxed);
                    self.failures = 0;
                }
                Err(error) => {
                    self.watch.alerts.failed.fetch_add(1, Ordering::Relaxed);
                    self.failures = self.failures.saturating_add(1);
                    self.not_sent(&alert, &error, now);
                }
            }
        }
    }

    async fn send(&mut self, alert: &Alert, now: Timestamp) -> Result<(), Failure> {
        let data = json_of(alert).and_then(|text| serde_json::from_str(&text));
        let data = data.map_err(|error| Failure::internal(format!("can't write it: {error}")))?;
        self.hook.post(&alert.id, &data, now).await?;
        self.told.sent(alert, now);
        self.keep(now);
        Ok(())
    }

    /// Says where everybody reads, asked for or not, that a message did not arrive: the
    /// next try is later, and later each time.
    fn not_sent(&self, alert: &Alert, error: &Failure, now: Timestamp) {
        let times = if self.failures == 1 { "" } else { ", again" };
        Screen::of_process(false).note(&format!(
            "at {now}: an alert to {} was not sent{times}: {}; {}",
            alert.owner, error.message, error.cure
        ));
    }

    /// Keeps what is known and was told. A disk that refuses is what many an alert is
    /// about: this process remembers.
    fn keep(&self, now: Timestamp) {
        let kept = serde_json::to_string(&self.told).map_err(|error| error.to_string());
        let kept = kept.and_then(|text| {
            let checkpoint = Some((KEPT.to_owned(), text));
            let append = Append { checkpoint, ..Append::default() };
            journal::append(&self.watch.bridge.state, append, now)
                .map_err(|error| error.to_string())
        });
        if let Err(error) = kept {
            tracing::warn!(%error, "what was told can't be kept: a restart tells it again");
        }
    }

    /// The last instant at which digests were due.
    fn digest_due(&self, now: Timestamp) -> Timestamp {
        let here = now.to_zoned(self.zone.clone());
        let at = |date: jiff::civil::Date| {
            let due = date.to_datetime(self.config.digest_at).to_zoned(self.zone.clone());
            due.map_or(Timestamp::MIN, |due| due.timestamp())
        };
        let today = at(here.date());
        if today <= now { today } else { here.date().yesterday().map_or(Timestamp::MIN, at) }
    }
}
