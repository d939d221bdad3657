//! One resource: its scheduled time, its stops, its pool of full weeks.

use std::sync::Arc;

use jiff::{ToSpan as _, civil::Date};
use planthread_contracts::{EquipmentState, Period, PeriodKind, Status};
use rust_decimal::Decimal;

use super::{
    figures::{Demonstrated, Elements, PoolWeek, RestsOn},
    output::Output,
    timeline::{Timeline, is_unasked},
};
use crate::{
    calendar::{Bounds, LocalTimeError, Schedule, Span, Spans, span::hours},
    decode::StateSet,
    model::{Resource, Rules},
};

/// A resource, prepared: every question about a period is then a sum.
#[derive(Debug)]
pub(super) struct Machine<'a> {
    pub(super) resource: &'a Resource,
    pub(super) bounds: Bounds,
    pub(super) schedule: &'a Schedule,
    planned: Spans,
    down: Spans,
    standby: Spans,
    /// Scheduled standby in which nobody asked for parts.
    pub(super) unasked: Spans,
    unknown: Spans,
    ahead: Spans,
    pub(super) output: Option<Output>,
    /// Which kinds of standby its source tells.
    told: StateSet,
    /// Begin of what was observed, in milliseconds; `None` without any history.
    pub(super) observed_from: Option<i64>,
    /// End of what was observed, in milliseconds; `None` without any history.
    pub(super) observed_until: Option<i64>,
    /// Since when it is down without plan, in milliseconds; `None` when it is not.
    pub(super) down_since: Option<i64>,
    /// When its source last knew something of it, in milliseconds.
    last_word: Option<i64>,
    /// Live, held or assumed by the age of its source; unknown without any.
    pub(super) status: Status,
    pub(super) demonstrated: Option<Arc<Demonstrated>>,
    pub(super) rivals: Vec<Rival>,
}

/// Unplanned stops as another source of equal authority tells them, and as the
/// one that holds does, over the time that both have seen.
#[derive(Debug)]
pub(super) struct Rival {
    down: Spans,
    own_down: Spans,
}

/// What [`Machine::new`] puts together.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) timeline: Timeline,
    pub(super) rivals: Vec<Timeline>,
    pub(super) told: StateSet,
    pub(super) tells_planned: bool,
    pub(super) observed_from: Option<i64>,
    pub(super) observed_until: Option<i64>,
    pub(super) last_word: Option<i64>,
    pub(super) status: Status,
}

impl<'a> Machine<'a> {
    pub(super) fn new(
        resource: &'a Resource,
        schedule: &'a Schedule,
        bounds: Bounds,
        declared: &Spans,
        seen: Seen,
        as_of: i64,
    ) -> Self {
        let scheduled = &schedule.scheduled;
        let past = Spans::one(Span { start: i64::MIN, end: as_of });
        let timeline = seen.timeline;
        // A declared stop during which the machine was seen running did not
        // happen; one of which nobody knows, or could tell, did.
        let stopped = timeline.down.or(&timeline.planned).or(&timeline.unknown);
        let declared_past = declared.and(&past);
        let happened = if seen.tells_planned { declared_past.and(&stopped) } else { declared_past };
        let to_come = declared.without(&past);
        let planned = scheduled.and(&timeline.planned.or(&happened).or(&to_come));
        let within = |set: &Spans| scheduled.and(set).without(&planned);
        let known = timeline.down.or(&timeline.planned).or(&timeline.unknown);
        let standing = |set: &Spans| within(&set.without(&known));
        let last = timeline.down.as_slice().last().filter(|stop| stop.end >= as_of);
        let down_since = last.map(|stop| stop.start);
        let rivals = seen
            .rivals
            .iter()
            .map(|rival| {
                // Who did not look, does not contradict.
                let unseen = rival.unknown.or(&timeline.unknown);
                let both = |set: &Spans| within(set).without(&unseen);
                Rival { down: both(&rival.down), own_down: both(&timeline.down) }
            })
            .collect();
        Self {
            resource,
            schedule,
            bounds,
            down: within(&timeline.down),
            standby: standing(&timeline.standby),
            unasked: standing(&timeline.unasked),
            unknown: within(&timeline.unknown),
            ahead: scheduled.without(&past).without(&planned),
            planned,
            output: None,
            told: seen.told,
            observed_from: seen.observed_from,
            observed_until: seen.observed_until,
            down_since,
            last_word: seen.last_word,
            status: seen.status,
            demonstrated: None,
            rivals,
        }
    }

