//! What the refusals of a tenant teach about the rate that it takes.
//!
//! A vendor may publish no rate, or enforce a lower one than it publishes. Until the
//! first refusal nothing is spaced. From then on requests keep a distance: what was
//! taken between two refusals, pause included, is a rate that the tenant takes. It
//! grows a little with each request that goes out without a refusal, so that a rate
//! that was raised is found again; the sooner a refusal follows on another, the slower
//! it grows from there.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::ticks::Tick;

/// Fewer requests than this teach nothing: somebody else may have used up the quota.
const ENOUGH: u32 = 10;
/// Part of the proven rate at which requests go on after a refusal.
const KEPT: f64 = 0.98;
/// A window of proof starts anew when the rate has grown by so much: what was taken at
/// a far lower rate proves nothing about this one.
const WINDOW: f64 = 1.1;
/// Growth with each request: at first, and the least.
const GROWTH: (f64, f64) = (0.01, 0.0001);
/// A refusal that follows on another within fewer requests than this, or within so many
/// times its pause, halves the growth; five times as many of both without one double it.
/// So at most one request in some hundreds is refused while the rate is looked for, and
/// pauses cost some hundredths of the time.
const APART: (u32, u32) = (400, 40);
/// Longer pauses are not about a rate: a budget of a day, or a closed tenant.
const LONGEST_PAUSE: Duration = Duration::from_secs(120);
/// A gap of so many times the distance that is kept, and this much, is one in which
/// nothing was wanted: it says nothing about the rate.
const IDLE: (f64, f64) = (10.0, 1.0);
/// A window ends at this age: what trickled before a rush says nothing about a rush.
const LONGEST_WINDOW: Duration = Duration::from_secs(120);

/// A rate that was last in force longer ago than this says nothing about today.
const LONGEST_KEPT: SignedDuration = SignedDuration::from_hours(24);
/// Parts of one in which growth is kept.
const MILLION: f64 = 1e6;

/// What is kept of a learned rate: enough for the next process to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeptRate {
    /// From one request to the next.
    pub every: Duration,
    /// Growth with each request, in millionths.
    pub growth_ppm: u32,
    /// When it was last in force.
    pub at: Timestamp,
}

/// The rate that one tenant was seen to take. Rates are in requests a second.
#[derive(Debug, Default)]
pub(super) struct Learned {
    pace: Option<Pace>,
    window: Option<Window>,
    growth: f64,
    /// Requests since the growth was last set, when that was, and the pause before.
    since: (u32, Tick),
    pause: Duration,
    /// The end of the last pause.
    until: Tick,
}

#[derive(Debug)]
struct Pace {
    rate: f64,
    /// The rate at the start of the window, and the one at which the window before
    /// it was taken as a whole.
    base: f64,
    proven: f64,
    next: Tick,
}

/// Requests in a time in which there always was one to send.
#[derive(Debug)]
struct Window {
    began: Tick,
    last: Tick,
    requests: u32,
}

impl Learned {
    /// Goes on at `tick`, which is `now`, with what an earlier process learned. One
    /// that is too old is forgotten; how old it is nobody knows where the wall clock
    /// was set back, and it counts.
    pub(super) fn of_before(kept: &KeptRate, now: Timestamp, tick: Tick) -> Self {
        if kept.every.is_zero() || now.duration_since(kept.at) > LONGEST_KEPT {
            return Self::default();
        }
        let rate = 1.0 / kept.every.as_secs_f64();
        // The process before may have sent a moment ago.
        let next = tick.after(kept.every);
        let growth = (f64::from(kept.growth_ppm) / MILLION).clamp(GROWTH.1, GROWTH.0);
        let pace = Some(Pace { rate, base: rate, proven: 0.0, next });
        Self { pace, growth, since: (0, tick), ..Self::default() }
    }

    /// What is to be kept of it at `now`; `None` while nothing was refused.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "below a million")]
    pub(super) fn kept(&self, now: Timestamp) -> Option<KeptRate> {
        let growth_ppm = (self.growth * MILLION).round() as u32;
        self.every().map(|every| KeptRate { every, growth_ppm, at: now })
    }

