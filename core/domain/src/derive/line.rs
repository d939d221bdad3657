//! A line: what was counted at its end, and what its machines compose to at each
//! instant.
//!
//! A line is not the average of its stations. At each instant its machines
//! compose to the least over the stages of the sum over the parallel machines,
//! in hours of the line's own cycle; the integral of that is what the line could
//! have given (`composed`). Where output was counted, what was counted stands in
//! the place of the composed figure, and is never cut: buffers give out in a day
//! what the machines made in another. Everything else, the time ahead and the
//! past that was not counted, runs at the rate that the line has shown, and never
//! above what its machines allow at that instant: of a machine that is stopped
//! nothing, of any other, seen or not, all that it can. So days add up to their
//! week by construction (law 6), and an unknown machine removes no bound that the
//! known ones set (law 8).
//!
//! Time without order or operator is no loss: where the source of the machine at
//! which output is counted tells it, it counts at the shown rate as attainable
//! hours, and as nothing made. Where nobody tells it, the figure is a floor.
//! Starving and blocking inside the line are its own losses.

use std::collections::BTreeSet;

use planthread_contracts::{CapacityBasis, Loss, Period, Quality, QualityLevel, Status};
use rust_decimal::Decimal;

use super::{
    as_of::{AsOf, Days},
    compose::{Composed, Level, at_most, compose},
    decline::{BEHIND, Decline, Given},
    figures::{Elements, Figures, Phase},
    forecast::Outlook,
    line_figures::{LineFigures, LinePool, Load},
    machine::Machine,
    period::Asked,
    pool::{lower, newest_full, seen_fully},
};
use crate::{
    calendar::{
        Span, Spans,
        span::{HOUR_MS, hours, instant},
    },
    model::{Line, Plant},
    truth::age_status,
};

/// A line, prepared.
#[derive(Debug)]
pub(super) struct LineView<'a> {
    line: &'a Line,
    members: Vec<&'a Machine<'a>>,
    counter: Option<&'a Machine<'a>>,
    pub(super) days: &'a Days,
    composed: Composed,
    /// Scheduled time before `as_of` that was counted.
    counted: Spans,
    /// Scheduled time in which nobody asked for parts, and none was counted.
    unasked: Spans,
    pool: Option<LinePool>,
    /// The rate that the pool shows.
    ratio: Option<Decimal>,
}

impl<'a> LineView<'a> {
    pub(super) fn new(
        plant: &'a Plant,
        line: &'a Line,
        find: &impl Fn(&str) -> Option<&'a Machine<'a>>,
        clock: &'a AsOf,
    ) -> Self {
        let days = clock.days(&line.id, &line.calendar);
        let schedule = &days.schedule;
        let counter = find(&line.counter);
        let past = Span { start: clock.first, end: clock.now };
        let output = counter.and_then(|counter| counter.output.as_ref());
        let counted = output.map(|output| output.counted(past)).unwrap_or_default();
        let idle = output.map(|output| output.idle(past)).unwrap_or_default();
        let unasked = counter.map(|counter| counter.unasked.and(&idle)).unwrap_or_default();
        let mut view = Self {
            line,
            members: line
                .stages
                .iter()
                .flat_map(|stage| &stage.machines)
                .filter_map(|id| find(id))
                .collect(),
            counter,
            days,
            composed: compose(line, find, &schedule.scheduled, clock.now),
            counted: schedule.scheduled.and(&counted),
            unasked: schedule.scheduled.and(&unasked),
            pool: None,
            ratio: None,
        };
        let pool = view.counted_pool(plant, clock);
        view.pool = pool.or_else(|| view.composed_pool(plant, clock));
        view.ratio = view.pool.as_ref().and_then(LinePool::ratio);
        view
    }

