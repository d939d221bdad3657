//! A voice: what one source says of one machine, and until when it is proven
//! alive for it.

use std::collections::{HashMap, HashSet};

use crate::{
    calendar::{Span, span::HOUR_MS},
    decode::{Facts, SourceIndex, StateFact, Subject},
    model::{AliveBy, Begins, EquipmentState, Plant, Source, SourceFormat},
};

use super::{Class, Interval, Known, Speakers, class};

/// One source's view of one machine.
#[derive(Debug)]
pub(crate) struct Voice<'a> {
    pub(crate) index: SourceIndex,
    pub(crate) source: &'a Source,
    /// Its words, by time, rank and place.
    pub(crate) facts: &'a [StateFact],
    begins: Option<&'a Begins>,
    /// Until here it is proven to know what the machine does.
    pub(crate) proof: i64,
    /// Milliseconds after the proof for which its last word is held.
    pub(crate) time_to_live: i64,
    /// Milliseconds after the proof for which it is live.
    pub(crate) live: i64,
    /// From here on it was handed over.
    pub(crate) handed_over: Option<i64>,
}

impl Voice<'_> {
    /// From when it tells.
    pub(crate) fn from(&self) -> Option<i64> {
        let begins = self.begins.map(|begins| begins.at.as_millisecond());
        begins.into_iter().chain(self.facts.first().map(|fact| fact.at)).min()
    }

    /// Its first word of what the machine does after `since`.
    pub(crate) fn word_after(&self, since: i64) -> Option<i64> {
        let begins = self.begins.map(|begins| begins.at.as_millisecond());
        let after = self.facts.partition_point(|fact| fact.at <= since);
        let word = self.facts[after..].iter().find(|fact| is_known(fact)).map(|fact| fact.at);
        word.into_iter().chain(begins.filter(|at| *at > since)).min()
    }

    /// Whether it is silent at `at`, and nobody took its place.
    pub(crate) fn is_silent(&self, at: i64) -> bool {
        at >= self.proof && !self.is_handed_over(at)
    }

    /// Whether a named person let others speak in its place by `at`.
    pub(crate) fn is_handed_over(&self, at: i64) -> bool {
        self.handed_over.is_some_and(|end| end <= at)
    }

    /// Walks its words over `window`, whose end is `as_of`.
    ///
    /// A state lasts until the next begins. An explicit "unknown" ends no stop:
    /// the stop is held from there (law 8). Behind the proof every state is held
    /// for the time to live; a stop for ever.
    pub(crate) fn walk(&self, window: Span) -> Vec<Interval> {
        let end = self.handed_over.map_or(window.end, |end| end.min(window.end));
        let (made, now) = (Vec::with_capacity(self.facts.len() + 4), State::START);
        let since = window.start;
        let mut walk = Walk { voice: self, made, now, since, end: window.end };
        if let Some(begins) = self.begins {
            let at = begins.at.as_millisecond().clamp(window.start, end);
            walk.turn(at, State { is: begins.state, known: Known::Declared });
        }
        for fact in self.facts.iter().filter(|fact| fact.at <= end) {
            let Some(next) = fact.state else { continue };
            if fact.unless.has(walk.now.is) {
                continue;
            }
            let next = match (next, class(walk.now.is)) {
                (EquipmentState::Unknown, Class::Down | Class::Planned) => {
                    State { known: Known::Held, ..walk.now }
                }
                (EquipmentState::Unknown, _) => State { is: next, known: Known::Unknown },
                _ => State { is: next, known: Known::Told },
            };
            walk.turn(fact.at, next);
        }
        let proof = self.proof.clamp(walk.since, end);
        walk.turn(proof, walk.now.held());
        if matches!(class(walk.now.is), Class::Up | Class::Unknown) {
            let until = self.proof.saturating_add(self.time_to_live).clamp(proof, end);
            walk.turn(until, State::START);
        }
        walk.turn(end, State::START);
        walk.turn(window.end, State::START);
        walk.made
    }
}

/// A state and how it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct State {
    is: EquipmentState,
    known: Known,
}

impl State {
    const START: Self = Self { is: EquipmentState::Unknown, known: Known::Unknown };

    const fn held(self) -> Self {
        match self.is {
            EquipmentState::Unknown => self,
            is => Self { is, known: Known::Held },
        }
    }
}

struct Walk<'v, 'a> {
    voice: &'v Voice<'a>,
    made: Vec<Interval>,
    now: State,
    since: i64,
    end: i64,
}

impl Walk<'_, '_> {
    /// Ends the present state at `at`, and begins `next`; who says the same again
    /// changes nothing.
    fn turn(&mut self, at: i64, next: State) {
        let at = at.max(self.since);
        if next == self.now && at < self.end {
            return;
        }
        let span = Span { start: self.since, end: at };
        if !span.is_empty() {
            let by = Speakers::one(self.voice.index);
            self.made.push(Interval { span, state: self.now.is, known: self.now.known, by });
        }
        (self.now, self.since) = (next, at);
    }
}

/// Whether a fact says what the machine does.
pub(crate) fn is_known(fact: &StateFact) -> bool {
    fact.state.is_some_and(|state| state != EquipmentState::Unknown)
}

/// Whether a fact is more than the word that nothing is known.
pub(crate) fn knows(fact: &StateFact) -> bool {
    fact.state != Some(EquipmentState::Unknown)
}

/// Which machines each source lists by name.
#[derive(Debug)]
pub(crate) struct Listed(Vec<HashSet<Subject>>);

