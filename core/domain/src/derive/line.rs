//! A line: what was measured at its end, beside what its machines compose to.
//!
//! A line is not the average of its stations. Its output is measured at its
//! end, in hours of the line's own ideal cycle. The bound is what the machines
//! could give if the buffers were endless: per stage the parallel machines add,
//! over the stages the weakest holds. The truth lies at or below the bound; the
//! difference is what starving, blocking and slow running cost.
//!
//! The figure that lands is the measured one. What was counted is never cut: the
//! buffers give out in a day what the machines made in another, so days that
//! were counted add up to their week (law 6). Only what was not counted, or lies
//! ahead, is limited by the bound.
//!
//! Time without order or operator is no loss: where the source of the machine at
//! which output is counted tells it, it counts at the demonstrated rate, as does
//! time ahead. Where it does not, nothing is corrected and the figure is a floor.
//! Starving and blocking inside the line are its own losses. Time that was not counted
//! (a silent counter, a gap) counts at the demonstrated rate: the bound never
//! stands in for it, because silence must not raise a number (law 8).

use std::collections::{BTreeSet, HashMap};

use planthread_contracts::{
    CapacityBasis, Loss, Period, PeriodKind, Quality, QualityLevel, Status,
};
use rust_decimal::Decimal;

use super::{
    clock::Clock,
    figures::{Elements, Figures, LineFigures, LinePool, Load, Phase},
    forecast::Outlook,
    machine::{Machine, week_before},
    period::Asked,
};
use crate::{
    calendar::{
        Bounds, LocalTimeError, Schedule, Span, Spans,
        span::{HOUR_MS, hours, instant},
    },
    model::{Line, Plant},
    truth::age_status,
};

/// The figures of single resources, by resource and period.
pub(super) type Made<'a> = HashMap<(&'a str, Period), &'a Figures>;

/// A line, prepared.
#[derive(Debug)]
pub(super) struct LineView<'a> {
    line: &'a Line,
    machines: &'a [Machine<'a>],
    counter: Option<&'a Machine<'a>>,
    pub(super) bounds: Bounds,
    schedule: &'a Schedule,
    pool: Option<LinePool>,
}