    /// Demonstrated output per scheduled hour over the last full weeks before the
    /// counter fell silent: output and hours of the time that was counted, so
    /// that a missing hour takes no week out of the pool. Where no week was counted
    /// fully enough, the parts that were are pooled, because the bound must not stand in
    /// for what is lost (law 8).
    fn counted_pool(&self, plant: &Plant, clock: &AsOf) -> Option<LinePool> {
        let until = self.counted_until()?;
        let pool_weeks = plant.rules.pool_weeks;
        // The newest week first: the pool, and those behind it that say whether it falls. A week
        // that was not counted fully enough pushes none out.
        let weeks = self.weeks_before(pool_weeks.saturating_add(BEHIND), until.min(clock.now));
        let one_week = |(period, window)| {
            let scheduled = self.days.schedule.scheduled.ms_within(window);
            let counted = self.counted.ms_within(window);
            let asked = Decimal::from(scheduled) * plant.rules.min_coverage;
            let week = LinePool {
                output_hours: self.output_hours(window).unwrap_or_default(),
                scheduled: counted,
                unasked: self.unasked.ms_within(window),
                weeks: 1,
                ends: Some((period, period)),
                partly: Decimal::from(counted) < asked,
                ..LinePool::default()
            };
            Some(week).filter(|_| counted > 0)
        };
        let length = usize::try_from(pool_weeks).unwrap_or(usize::MAX);
        let weeks: Vec<Option<LinePool>> = weeks.into_iter().map(one_week).collect();
        let full: Vec<LinePool> =
            weeks.iter().flatten().filter(|week| !week.partly).copied().collect();
        let given: Vec<Given> = full.iter().rev().copied().map(given).collect();
        let (pooled, partly) = (full.len().min(length), full.is_empty());
        let decline = Decline::of(&given, pooled);
        let pool = full.into_iter().take(pooled).reduce(LinePool::and);
        let pool = pool.map(|pool| LinePool { decline, ..pool });
        if pooled == length {
            return pool;
        }
        // As `newest_full` says.
        let reach = if partly { length } else { weeks.len() };
        let seen = weeks.into_iter().take(reach).flatten().reduce(LinePool::and);
        lower(pool, seen.map(|seen| LinePool { partly, ..seen }), LinePool::ratio)
    }

    /// What the machines composed to per scheduled hour over the last full weeks
    /// of which all of them told: of a line that nobody counts. A week joins with the
    /// first word of a later one, as it does for a machine.
    fn composed_pool(&self, plant: &Plant, clock: &AsOf) -> Option<LinePool> {
        let until = self.members.iter().filter_map(|one| one.last_word).min()?;
        let one_week = |(period, window)| {
            let told = self.composed.told.clip(window);
            let scheduled = self.days.schedule.scheduled.ms_within(window);
            let week = LinePool {
                output_hours: at_most(&self.composed.levels(&told), Decimal::ONE),
                scheduled: told.ms(),
                weeks: 1,
                ends: Some((period, period)),
                composed: true,
                ..LinePool::default()
            };
            let full = seen_fully(told.ms(), scheduled, &plant.rules);
            Some((week, full)).filter(|(week, _)| week.scheduled > 0)
        };
        let length = plant.rules.pool_weeks;
        let weeks = self.weeks_before(length.saturating_add(BEHIND), until.min(clock.now));
        newest_full(weeks.into_iter().map(one_week), length, LinePool::and, LinePool::ratio)
    }

    /// So many full weeks before the week of `instant`, the newest first.
    fn weeks_before(&self, count: u32, instant: i64) -> Vec<(Period, Span)> {
        self.days.weeks_before(count, instant).iter().rev().copied().collect()
    }

    /// Standard hours at the line's end inside `window`.
    fn output_hours(&self, window: Span) -> Option<Decimal> {
        let parts = self.counter?.output.as_ref()?.parts_within(window)?;
        Some(parts * self.line.ideal_cycle_seconds / Decimal::from(3_600))
    }

    /// The figures of the line in one period; `None` for a past period in which
    /// nothing was counted and the machines are unknown.
    pub(super) fn figures(&self, asked: &Asked<'_>, outlook: &Outlook<'_>) -> Option<Figures> {
        let elements = self.elements(asked);
        let counted = self.output_hours(asked.measured());
        let parts = self.parts(asked, counted);
        let rated = parts.as_ref().is_some_and(|parts| parts.rated);
        let unseen = self.members.iter().all(|one| before(one.observed_from, asked.window));
        if asked.phase() == Phase::Past && unseen && counted.is_none() {
            return None;
        }
        let (attainable, good) = match &parts {
            Some(parts) => (Some(parts.attainable), self.good(parts)),
            None => (None, None),
        };
        let line = parts.map(|parts| {
            let composed = at_most(&parts.composed, Decimal::ONE);
            Box::new(LineFigures {
                measured_output_hours: parts.rated.then_some(parts.attainable),
                composed_bound_hours: Some(composed),
                difference_hours: parts.rated.then_some(composed - parts.attainable),
                limiting_stage: self.composed.limiting(asked.window),
                pool: self.pool,
                load: self.load(),
                composed: parts.composed,
                unasked: parts.unasked,
                seen: parts.seen,
                open: parts.open,
            })
        });
        let status = self.status(asked, &elements, attainable.is_some(), rated);
        let found = Found { elements, attainable, good, rated, counted, line, status };
        Some(self.put(asked, found, outlook))
    }

