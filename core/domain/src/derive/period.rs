//! The figures of one resource in one period.

use std::{cmp::Ordering, collections::BTreeSet};

use planthread_contracts::{
    CapacityBasis, Gap, Loss, Name, Period, PeriodKind, Quality, QualityLevel, Quantile, Status,
};
use rust_decimal::Decimal;

use super::{
    clock::Clock,
    figures::{Demonstrated, Elements, Figures, Foreseen, Phase, PoolWeek},
    forecast::Outlook,
    machine::Machine,
};
use crate::{
    calendar::{Span, span::hours, span::instant},
    model::Plant,
};

/// Fewest full weeks from which a low quantile is read: with fewer, the lowest
/// of them is all that would be said.
const WEEKS_FOR_A_QUANTILE: usize = 6;

/// The question: which period, in whose plant, seen from when.
#[derive(Debug)]
pub(super) struct Asked<'a> {
    pub(super) plant: &'a Plant,
    pub(super) names: &'a Names,
    pub(super) clock: &'a Clock,
    pub(super) period: Period,
    pub(super) window: Span,
}

/// Whose figures they are, and by which calendar: shared by all their periods.
#[derive(Debug)]
pub(super) struct Names {
    pub(super) resource: Name,
    pub(super) zone: Name,
    pub(super) calendar_id: Name,
    pub(super) calendar_version: Name,
}

impl Names {
    pub(super) fn of(plant: &Plant, resource: &str, calendar: &str) -> Self {
        let found = plant.calendar(calendar);
        let zone = found.and_then(|calendar| calendar.zone.as_ref()).unwrap_or(&plant.zone);
        Self {
            resource: resource.into(),
            zone: zone.into(),
            calendar_id: calendar.into(),
            calendar_version: found.map(|found| Name::from(&found.version)).unwrap_or_default(),
        }
    }
}

impl Asked<'_> {
    pub(super) const fn phase(&self) -> Phase {
        if self.window.end <= self.clock.now {
            Phase::Past
        } else if self.window.start < self.clock.now {
            Phase::Current
        } else {
            Phase::Future
        }
    }

    /// The part of the period before `as_of`.
    pub(super) fn measured(&self) -> Span {
        Span { start: self.window.start, end: self.window.end.min(self.clock.now) }
    }

    pub(super) fn valid_until(&self, truth: i64) -> i64 {
        let rules = &self.plant.rules;
        let cycle = i64::from(self.plant.horizon.cycle_minutes) * 60_000;
        truth + cycle + i64::from(rules.valid_hours.max(1)) * 3_600_000
    }
}

/// Whether the period is over and lies before anything was observed. Days and
/// split weeks go by their whole week, so that their hours stay conserved.
fn before_history(asked: &Asked<'_>, machine: &Machine<'_>) -> bool {
    let week = Period::containing(PeriodKind::Week, asked.period.start());
    let end = match asked.period.kind() {
        PeriodKind::Day | PeriodKind::TechnicalWeek | PeriodKind::Week => {
            machine.bounds.span(week).map_or(asked.window.end, |week| week.end)
        }
        PeriodKind::Month => asked.window.end,
    };
    end <= asked.clock.now && machine.observed_from.is_none_or(|from| end <= from)
}

/// Derives one resource and period; `None` for a past period before anything
/// was observed.
pub(super) fn figures(
    asked: &Asked<'_>,
    machine: &Machine<'_>,
    outlook: &Outlook<'_>,
) -> Option<Figures> {
    let (plant, window, phase) = (asked.plant, asked.window, asked.phase());
    let elements = machine.elements(window);
    if before_history(asked, machine) {
        return None;
    }
    let (foreseen, rest) = outlook.split(machine.ahead(window), plant);
    let demonstrated = machine.demonstrated.clone();
    let expected = expected_down(&elements, &foreseen, rest, demonstrated.as_deref());
    let measured = elements.scheduled - elements.planned - elements.down;
    let attainable_hours = expected.map(|expected| (hours(measured) - expected).max(Decimal::ZERO));
    // A figure is as old as the oldest word that it rests on.
    let truth = machine.observed_until.unwrap_or(asked.clock.now).min(asked.clock.now);
    let truth = foreseen.iter().map(|part| part.issued.as_millisecond()).fold(truth, i64::min);
    let status = match attainable_hours {
        Some(_) => status(asked, machine, &elements, &foreseen, rest),
        None => Status::Unknown,
    };
    let work = work(asked, machine, &elements, attainable_hours);
    Some(Figures {
        resource: asked.names.resource.clone(),
        period: asked.period,
        start: instant(window.start),
        end: instant(window.end),
        zone: asked.names.zone.clone(),
        calendar_id: asked.names.calendar_id.clone(),
        calendar_version: asked.names.calendar_version.clone(),
        phase,
        partial: phase == Phase::Current || (phase == Phase::Past && elements.unknown > 0),
        basis: basis(phase, &foreseen, demonstrated.as_deref()),
        elements,
        low_hours: low(
            asked,
            &elements,
            &foreseen,
            rest,
            demonstrated.as_deref(),
            attainable_hours,
        ),
        demonstrated,
        foreseen,
        expected_down_hours: expected,
        down_since: machine.down_since.filter(|_| phase != Phase::Past).map(instant),
        attainable_hours,
        output_standard_hours: machine.output_hours(asked.measured()),
        demonstrated_standard_hours: work.standard_hours,
        good_units: work.good_units,
        severity: outlook.severity(window).map(Box::new),
        risk: outlook.risk(window, &machine.schedule.scheduled).map(Box::new),
        line: None,
        netted_losses: BTreeSet::from([Loss::PlannedMaintenance, Loss::UnplannedDown]),
        status,
        quality: quality(asked, machine, &elements, status),
        as_of: instant(truth),
        valid_until: instant(asked.valid_until(truth)),
    })
}

