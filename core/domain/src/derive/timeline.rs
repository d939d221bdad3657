//! What one machine was doing, when, as one source tells it.

use crate::{
    calendar::{Span, Spans},
    decode::StateFact,
    model::{Begins, EquipmentState},
};

/// Sets of instants by what they mean for capacity. The instants in none of
/// them were up: able to work.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Timeline {
    /// Unplanned stops.
    pub down: Spans,
    /// Planned stops.
    pub planned: Spans,
    /// Starved, blocked, without order or operator: never a capacity loss.
    pub standby: Spans,
    /// The part of standby without order or operator: nobody asked for parts.
    pub unasked: Spans,
    /// Nobody knows. Unknown is not down.
    pub unknown: Spans,
}

/// Whether the machine stands because nobody asked for parts. A machine inside
/// a line that starves or is blocked tells of the line, not of its orders.
pub(super) const fn is_unasked(state: EquipmentState) -> bool {
    matches!(state, EquipmentState::StandbyNoOrder | EquipmentState::StandbyNoOperator)
}

impl Timeline {
    /// Walks the facts of one machine and one source, sorted by time and rank,
    /// over `window`, whose end is `as_of`.
    ///
    /// A state lasts until the next begins; the last one is clipped at `as_of`.
    /// After `observed_until` an up machine is unknown, while a stopped one
    /// stays stopped: silence never raises a number (law 8).
    #[must_use]
    pub fn walk(
        facts: &[StateFact],
        begins: Option<&Begins>,
        window: Span,
        observed_until: i64,
    ) -> Self {
        let mut parts = Parts::default();
        let (mut state, mut since) = (EquipmentState::Unknown, window.start);
        if let Some(begins) = begins {
            let at = begins.at.as_millisecond().clamp(window.start, window.end);
            parts.add(state, Span { start: since, end: at });
            (state, since) = (begins.state, at);
        }
        for fact in facts.iter().filter(|fact| fact.at <= window.end) {
            let Some(next) = fact.state else { continue };
            if next == state || fact.unless.has(state) {
                continue;
            }
            let at = fact.at.max(since);
            parts.add(state, Span { start: since, end: at });
            (state, since) = (next, at);
        }
        let stopped =
            matches!(state, EquipmentState::UnscheduledDown | EquipmentState::ScheduledDown);
        let seen = if stopped { window.end } else { observed_until.clamp(since, window.end) };
        parts.add(state, Span { start: since, end: seen });
        parts.add(EquipmentState::Unknown, Span { start: seen, end: window.end });
        parts.done()
    }

    /// The same, but of a source that was silent from `silence.start` on: a stop
    /// that was open then goes on until `stops_until`, everything else ends.
    #[must_use]
    pub fn silent(self, silence: Span, stops_until: i64) -> Self {
        let ended = Spans::one(Span { start: stops_until, ..silence });
        let (down, planned) = (self.down.without(&ended), self.planned.without(&ended));
        let silence = Spans::one(silence);
        Self {
            standby: self.standby.without(&silence),
            unasked: self.unasked.without(&silence),
            unknown: self.unknown.or(&silence.without(&down.or(&planned))),
            down,
            planned,
        }
    }

    /// Whether nobody knows what the machine does at `end`.
    #[must_use]
    pub fn is_unknown_at(&self, end: i64) -> bool {
        reaches(&self.unknown, end)
    }

    /// Whether the machine is stopped at `end`, planned or not.
    #[must_use]
    pub fn is_stopped_at(&self, end: i64) -> bool {
        reaches(&self.down, end) || reaches(&self.planned, end)
    }

    /// What `other` tells of the instants that are unknown here.
    #[must_use]
    pub fn filled_by(self, other: &Self) -> Self {
        let gaps = &self.unknown;
        Self {
            down: self.down.or(&other.down.and(gaps)),
            planned: self.planned.or(&other.planned.and(gaps)),
            standby: self.standby.or(&other.standby.and(gaps)),
            unasked: self.unasked.or(&other.unasked.and(gaps)),
            unknown: gaps.and(&other.unknown),
        }
    }
}

