//! The simulated plant: machines that run, break, get repaired and count
//! parts. Deterministic: the same seed and hour always tell the same story,
//! however far the story has been told.

use std::fmt::Write as _;

use jiff::{SignedDuration, Timestamp, civil::Weekday, tz::TimeZone};

/// The zone of the plant, as the starting configuration says.
pub const ZONE: &str = "Europe/Berlin";

/// One line of the simulated plant, modelled as one capacity resource.
#[derive(Debug, Clone, Copy)]
pub struct Line {
    /// Factory name, as its events call it.
    pub machine: &'static str,
    /// Minutes of one part at ideal speed.
    pub cycle_minutes: f64,
    /// Mean hours between failures.
    pub between_failures_h: f64,
    /// Mean hours of a repair.
    pub repair_h: f64,
    /// Runs only in the early and late shift of weekdays.
    pub two_shift: bool,
}

/// The lines of the demo, by location: two at `1010`, two at `1020`. They
/// differ, so that a planner sees different truths. Shifts are as the starting
/// configuration says.
pub const LINES: [Line; 4] = [
    Line {
        machine: "press-a",
        cycle_minutes: 1.0,
        between_failures_h: 30.0,
        repair_h: 2.5,
        two_shift: false,
    },
    Line {
        machine: "press-b",
        cycle_minutes: 1.0,
        between_failures_h: 55.0,
        repair_h: 3.0,
        two_shift: false,
    },
    Line {
        machine: "weld-a",
        cycle_minutes: 2.0,
        between_failures_h: 16.0,
        repair_h: 3.5,
        two_shift: false,
    },
    Line {
        machine: "paint",
        cycle_minutes: 1.5,
        between_failures_h: 70.0,
        repair_h: 9.0,
        two_shift: true,
    },
];

/// One thing that happened to a machine, or one reading of its counter.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Happening {
    /// When.
    pub at: Timestamp,
    /// To which machine.
    pub machine: &'static str,
    /// What the machine reported.
    pub what: What,
}

/// What a machine reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    /// A change of state: `failure`, `maintenance_start`, `restored`.
    Event(&'static str),
    /// Parts made since the story began, at the end of the hour that starts
    /// at `at`.
    Parts(u64),
}

/// A machine that is down from here to there.
struct Stop {
    from: i64,
    to: i64,
    planned: bool,
}

/// Everything that happened in `from..to`, for a plant whose story began at
/// `start`, in the order of time.
#[must_use]
pub fn story(seed: u64, start: Timestamp, from: Timestamp, to: Timestamp) -> Vec<Happening> {
    let minutes = minutes_between(start, to);
    let mut told: Vec<Happening> = LINES
        .iter()
        .enumerate()
        .flat_map(|(number, line)| {
            let seed = seed.wrapping_add(1_000_003 * (number as u64 + 1));
            let stops = stops(line, minutes, &mut Dice(seed));
            let counts = counts(line, &stops, minutes, !seed, start);
            events(line, start, &stops).into_iter().chain(counts_at(line, start, counts))
        })
        .filter(|happening| from <= happening.at && happening.at < to)
        .collect();
    told.sort();
    told
}

/// The stops of a line in the first `minutes` of its story. Draws don't depend
/// on `minutes`, so a longer story begins like a shorter one.
fn stops(line: &Line, minutes: i64, dice: &mut Dice) -> Vec<Stop> {
    let mut stops = Vec::new();
    let mut now = 0;
    let mut number = 0;
    while now < minutes {
        now += dice.exponential_minutes(line.between_failures_h);
        let length = dice.exponential_minutes(line.repair_h).max(6);
        // Every sixth stop is planned care instead of a breakdown.
        stops.push(Stop { from: now, to: now + length, planned: number % 6 == 5 });
        now += length;
        number += 1;
    }
    stops
}

fn events(line: &Line, start: Timestamp, stops: &[Stop]) -> Vec<Happening> {
    let happening =
        |minute, what| Happening { at: later(start, minute), machine: line.machine, what };
    stops
        .iter()
        .flat_map(|stop| {
            // A repair crew needs a third of the stop to arrive.
            let crew = stop.from + (stop.to - stop.from) / 3;
            let broke = (!stop.planned).then(|| happening(stop.from, What::Event("failure")));
            let care = if stop.planned { stop.from } else { crew };
            broke.into_iter().chain([
                happening(care, What::Event("maintenance_start")),
                happening(stop.to, What::Event("restored")),
            ])
        })
        .collect()
}

