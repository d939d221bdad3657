//! What one source says of one machine, step by step (ADR 16, steps 1 and 2).

use planthread_contracts::EquipmentState;

use super::{
    grid::Grid,
    world::{Alive, HOUR, Kind, Source, Word, World},
};

/// What a state means for capacity; the later, the lower.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Class {
    Up,
    Planned,
    Down,
    Unknown,
}

pub(crate) fn class(state: EquipmentState) -> Class {
    match state {
        EquipmentState::Unknown => Class::Unknown,
        EquipmentState::UnscheduledDown => Class::Down,
        EquipmentState::ScheduledDown | EquipmentState::NonScheduled => Class::Planned,
        _ => Class::Up,
    }
}

fn is_stop(state: EquipmentState) -> bool {
    matches!(class(state), Class::Planned | Class::Down)
}

/// What a voice says in one step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Said {
    Nothing,
    Told(EquipmentState),
    /// A stop that nobody ended.
    Left(EquipmentState),
}

/// One source that speaks for one machine.
#[derive(Debug)]
pub(crate) struct Voice<'a> {
    /// Position of its source.
    pub(crate) at: usize,
    pub(crate) source: &'a Source,
    words: Vec<Word>,
    begins: Option<(i64, EquipmentState)>,
    pub(crate) proof: i64,
}

/// All sources that speak for a machine.
pub(crate) fn voices(world: &World, machine: usize) -> Vec<Voice<'_>> {
    let speaking = world.sources.iter().enumerate().filter(|(_, s)| s.kind != Kind::Counter);
    speaking.filter_map(|(at, source)| voice(world, machine, at, source)).collect()
}

fn voice<'a>(world: &World, machine: usize, at: usize, source: &'a Source) -> Option<Voice<'a>> {
    let counts = |at: i64| source.handed_over.is_none_or(|end| at < end);
    let mut words = world.words_of(at, machine);
    words.retain(|word| counts(word.at));
    let listed = source.listed.contains(&machine);
    let begins = source.begins.filter(|_| listed || !words.is_empty());
    let knows = |state: EquipmentState| state != EquipmentState::Unknown;
    let known = begins.filter(|(_, state)| knows(*state));
    if words.is_empty() && known.is_none() {
        return None;
    }
    // A row that knows nothing proves nothing.
    let of_source = |source: usize| {
        let words = world.words.iter().filter(move |word| word.source == source);
        let words = words.filter(|word| word.state != Some(EquipmentState::Unknown));
        let readings = world.readings.iter().filter(move |one| one.source == source);
        let words = words.map(|word| (word.machine, word.at));
        words.chain(readings.map(|one| (one.machine, one.end)))
    };
    let any_row = || of_source(at).map(|(_, at)| at).max();
    let alive = match source.alive {
        Alive::OwnRows if !words.is_empty() => None,
        Alive::OwnRows | Alive::AnyRow => any_row(),
        Alive::RowsOf(other) => {
            of_source(other).filter(|(of, _)| *of == machine).map(|(_, at)| at).max()
        }
    };
    let is_word = |word: &&Word| word.state.is_some_and(knows);
    let heard = words.iter().filter(is_word).map(|word| word.at).max();
    let mut behind = words.iter().filter(|word| heard.is_none_or(|heard| word.at > heard));
    let lost = behind.find(|word| word.state == Some(EquipmentState::Unknown));
    let lost = lost.map(|word| word.at);
    if lost.is_some() && heard.is_none() && known.is_none() {
        return None;
    }
    // From an "unknown" that it never took back, it is silent.
    words.retain(|word| lost.is_none_or(|lost| word.at < lost));
    let own = words.last().map(|word| word.at).max(known.map(|(at, _)| at))?;
    let proof = alive.map_or(own, |alive| own.max(alive.min(lost.unwrap_or(alive))));
    // From the hand-over on its rows prove nothing.
    let proof = source.handed_over.map_or(proof, |end| proof.min(end));
    Some(Voice { at, source, words, begins, proof })
}

impl Voice<'_> {
    pub(crate) fn is_handed_over(&self, at: i64) -> bool {
        self.source.handed_over.is_some_and(|end| end <= at)
    }

    pub(crate) fn is_silent(&self, at: i64) -> bool {
        at >= self.proof && !self.is_handed_over(at)
    }

    pub(crate) fn starts(&self) -> i64 {
        let words = self.words.first().map(|word| word.at);
        words.into_iter().chain(self.begins.map(|(at, _)| at)).min().unwrap()
    }

    fn time_to_live(&self) -> i64 {
        self.source.time_to_live_hours * HOUR
    }

    /// Its first word of what the machine does after `since`.
    fn speaks_after(&self, since: i64) -> Option<i64> {
        let known = |word: &&Word| word.state.is_some_and(|state| state != EquipmentState::Unknown);
        let words = self.words.iter().filter(known).map(|word| word.at);
        words.chain(self.begins.map(|(at, _)| at)).filter(|at| *at > since).min()
    }

    /// What it says in each step before `now`.
    pub(crate) fn says(&self, grid: &Grid, others: &[&Self]) -> Vec<Said> {
        let mut next = self.words.iter().peekable();
        let (mut state, mut lost) = (EquipmentState::Unknown, None);
        let mut begins = self.begins;
        let mut left_until: Option<(i64, i64)> = None;
        let mut said = Vec::with_capacity(grid.now);
        for slot in 0..grid.now {
            let at = grid.time(slot);
            if let Some((_, declared)) = begins.take_if(|(begin, _)| *begin <= at) {
                state = declared;
            }
            while let Some(word) = next.next_if(|word| word.at <= at) {
                (state, lost) = after(word, state, lost);
            }
            let since = lost.or((at >= self.proof).then_some(self.proof));
            said.push(match (class(state), since) {
                _ if self.is_handed_over(at) => Said::Nothing,
                (Class::Unknown, _) | (Class::Up, Some(_)) => Said::Nothing,
                (_, None) => Said::Told(state),
                (_, Some(since)) => {
                    let known = left_until.filter(|(of, _)| *of == since);
                    let until = known.map_or_else(|| self.left_until(since, others), |(_, at)| at);
                    left_until = Some((since, until));
                    if at < until { Said::Left(state) } else { Said::Nothing }
                }
            });
        }
        said
    }

    /// Until when a stop is held: until somebody else has said what the machine
    /// does, and no sooner than the time to live.
    fn left_until(&self, since: i64, others: &[&Self]) -> i64 {
        let word = others.iter().filter_map(|other| other.speaks_after(since)).min();
        word.map_or(i64::MAX, |word| word.max(since + self.time_to_live()))
    }
}

/// The state after a word, and since when a stop is held because its source says
/// that it knows nothing more.
fn after(word: &Word, state: EquipmentState, lost: Option<i64>) -> (EquipmentState, Option<i64>) {
    match word.state {
        None => (state, lost),
        Some(_) if word.unless_down && state == EquipmentState::UnscheduledDown => (state, lost),
        Some(EquipmentState::Unknown) if is_stop(state) => (state, lost.or(Some(word.at))),
        Some(next) => (next, None),
    }
}