/// Whether the set holds the instants just before `end`.
fn reaches(set: &Spans, end: i64) -> bool {
    set.as_slice().last().is_some_and(|last| last.end >= end)
}

#[derive(Default)]
struct Parts {
    down: Vec<Span>,
    planned: Vec<Span>,
    standby: Vec<Span>,
    unasked: Vec<Span>,
    unknown: Vec<Span>,
}

impl Parts {
    fn add(&mut self, state: EquipmentState, span: Span) {
        if is_unasked(state) {
            self.unasked.push(span);
        }
        match state {
            EquipmentState::UnscheduledDown => self.down.push(span),
            EquipmentState::ScheduledDown | EquipmentState::NonScheduled => self.planned.push(span),
            EquipmentState::Unknown => self.unknown.push(span),
            state if state.is_standby() => self.standby.push(span),
            _ => {}
        }
    }

    fn done(self) -> Timeline {
        Timeline {
            down: Spans::union(self.down),
            planned: Spans::union(self.planned),
            standby: Spans::union(self.standby),
            unasked: Spans::union(self.unasked),
            unknown: Spans::union(self.unknown),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::{SourceIndex, StateSet, Subject};

    fn fact(
        at: i64,
        rank: u32,
        state: Option<EquipmentState>,
        unless: &[EquipmentState],
    ) -> StateFact {
        let unless = StateSet::of(unless);
        let (subject, source) = (Subject(0), SourceIndex(0));
        StateFact { subject, source, at, rank, line: 0, state, unless }
    }

    fn walk(facts: &mut [StateFact], observed_until: i64) -> Timeline {
        facts.sort();
        let begins = Begins { at: jiff::Timestamp::UNIX_EPOCH, state: EquipmentState::Productive };
        Timeline::walk(facts, Some(&begins), Span { start: 0, end: 100 }, observed_until)
    }

    const FAILURE: Option<EquipmentState> = Some(EquipmentState::UnscheduledDown);
    const PLANNED: Option<EquipmentState> = Some(EquipmentState::ScheduledDown);
    const RESTORED: Option<EquipmentState> = Some(EquipmentState::Productive);
    const UNLESS_DOWN: &[EquipmentState] = &[EquipmentState::UnscheduledDown];

    #[test]
    fn maintenance_after_a_failure_is_its_repair_and_without_one_is_planned() {
        let mut facts = [
            fact(10, 1, FAILURE, &[]),
            fact(10, 3, PLANNED, UNLESS_DOWN),
            fact(10, 2, None, &[]),
            fact(30, 0, RESTORED, &[]),
            fact(40, 2, None, &[]),
            fact(50, 3, PLANNED, UNLESS_DOWN),
            fact(60, 0, RESTORED, &[]),
        ];
        let timeline = walk(&mut facts, 100);
        assert_eq!(timeline.down, Spans::one(Span { start: 10, end: 30 }));
        assert_eq!(timeline.planned, Spans::one(Span { start: 50, end: 60 }));
        assert_eq!(timeline.unknown.ms(), 0);
    }

    #[test]
    fn a_restore_and_the_next_failure_may_share_a_minute() {
        let mut facts = [
            fact(10, 1, FAILURE, &[]),
            fact(20, 1, FAILURE, &[]),
            fact(20, 0, RESTORED, &[]),
            fact(35, 0, RESTORED, &[]),
        ];
        assert_eq!(walk(&mut facts, 100).down, Spans::one(Span { start: 10, end: 35 }));
    }

    #[test]
    fn an_open_stop_is_clipped_at_as_of_and_silence_is_unknown_not_down() {
        let mut open = [fact(90, 1, FAILURE, &[])];
        assert_eq!(walk(&mut open, 95).down, Spans::one(Span { start: 90, end: 100 }));
        let up = walk(&mut [], 95);
        assert_eq!(
            (up.down.ms(), up.unknown.clone()),
            (0, Spans::one(Span { start: 95, end: 100 }))
        );
        let never = Timeline::walk(&[], None, Span { start: 0, end: 100 }, 100);
        assert_eq!(never.unknown.ms(), 100);
    }
}
