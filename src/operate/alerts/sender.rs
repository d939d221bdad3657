//! The loops that look, decide, send, and keep what was told: one for each way.

use std::{
    cell::RefCell,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use futures_util::future::{Either, join_all, select};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use planthread_engine::journal::{self, Append};
use planthread_kit::Clock;

use super::{Alert, Pace, Told, Way, decide, hook::Hook, mail::Mail, rests::Rests};
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
/// Under which name the journal keeps what was told.
const KEPT: &str = "alerts:told";

/// Messages since the program started.
#[derive(Debug, Default)]
pub struct Counts {
    webhook: Count,
    email: Count,
}

#[derive(Debug, Default)]
struct Count {
    sent: AtomicU64,
    failed: AtomicU64,
}

impl Counts {
    const fn of(&self, way: Way) -> &Count {
        match way {
            Way::Webhook => &self.webhook,
            Way::Email => &self.email,
        }
    }

    /// Messages that were taken, and tries that failed, by each way.
    #[must_use]
    pub fn so_far(&self) -> [(Way, u64, u64); 2] {
        Way::ALL.map(|way| {
            let Count { sent, failed } = self.of(way);
            (way, sent.load(Ordering::Relaxed), failed.load(Ordering::Relaxed))
        })
    }
}

/// Sends the messages of one bridge.
#[derive(Debug)]
pub struct Alerts {
    watch: Arc<Watch>,
    lines: Vec<Line>,
    config: config::Alerts,
    zone: TimeZone,
    /// Of all ways. They take turns on one thread: nobody holds it while they wait.
    told: RefCell<Told>,
}

/// One way, with those who did not take its last message.
#[derive(Debug)]
struct Line {
    carrier: Carrier,
    rests: RefCell<Rests>,
}

#[derive(Debug)]
enum Carrier {
    Webhook(Hook),
    Email(Box<Mail>),
}

impl Line {
    const fn way(&self) -> Way {
        match self.carrier {
            Carrier::Webhook(_) => Way::Webhook,
            Carrier::Email(_) => Way::Email,
        }
    }
}

impl Alerts {
    /// Ready to send what `config` asks for.
    ///
    /// # Errors
    /// When a way can't be put together, or the state can't be read.
    pub fn open(watch: &Arc<Watch>, config: &config::Alerts) -> Result<Self, Failure> {
        let bridge = &watch.bridge;
        let (loaded, clock) = (&bridge.loaded, &bridge.clock);
        let hook = config.webhook.as_ref().map(|config| Hook::open(config, loaded, clock));
        let mail = config.email.as_ref().map(|config| Mail::open(config, loaded, clock));
        let carriers = [
            hook.transpose()?.map(Carrier::Webhook),
            mail.transpose()?.map(|mail| Carrier::Email(Box::new(mail))),
        ];
        let line = |carrier| Line { carrier, rests: RefCell::default() };
        let lines = carriers.into_iter().flatten().map(line).collect();
        let kept = journal::checkpoint(&bridge.reader()?, KEPT)?;
        // What can't be understood was written by another version: it begins anew.
        let told = kept.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
        let zone = TimeZone::get(&loaded.config.plant.zone).unwrap_or(TimeZone::UTC);
        let (watch, config, told) = (Arc::clone(watch), config.clone(), RefCell::new(told));
        Ok(Self { watch, lines, config, zone, told })
    }

    /// Looks and sends until the stop, by each way for itself. Whoever does not take a
    /// message is asked again later, and less and less often.
    pub async fn run(self, stop: Stop) {
        join_all(self.lines.iter().map(|line| self.run_line(line, stop.clone()))).await;
    }

    async fn run_line(&self, line: &Line, mut stop: Stop) {
        let clock = Arc::clone(&self.watch.bridge.clock);
        loop {
            let mut asked = pin!(stop.asked());
            let least = self.least();
            if let Either::Right(_) = select(pin!(self.turn(line, least)), asked.as_mut()).await {
                break;
            }
            if let Either::Right(_) = select(clock.sleep(EVERY), asked).await {
                break;
            }
        }
        if !self.watch.register.told().died.is_empty() {
            // Who asked for the stop waits for a moment; nobody else tells of it.
            let limit = clock.sleep(LAST_WORD);
            let last = self.last_turns(line, clock.as_ref());
            if let Either::Right(_) = select(pin!(last), limit).await {
                Screen::of_process(false).note(&format!(
                    "the last alert before the end was not taken in time by {}",
                    line.way().word()
                ));
            }
        }
    }

    /// Tells what is open before the program ends, until it is taken. Nobody is there
    /// after the fewest time between two messages, so it does not count.
    async fn last_turns(&self, line: &Line, clock: &dyn Clock) {
        loop {
            line.rests.borrow_mut().end();
            if self.turn(line, SignedDuration::ZERO).await {
                return;
            }
            clock.sleep(LAST_REST).await;
        }
    }

    /// The configured fewest time between two messages to one owner.
    fn least(&self) -> SignedDuration {
        SignedDuration::from_mins(i64::from(self.config.least_minutes))
    }

    /// One look, and the messages that are due by it, `least` after the one before. Says
    /// whether all were taken.
    async fn turn(&self, line: &Line, least: SignedDuration) -> bool {
        let now = self.watch.bridge.clock.now();
        let count = self.watch.alerts.of(line.way());
        let mut all = true;
        for alert in self.due(line, least, now) {
            match self.send(line, &alert, now).await {
                Ok(()) => {
                    count.sent.fetch_add(1, Ordering::Relaxed);
                    line.rests.borrow_mut().taken(&alert.owner);
                }
                Err(error) => {
                    count.failed.fetch_add(1, Ordering::Relaxed);
                    let times = line.rests.borrow_mut().failed(&alert.owner, now);
                    not_sent(&alert, &error, times, now);
                    all = false;
                }
            }
        }
        all
    }

    /// The messages that are due at `now`, without those to owners who rest.
    fn due(&self, line: &Line, least: SignedDuration, now: Timestamp) -> Vec<Alert> {
        let pace = Pace { least, digest_due: self.digest_due(now) };
        let found = self.watch.open(now);
        let mut told = self.told.borrow_mut();
        let known = told.clone();
        let seen = told.know(found, now);
        told.by(line.way(), now);
        if *told != known {
            // Before anything is sent: a restart must know what it was.
            self.keep(&told, now);
        }
        let plant = &self.watch.bridge.loaded.config.plant.id;
        let mut due = decide(&seen, told.by(line.way(), now), pace, plant, now);
        due.retain(|alert| line.rests.borrow().may(&alert.owner, now));
        due
    }

    async fn send(&self, line: &Line, alert: &Alert, now: Timestamp) -> Result<(), Failure> {
        match &line.carrier {
            Carrier::Webhook(hook) => {
                let data = json_of(alert).and_then(|text| serde_json::from_str(&text));
                let data =
                    data.map_err(|error| Failure::internal(format!("can't write it: {error}")))?;
                hook.post(&alert.id, &data, now).await?;
            }
            Carrier::Email(mail) => mail.send(alert, now).await?,
        }
        let mut told = self.told.borrow_mut();
        told.by(line.way(), now).sent(alert, now);
        self.keep(&told, now);
        Ok(())
    }

    /// Keeps what is known and was told. A disk that refuses is what many an alert is
    /// about: this process remembers.
    fn keep(&self, told: &Told, now: Timestamp) {
        let kept = serde_json::to_string(told).map_err(|error| error.to_string());
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

/// Says where everybody reads, asked for or not, that a message did not arrive: the next
/// try is later, and later each time.
fn not_sent(alert: &Alert, error: &Failure, times: u32, now: Timestamp) {
    let times = if times == 1 { "" } else { ", again" };
    Screen::of_process(false).note(&format!(
        "at {now}: an alert to {} was not sent{times}: {}; {}",
        alert.owner, error.message, error.cure
    ));
}
