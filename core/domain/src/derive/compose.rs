//! What the machines of a line compose to at each instant.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::Serialize;

use super::machine::Machine;
use crate::{
    calendar::{Span, Spans, span::hours},
    model::Line,
};

/// So much time in which a line's machines allow the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Level {
    /// Hours of the line's cycle that they allow in an hour, 0..1.
    pub allows: Decimal,
    /// Milliseconds.
    pub ms: i64,
}

/// Hours of the line's cycle in `levels`, never faster than `ratio`.
#[must_use]
pub fn at_most(levels: &[Level], ratio: Decimal) -> Decimal {
    levels.iter().map(|level| hours(level.ms) * level.allows.min(ratio)).sum()
}

/// The composition of a line's machines, piece by piece over its scheduled time.
#[derive(Debug, Default)]
pub(super) struct Composed {
    pieces: Vec<Piece>,
    /// Scheduled time before `as_of` in which every machine was told.
    pub(super) told: Spans,
    stages: Vec<String>,
}

/// Instants in which nothing changes that the machines of the line allow.
#[derive(Debug, Clone, Copy)]
struct Piece {
    span: Span,
    gives: Gives,
}

/// What the machines of a line give at an instant, in hours of its cycle in an hour.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Gives {
    /// If every machine that is not stopped gives all that it can.
    most: Decimal,
    /// The same with each machine of which nobody knows, or that lies ahead, at
    /// its demonstrated availability; `None` where one has none.
    expected: Option<Decimal>,
    /// The stage that sets the bound, by position.
    stage: usize,
}

/// What a machine does at an instant, as far as a line asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Doing {
    Stopped,
    /// Seen, and not stopped.
    Seen,
    /// Nobody knows, or it lies ahead.
    Unseen,
}

/// One machine of a stage.
struct Part<'a> {
    machine: &'a Machine<'a>,
    /// Hours of the line's cycle that it gives in an hour; `None` without an
    /// ideal cycle.
    gives: Option<Decimal>,
    seen: Spans,
}

impl Part<'_> {
    /// What it allows, and what is expected of it.
    fn when(&self, doing: Doing) -> (Option<Decimal>, Option<Decimal>) {
        match doing {
            Doing::Stopped => (Some(Decimal::ZERO), Some(Decimal::ZERO)),
            Doing::Seen => (self.gives, self.gives),
            Doing::Unseen => {
                let mean = self.machine.demonstrated.as_deref().map(|pool| pool.availability);
                (self.gives, self.gives.zip(mean).map(|(gives, mean)| gives * mean))
            }
        }
    }
}

/// The machines of one stage; `None` for one that the plant does not have.
type Parts<'a> = Vec<Option<Part<'a>>>;

/// Walks over the machines of all stages, from one instant to a later one.
struct Walk<'a> {
    /// Of each machine when it is open and when it was seen, and the places there.
    machines: Vec<[(&'a [Span], usize); 2]>,
}

impl<'a> Walk<'a> {
    fn over(stages: &'a [Parts<'a>]) -> Self {
        let of = |part: &'a Option<Part<'a>>| match part {
            Some(part) => [(part.machine.open.as_slice(), 0), (part.seen.as_slice(), 0)],
            None => [(&[][..], 0); 2],
        };
        Self { machines: stages.iter().flatten().map(of).collect() }
    }

    /// What each machine does at `instant`, put into `doing`.
    fn to(&mut self, instant: i64, doing: &mut Vec<Doing>) {
        let inside = |(spans, at): &mut (&[Span], usize)| {
            while spans.get(*at).is_some_and(|span| span.end <= instant) {
                *at += 1;
            }
            spans.get(*at).is_some_and(|span| span.start <= instant)
        };
        let of = |[open, seen]: &mut [_; 2]| match (inside(open), inside(seen)) {
            (false, _) => Doing::Stopped,
            (true, true) => Doing::Seen,
            (true, false) => Doing::Unseen,
        };
        doing.clear();
        doing.extend(self.machines.iter_mut().map(of));
    }
}

/// Composes the machines of `line` over `scheduled`.
pub(super) fn compose<'a>(
    line: &Line,
    find: &impl Fn(&str) -> Option<&'a Machine<'a>>,
    scheduled: &Spans,
    now: i64,
) -> Composed {
    let past = Spans::one(Span { start: i64::MIN, end: now });
    let part = |id: &String| {
        let machine = find(id)?;
        let units = Decimal::from(machine.resource.parallel_units);
        let seconds = machine.seconds_a_part();
        let gives = seconds.and_then(|one| (units * line.ideal_cycle_seconds).checked_div(one));
        let seen = machine.open.and(&past).without(&machine.unknown);
        Some(Part { machine, gives, seen })
    };
    let stages: Vec<Parts<'_>> =
        line.stages.iter().map(|stage| stage.machines.iter().map(part).collect()).collect();
    let parts = || stages.iter().flatten().flatten();
    let unknown = parts().fold(Spans::none(), |all, part| all.or(&part.machine.unknown));
    let known = parts().all(|part| part.machine.observed_until.is_some());
    let told = scheduled.and(&past).without(&unknown);
    Composed {
        pieces: pieces(&stages, scheduled),
        told: if known { told } else { Spans::none() },
        stages: line.stages.iter().map(|stage| stage.name.clone()).collect(),
    }
}