/// Parts made by the end of each full hour.
fn counts(line: &Line, stops: &[Stop], minutes: i64, seed: u64, start: Timestamp) -> Vec<u64> {
    let zone = TimeZone::get(ZONE).unwrap_or(TimeZone::UTC);
    let mut made = 0.0_f64;
    (0..minutes / 60)
        .map(|hour| {
            let (begin, end) = (hour * 60, hour * 60 + 60);
            if line.two_shift && !is_shift(&zone, later(start, begin)) {
                return made as u64;
            }
            let down: i64 =
                stops.iter().map(|stop| (stop.to.min(end) - stop.from.max(begin)).max(0)).sum();
            // Machines run at 93 to 99 % of their ideal speed.
            let mut hourly = Dice(seed ^ (hour as u64).wrapping_mul(0x9E37_79B9));
            let speed = 0.93 + 0.06 * hourly.fraction();
            made += (60 - down).max(0) as f64 / line.cycle_minutes * speed;
            made as u64
        })
        .collect()
}

/// Whether the early or the late shift works: weekdays, 06:00 to 22:00.
fn is_shift(zone: &TimeZone, at: Timestamp) -> bool {
    let local = zone.to_datetime(at);
    let weekend = matches!(local.weekday(), Weekday::Saturday | Weekday::Sunday);
    !weekend && (6..22).contains(&local.hour())
}

fn counts_at(line: &Line, start: Timestamp, counts: Vec<u64>) -> Vec<Happening> {
    let at = |(hour, parts): (usize, u64)| Happening {
        at: later(start, hour as i64 * 60),
        machine: line.machine,
        what: What::Parts(parts),
    };
    counts.into_iter().enumerate().map(at).collect()
}

/// The events of `story` as the CSV file that a machine gateway would write.
#[must_use]
pub fn events_csv(story: &[Happening]) -> String {
    let mut csv = String::from("time,machine,event\n");
    for happening in story {
        if let What::Event(event) = happening.what {
            // Writing to a string cannot fail.
            let _ = writeln!(csv, "{},{},{event}", happening.at, happening.machine);
        }
    }
    csv
}

/// The counter readings of `story` as CSV.
#[must_use]
pub fn counts_csv(story: &[Happening]) -> String {
    let mut csv = String::from("hour_start,machine,parts_total\n");
    for happening in story {
        if let What::Parts(parts) = happening.what {
            let _ = writeln!(csv, "{},{},{parts}", happening.at, happening.machine);
        }
    }
    csv
}

fn later(start: Timestamp, minutes: i64) -> Timestamp {
    start.saturating_add(SignedDuration::from_mins(minutes)).unwrap_or(Timestamp::MAX)
}

fn minutes_between(start: Timestamp, end: Timestamp) -> i64 {
    ((end.as_second() - start.as_second()) / 60).max(0)
}

/// A small deterministic generator (SplitMix64).
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// In 0..1, of 53 random bits.
    fn fraction(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// An exponential duration with the given mean, in whole minutes, at least one.
    fn exponential_minutes(&mut self, mean_h: f64) -> i64 {
        let hours = -mean_h * (1.0 - self.fraction()).ln();
        (hours * 60.0).ceil().max(1.0) as i64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hours: i64) -> Timestamp {
        later("2026-09-28T00:00:00Z".parse().unwrap(), hours * 60)
    }

    #[test]
    fn a_longer_story_begins_like_a_shorter_one() {
        let short = story(7, at(0), at(0), at(24 * 7));
        let long = story(7, at(0), at(0), at(24 * 56));
        assert!(short.len() > 4 * 24 * 7, "{}", short.len());
        assert_eq!(short[..], long[..short.len()]);
        let rest = story(7, at(0), at(24 * 7), at(24 * 56));
        assert_eq!(short.len() + rest.len(), long.len());
    }

    #[test]
    fn counters_only_grow_and_stand_still_while_a_machine_is_down() {
        let story = story(7, at(0), at(0), at(24 * 28));
        for line in LINES {
            let parts: Vec<u64> = story
                .iter()
                .filter(|h| h.machine == line.machine)
                .filter_map(|h| match h.what {
                    What::Parts(parts) => Some(parts),
                    What::Event(_) => None,
                })
                .collect();
            assert_eq!(parts.len(), 24 * 28);
            assert!(parts.windows(2).all(|pair| pair[0] <= pair[1]));
            assert!(
                parts.windows(2).any(|pair| pair[0] == pair[1]),
                "{} never stops",
                line.machine
            );
        }
    }
}
