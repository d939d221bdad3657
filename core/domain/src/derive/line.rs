//! A line: what was measured at its end, beside what its machines compose to.
//!
//! A line is not the average of its stations. Its output is measured at its
//! end, in hours of the line's own ideal cycle. The bound is what the machines
//! could give if the buffers were endless: per stage the parallel machines add,
//! over the stages the weakest holds. The truth lies at or below the bound; the
//! difference is what starving, blocking and slow running cost.
//!
//! The figure that lands is the measured one, never above the bound. Missing
//! orders would have to be corrected for; no source of a line tells them apart,
//! so nothing is corrected and the figure is a floor.

use std::collections::{BTreeSet, HashMap};

use planthread_contracts::{
    CapacityBasis, Loss, Period, PeriodKind, Quality, QualityLevel, Status,
};
use rust_decimal::Decimal;

use super::{
    clock::Clock,
    figures::{Elements, Figures, LineFigures, LinePool, Phase},
    forecast::{Outlook, worse},
    machine::{Machine, week_before},
    period::Asked,
};
use crate::{
    calendar::{Bounds, LocalTimeError, Schedule, Span, span::hours, span::instant},
    model::{Line, Plant},
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

    /// Demonstrated output per scheduled hour over the last full weeks that
    /// were counted completely, before the counter fell silent.
    fn pooled(&self, plant: &Plant, clock: &Clock) -> Result<Option<LinePool>, LocalTimeError> {
        let output = self.counter.and_then(|counter| counter.output.as_ref());
        let Some((output, until)) = output.and_then(|o| Some((o, o.until()?))) else {
            return Ok(None);
        };
        let anchor = self.bounds.date(until.min(clock.now))?;
        let mut week = Period::containing(PeriodKind::Week, anchor);
        let mut pool = LinePool { output_hours: Decimal::ZERO, scheduled: 0, weeks: 0 };
        for _ in 0..plant.rules.pool_weeks {
            week = week_before(week);
            let window = self.bounds.span(week)?;
            let scheduled = self.schedule.scheduled.ms_within(window);
            if scheduled > 0 && output.counted_ms(window) >= window.ms() {
                pool.output_hours += self.output_hours(window).unwrap_or_default();
                pool.scheduled += scheduled;
                pool.weeks += 1;
            }
        }
        Ok((pool.weeks > 0).then_some(pool))
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
        let measured = self.measured(asked, &elements, counted);
        let bound = self.bound(asked.period, made);
        let bound_hours = bound.as_ref().map(|(hours, _)| (*hours).min(hours_of(&elements)));
        let attainable = match (measured, bound_hours) {
            (Some(measured), Some(bound)) => measured.min(bound),
            (Some(one), None) | (None, Some(one)) => one,
            (None, None) if asked.phase() == Phase::Past => return None,
            (None, None) => return Some(self.put(asked, elements, None, None, counted, outlook)),
        };
        let line = LineFigures {
            measured_output_hours: measured,
            composed_bound_hours: bound_hours,
            difference_hours: bound_hours.zip(measured).map(|(bound, measured)| bound - measured),
            limiting_stage: bound.map(|(_, name)| name),
            pool: self.pool,
        };
        Some(self.put(asked, elements, Some(attainable), Some(line), counted, outlook))
    }

    fn elements(&self, asked: &Asked<'_>) -> Elements {
        let window = asked.window;
        let scheduled = self.schedule.scheduled.ms_within(window);
        let seen = self.schedule.scheduled.ms_within(asked.measured());
        let regular = self.schedule.regular.ms_within(window);
        Elements { scheduled, regular, ahead: scheduled - seen, ..Elements::default() }
    }

    /// Counted so far, and the demonstrated rate for the rest.
    fn measured(
        &self,
        asked: &Asked<'_>,
        elements: &Elements,
        counted: Option<Decimal>,
    ) -> Option<Decimal> {
        match asked.phase() {
            Phase::Past => counted,
            Phase::Current => Some(counted? + self.ratio()? * hours(elements.ahead)),
            Phase::Future => Some(self.ratio()? * hours(elements.ahead)),
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
        let plant = asked.plant;
        let calendar = plant.calendar(&self.line.calendar);
        let measured = line.as_ref().and_then(|line| line.measured_output_hours);
        let status = self.status(asked, attainable.is_some());
        let until = self.counter.and_then(|c| c.output.as_ref()?.until());
        let truth = until.unwrap_or(asked.clock.now).min(asked.clock.now);
        let phase = asked.phase();
        Figures {
            resource: self.line.id.clone(),
            period: asked.period,
            start: instant(asked.window.start),
            end: instant(asked.window.end),
            zone: calendar.and_then(|c| c.zone.clone()).unwrap_or_else(|| plant.zone.clone()),
            calendar_id: self.line.calendar.clone(),
            calendar_version: calendar.map(|c| c.version.clone()).unwrap_or_default(),
            phase,
            partial: phase == Phase::Current,
            basis: match phase {
                Phase::Past => CapacityBasis::Actual,
                Phase::Current | Phase::Future => CapacityBasis::Demonstrated,
            },
            elements,
            demonstrated: None,
            foreseen: Vec::new(),
            expected_down_hours: None,
            attainable_hours: attainable,
            output_standard_hours: counted,
            demonstrated_standard_hours: measured,
            good_units: attainable.and_then(|own| {
                (own * Decimal::from(3_600)).checked_div(self.line.ideal_cycle_seconds)
            }),
            low_hours: None,
            severity: outlook.severity(asked.window),
            risk: outlook.risk(asked.window, &self.schedule.scheduled),
            line,
            netted_losses: BTreeSet::from([
                Loss::PlannedMaintenance,
                Loss::UnplannedDown,
                Loss::Speed,
            ]),
            status,
            quality: quality(status),
            as_of: instant(truth),
            valid_until: instant(asked.valid_until(truth)),
        }
    }

    fn status(&self, asked: &Asked<'_>, known: bool) -> Status {
        if !known {
            return Status::Unknown;
        }
        if asked.phase() == Phase::Past {
            return Status::Live;
        }
        let members = self.line.stages.iter().flat_map(|stage| &stage.machines);
        let members =
            self.machines.iter().filter(|m| members.clone().any(|id| *id == m.resource.id));
        members.fold(Status::Live, |status, machine| worse(status, machine.status))
    }
}

fn hours_of(elements: &Elements) -> Decimal {
    hours(elements.scheduled)
}

fn quality(status: Status) -> Quality {
    let worst = match status {
        Status::Live => QualityLevel::Good,
        Status::Held | Status::Assumed => QualityLevel::Stale,
        Status::Conflicting => QualityLevel::Uncertain,
        Status::Unknown => return Quality::none(),
    };
    Quality { worst, ..Quality::full() }
}
