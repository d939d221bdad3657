//! One merge: all voices of a machine become its timeline.
//!
//! At each instant the strongest rank that tells holds. Where voices of that rank
//! differ, the lower side holds as conflicting, whatever the order in which the
//! sources are listed. A voice that fell silent goes on in two ways, because
//! losing information never moves a figure to its hopeful side (law 8): the stop
//! in which it left the machine goes on until somebody else has spoken since, and
//! no sooner than its time to live; and while it is silent, a machine that others
//! of its rank or of a weaker one call up counts as unknown, until a named person
//! hands over.
//!
//! Of what a person has judged, the source that she called right tells alone.

use crate::{calendar::Span, decode::VerdictFact, model::EquipmentState};

use super::{Class, Interval, Known, Speakers, Timeline, Voice, class};

/// Merges `voices` over `window`, whose end is `as_of`, as the `verdicts` of persons
/// on the machine let them.
pub(crate) fn merge(voices: &[Voice<'_>], verdicts: &[VerdictFact], window: Span) -> Timeline {
    let tracks: Vec<Track<'_, '_>> =
        voices.iter().map(|voice| Track::new(voice, voices, window)).collect();
    let mut cuts: Vec<i64> = vec![window.start, window.end];
    for track in &tracks {
        cuts.extend(track.told.iter().flat_map(|one| [one.span.start, one.span.end]));
        cuts.push(track.voice.proof);
        cuts.extend(track.voice.handed_over);
    }
    cuts.extend(verdicts.iter().flat_map(|one| [one.interval.start, one.interval.end]));
    cuts.retain(|at| window.start <= *at && *at <= window.end);
    // Each voice's are in order already.
    cuts.sort();
    cuts.dedup();
    let mut timeline = Timeline::with_room(cuts.len());
    let mut at = vec![0; tracks.len()];
    let mut words = Vec::with_capacity(tracks.len());
    for pair in cuts.windows(2) {
        let span = Span { start: pair[0], end: pair[1] };
        words.clear();
        for (track, at) in tracks.iter().zip(&mut at) {
            while track.told.get(*at).is_some_and(|one| one.span.end <= span.start) {
                *at += 1;
            }
            let said = track.told.get(*at).filter(|one| one.span.start <= span.start);
            words.push(Word {
                voice: track.voice,
                said,
                silent: track.voice.is_silent(span.start),
            });
        }
        timeline.push(judged(&words, verdicts, span).unwrap_or_else(|| decide(&words, span)));
    }
    timeline
}

/// What one voice says over the window, its open stops ended where others have
/// spoken since.
struct Track<'v, 'a> {
    voice: &'v Voice<'a>,
    told: Vec<Interval>,
}

impl<'v, 'a> Track<'v, 'a> {
    fn new(voice: &'v Voice<'a>, all: &[Voice<'a>], window: Span) -> Self {
        let mut told = voice.walk(window);
        let stops = told.iter_mut().filter(|one| one.known == Known::Held && is_stop(one.state));
        for stop in stops {
            let others = all.iter().filter(|other| other.index != voice.index);
            let word = others.filter_map(|other| other.word_after(stop.span.start)).min();
            if let Some(word) = word {
                let until = word.max(stop.span.start.saturating_add(voice.time_to_live));
                stop.span.end = stop.span.end.min(until);
            }
        }
        Self { voice, told }
    }
}

/// What one voice says at one instant.
struct Word<'w, 'a> {
    voice: &'w Voice<'a>,
    said: Option<&'w Interval>,
    silent: bool,
}

impl Word<'_, '_> {
    fn rank(&self) -> u32 {
        self.voice.source.authority
    }

    fn tells(&self) -> Option<&Interval> {
        let told = |one: &&Interval| matches!(one.known, Known::Told | Known::Declared);
        self.said.filter(told).filter(|one| class(one.state) != Class::Unknown)
    }

    fn held_stop(&self) -> Option<&Interval> {
        self.said.filter(|one| one.known == Known::Held && is_stop(one.state))
    }
}

fn is_stop(state: EquipmentState) -> bool {
    matches!(class(state), Class::Planned | Class::Down)
}

/// What the source says that a person called right, where it tells; of several
/// verdicts the last one.
fn judged(words: &[Word<'_, '_>], verdicts: &[VerdictFact], span: Span) -> Option<Interval> {
    let inside =
        |one: &&VerdictFact| one.interval.start <= span.start && span.end <= one.interval.end;
    let last = verdicts.iter().filter(inside).max_by_key(|one| (one.given, *one))?;
    let right = words.iter().find(|word| word.voice.index == last.source)?;
    right.tells().map(|told| Interval { span, ..*told })
}

/// What holds at one instant.
fn decide(words: &[Word<'_, '_>], span: Span) -> Interval {
    let strongest = words.iter().filter(|word| word.tells().is_some()).map(Word::rank).min();
    let Some(rank) = strongest else { return left(words, span) };
    let telling = || words.iter().filter(|word| word.rank() == rank).filter_map(Word::tells);
    let by = telling().fold(Speakers::default(), |by, one| by.and(one.by));
    // Of equal classes the state that sorts first: the order of sources is none.
    let lower = telling().max_by_key(|one| (class(one.state), std::cmp::Reverse(one.state)));
    let Some(lower) = lower else { return left(words, span) };
    let differ = telling().any(|one| class(one.state) != class(lower.state));
    let held = words.iter().filter(|word| word.rank() <= rank).filter_map(Word::held_stop);
    let held = held.max_by_key(|one| (class(one.state), std::cmp::Reverse(one.state)));
    if let Some(stop) = held.filter(|stop| class(stop.state) > class(lower.state)) {
        return Interval { span, state: stop.state, known: Known::Held, by: stop.by.and(by) };
    }
    let known = if differ { Known::Conflicting } else { lower.known };
    if class(lower.state) != Class::Up {
        return Interval { span, state: lower.state, known, by };
    }
    let silent = words.iter().filter(|word| word.silent && word.rank() <= rank);
    let silent = silent.map(|word| Speakers::one(word.voice.index)).reduce(Speakers::and);
    match silent {
        Some(silent) => {
            Interval { span, state: lower.state, known: Known::Held, by: by.and(silent) }
        }
        None => Interval { span, state: lower.state, known, by },
    }
}

/// Nobody tells: the state in which the machine was left, a stop before others.
fn left(words: &[Word<'_, '_>], span: Span) -> Interval {
    let held = words.iter().filter_map(|word| word.said).filter(|one| one.known == Known::Held);
    let left = held.max_by_key(|one| (class(one.state), std::cmp::Reverse(one.state)));
    match left {
        Some(one) => Interval { span, ..*one },
        None => Interval {
            span,
            state: EquipmentState::Unknown,
            known: Known::Unknown,
            by: Speakers::default(),
        },
    }
}
