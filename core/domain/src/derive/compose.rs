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

/// Instants in which no machine of the line changes.
#[derive(Debug, Clone, Copy)]
struct Piece {
    span: Span,
    /// If every machine that is not stopped gives all that it can.
    most: Decimal,
    /// The same with each machine of which nobody knows, or that lies ahead, at
    /// its demonstrated availability; `None` where one has none.
    expected: Option<Decimal>,
    /// The stage that sets the bound, by position.
    stage: usize,
}

/// One machine of a stage.
struct Part<'a> {
    machine: &'a Machine<'a>,
    /// Hours of the line's cycle that it gives in an hour; `None` without an
    /// ideal cycle.
    gives: Option<Decimal>,
    open: Spans,
    seen: Spans,
}

impl Part<'_> {
    /// What it allows at `at`, and what is expected of it.
    fn at(&self, at: i64) -> (Option<Decimal>, Option<Decimal>) {
        if !self.open.has(at) {
            return (Some(Decimal::ZERO), Some(Decimal::ZERO));
        }
        if self.seen.has(at) {
            return (self.gives, self.gives);
        }
        let mean = self.machine.demonstrated.as_deref().map(|pool| pool.availability);
        (self.gives, self.gives.zip(mean).map(|(gives, mean)| gives * mean))
    }
}

/// The machines of one stage; `None` for one that the plant does not have.
type Parts<'a> = Vec<Option<Part<'a>>>;

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
        let open = machine.open.clone();
        let seen = open.and(&past).without(&machine.unknown);
        Some(Part { machine, gives, open, seen })
    };
    let stages: Vec<Parts<'_>> =
        line.stages.iter().map(|stage| stage.machines.iter().map(part).collect()).collect();
    let parts = || stages.iter().flatten().flatten();
    let unknown = parts().fold(Spans::none(), |all, part| all.or(&part.machine.unknown));
    let known = parts().all(|part| part.machine.observed_until.is_some());
    let told = scheduled.and(&past).without(&unknown);
    let sets = parts().flat_map(|part| [&part.open, &part.seen]).chain([scheduled]);
    let mut cuts: Vec<i64> = sets
        .flat_map(|set| set.as_slice().iter().flat_map(|span| [span.start, span.end]))
        .collect();
    cuts.sort_unstable();
    cuts.dedup();
    let pieces = scheduled.as_slice().iter().flat_map(|span| {
        let first = cuts.partition_point(|cut| *cut < span.start);
        let last = cuts.partition_point(|cut| *cut <= span.end);
        let stages = &stages;
        cuts[first..last]
            .windows(2)
            .map(move |pair| piece(stages, Span { start: pair[0], end: pair[1] }))
    });
    Composed {
        pieces: pieces.collect(),
        told: if known { told } else { Spans::none() },
        stages: line.stages.iter().map(|stage| stage.name.clone()).collect(),
    }
}

/// The least over the stages of the sum over the parallel machines. A stage with
/// a machine of which not even the cycle is known sets no bound.
fn piece(stages: &[Parts<'_>], span: Span) -> Piece {
    let (mut most, mut expected, mut limiting) = (Decimal::ONE, Some(Decimal::ONE), None);
    for (position, stage) in stages.iter().enumerate() {
        let at = |part: &Option<Part<'_>>| {
            part.as_ref().map_or((None, None), |part| part.at(span.start))
        };
        let of_stage: Option<Decimal> = stage.iter().map(|part| at(part).0).sum();
        let mean: Option<Decimal> = stage.iter().map(|part| at(part).1).sum();
        expected = expected.zip(mean).map(|(least, mean)| least.min(mean));
        if let Some(of_stage) = of_stage
            && limiting.is_none_or(|(least, _)| of_stage < least)
        {
            limiting = Some((of_stage, position));
            most = most.min(of_stage);
        }
    }
    Piece { span, most, expected, stage: limiting.map_or(0, |(_, position)| position) }
}

impl Composed {
    /// The levels of the scheduled instants in `time`.
    pub(super) fn levels(&self, time: &Spans) -> Vec<Level> {
        let mut levels: BTreeMap<Decimal, i64> = BTreeMap::new();
        self.each(time, |piece, ms| *levels.entry(piece.most.normalize()).or_default() += ms);
        levels.into_iter().map(|(allows, ms)| Level { allows, ms }).collect()
    }

    /// What is expected in `time`, level by level; `None` where a machine was
    /// never seen and has no standard availability.
    pub(super) fn expected(&self, time: &Spans) -> Option<Vec<Level>> {
        let mut levels: BTreeMap<Decimal, i64> = BTreeMap::new();
        let mut known = true;
        self.each(time, |piece, ms| match piece.expected {
            Some(expected) => *levels.entry(expected.normalize()).or_default() += ms,
            None => known = false,
        });
        let levels = levels.into_iter().map(|(allows, ms)| Level { allows, ms });
        known.then(|| levels.collect())
    }

    /// The stage that sets the bound for the longest part of `window`.
    pub(super) fn limiting(&self, window: Span) -> Option<String> {
        let mut limits = vec![0_i64; self.stages.len()];
        self.each(&Spans::one(window), |piece, ms| {
            if let Some(sum) = limits.get_mut(piece.stage) {
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