    /// The sums of time inside `window`.
    pub(super) fn elements(&self, window: Span) -> Elements {
        Elements {
            scheduled: self.schedule.scheduled.ms_within(window),
            regular: self.schedule.regular.ms_within(window),
            planned: self.planned.ms_within(window),
            down: self.down.ms_within(window),
            standby: self.standby.ms_within(window),
            unknown: self.unknown.ms_within(window),
            ahead: self.ahead.ms_within(window),
        }
    }

    /// Scheduled milliseconds inside `window`, less planned stops.
    pub(super) fn busy(&self, window: Span) -> i64 {
        self.schedule.scheduled.ms_within(window) - self.planned.ms_within(window)
    }

    /// Scheduled time ahead inside `window`, less planned stops.
    pub(super) fn ahead(&self, window: Span) -> Spans {
        Spans::union(self.ahead.within(window).collect())
    }

    /// Gaps of observation inside `window`.
    pub(super) fn gaps(&self, window: Span) -> impl Iterator<Item = Span> + '_ {
        self.unknown.within(window)
    }

    /// Whether a source of equal authority differs by more than `tolerance_ms`,
    /// over the time that both have seen.
    pub(super) fn conflicts(&self, window: Span, tolerance_ms: i64) -> bool {
        self.rivals.iter().any(|rival| {
            let apart = rival.down.ms_within(window) - rival.own_down.ms_within(window);
            apart.abs() > tolerance_ms
        })
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

    /// Pools the last full weeks before the last word. Where none was seen fully
    /// enough, the parts that were seen are pooled, because lost telemetry must
    /// not raise a number (law 8); the standard availability of the master data
    /// stands in only without any history. A week joins with the first word of a
    /// later one: if silence alone could end a week, the number would move
    /// without news, and back when the source grows old.
    pub(super) fn pool(&mut self, rules: &Rules, as_of: i64) -> Result<(), LocalTimeError> {
        let (mut weeks, mut parts) = (Vec::new(), Vec::new());
        if let Some(last_word) = self.last_word {
            let anchor = self.bounds.date(last_word.min(as_of))?;
            let mut week = Period::containing(PeriodKind::Week, anchor);
            for _ in 0..rules.pool_weeks {
                week = week_before(week);
                let window = self.bounds.span(week)?;
                let elements = self.elements(window);
                let output_hours = self.output_hours_seen(window);
                let found = PoolWeek { period: week, elements, output_hours };
                let asked = Decimal::from(elements.scheduled) * rules.min_coverage;
                let seen = elements.scheduled - elements.unknown;
                match found.base() > 0 {
                    true if Decimal::from(seen) >= asked => weeks.push(found),
                    true => parts.push(found),
                    false => {}
                }
            }
        }
        weeks.reverse();
        parts.reverse();
        let standard = self.resource.standard_availability;
        let part = || pooled(parts, RestsOn::PartWeeks { standard });
        let shown = pooled(weeks, RestsOn::FullWeeks).or_else(part).or_else(|| {
            let (availability, rests_on) = (standard?, RestsOn::MasterData);
            Some(Demonstrated { availability, weeks: Vec::new(), rests_on })
        });
        self.demonstrated = shown.map(Arc::new);
        Ok(())
    }

    /// Standard hours of the good output of the time inside `window` in which
    /// the machine was seen.
    fn output_hours_seen(&self, window: Span) -> Option<Decimal> {
        let seen = Spans::one(window).without(&self.unknown);
        seen.as_slice().iter().filter_map(|span| self.output_hours(*span)).reduce(|a, b| a + b)
    }

    /// Standard hours per hour that the machine was up and loaded, pooled.
    /// `None` where standby can't be told from slow running.
    pub(super) fn effectiveness(&self) -> Option<Decimal> {
        if !self.tells_standby() {
            return None;
        }
        let weeks = &self.demonstrated.as_ref()?.weeks;
        let mut output = Decimal::ZERO;
        let mut loaded = 0;
        for week in weeks {
            output += week.output_hours?;
            loaded += week.elements.up() - week.elements.standby;
        }
        output.checked_div(hours(loaded))
    }
}

fn pooled(weeks: Vec<PoolWeek>, rests_on: RestsOn) -> Option<Demonstrated> {
    let base: i64 = weeks.iter().map(PoolWeek::base).sum();
    let down: i64 = weeks.iter().map(|week| week.elements.down).sum();
    let lost = Decimal::from(down).checked_div(Decimal::from(base))?;
    let shown = Decimal::ONE - lost;
    let availability = match rests_on {
        RestsOn::PartWeeks { standard: Some(standard) } => shown.min(standard),
        _ => shown,
    };
    Some(Demonstrated { availability, weeks, rests_on })
}

/// The ISO week before `week`.
pub(super) fn week_before(week: Period) -> Period {
    let day: Date = week.start().saturating_sub(1.day());
    Period::containing(PeriodKind::Week, day)
}
