//! What one resource was doing, when, and how that is known.
//!
//! One timeline a resource: half-open intervals without gap or overlap. The merge
//! makes it of all that the sources say; nothing else reads their words. A figure
//! is an integral over the timeline and the calendar.
//!
//! ```text
//! facts of one machine -> voice (one for each source) -> merge -> Timeline
//! readings of its counters -> counter -> Output
//! ```

pub mod counter;
mod merge;
mod voice;

pub(crate) use merge::merge;
pub(crate) use voice::{Listed, Voice, knows, of_subject, voices};

use crate::{
    calendar::{Span, Spans},
    decode::SourceIndex,
    model::EquipmentState,
};

pub use counter::Output;

/// How a state is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// A source said so, and is proven alive.
    Told,
    /// The configuration says so: from when a source tells everything.
    Declared,
    /// The last word of a source that has fallen silent, or says that it knows
    /// nothing. A stop goes on; a machine that was up counts as unknown.
    Held,
    /// Sources of one rank differ; the state is the lower one.
    Conflicting,
    /// Nobody knows.
    Unknown,
}

/// What a state means for capacity. The later, the lower.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Able to work, whether it does or not.
    Up,
    /// Planned stop, or not scheduled at all.
    Planned,
    /// Unplanned stop.
    Down,
    /// Nobody knows.
    Unknown,
}

/// The class of a state.
#[must_use]
pub const fn class(state: EquipmentState) -> Class {
    match state {
        EquipmentState::ScheduledDown | EquipmentState::NonScheduled => Class::Planned,
        EquipmentState::UnscheduledDown => Class::Down,
        EquipmentState::Unknown => Class::Unknown,
        EquipmentState::Productive
        | EquipmentState::Setup
        | EquipmentState::StandbyStarved
        | EquipmentState::StandbyBlocked
        | EquipmentState::StandbyNoOrder
        | EquipmentState::StandbyNoOperator
        | EquipmentState::Engineering => Class::Up,
    }
}

/// Whether the machine stands because nobody asked for parts. A machine inside
/// a line that starves or is blocked tells of the line, not of its orders.
#[must_use]
pub const fn is_unasked(state: EquipmentState) -> bool {
    matches!(state, EquipmentState::StandbyNoOrder | EquipmentState::StandbyNoOperator)
}

/// A set of sources, by position in the plant. A plant of more than 128 sources
/// names only the first 128 of them in explanations.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Speakers(u128);

impl Speakers {
    /// One source.
    #[must_use]
    pub fn one(source: SourceIndex) -> Self {
        Self(1_u128.checked_shl(source.0.into()).unwrap_or_default())
    }

    /// All of both.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The set as bits, the first source lowest.
    #[must_use]
    pub const fn bits(self) -> u128 {
        self.0
    }

    /// Positions of the sources, in order.
    pub fn iter(self) -> impl Iterator<Item = usize> {
        (0..128).filter(move |at| self.0 & (1 << at) != 0)
    }
}

/// One interval of a timeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interval {
    /// Its instants.
    pub span: Span,
    /// What the machine did.
    pub state: EquipmentState,
    /// How that is known.
    pub known: Known,
    /// Whose word it is.
    pub by: Speakers,
}

impl Interval {
    /// What it means for capacity: of a machine that was up when its source fell
    /// silent nobody knows (law 8).
    #[must_use]
    pub const fn class(&self) -> Class {
        match (self.known, class(self.state)) {
            (Known::Unknown, _) | (Known::Held, Class::Up) => Class::Unknown,
            (_, class) => class,
        }
    }
}

/// All that is known of one resource, from the first instant of a derivation to
/// `as_of`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Timeline(Vec<Interval>);

impl Timeline {
    /// An empty one, with room for so many intervals.
    pub(crate) fn with_room(intervals: usize) -> Self {
        Self(Vec::with_capacity(intervals))
    }

    /// Adds an interval behind the last one; equal neighbours become one.
    pub(crate) fn push(&mut self, next: Interval) {
        if next.span.is_empty() {
            return;
        }
        let same = |last: &Interval| {
            (last.state, last.known, last.by) == (next.state, next.known, next.by)
                && last.span.end == next.span.start
        };
        match self.0.last_mut() {
            Some(last) if same(last) => last.span.end = next.span.end,
            _ => self.0.push(next),
        }
    }

    /// The intervals, in order.
    #[must_use]
    pub fn intervals(&self) -> &[Interval] {
        &self.0
    }

    /// The instants of all intervals that `which` names.
    pub fn instants(&self, which: impl Fn(&Interval) -> bool) -> Spans {
        Spans::union(self.0.iter().filter(|one| which(one)).map(|one| one.span).collect())
    }

    /// The instants of one class.
    #[must_use]
    pub fn of_class(&self, class: Class) -> Spans {
        self.instants(|one| one.class() == class)
    }
}