/// The scheduled time in pieces, in order. The machines of a line do the same again
/// and again: what they give is composed once for each way that they stand.
fn pieces(stages: &[Parts<'_>], scheduled: &Spans) -> Vec<Piece> {
    let parts = stages.iter().flatten().flatten();
    let sets = parts.flat_map(|part| [&part.machine.open, &part.seen]).chain([scheduled]);
    let mut cuts: Vec<i64> = Vec::new();
    for set in sets {
        cuts.reserve(2 * set.as_slice().len());
        cuts.extend(set.as_slice().iter().flat_map(|span| [span.start, span.end]));
    }
    // Each set is in order already.
    cuts.sort();
    cuts.dedup();
    let (mut pieces, mut walk): (Vec<Piece>, _) = (Vec::new(), Walk::over(stages));
    pieces.reserve(cuts.len());
    let mut doing = Vec::new();
    let mut composed: BTreeMap<Vec<Doing>, Gives> = BTreeMap::new();
    for span in scheduled.as_slice() {
        let first = cuts.partition_point(|cut| *cut < span.start);
        let last = cuts.partition_point(|cut| *cut <= span.end);
        for pair in cuts[first..last].windows(2) {
            let span = Span { start: pair[0], end: pair[1] };
            walk.to(span.start, &mut doing);
            let gives = match composed.get(&doing) {
                Some(gives) => *gives,
                None => *composed.entry(doing.clone()).or_insert(least(stages, &doing)),
            };
            match pieces.last_mut() {
                Some(last) if last.gives == gives && last.span.end == span.start => {
                    last.span.end = span.end;
                }
                _ => pieces.push(Piece { span, gives }),
            }
        }
    }
    pieces
}

/// The least over the stages of the sum over the parallel machines. A stage with
/// a machine of which not even the cycle is known sets no bound.
fn least(stages: &[Parts<'_>], doing: &[Doing]) -> Gives {
    let (mut most, mut expected, mut limiting) = (Decimal::ONE, Some(Decimal::ONE), None);
    let mut doing = doing.iter();
    for (position, stage) in stages.iter().enumerate() {
        let (mut of_stage, mut mean) = (Some(Decimal::ZERO), Some(Decimal::ZERO));
        for (part, doing) in stage.iter().zip(&mut doing) {
            let (full, meant) = part.as_ref().map_or((None, None), |part| part.when(*doing));
            of_stage = of_stage.zip(full).map(|(sum, one)| sum + one);
            mean = mean.zip(meant).map(|(sum, one)| sum + one);
        }
        expected = expected.zip(mean).map(|(least, mean)| least.min(mean));
        if let Some(of_stage) = of_stage
            && limiting.is_none_or(|(least, _)| of_stage < least)
        {
            limiting = Some((of_stage, position));
            most = most.min(of_stage);
        }
    }
    let stage = limiting.map_or(0, |(_, position)| position);
    Gives { most: most.normalize(), expected: expected.map(|one| one.normalize()), stage }
}

/// Adds time to its level; levels are in order, and there are few of them.
fn add(levels: &mut Vec<Level>, allows: Decimal, ms: i64) {
    match levels.binary_search_by(|level| level.allows.cmp(&allows)) {
        Ok(at) => levels[at].ms += ms,
        Err(at) => levels.insert(at, Level { allows, ms }),
    }
}

impl Composed {
    /// The levels of the scheduled instants in `time`.
    pub(super) fn levels(&self, time: &Spans) -> Vec<Level> {
        let mut levels = Vec::new();
        self.each(time, |piece, ms| add(&mut levels, piece.gives.most, ms));
        levels
    }

    /// What is expected in `time`, level by level; `None` where a machine was
    /// never seen and has no standard availability.
    pub(super) fn expected(&self, time: &Spans) -> Option<Vec<Level>> {
        let (mut levels, mut known) = (Vec::new(), true);
        self.each(time, |piece, ms| match piece.gives.expected {
            Some(expected) => add(&mut levels, expected, ms),
            None => known = false,
        });
        known.then_some(levels)
    }

    /// The stage that sets the bound for the longest part of `window`.
    pub(super) fn limiting(&self, window: Span) -> Option<String> {
        let mut limits = vec![0_i64; self.stages.len()];
        self.each(&Spans::one(window), |piece, ms| {
            if let Some(sum) = limits.get_mut(piece.gives.stage) {
                *sum += ms;
            }
        });
        let longest = limits.iter().enumerate().max_by_key(|(at, ms)| (**ms, usize::MAX - at))?;
        self.stages.get(longest.0).cloned()
    }

    fn each(&self, time: &Spans, mut with: impl FnMut(&Piece, i64)) {
        for span in time.as_slice() {
            let first = self.pieces.partition_point(|piece| piece.span.end <= span.start);
            let inside = self.pieces[first..].iter();
            for piece in inside.take_while(|piece| piece.span.start < span.end) {
                with(piece, piece.span.and(*span).ms());
            }
        }
    }
}
