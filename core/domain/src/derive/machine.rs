//! One resource: its scheduled time and its stops.

use std::sync::Arc;

use planthread_contracts::{EquipmentState, Status};
use rust_decimal::Decimal;

use super::{
    as_of::Days,
    figures::{Demonstrated, Elements, Rate},
};
use crate::{
    calendar::{Span, Spans},
    decode::{SourceIndex, StateSet},
    model::Resource,
    timeline::{Class, Known, Output, Timeline, is_unasked},
};

/// A resource, prepared: every question about a period is then a sum.
#[derive(Debug)]
pub(super) struct Machine<'a> {
    pub(super) resource: &'a Resource,
    pub(super) days: &'a Days,
    /// What it was doing, until `as_of`.
    pub(super) timeline: Timeline,
    pub(super) planned: Spans,
    pub(super) down: Spans,
    pub(super) standby: Spans,
    /// Scheduled standby in which nobody asked for parts.
    pub(super) unasked: Spans,
    /// The open time before `as_of` of which nobody knows.
    pub(super) unknown: Spans,
    ahead: Spans,
    /// Scheduled time in which it could work, as far as anybody knows: not
    /// stopped, seen or not, past or to come.
    pub(super) open: Spans,
    pub(super) conflicting: Spans,
    /// Declared stops, within scheduled time, during which it was seen running.
    pub(super) set_aside: Spans,
    pub(super) output: Option<Output>,
    /// Which kinds of standby its source tells.
    told: StateSet,
    /// Begin of what was observed, in milliseconds; `None` without any history.
    pub(super) observed_from: Option<i64>,
    /// End of what was observed, in milliseconds; `None` without any history.
    pub(super) observed_until: Option<i64>,
    /// Since when it is down without plan, in milliseconds; `None` when it is not.
    pub(super) down_since: Option<i64>,
    /// Until when its strongest source knew something of it, in milliseconds.
    pub(super) last_word: Option<i64>,
    /// Live, held or assumed by the age of its source; unknown without any.
    pub(super) status: Status,
    /// Sources whose silence holds it, and since when.
    pub(super) silent: Vec<(SourceIndex, i64)>,
    pub(super) demonstrated: Option<Arc<Demonstrated>>,
    pub(super) rate: Option<Rate>,
    /// Standard hours per hour that it was up and loaded, pooled. `None` where
    /// standby can't be told from slow running.
    pub(super) effectiveness: Option<Decimal>,
    /// The share of a week ahead that it gives at least in nine of ten.
    pub(super) low: Option<Decimal>,
}

/// What [`Machine::new`] puts together.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) timeline: Timeline,
    pub(super) told: StateSet,
    pub(super) tells_planned: bool,
    pub(super) observed_from: Option<i64>,
    pub(super) observed_until: Option<i64>,
    pub(super) last_word: Option<i64>,
    pub(super) status: Status,
    pub(super) silent: Vec<(SourceIndex, i64)>,
}

impl<'a> Machine<'a> {
    pub(super) fn new(
        resource: &'a Resource,
        days: &'a Days,
        declared: &Spans,
        seen: Seen,
        as_of: i64,
    ) -> Self {
        let scheduled = &days.schedule.scheduled;
        let past = Spans::one(Span { start: i64::MIN, end: as_of });
        let timeline = seen.timeline;
        let [down, stopped, unknown] =
            [Class::Down, Class::Planned, Class::Unknown].map(|class| timeline.of_class(class));
        // A declared stop during which the machine was seen running did not
        // happen; one of which nobody knows, or could tell, did.
        let not_up = down.or(&stopped).or(&unknown);
        let declared_past = declared.and(&past);
        let happened = if seen.tells_planned { declared_past.and(&not_up) } else { declared_past };
        let to_come = declared.without(&past);
        let set_aside = scheduled.and(&declared.and(&past).without(&happened));
        let planned = scheduled.and(&stopped.or(&happened).or(&to_come));
        let within = |set: &Spans| scheduled.and(set).without(&planned);
        let standing = |which: fn(EquipmentState) -> bool| {
            within(&timeline.instants(|one| one.class() == Class::Up && which(one.state)))
        };
        let last = down.as_slice().last().filter(|stop| stop.end >= as_of);
        Self {
            resource,
            days,
            down_since: last.map(|stop| stop.start),
            down: within(&down),
            standby: standing(EquipmentState::is_standby),
            unasked: standing(is_unasked),
            unknown: within(&unknown),
            ahead: scheduled.without(&past).without(&planned),
            conflicting: scheduled.and(&timeline.instants(|one| one.known == Known::Conflicting)),
            open: scheduled.without(&planned).without(&within(&down)),
            planned,
            set_aside,
            output: None,
            told: seen.told,
            observed_from: seen.observed_from,
            observed_until: seen.observed_until,
            last_word: seen.last_word,
            status: seen.status,
            silent: seen.silent,
            demonstrated: None,
            rate: None,
            effectiveness: None,
            low: None,
            timeline,
        }
    }

    /// The sums of time inside `window`.
    pub(super) fn elements(&self, window: Span) -> Elements {
        Elements {
            scheduled: self.days.schedule.scheduled.ms_within(window),
            regular: self.days.schedule.regular.ms_within(window),
            planned: self.planned.ms_within(window),
            down: self.down.ms_within(window),
            standby: self.standby.ms_within(window),
            unknown: self.unknown.ms_within(window),
            ahead: self.ahead.ms_within(window),
        }
    }

    /// Scheduled milliseconds inside `window`, less planned stops.
    pub(super) fn busy(&self, window: Span) -> i64 {
        self.days.schedule.scheduled.ms_within(window) - self.planned.ms_within(window)
    }

    /// Scheduled time ahead inside `window`, less planned stops.
    pub(super) fn ahead(&self, window: Span) -> Spans {
        self.ahead.clip(window)
    }

    /// Gaps of observation inside `window`.
    pub(super) fn gaps(&self, window: Span) -> impl Iterator<Item = Span> + '_ {
        self.unknown.within(window)
    }

    /// Whether sources of one rank differ for longer than the tolerance.
    pub(super) fn conflicts(&self, window: Span, tolerance_ms: i64) -> bool {
        self.conflicting.ms_within(window) > tolerance_ms
    }

    /// Scheduled milliseconds of `window` of which nobody knows, and nobody will:
    /// of a live source the time since its last word is only not told yet.
    pub(super) fn unseen(&self, window: Span) -> i64 {
        let told = match self.last_word {
            Some(last) if self.status == Status::Live => window.end.min(last),
            _ => window.end,
        };
        self.unknown.ms_within(Span { end: told, ..window })
    }

    /// Whether its source tells standby from slow running.
    pub(super) fn tells_standby(&self) -> bool {
        self.told != StateSet::default()
    }

    /// Whether its source tells that nobody asked for parts.
    pub(super) fn tells_unasked(&self) -> bool {
        EquipmentState::ALL.into_iter().any(|state| is_unasked(state) && self.told.has(state))
    }

    /// Whether its source tells that operators were missing.
    pub(super) fn tells_staffing(&self) -> bool {
        self.told.has(EquipmentState::StandbyNoOperator)
    }

    /// Ideal seconds of one part.
    pub(super) fn seconds_a_part(&self) -> Option<Decimal> {
        self.resource.seconds_a_part()
    }

    /// Standard hours of the good output inside `window`.
    pub(super) fn output_hours(&self, window: Span) -> Option<Decimal> {
        let parts = self.output.as_ref()?.parts_within(window)?;
        Some(parts * self.seconds_a_part()? / Decimal::from(3_600))
    }
}
