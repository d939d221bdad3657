//! What the loops of a bridge told since it started, for whoever operates it.
//!
//! Nothing here is kept elsewhere: the state knows cells, attempts and outages, the
//! quotas know requests. This knows rounds and cycles.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jiff::Timestamp;

use crate::pipeline::{News, TargetCycle};

/// How a cycle of a target ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ended {
    /// It did all that it should.
    Done,
    /// Something stopped it; the next one goes on.
    Stopped,
    /// A person lets nothing be sent.
    Paused,
    /// The bridge ended on the way.
    Cut,
}

impl Ended {
    /// Every one.
    pub const ALL: [Self; 4] = [Self::Done, Self::Stopped, Self::Paused, Self::Cut];

    /// Its word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Stopped => "stopped",
            Self::Paused => "paused",
            Self::Cut => "cut",
        }
    }

    fn of(done: &TargetCycle) -> Self {
        match (&done.paused, &done.stopped) {
            (Some(_), _) => Self::Paused,
            (None, Some(_)) => Self::Stopped,
            (None, None) => Self::Done,
        }
    }
}

/// The rounds: the factory's side.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RoundsTold {
    /// Rounds that went well.
    pub done: u64,
    /// Rounds that could not be made.
    pub failed: u64,
    /// When the last one ended, well or not.
    pub last: Option<Timestamp>,
    /// When the last one ended well.
    pub last_done: Option<Timestamp>,
    /// Why the last one failed; none where it went well.
    pub failure: Option<String>,
    /// How long the last one took.
    pub took: Duration,
}

/// The cycles of one target.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TargetTold {
    /// How many ended in which way.
    pub ended: BTreeMap<Ended, u64>,
    /// When the last one was done.
    pub last_done: Option<Timestamp>,
    /// How long the last one took, however it ended.
    pub took: Duration,
    /// What stopped the last one.
    pub stopped: Option<String>,
}

/// What the loops told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Told {
    /// The rounds.
    pub rounds: RoundsTold,
    /// The targets, by name.
    pub targets: BTreeMap<String, TargetTold>,
    /// Loops that ended, and nobody had asked them to.
    pub died: Vec<String>,
}

/// Keeps what the loops tell.
#[derive(Debug, Default)]
pub struct Register(Mutex<Told>);

impl Register {
    /// Notes `news`, which was told at `now`.
    pub fn note(&self, news: &News, now: Timestamp) {
        let mut told = self.lock();
        match news {
            News::Round { round, took } => {
                let rounds = &mut told.rounds;
                (rounds.last, rounds.took) = (Some(now), *took);
                // A round without one of its files speaks for less than it should.
                let stopped = round.intake.iter().find_map(|file| file.stopped.as_ref());
                rounds.failure = stopped.map(|failure| failure.message.clone());
                match stopped {
                    Some(_) => rounds.failed += 1,
                    None => (rounds.done, rounds.last_done) = (rounds.done + 1, Some(now)),
                }
            }
            News::Failed { failure, .. } => {
                let rounds = &mut told.rounds;
                rounds.failed += 1;
                (rounds.last, rounds.failure) = (Some(now), Some(failure.message.clone()));
            }
            News::Walked { done, took, .. } => {
                let ended = Ended::of(done);
                let target = told.targets.entry(done.target.clone()).or_default();
                *target.ended.entry(ended).or_default() += 1;
                target.took = *took;
                target.stopped = done.stopped.as_ref().map(|failure| failure.message.clone());
                if ended == Ended::Done {
                    target.last_done = Some(now);
                }
            }
            News::Paused { target, .. } => count(&mut told, target, Ended::Paused),
            News::Cut(target) => count(&mut told, target, Ended::Cut),
        }
    }

    /// Notes that the loop called `name` ended, and nobody had asked it to.
    pub fn died(&self, name: &str) {
        self.lock().died.push(name.to_owned());
    }

    /// What was told so far.
    #[must_use]
    pub fn told(&self) -> Told {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Told> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn count(told: &mut Told, target: &str, ended: Ended) {
    let target = told.targets.entry(target.to_owned()).or_default();
    *target.ended.entry(ended).or_default() += 1;
}