    /// What the period's hours are made of; `None` when nothing is known.
    fn parts(&self, asked: &Asked<'_>, counted: Option<Decimal>) -> Option<Parts> {
        let scheduled = self.days.schedule.scheduled.clip(asked.window);
        let rest = scheduled.without(&self.counted.clip(asked.window));
        let composed = self.composed.levels(&scheduled);
        let made = counted.unwrap_or_default();
        let rated =
            (self.ratio.is_some() && !self.is_composed()) || (rest.ms() == 0 && counted.is_some());
        let Some(ratio) = self.ratio else {
            // Nothing was shown: time that nobody asked for is not corrected, and
            // the rest is what the machines are expected to give.
            let open = self.composed.expected(&rest)?;
            let attainable = made + at_most(&open, Decimal::ONE);
            return Some(Parts {
                attainable,
                idle: Decimal::ZERO,
                unasked: Vec::new(),
                seen: Vec::new(),
                open,
                composed,
                rated,
            });
        };
        // Of a line that nobody counts, what its machines told is what it gave.
        let (seen, rest) = if self.is_composed() {
            let told = self.composed.told.clip(asked.window);
            (self.composed.levels(&rest.and(&told)), rest.without(&told))
        } else {
            (Vec::new(), rest)
        };
        let unasked = self.composed.levels(&self.unasked.clip(asked.window));
        let open = self.composed.levels(&rest);
        let idle = at_most(&unasked, ratio);
        let attainable = made + idle + at_most(&seen, Decimal::ONE) + at_most(&open, ratio);
        Some(Parts { attainable, idle, unasked, seen, open, composed, rated })
    }

    /// Good parts: what could have been made while nobody asked is none.
    fn good(&self, parts: &Parts) -> Option<Decimal> {
        let made = (parts.attainable - parts.idle) * Decimal::from(3_600);
        made.checked_div(self.line.ideal_cycle_seconds)
    }

    /// Whether nobody counts the line, so that its machines alone show its rate.
    fn is_composed(&self) -> bool {
        self.pool.is_some_and(|pool| pool.composed)
    }

    fn elements(&self, asked: &Asked<'_>) -> Elements {
        let window = asked.window;
        let scheduled = self.days.schedule.scheduled.ms_within(window);
        let seen = self.days.schedule.scheduled.ms_within(asked.measured());
        let regular = self.days.schedule.regular.ms_within(window);
        let unknown = seen - self.counted.ms_within(asked.measured());
        let (standby, ahead) = (self.unasked.ms_within(asked.measured()), scheduled - seen);
        Elements { scheduled, regular, standby, unknown, ahead, ..Elements::default() }
    }

    fn load(&self) -> Load {
        if self.counter.is_some_and(Machine::tells_unasked) {
            Load::Told
        } else if self.members.iter().any(|one| one.tells_unasked()) {
            Load::ToldElsewhere
        } else {
            Load::Untold
        }
    }

    /// End of the last counted interval.
    fn counted_until(&self) -> Option<i64> {
        self.counter?.output.as_ref()?.until()
    }

    fn put(&self, asked: &Asked<'_>, found: Found, outlook: &Outlook<'_>) -> Figures {
        let Found { elements, attainable, good, rated, counted, line, status } = found;
        let told = self.members.iter().filter_map(|machine| machine.observed_until);
        let truth = told.chain(self.counted_until()).fold(asked.clock.now, i64::min);
        let phase = asked.phase();
        Figures {
            resource: asked.names.resource.clone(),
            units: 1,
            period: asked.period,
            start: instant(asked.window.start),
            end: instant(asked.window.end),
            zone: asked.names.zone.clone(),
            calendar_id: asked.names.calendar_id.clone(),
            calendar_version: asked.names.calendar_version.clone(),
            phase,
            partial: phase == Phase::Current || (phase == Phase::Past && elements.unknown > 0),
            basis: match phase {
                Phase::Past => CapacityBasis::Actual,
                Phase::Current | Phase::Future => CapacityBasis::Demonstrated,
            },
            elements,
            demonstrated: None,
            foreseen: Vec::new(),
            expected_down_hours: None,
            down_since: None,
            attainable_hours: attainable,
            output_standard_hours: counted,
            demonstrated_standard_hours: attainable.filter(|_| rated),
            good_units: good,
            made: None,
            low_hours: None,
            severity: outlook.severity(asked.window).map(Box::new),
            risk: outlook.risk(asked.window, &self.days.schedule.scheduled).map(Box::new),
            line,
            netted_losses: self.netted(asked, rated),
            status,
            quality: quality(status, &elements, phase, self.pool.is_some()),
            as_of: instant(truth),
            valid_until: instant(asked.valid_until(truth)),
        }
    }