/// Unplanned down of the time that was not measured: unknown time and the rest
/// ahead at demonstrated availability, foretold time at what was foretold.
fn expected_down(
    elements: &Elements,
    foreseen: &[Foreseen],
    rest: i64,
    demonstrated: Option<&Demonstrated>,
) -> Option<Decimal> {
    let foretold: Decimal =
        foreseen.iter().map(|part| hours(part.ms) * (Decimal::ONE - part.up_fraction)).sum();
    let open = elements.unknown + rest;
    if open == 0 {
        return Some(foretold);
    }
    Some(foretold + hours(open) * (Decimal::ONE - demonstrated?.availability))
}

fn basis(
    phase: Phase,
    foreseen: &[Foreseen],
    demonstrated: Option<&Demonstrated>,
) -> CapacityBasis {
    match phase {
        Phase::Past => CapacityBasis::Actual,
        Phase::Current | Phase::Future if !foreseen.is_empty() => CapacityBasis::Forecast,
        Phase::Current | Phase::Future => match demonstrated {
            Some(pool) if !pool.weeks.is_empty() => CapacityBasis::Demonstrated,
            _ => CapacityBasis::Planned,
        },
    }
}

fn status(
    asked: &Asked<'_>,
    machine: &Machine<'_>,
    elements: &Elements,
    foreseen: &[Foreseen],
    rest: i64,
) -> Status {
    let tolerance = asked.plant.rules.conflict_hours * Decimal::from(3_600_000);
    let tolerance = i64::try_from(tolerance.trunc()).unwrap_or(i64::MAX);
    if machine.conflicts(asked.measured(), tolerance) {
        return Status::Conflicting;
    }
    let measured = if elements.unknown > 0 { Status::Assumed } else { Status::Live };
    let shown = machine.demonstrated.as_deref().is_some_and(Demonstrated::is_shown);
    let so_far = elements.scheduled - elements.ahead;
    let asked_for = Decimal::from(so_far) * asked.plant.rules.min_coverage;
    let seen = Decimal::from(so_far - elements.unknown) >= asked_for;
    // A stop that outlived its source: nobody saw how the period ended.
    let presumed = machine.observed_until.is_some_and(|until| until < asked.window.end);
    let own = match (asked.phase(), machine.status) {
        (Phase::Past, status) if presumed => measured.max(status),
        (Phase::Past, _) => measured,
        // Master data, or a few hours of some week, stand behind it, however live
        // the machine is.
        (_, Status::Unknown) => Status::Assumed,
        (_, status) if !shown && elements.unknown + rest > 0 => status.max(Status::Assumed),
        (Phase::Current, Status::Live) if !seen => Status::Assumed,
        (_, status) => status,
    };
    foreseen.iter().fold(own, |status, part| status.max(part.status))
}

struct Work {
    standard_hours: Option<Decimal>,
    good_units: Option<Decimal>,
}

