//! Documented latency: how long the real system takes, as far as it is known.
//!
//! Only measured figures from the fact sheet, each with its grade. The floor
//! derived from them is public, so that tests compare a client with it.

use std::{str::FromStr, time::Duration};

use jiff::{SignedDuration, Timestamp};

/// How a sandbox takes its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Profile {
    /// Answers at once.
    #[default]
    None,
    /// Takes as long as public measurements say.
    AsDocumented,
}

/// The text names no latency profile.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a latency profile: use `none` or `as-documented`")]
pub struct ProfileError(pub String);

impl FromStr for Profile {
    type Err = ProfileError;

    fn from_str(text: &str) -> Result<Self, ProfileError> {
        match text {
            "none" => Ok(Self::None),
            "as-documented" => Ok(Self::AsDocumented),
            _ => Err(ProfileError(text.to_owned())),
        }
    }
}

/// What public measurements say of a vendor. They are data: a vendor's folder
/// names their source.
#[derive(Debug, Clone, Copy)]
pub struct Rates {
    /// Staging throughput: (requests in flight, values per second), growing.
    /// Between the points we draw straight lines (derived); beyond the last
    /// nothing is known, so nothing is gained.
    pub staging: &'static [(u32, u32)],
    /// Fixed cost of one read.
    pub read: Duration,
    /// Reads that scale in parallel.
    pub reads_parallel: u32,
}

impl Rates {
    /// Values per second that the tenant takes with `concurrency` requests in
    /// flight.
    #[must_use]
    pub(crate) fn staging_rate(&self, concurrency: u32) -> f64 {
        let c = concurrency.max(1);
        for pair in self.staging.windows(2) {
            let ((c0, r0), (c1, r1)) = (pair[0], pair[1]);
            if c <= c1 {
                let part = f64::from(c.saturating_sub(c0)) / f64::from(c1 - c0);
                return f64::from(r0) + part * (f64::from(r1) - f64::from(r0));
            }
        }
        self.staging.last().map_or(f64::INFINITY, |(_, rate)| f64::from(*rate))
    }

    /// The vendor's floor: nobody stages `values` values faster than this with
    /// `concurrency` requests in flight, whatever the client does.
    ///
    /// Import processing after the commit is not in it: no figure is public.
    #[must_use]
    pub fn staging_floor(&self, values: u64, concurrency: u32) -> Duration {
        #[expect(clippy::cast_precision_loss, reason = "values stay far below 2^52")]
        let seconds = values as f64 / self.staging_rate(concurrency);
        Duration::from_secs_f64(seconds)
    }

    /// The vendor's floor for `requests` reads, `parallel` at a time.
    #[must_use]
    pub fn read_floor(&self, requests: u32, parallel: u32) -> Duration {
        self.read * requests.div_ceil(parallel.clamp(1, self.reads_parallel.max(1)))
    }
}

/// Work in flight in one tenant: turns documented rates into single delays.
///
/// Staged values form one backlog that drains at the rate of the POSTs in
/// flight; a POST ends when the backlog before it and its own values are done,
/// and never sooner than one connection could do it alone.
#[derive(Debug, Clone)]
pub struct Load {
    rates: Rates,
    backlog: f64,
    drained_at: Option<Timestamp>,
    posts_end: Vec<Timestamp>,
    reads_end: Vec<Timestamp>,
}

impl Load {
    /// A tenant that does nothing yet.
    #[must_use]
    pub const fn new(rates: Rates) -> Self {
        Self { rates, backlog: 0.0, drained_at: None, posts_end: Vec::new(), reads_end: Vec::new() }
    }

    /// How long a POST of `values` values takes that arrives at `at`.
    pub fn stage(&mut self, at: Timestamp, values: u64) -> Duration {
        self.drain(at);
        self.posts_end.retain(|end| *end > at);
        let in_flight = u32::try_from(self.posts_end.len() + 1).unwrap_or(u32::MAX);
        #[expect(clippy::cast_precision_loss, reason = "values stay far below 2^52")]
        let values = values as f64;
        self.backlog += values;
        let alone = values / self.rates.staging_rate(1);
        let shared = self.backlog / self.rates.staging_rate(in_flight);
        let delay = Duration::from_secs_f64(alone.max(shared));
        self.posts_end.push(later(at, delay));
        delay
    }