impl<'a> LineView<'a> {
    pub(super) fn new(
        plant: &'a Plant,
        line: &'a Line,
        machines: &'a [Machine<'a>],
        clock: &'a Clock,
    ) -> Result<Self, LocalTimeError> {
        let (schedule, bounds) = clock.schedule(plant, &line.calendar)?;
        let counter = machines.iter().find(|machine| machine.resource.id == line.counter);
        let mut view = Self { line, machines, counter, bounds, schedule, pool: None };
        view.pool = view.pooled(plant, clock)?;
        Ok(view)
    }

    /// Demonstrated output per scheduled hour over the last full weeks before the
    /// counter fell silent: output and hours of the time that was counted, so
    /// that a missing hour takes no week out of the pool. Where no week was
    /// counted fully enough, the parts that were are pooled, because the bound
    /// must not stand in for what is lost (law 8).
    fn pooled(&self, plant: &Plant, clock: &Clock) -> Result<Option<LinePool>, LocalTimeError> {
        let Some(until) = self.counted_until() else { return Ok(None) };
        let anchor = self.bounds.date(until.min(clock.now))?;
        let mut week = Period::containing(PeriodKind::Week, anchor);
        let mut full = LinePool::default();
        let mut parts = LinePool { partly: true, ..LinePool::default() };
        for _ in 0..plant.rules.pool_weeks {
            week = week_before(week);
            let window = self.bounds.span(week)?;
            let scheduled = self.schedule.scheduled.ms_within(window);
            let counted = scheduled - self.uncounted(window);
            let asked = Decimal::from(scheduled) * plant.rules.min_coverage;
            let pool = if Decimal::from(counted) >= asked { &mut full } else { &mut parts };
            if counted > 0 {
                pool.output_hours += self.output_hours(window).unwrap_or_default();
                pool.scheduled += counted;
                pool.unasked += self.unasked(window);
                pool.weeks += 1;
            }
        }
        Ok([full, parts].into_iter().find(|pool| pool.weeks > 0))
    }

    fn ratio(&self) -> Option<Decimal> {
        self.pool.as_ref().and_then(LinePool::ratio)
    }

    /// Standard hours at the line's end inside `window`.
    fn output_hours(&self, window: Span) -> Option<Decimal> {
        let parts = self.counter?.output.as_ref()?.parts_within(window)?;
        Some(parts * self.line.ideal_cycle_seconds / Decimal::from(3_600))
    }

    /// Hours of the line's own cycle that `stage` could give: its machines'
    /// attainable hours, each at its own cycle. `None` when one is unknown.
    fn stage_hours(&self, machines: &[String], period: Period, made: &Made<'_>) -> Option<Decimal> {
        machines
            .iter()
            .map(|id| {
                let machine = self.machines.iter().find(|machine| machine.resource.id == *id)?;
                let figures = made.get(&(id.as_str(), period))?;
                let units = Decimal::from(machine.resource.parallel_units);
                let own = figures.attainable_hours? * units * self.line.ideal_cycle_seconds;
                own.checked_div(machine.seconds_a_part()?)
            })
            .sum()
    }

    fn bound(&self, period: Period, made: &Made<'_>) -> Option<(Decimal, String)> {
        let mut weakest: Option<(Decimal, &str)> = None;
        for stage in &self.line.stages {
            let hours = self.stage_hours(&stage.machines, period, made)?;
            if weakest.is_none_or(|(least, _)| hours < least) {
                weakest = Some((hours, &stage.name));
            }
        }
        weakest.map(|(hours, name)| (hours, name.to_owned()))
    }

    /// The figures of the line in one period; `None` for a past period in which
    /// nothing was counted and the machines are unknown.
    pub(super) fn figures(
        &self,
        asked: &Asked<'_>,
        made: &Made<'_>,
        outlook: &Outlook<'_>,
    ) -> Option<Figures> {
        let elements = self.elements(asked);
        let counted = self.output_hours(asked.measured());
        let measured = self.measured(&elements, counted);
        let bound = self.bound(asked.period, made);
        let bound_hours = bound.as_ref().map(|(hours, _)| (*hours).min(hours_of(&elements)));
        if asked.phase() == Phase::Past && bound.is_none() && counted.is_none() {
            return None;
        }
        let attainable = match (measured, bound_hours) {
            (Some(measured), Some(bound)) => measured.min(bound).max(counted.unwrap_or_default()),
            (Some(one), None) | (None, Some(one)) => one,
            (None, None) => return Some(self.put(asked, elements, None, None, counted, outlook)),
        };
        let line = LineFigures {
            measured_output_hours: measured,
            composed_bound_hours: bound_hours,
            difference_hours: bound_hours.zip(measured).map(|(bound, measured)| bound - measured),
            limiting_stage: bound.map(|(_, name)| name),
            pool: self.pool,
            load: self.load(),
        };
        Some(self.put(asked, elements, Some(attainable), Some(line), counted, outlook))
    }

    fn elements(&self, asked: &Asked<'_>) -> Elements {
        let window = asked.window;
        let scheduled = self.schedule.scheduled.ms_within(window);
        let seen = self.schedule.scheduled.ms_within(asked.measured());
        let regular = self.schedule.regular.ms_within(window);
        let unknown = self.uncounted(asked.measured());
        let (standby, ahead) = (self.unasked(asked.measured()), scheduled - seen);
        Elements { scheduled, regular, standby, unknown, ahead, ..Elements::default() }
    }

    /// Scheduled milliseconds inside `window` in which nobody asked for parts, as
    /// the source of the counting machine tells it, and in which none was counted:
    /// what was made needs no rate.
    fn unasked(&self, window: Span) -> i64 {
        let Some(counter) = self.counter else { return 0 };
        let idle = counter.output.as_ref().map(|output| output.idle(window));
        self.schedule.scheduled.and(&counter.unasked).and(&idle.unwrap_or_default()).ms()
    }

    fn load(&self) -> Load {
        if self.counter.is_some_and(Machine::tells_unasked) {
            Load::Told
        } else if self.members().any(Machine::tells_unasked) {
            Load::ToldElsewhere
        } else {
            Load::Untold
        }
    }

    /// Scheduled milliseconds inside `window` in which nobody counted.
    fn uncounted(&self, window: Span) -> i64 {
        let counted = self.counter.and_then(|counter| counter.output.as_ref());
        let counted = counted.map(|output| output.counted(window)).unwrap_or_default();
        self.schedule.scheduled.and(&Spans::one(window)).without(&counted).ms()
    }

    /// End of the last counted interval.
    fn counted_until(&self) -> Option<i64> {
        self.counter?.output.as_ref()?.until()
    }

    fn members(&self) -> impl Iterator<Item = &'a Machine<'a>> + '_ {
        let ids = || self.line.stages.iter().flat_map(|stage| &stage.machines);
        self.machines.iter().filter(move |machine| ids().any(|id| *id == machine.resource.id))
    }

    /// Counted so far, and the demonstrated rate for the time in which nobody
    /// asked for parts, for what was not counted and for the rest. `None` where a
    /// rate is needed and none was shown; without one, time that nobody asked for
    /// is not corrected.
    fn measured(&self, elements: &Elements, counted: Option<Decimal>) -> Option<Decimal> {
        let open = elements.unknown + elements.ahead;
        let made = counted.unwrap_or_default();
        match self.ratio() {
            Some(ratio) => Some(made + ratio * hours(open + elements.standby)),
            None => (open == 0).then_some(made),
        }
    }

    fn put(
        &self,
        asked: &Asked<'_>,
        elements: Elements,
        attainable: Option<Decimal>,
        line: Option<LineFigures>,
        counted: Option<Decimal>,
        outlook: &Outlook<'_>,
    ) -> Figures {
        let measured = line.as_ref().and_then(|line| line.measured_output_hours);
        let status = self.status(asked, &elements, attainable.is_some(), measured.is_some());
        let told = self.members().filter_map(|machine| machine.observed_until);
        let truth = told.chain(self.counted_until()).fold(asked.clock.now, i64::min);
        let phase = asked.phase();
        Figures {
            resource: asked.names.resource.clone(),
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
            demonstrated_standard_hours: measured,
            good_units: attainable.and_then(|own| {
                (own * Decimal::from(3_600)).checked_div(self.line.ideal_cycle_seconds)
            }),
            low_hours: None,
            severity: outlook.severity(asked.window).map(Box::new),
            risk: outlook.risk(asked.window, &self.schedule.scheduled).map(Box::new),
            line: line.map(Box::new),
            netted_losses: self.netted(measured.is_some()),
            status,
            quality: quality(status, &elements, phase, self.pool.is_some()),
            as_of: instant(truth),
            valid_until: instant(asked.valid_until(truth)),
        }
    }

    /// What the figure has paid. Good output at the line's end has paid every
    /// loss that there is, less what it is corrected for; the bound alone only
    /// what its machines paid.
    fn netted(&self, measured: bool) -> BTreeSet<Loss> {
        let mut losses = BTreeSet::from([Loss::PlannedMaintenance, Loss::UnplannedDown]);
        if measured {
            losses.extend([Loss::Breaks, Loss::Setup, Loss::Speed, Loss::Quality]);
        }
        let corrected = self.ratio().is_some() && self.counter.is_some_and(Machine::tells_staffing);
        if measured && !corrected {
            losses.insert(Loss::Staffing);
        }
        losses
    }

    fn status(
        &self,
        asked: &Asked<'_>,
        elements: &Elements,
        known: bool,
        measured: bool,
    ) -> Status {
        if !known {
            return Status::Unknown;
        }
        if !measured {
            // The bound stands alone: nobody ever measured that the line gives it.
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
        let gap = elements.unknown > self.schedule.scheduled.ms_within(silent);
        let guessed = self.pool.is_some_and(|pool| pool.partly);
        let own = if gap || guessed { age.max(Status::Assumed) } else { age };
        self.members().fold(own, |status, machine| status.max(machine.status))
    }
}

fn hours_of(elements: &Elements) -> Decimal {
    hours(elements.scheduled)
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
