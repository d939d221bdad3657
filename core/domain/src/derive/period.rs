//! The figures of one resource in one period.

use std::collections::BTreeSet;

use planthread_contracts::{
    CapacityBasis, Gap, Loss, Name, Period, PeriodKind, Quality, QualityLevel, Quantile, Status,
};
use rust_decimal::Decimal;

use super::{
    as_of::AsOf,
    figures::{Demonstrated, Elements, Figures, Foreseen, Good, Phase},
    forecast::Outlook,
    machine::Machine,
    pool::{LOW, tolerance_ms},
};
use crate::{
    calendar::{
        Span, Spans,
        span::{HOUR_MS, hours, instant},
    },
    model::Plant,
    truth::age_status,
};

/// The question: which period, in whose plant, seen from when.
#[derive(Debug)]
pub(super) struct Asked<'a> {
    pub(super) plant: &'a Plant,
    pub(super) names: &'a Names,
    pub(super) clock: &'a AsOf,
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
    /// What every figure of hours has paid, with the breaks of the calendar's shifts.
    pub(super) netted: BTreeSet<Loss>,
}

impl Names {
    pub(super) fn of(plant: &Plant, resource: &str, calendar: &str) -> Self {
        let found = plant.calendar(calendar);
        let (zone, _) = plant.days_of(calendar);
        let breaks = found.is_some_and(|c| c.shifts.iter().any(|shift| !shift.breaks.is_empty()));
        let paid = [Loss::PlannedMaintenance, Loss::UnplannedDown].into_iter();
        Self {
            resource: resource.into(),
            zone: zone.into(),
            calendar_id: calendar.into(),
            calendar_version: found.map(|found| Name::from(&found.version)).unwrap_or_default(),
            netted: paid.chain(breaks.then_some(Loss::Breaks)).collect(),
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
    if asked.window.end > asked.clock.now {
        return false;
    }
    let end = machine.days.whole(asked.period, asked.window).end;
    let counted = machine.output.as_ref().and_then(|output| output.since());
    let from = machine.observed_from.into_iter().chain(counted).min();
    end <= asked.clock.now && from.is_none_or(|from| end <= from)
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
    let demonstrated = machine.demonstrated.clone();
    let unmeasured = [machine.ahead(window), machine.unknown.clip(window)];
    let (foreseen, rest) = foresee(outlook, plant, unmeasured, demonstrated.as_deref());
    let expected = expected_down(&foreseen, rest, demonstrated.as_deref());
    let measured = elements.scheduled - elements.planned - elements.down;
    let attainable_hours = expected.map(|expected| (hours(measured) - expected).max(Decimal::ZERO));
    // A figure is as old as the oldest word that it rests on.
    let truth = machine.observed_until.unwrap_or(asked.clock.now).min(asked.clock.now);
    let truth = foreseen.iter().map(|part| part.issued.as_millisecond()).fold(truth, i64::min);
    let good = good(asked, machine, outlook, attainable_hours);
    let status = match (attainable_hours, &good) {
        (Some(_), _) => status(asked, machine, &elements, &foreseen, rest),
        (None, Some(_)) => counter_status(asked, machine),
        (None, None) => Status::Unknown,
    };
    Some(Figures {
        resource: asked.names.resource.clone(),
        units: machine.resource.parallel_units,
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
        low_hours: low(asked, machine, (&elements, &foreseen, rest), attainable_hours),
        demonstrated,
        foreseen,
        expected_down_hours: expected,
        down_since: machine.down_since.filter(|_| phase != Phase::Past).map(instant),
        attainable_hours,
        output_standard_hours: machine.output_hours(asked.measured()),
        demonstrated_standard_hours: standard_hours(asked, machine, &elements, attainable_hours),
        good_units: good.as_ref().map(Good::parts),
        made: good.map(Box::new),
        severity: outlook.severity(window).map(Box::new),
        risk: outlook.risk(window, &machine.days.schedule.scheduled).map(Box::new),
        line: None,
        netted_losses: asked.names.netted.clone(),
        status,
        quality: quality(asked, machine, &elements, status),
        as_of: instant(truth),
        valid_until: instant(asked.valid_until(truth)),
    })
}

/// What twins foretold of time `ahead`, and of the `unknown` time behind it, and how
/// much is left. What was demonstrated caps the unknown time: so time that goes by
/// untold raises nothing (law 8).
fn foresee(
    outlook: &Outlook<'_>,
    plant: &Plant,
    [ahead, unknown]: [Spans; 2],
    demonstrated: Option<&Demonstrated>,
) -> (Vec<Foreseen>, i64) {
    let (mut foreseen, ahead) = outlook.split(&ahead, plant);
    let (behind, unknown) = outlook.split(&unknown, plant);
    foreseen.extend(behind.into_iter().map(|part| {
        let most = demonstrated.map_or(part.up_fraction, |pool| pool.availability);
        let up_fraction = part.up_fraction.min(most);
        Foreseen { up_fraction, low_fraction: None, distribution: None, behind: true, ..part }
    }));
    (foreseen, ahead + unknown)
}

/// Unplanned down of the time that was not measured: foretold time at what was
/// foretold, the rest at demonstrated availability.
fn expected_down(
    foreseen: &[Foreseen],
    rest: i64,
    demonstrated: Option<&Demonstrated>,
) -> Option<Decimal> {
    let foretold: Decimal =
        foreseen.iter().map(|part| hours(part.ms) * (Decimal::ONE - part.up_fraction)).sum();
    if rest == 0 {
        return Some(foretold);
    }
    Some(foretold + hours(rest) * (Decimal::ONE - demonstrated?.availability))
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
    let differ = machine.demonstrated.as_deref().is_some_and(|pool| pool.conflicting);
    if machine.conflicts(asked.measured(), tolerance_ms(&asked.plant.rules))
        || (differ && elements.unknown + rest > 0)
    {
        return Status::Conflicting;
    }
    let unseen = machine.unseen(asked.window);
    let measured = if unseen > 0 { Status::Assumed } else { Status::Live };
    let shown = machine.demonstrated.as_deref().is_some_and(Demonstrated::is_shown);
    let so_far = elements.scheduled - elements.ahead;
    let asked_for = Decimal::from(so_far) * asked.plant.rules.min_coverage;
    let seen = Decimal::from(so_far - unseen) >= asked_for;
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

/// The status of a machine of which only the counter speaks.
fn counter_status(asked: &Asked<'_>, machine: &Machine<'_>) -> Status {
    let until = machine.output.as_ref().and_then(|output| output.until());
    let hour_ms = |hours: u32| i64::from(hours) * HOUR_MS;
    let (live, held) = (asked.plant.rules.live_hours, asked.plant.rules.time_to_live_hours);
    match until {
        Some(until) if until >= asked.window.end => Status::Live,
        Some(until) => age_status(until, asked.clock.now, hour_ms(live), hour_ms(held)),
        None => Status::Unknown,
    }
}

/// Standard hours, corrected for load by what the machine was up against what it
/// was up and not standing by; where no source tells standby, nothing is
/// corrected and the figure stays empty.
fn standard_hours(
    asked: &Asked<'_>,
    machine: &Machine<'_>,
    elements: &Elements,
    attainable: Option<Decimal>,
) -> Option<Decimal> {
    if asked.phase() != Phase::Past {
        return machine.effectiveness.zip(attainable).map(|(rate, hours)| rate * hours);
    }
    let measured = machine.output_hours(asked.measured()).filter(|_| machine.tells_standby())?;
    (measured * hours(elements.up())).checked_div(hours(elements.up() - elements.standby))
}

/// Good parts: what was counted; for time since the first count that was not
/// counted, or lies ahead, its attainable hours at the demonstrated rate. So days
/// add up to their week (law 6), and nothing is made in time that is known to
/// have been down, or not scheduled. `None` where nothing was counted and no rate
/// was shown, and before the first count.
fn good(
    asked: &Asked<'_>,
    machine: &Machine<'_>,
    outlook: &Outlook<'_>,
    attainable: Option<Decimal>,
) -> Option<Good> {
    let output = machine.output.as_ref()?;
    let measured = asked.measured();
    let counted = output.parts_within(measured);
    let first = output.since().filter(|first| *first < asked.window.end)?;
    let since = first.clamp(measured.start, measured.end.max(measured.start));
    // Counted time, and time before the first count, is not filled.
    let mut known = output.counted(measured);
    known = known.or(&Spans::one(Span { start: measured.start, end: since }));
    let inside =
        |set: &Spans| known.as_slice().iter().map(|span| set.ms_within(*span)).sum::<i64>();
    let open_hours = match attainable {
        Some(all) => {
            let unknown = machine.unknown.and(&known);
            let (open, unknown_ms) = (hours(inside(&machine.open)), unknown.ms());
            let demonstrated = machine.demonstrated.as_deref();
            let unmeasured = [Spans::none(), unknown];
            let (foreseen, rest) = foresee(outlook, asked.plant, unmeasured, demonstrated);
            let down = expected_down(&foreseen, rest, demonstrated);
            let down = down.unwrap_or(hours(unknown_ms));
            (all - (open - down)).max(Decimal::ZERO)
        }
        None => hours(machine.open.ms_within(asked.window) - inside(&machine.open)),
    };
    let rate = machine.rate.filter(|rate| rate.ms > 0);
    if rate.is_none() && (counted.is_none() || asked.phase() != Phase::Past) {
        // Nothing to foretell with, and something to foretell.
        counted.filter(|_| open_hours.is_zero())?;
    }
    let rate = rate.filter(|_| open_hours > Decimal::ZERO);
    Some(Good { counted: counted.unwrap_or_default(), open_hours, rate })
}

/// The low quantile: the twin's own where one forecast covers the whole time
/// ahead; else, for whole future weeks, the predictive one of the pooled weeks,
/// which moves down with the availability where their back-test lowered that.
/// Quantiles of weeks say nothing about days or months, so there it stays empty.
fn low(
    asked: &Asked<'_>,
    machine: &Machine<'_>,
    (elements, foreseen, rest): (&Elements, &[Foreseen], i64),
    attainable: Option<Decimal>,
) -> Option<Quantile> {
    if asked.phase() != Phase::Future {
        return None;
    }
    let share = match foreseen {
        [one] if rest == 0 => one.low_fraction?,
        [] if asked.period.kind() == PeriodKind::Week => machine.low?,
        _ => return None,
    };
    let value = (hours(elements.ahead) * share).min(attainable?);
    Some(Quantile { probability_not_exceeded: LOW, value })
}

fn quality(
    asked: &Asked<'_>,
    machine: &Machine<'_>,
    elements: &Elements,
    status: Status,
) -> Quality {
    let uncounted = machine.output.iter().flat_map(|output| &output.remarks);
    let uncounted = uncounted.filter(|one| one.doubt.loses()).map(|one| one.span.and(asked.window));
    let uncounted = Spans::union(uncounted.collect()).and(&machine.days.schedule.scheduled);
    let lost = Spans::union(machine.gaps(asked.window).collect()).or(&uncounted);
    let gaps: Vec<Gap> = lost
        .as_slice()
        .iter()
        .map(|gap| Gap { start: instant(gap.start), end: instant(gap.end) })
        .collect();
    let (seen, all) = match asked.phase() {
        Phase::Future => machine.demonstrated.as_deref().map_or((0, 0), |pool| {
            let sum = |of: fn(&Elements) -> i64| pool.weeks.iter().map(|w| of(&w.elements)).sum();
            (sum(|e| e.scheduled - e.unknown), sum(|e: &Elements| e.scheduled))
        }),
        // What a counter lost was not seen either.
        Phase::Past | Phase::Current => {
            let all = elements.scheduled - elements.ahead;
            (all - lost.ms(), all)
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