    /// From one request to the next; `None` while nothing was refused.
    pub(super) fn every(&self) -> Option<Duration> {
        self.pace.as_ref().map(|pace| Duration::from_secs_f64(1.0 / pace.rate))
    }

    /// How long it is until the next request may go out.
    pub(super) fn wait(&self, now: Tick) -> Option<Duration> {
        let next = self.pace.as_ref()?.next;
        (next > now).then(|| now.until(next))
    }

    /// A request goes out. Where `published` is the distance that the configuration
    /// sets, a learned one that is no longer is forgotten.
    pub(super) fn granted(&mut self, now: Tick, published: Option<Duration>) {
        if published.zip(self.every()).is_some_and(|(published, every)| every <= published) {
            self.pace = None;
        }
        let distance = self.every().map_or(0.0, |every| every.as_secs_f64());
        let window = self.window.take().filter(|window| !window.was_idle(now, distance));
        let mut window = window.unwrap_or(Window::at(now));
        (window.last, window.requests) = (now, window.requests.saturating_add(1));
        self.since.0 = self.since.0.saturating_add(1);
        if let Some(pace) = &mut self.pace {
            // Whoever sends less often than it may proves nothing about more.
            let late = pace.next.until(now).as_secs_f64();
            pace.next = pace.next.max(now).after(Duration::from_secs_f64(distance));
            if late <= distance / 5.0 {
                pace.rate *= 1.0 + self.growth;
            }
            if pace.rate > pace.base * WINDOW || window.is_old(now) {
                (pace.proven, pace.base) = (pace.base, pace.rate);
                window = Window::at(now);
            }
        } else if window.is_old(now) {
            window = Window::at(now);
        }
        self.window = Some(window);
        if self.pace.is_some() && self.is_apart(now, 5) {
            self.growth = (self.growth * 2.0).min(GROWTH.0);
            self.since = (0, now);
        }
    }

    /// The tenant took no request at `now`, because there were too many, and asked for
    /// a pause.
    pub(super) fn refused(&mut self, now: Tick, pause: Duration) {
        let Some(window) = &mut self.window else { return };
        // What was on its way when another was refused is refused for the same reason.
        if self.until > now || pause > LONGEST_PAUSE {
            return;
        }
        self.until = now.after(pause);
        window.last = self.until;
        let proven = self.pace.as_ref().is_some_and(|pace| pace.proven > 0.0);
        if window.requests < ENOUGH && !proven {
            return;
        }
        let took = window.began.until(self.until).as_secs_f64().max(f64::EPSILON);
        let taken = f64::from(window.requests) / took;
        let rate = match &self.pace {
            None => {
                self.growth = GROWTH.0;
                taken
            }
            Some(pace) => {
                if !self.is_apart(now, 1) {
                    self.growth = (self.growth / 2.0).max(GROWTH.1);
                }
                taken.max(pace.proven).max(pace.rate / 2.0).min(pace.rate) * KEPT
            }
        };
        self.pace = Some(Pace { rate, base: rate, proven: 0.0, next: self.until });
        self.window = Some(Window::at(self.until));
        (self.since, self.pause) = ((0, now), pause);
    }

    /// Whether the growth was set so long ago, in requests and in pauses.
    fn is_apart(&self, now: Tick, times: u32) -> bool {
        let (requests, at) = self.since;
        requests >= APART.0 * times && at.until(now) >= self.pause * (APART.1 * times)
    }
}

impl Window {
    const fn at(began: Tick) -> Self {
        Self { began, last: began, requests: 0 }
    }

    /// Whether nothing was wanted before `now`, while requests kept `distance` seconds.
    fn was_idle(&self, now: Tick, distance: f64) -> bool {
        let gap = self.last.until(now).as_secs_f64();
        self.requests > 0 && gap > IDLE.1 + IDLE.0 * distance
    }

    fn is_old(&self, now: Tick) -> bool {
        self.began.until(now) > LONGEST_WINDOW
    }
}