/// Standard hours and good units. Load is corrected by what the machine was up
/// against what it was up and not standing by; where no source tells standby,
/// nothing is corrected and the figure stays empty.
fn work(
    asked: &Asked<'_>,
    machine: &Machine<'_>,
    elements: &Elements,
    attainable: Option<Decimal>,
) -> Work {
    let counted = machine.output.as_ref().and_then(|o| o.parts_within(asked.measured()));
    let measured = machine.output_hours(asked.measured());
    if asked.phase() == Phase::Past {
        let loaded = elements.up() - elements.standby;
        let corrected = measured
            .filter(|_| machine.tells_standby())
            .and_then(|made| (made * hours(elements.up())).checked_div(hours(loaded)));
        return Work { standard_hours: corrected, good_units: counted };
    }
    let standard_hours = machine.effectiveness().zip(attainable).map(|(rate, hours)| rate * hours);
    let seconds = Decimal::from(3_600);
    let good_units = standard_hours
        .zip(machine.seconds_a_part())
        .and_then(|(standard, part)| (standard * seconds).checked_div(part));
    Work { standard_hours, good_units }
}

/// The low quantile: the twin's own where one forecast covers the whole time
/// ahead; else, for whole future weeks, the empirical one of the pooled weeks
/// (linear between order statistics). Quantiles of weeks say nothing about days
/// or months, so there it stays empty.
fn low(
    asked: &Asked<'_>,
    elements: &Elements,
    foreseen: &[Foreseen],
    rest: i64,
    demonstrated: Option<&Demonstrated>,
    attainable: Option<Decimal>,
) -> Option<Quantile> {
    if asked.phase() != Phase::Future {
        return None;
    }
    let share = match foreseen {
        [one] if rest == 0 => one.low_fraction?,
        [] if asked.period.kind() == PeriodKind::Week => {
            empirical(&demonstrated.filter(|d| d.is_shown())?.weeks, Decimal::new(1, 1))?
        }
        _ => return None,
    };
    let value = (hours(elements.ahead) * share).min(attainable?);
    Some(Quantile { probability_not_exceeded: Decimal::new(1, 1), value })
}

/// Empirical quantile of weekly availability, linear between the ordered weeks.
fn empirical(weeks: &[PoolWeek], p: Decimal) -> Option<Decimal> {
    let ((_, low), (_, high), part) = quantile_weeks(weeks, p)?;
    Some(low + (high - low) * part)
}

/// A week and the share of it that was up.
type Share<'a> = (&'a PoolWeek, Decimal);

/// The two weeks between which the quantile lies, each with its availability,
/// and how far it lies from the first to the second. `None` with too few weeks.
pub(super) fn quantile_weeks(
    weeks: &[PoolWeek],
    p: Decimal,
) -> Option<(Share<'_>, Share<'_>, Decimal)> {
    let mut shares: Vec<Share<'_>> = weeks
        .iter()
        .filter_map(|week| {
            let lost = Decimal::from(week.elements.down).checked_div(week.base().into())?;
            Some((week, Decimal::ONE - lost))
        })
        .collect();
    if shares.len() < WEEKS_FOR_A_QUANTILE {
        return None;
    }
    shares.sort_by(|(_, a), (_, b)| a.partial_cmp(b).unwrap_or(Ordering::Equal));
    let at = p * Decimal::from(shares.len() - 1);
    let below = usize::try_from(at.trunc()).ok()?;
    Some((*shares.get(below)?, *shares.get(below + 1)?, at.fract()))
}

fn quality(
    asked: &Asked<'_>,
    machine: &Machine<'_>,
    elements: &Elements,
    status: Status,
) -> Quality {
    let gaps: Vec<Gap> = machine
        .gaps(asked.window)
        .map(|gap| Gap { start: instant(gap.start), end: instant(gap.end) })
        .collect();
    let (seen, all) = match asked.phase() {
        Phase::Future => machine.demonstrated.as_deref().map_or((0, 0), |pool| {
            let sum = |of: fn(&Elements) -> i64| pool.weeks.iter().map(|w| of(&w.elements)).sum();
            (sum(|e| e.scheduled - e.unknown), sum(|e: &Elements| e.scheduled))
        }),
        Phase::Past | Phase::Current => {
            let all = elements.scheduled - elements.ahead;
            (all - elements.unknown, all)
        }
    };
    let share: Option<Decimal> = Decimal::from(seen).checked_div(Decimal::from(all));
    let worst = match status {
        Status::Unknown => QualityLevel::Bad,
        Status::Planner | Status::Held | Status::Assumed => QualityLevel::Stale,
        Status::Conflicting => QualityLevel::Uncertain,
        Status::Live if gaps.is_empty() => QualityLevel::Good,
        Status::Live => QualityLevel::Uncertain,
    };
    // Nothing scheduled is seen completely; nothing pooled is not seen at all.
    let none = if asked.phase() == Phase::Future { Decimal::ZERO } else { Decimal::ONE };
    Quality { coverage: share.unwrap_or(none), worst, gaps }
}