    /// How long a key figure read takes that arrives at `at`.
    pub fn read(&mut self, at: Timestamp) -> Duration {
        self.reads_end.retain(|end| *end > at);
        self.reads_end.sort_unstable();
        let lanes = self.rates.reads_parallel as usize;
        let start = match self.reads_end.len().checked_sub(lanes) {
            Some(waiting) => self.reads_end[waiting],
            None => at,
        };
        let wait = Duration::try_from(start.duration_since(at)).unwrap_or_default();
        self.reads_end.push(later(start, self.rates.read));
        wait + self.rates.read
    }

    fn drain(&mut self, at: Timestamp) {
        let mut from = self.drained_at.unwrap_or(at);
        let mut ends = self.posts_end.clone();
        ends.sort_unstable();
        let mut in_flight = u32::try_from(ends.len()).unwrap_or(u32::MAX);
        for end in ends.into_iter().chain([at]) {
            let until = end.min(at);
            let seconds = until.duration_since(from).as_secs_f64().max(0.0);
            if in_flight > 0 {
                self.backlog =
                    (self.backlog - seconds * self.rates.staging_rate(in_flight)).max(0.0);
            }
            from = from.max(until);
            in_flight = in_flight.saturating_sub(1);
        }
        self.drained_at = Some(at);
    }
}

fn later(at: Timestamp, delay: Duration) -> Timestamp {
    SignedDuration::try_from(delay)
        .ok()
        .and_then(|delay| at.checked_add(delay).ok())
        .unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sap_ibp::RATES;

    #[test]
    fn the_measured_points_are_met() {
        for (concurrency, rate) in RATES.staging {
            let (concurrency, rate) = (*concurrency, *rate);
            assert!((RATES.staging_rate(concurrency) - f64::from(rate)).abs() < 1e-9);
        }
        assert!((RATES.staging_rate(50) - 415.0).abs() < 1e-9, "beyond 20 nothing is known");
        assert_eq!(RATES.staging_floor(15_600, 1), Duration::from_secs(312));
        assert_eq!(RATES.read_floor(4, 1), Duration::from_secs(24));
        assert_eq!(RATES.read_floor(7, 20), Duration::from_secs(12));
    }

    #[test]
    fn one_connection_gets_twenty_milliseconds_a_value() {
        let mut load = Load::new(RATES);
        let mut at = Timestamp::UNIX_EPOCH;
        for _ in 0..5 {
            let delay = load.stage(at, 2_000);
            assert_eq!(delay.as_secs(), 40);
            at = later(at, delay);
        }
    }

    #[test]
    fn no_client_beats_the_floor() {
        for workers in [1u32, 2, 6, 12, 16, 20] {
            let (mut load, chunks) = (Load::new(RATES), 60u64);
            let mut free = vec![Timestamp::UNIX_EPOCH; workers as usize];
            for _ in 0..chunks {
                free.sort_unstable();
                free[0] = later(free[0], load.stage(free[0], 1_000));
            }
            let end = free.iter().max().unwrap().duration_since(Timestamp::UNIX_EPOCH);
            let floor = RATES.staging_floor(chunks * 1_000, workers).as_secs_f64();
            let ratio = end.as_secs_f64() / floor;
            assert!((0.999..1.25).contains(&ratio), "{workers} workers: {ratio:.3} x the floor");
        }
    }

    #[test]
    fn a_seventh_read_waits() {
        let mut load = Load::new(RATES);
        let delays: Vec<_> = (0..7).map(|_| load.read(Timestamp::UNIX_EPOCH).as_secs()).collect();
        assert_eq!(delays, [6, 6, 6, 6, 6, 6, 12]);
    }
}
