//! A small random world in the words of this test: what exists, and what was said.
//!
//! The oracle reads a [`World`]; the code under test reads the plant and the facts
//! that are built from the same world.

use jiff::civil::Date;
use planthread_contracts::EquipmentState;
use planthread_domain::decode::Foretold;

/// Milliseconds of one step of the grid. Everything in a world begins and ends on it.
pub(crate) const SLOT: i64 = 15 * 60_000;
pub(crate) const HOUR: i64 = 4 * SLOT;

/// Everything that a derivation depends on.
#[derive(Debug, Clone, Default)]
pub(crate) struct World {
    pub(crate) zone: &'static str,
    pub(crate) day_start: i8,
    pub(crate) now: i64,
    pub(crate) past_weeks: i64,
    pub(crate) future_weeks: i64,
    pub(crate) pool_weeks: i64,
    pub(crate) calendars: Vec<Calendar>,
    pub(crate) machines: Vec<Machine>,
    pub(crate) lines: Vec<Line>,
    pub(crate) stops: Vec<Stop>,
    pub(crate) sources: Vec<Source>,
    pub(crate) words: Vec<Word>,
    pub(crate) readings: Vec<Reading>,
    pub(crate) verdicts: Vec<Verdict>,
    /// Only losses of information have some: the oracle knows nothing of them.
    pub(crate) forecasts: Vec<Foretelling>,
}

/// A person said of a machine that a source was right.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Verdict {
    pub(crate) source: usize,
    pub(crate) machine: usize,
    pub(crate) start: i64,
    pub(crate) end: i64,
    pub(crate) given: i64,
}

/// One number that a source foretold.
#[derive(Debug, Clone)]
pub(crate) struct Foretelling {
    pub(crate) source: usize,
    /// A machine, or a line behind all machines.
    pub(crate) subject: usize,
    pub(crate) what: Foretold,
    pub(crate) start: i64,
    pub(crate) end: i64,
    pub(crate) issued: i64,
    pub(crate) valid_until: i64,
    pub(crate) hundredths: i64,
}

#[derive(Debug, Clone)]
pub(crate) struct Calendar {
    pub(crate) round_the_clock: bool,
    /// First and last hour of a shift, and the last day on which it starts, from
    /// Monday, 0.
    pub(crate) shifts: Vec<(i8, i8, i64)>,
    /// Days on which nothing works.
    pub(crate) closed: Vec<Date>,
}

#[derive(Debug, Clone)]
pub(crate) struct Machine {
    pub(crate) calendar: usize,
    pub(crate) cycle_seconds: Option<i64>,
    /// Hundredths of availability in the master data.
    pub(crate) standard: Option<i64>,
}

#[derive(Debug, Clone)]
pub(crate) struct Line {
    pub(crate) calendar: usize,
    pub(crate) stages: Vec<Vec<usize>>,
    pub(crate) counter: usize,
    pub(crate) cycle_seconds: i64,
}

/// A declared stop of one machine.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stop {
    pub(crate) machine: usize,
    pub(crate) start: i64,
    pub(crate) end: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Events,
    Twin,
    Counter,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Alive {
    OwnRows,
    AnyRow,
    RowsOf(usize),
}

#[derive(Debug, Clone)]
pub(crate) struct Source {
    pub(crate) kind: Kind,
    pub(crate) authority: u32,
    pub(crate) begins: Option<(i64, EquipmentState)>,
    pub(crate) listed: Vec<usize>,
    pub(crate) alive: Alive,
    pub(crate) live_hours: i64,
    pub(crate) time_to_live_hours: i64,
    pub(crate) handed_over: Option<i64>,
    /// States that its file can tell.
    pub(crate) tells: Vec<EquipmentState>,
    /// What a counter showed before its first row.
    pub(crate) opening: Option<i64>,
}

/// One word about a machine. `None` changes no state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Word {
    pub(crate) source: usize,
    pub(crate) machine: usize,
    pub(crate) at: i64,
    pub(crate) state: Option<EquipmentState>,
    /// It changes nothing while the machine is down without plan.
    pub(crate) unless_down: bool,
}

/// One reading of a counter at the end of an hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reading {
    pub(crate) source: usize,
    pub(crate) machine: usize,
    pub(crate) end: i64,
    pub(crate) total: i64,
    /// The link was down: the next reading returns to the count.
    pub(crate) bad: bool,
    /// The counter began again at zero in this hour.
    pub(crate) restarted: bool,
}

impl World {
    /// The world as it was known at `now`: nothing that speaks of a later time.
    pub(crate) fn at(&self, now: i64) -> Self {
        let mut world = Self { now, ..self.clone() };
        world.words.retain(|word| word.at <= now);
        world.readings.retain(|one| one.end <= now);
        world
    }

    /// For how long before `now` anybody spoke.
    pub(crate) fn history(&self) -> i64 {
        let words = self.words.iter().map(|word| word.at);
        let first = words.chain(self.readings.iter().map(|one| one.end)).min();
        self.now - first.unwrap_or(self.now)
    }

    /// The words of one source about one machine, by time.
    pub(crate) fn words_of(&self, source: usize, machine: usize) -> Vec<Word> {
        let of = |word: &&Word| (word.source, word.machine) == (source, machine);
        let mut words: Vec<Word> = self.words.iter().filter(of).copied().collect();
        words.sort_by_key(|word| word.at);
        words
    }

    /// The readings of one source of one machine, by time.
    pub(crate) fn readings_of(&self, source: usize, machine: usize) -> Vec<Reading> {
        let of = |one: &&Reading| (one.source, one.machine) == (source, machine);
        let mut readings: Vec<Reading> = self.readings.iter().filter(of).copied().collect();
        readings.sort_by_key(|one| one.end);
        readings
    }
}