    /// What the figure has paid. Good output at the line's end has paid every
    /// loss that there is, less what it is corrected for; the composed figure only
    /// what its machines paid.
    fn netted(&self, asked: &Asked<'_>, measured: bool) -> BTreeSet<Loss> {
        let mut losses = asked.names.netted.clone();
        if measured {
            losses.extend([Loss::Breaks, Loss::Setup, Loss::Speed, Loss::Quality]);
        }
        let corrected = self.ratio.is_some() && self.counter.is_some_and(Machine::tells_staffing);
        if measured && !corrected {
            losses.insert(Loss::Staffing);
        }
        losses
    }

    fn status(&self, asked: &Asked<'_>, elements: &Elements, known: bool, rated: bool) -> Status {
        if !known {
            return Status::Unknown;
        }
        if !rated {
            // The machines stand alone: nobody ever measured that the line gives it.
            return Status::Assumed;
        }
        if asked.phase() == Phase::Past {
            return if elements.unknown > 0 { Status::Assumed } else { Status::Live };
        }
        let (rules, now) = (&asked.plant.rules, asked.clock.now);
        let until = self.counted_until().unwrap_or(i64::MIN / 2);
        let hour_ms = |hours: u32| i64::from(hours) * HOUR_MS;
        let age =
            age_status(until, now, hour_ms(rules.live_hours), hour_ms(rules.time_to_live_hours));
        // Time after the last count is a matter of age; time before it is a gap.
        let silent = Span { start: until, end: now }.and(asked.measured());
        let gap = elements.unknown > self.days.schedule.scheduled.ms_within(silent);
        let guessed = self.pool.is_some_and(|pool| pool.partly);
        let own = if gap || guessed { age.max(Status::Assumed) } else { age };
        // A machine of which nobody knows sets no bound: what was counted stands,
        // and is assumed.
        let of = |status| if status == Status::Unknown { Status::Assumed } else { status };
        self.members.iter().fold(own, |status, machine| status.max(of(machine.status)))
    }
}

/// What a line gave of the hours in which parts were asked for.
fn given(week: LinePool) -> Given {
    Given { good: week.output_hours, asked: hours(week.scheduled - week.unasked) }
}

/// Whether the window ends before `from`, or nothing was ever seen.
fn before(from: Option<i64>, window: Span) -> bool {
    from.is_none_or(|from| window.end <= from)
}

/// What the hours of a line in one period are made of.
#[derive(Debug)]
struct Parts {
    attainable: Decimal,
    /// Hours of `unasked` at the shown rate.
    idle: Decimal,
    /// Time without order or operator.
    unasked: Vec<Level>,
    /// Of a line that nobody counts, time that all its machines told.
    seen: Vec<Level>,
    /// Time that was not counted, or lies ahead.
    open: Vec<Level>,
    /// All of the scheduled time.
    composed: Vec<Level>,
    /// Whether what was counted stands behind it.
    rated: bool,
}

/// What was found of one period.
struct Found {
    elements: Elements,
    attainable: Option<Decimal>,
    good: Option<Decimal>,
    rated: bool,
    counted: Option<Decimal>,
    line: Option<Box<LineFigures>>,
    status: Status,
}

fn quality(status: Status, elements: &Elements, phase: Phase, pooled: bool) -> Quality {
    let worst = match status {
        Status::Live => QualityLevel::Good,
        Status::Planner | Status::Held | Status::Assumed => QualityLevel::Stale,
        Status::Conflicting => QualityLevel::Uncertain,
        Status::Unknown => return Quality::none(),
    };
    let all = elements.scheduled - elements.ahead;
    let seen = Decimal::from(all - elements.unknown).checked_div(all.into());
    let coverage = match phase {
        Phase::Future if !pooled => Decimal::ZERO,
        _ => seen.unwrap_or(Decimal::ONE),
    };
    Quality { coverage, worst, gaps: Vec::new() }
}