impl Listed {
    pub(crate) fn of(plant: &Plant) -> Self {
        let mut subjects: HashMap<&str, Subject> = HashMap::new();
        for (resource, at) in plant.resources.iter().zip(0..) {
            subjects.entry(&resource.id).or_insert(Subject(at));
        }
        let listed = |source: &Source| {
            let names = source.speaks_for.iter().chain(source.reader.machines().values());
            names.filter_map(|name| subjects.get(name.as_str()).copied()).collect()
        };
        Self(plant.sources.iter().map(listed).collect())
    }
}

/// The voices that speak of one machine, in the plant's order. `last_row` is
/// when each source last knew anything.
pub(crate) fn voices<'a>(
    plant: &'a Plant,
    facts: &'a Facts,
    last_row: &[Option<i64>],
    listed: &Listed,
    subject: Subject,
) -> Vec<Voice<'a>> {
    let mine = of_subject(&facts.states, |fact| fact.subject, subject);
    let mut voices = Vec::new();
    for (position, source) in plant.sources.iter().enumerate() {
        let Ok(index) = u16::try_from(position).map(SourceIndex) else { continue };
        let from = mine.partition_point(|fact| fact.source < index);
        let to = mine.partition_point(|fact| fact.source <= index);
        let handed_over = source.hand_over.as_ref().map(|end| end.at.as_millisecond());
        let words = &mine[from..to];
        let heard = handed_over.map_or(words.len(), |end| words.partition_point(|f| f.at < end));
        let (words, lost) = until_lost(&words[..heard]);
        let listed = listed.0.get(position).is_some_and(|listed| listed.contains(&subject));
        let begins = source.reader.begins().filter(|_| listed || heard > 0);
        if words.is_empty() && begins.is_none() {
            continue;
        }
        let any = last_row.get(position).copied().flatten();
        let alive = match &source.alive_by {
            AliveBy::OwnRows if heard == 0 => any,
            AliveBy::OwnRows => None,
            AliveBy::AnyRow => any,
            AliveBy::RowsOf(name) => last_row_of(plant, facts, subject, name),
        };
        let alive = alive.map(|alive| alive.min(lost.unwrap_or(alive)));
        let Some(proof) = proof(words, begins, alive) else { continue };
        // From the hand-over on its rows prove nothing.
        let proof = handed_over.map_or(proof, |end| proof.min(end));
        let hours = |own: Option<u32>, rule: u32| i64::from(own.unwrap_or(rule)) * HOUR_MS;
        voices.push(Voice {
            index,
            source,
            facts: words,
            begins,
            proof,
            time_to_live: hours(source.time_to_live_hours, plant.rules.time_to_live_hours),
            live: hours(source.live_hours, plant.rules.live_hours),
            handed_over,
        });
    }
    voices
}

/// The words of a source up to the "unknown" with which it ends, and when it said
/// so. What it said before counts as if it had fallen silent: to say that nothing
/// is known is never worth more (law 8).
fn until_lost(words: &[StateFact]) -> (&[StateFact], Option<i64>) {
    let after = words.iter().rposition(is_known).map_or(0, |last| last + 1);
    match words[after..].iter().position(|fact| !knows(fact)) {
        // It never knew, not even by a word that changes nothing.
        Some(place) if after == 0 => (&[], Some(words[place].at)),
        Some(place) => (&words[..after + place], Some(words[after + place].at)),
        None => (words, None),
    }
}

/// Until when a source knew what the machine did: to its last word, or to what
/// proves it alive since. `None` when it never knew.
fn proof(words: &[StateFact], begins: Option<&Begins>, alive: Option<i64>) -> Option<i64> {
    let declared = begins.filter(|begins| begins.state != EquipmentState::Unknown);
    let begins = declared.map(|begins| begins.at.as_millisecond());
    let last = words.last().map(|fact| fact.at).max(begins)?;
    Some(alive.map_or(last, |alive| last.max(alive)))
}

/// The last row of one machine in the source called `name` that knows something.
fn last_row_of(plant: &Plant, facts: &Facts, subject: Subject, name: &str) -> Option<i64> {
    let position = plant.sources.iter().position(|source| source.name == name)?;
    let index = u16::try_from(position).map(SourceIndex).ok()?;
    let states = of_subject(&facts.states, |fact| fact.subject, subject).iter();
    let states = states.filter(|fact| fact.source == index && knows(fact)).map(|fact| fact.at);
    let counts = of_subject(&facts.counts, |fact| fact.subject, subject).iter();
    let counts = counts.filter(|fact| fact.source == index).map(|fact| fact.interval.end);
    let made = of_subject(&facts.made, |fact| fact.subject, subject).iter();
    let made = made.filter(|fact| fact.source == index).map(|fact| fact.interval.end);
    states.chain(counts).chain(made).max()
}

/// The facts of one subject, in a list sorted by subject first.
pub(crate) fn of_subject<T>(
    facts: &[T],
    subject_of: impl Fn(&T) -> Subject,
    subject: Subject,
) -> &[T] {
    let from = facts.partition_point(|fact| subject_of(fact) < subject);
    let to = facts.partition_point(|fact| subject_of(fact) <= subject);
    &facts[from..to]
}

impl SourceFormat {
    /// From when it tells everything, where it says so.
    #[must_use]
    pub const fn begins(&self) -> Option<&Begins> {
        match self {
            Self::MachineEvents(events) => events.begins.as_ref(),
            Self::Counts(_) | Self::Cloudevents(_) | Self::Decisions(_) => None,
        }
    }
}
