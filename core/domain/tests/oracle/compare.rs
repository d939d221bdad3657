//! What the oracle finds beside what the code finds.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use jiff::civil::Date;
use planthread_contracts::{Period, PeriodKind, Status};
use planthread_domain::{Derivation, derive, derive::Figures};
use rust_decimal::{Decimal, prelude::ToPrimitive as _};

use super::{
    grid::Grid,
    laws::sums_hold,
    line::Line,
    machine::{Machine, Sums, hours},
    plant::{facts, instant, plant},
    world::{HOUR, SLOT, World},
};

pub(crate) const KINDS: [PeriodKind; 4] =
    [PeriodKind::Day, PeriodKind::Week, PeriodKind::TechnicalWeek, PeriodKind::Month];

/// Figures agree to a millionth of an hour or of a part.
const NEAR: f64 = 1e-6;

/// Where a number stands.
#[derive(Debug, Clone, Copy)]
struct Place<'a> {
    seed: u64,
    resource: &'a str,
    period: Period,
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "seed {} {} {}", self.seed, self.resource, self.period)
    }
}

/// How far oracle and code differ, over all worlds.
#[derive(Debug, Default)]
pub(crate) struct Deviations {
    /// The largest by figure.
    largest: BTreeMap<&'static str, f64>,
    compared: usize,
    pub(crate) faults: Vec<String>,
    /// How many sums of periods were compared.
    pub(crate) sums: usize,
    /// How many machines had a pool from which something was taken off.
    lowered: usize,
}

impl fmt::Display for Deviations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { compared, sums, lowered, .. } = self;
        write!(f, "{compared} numbers, {sums} sums, {lowered} machines that get worse; ")?;
        write!(f, "largest deviation:")?;
        self.largest.iter().try_for_each(|(name, by)| write!(f, " {name} {by:.1e}"))
    }
}

impl Deviations {
    fn number(
        &mut self,
        place: Place<'_>,
        name: &'static str,
        right: Option<f64>,
        found: Option<Decimal>,
    ) {
        let found = found.and_then(|found| found.to_f64());
        self.compared += 1;
        let by = match (right, found) {
            (None, None) => 0.0,
            (Some(right), Some(found)) => (right - found).abs(),
            _ => f64::INFINITY,
        };
        self.largest(name, by);
        if by > NEAR * right.unwrap_or(1.0).abs().max(1.0) {
            self.faults.push(format!("{place} {name}: oracle {right:?}, code {found:?}"));
        }
    }

    fn largest(&mut self, name: &'static str, by: f64) {
        let largest = self.largest.entry(name).or_default();
        *largest = largest.max(by);
    }

    fn slots(&mut self, place: Place<'_>, name: &'static str, right: i64, found: i64) {
        let found = Decimal::from(found) / Decimal::from(HOUR);
        self.number(place, name, Some(hours(right)), Some(found));
    }

    fn holds(&mut self, place: Place<'_>, what: &str, holds: bool) {
        self.compared += 1;
        if !holds {
            self.faults.push(format!("{place} {what}"));
        }
    }
}

pub(crate) fn derived(world: &World) -> Derivation {
    derived_in(world, &KINDS)
}

/// The figures of the periods of `kinds` only.
pub(crate) fn derived_in(world: &World, kinds: &[PeriodKind]) -> Derivation {
    derive(&plant(world), &facts(world), instant(world.now), kinds).unwrap()
}

/// The steps of every day, by period.
fn slots_of(grid: &Grid, period: Period) -> (usize, usize) {
    let at = |date: Date| grid.days.partition_point(|day| *day < date);
    (at(period.start()), at(period.end()))
}

/// Compares all figures of a world.
pub(crate) fn compare(seed: u64, world: &World, deviations: &mut Deviations) {
    let grid = Grid::new(world);
    let derivation = derived(world);
    let mut off = Vec::new();
    let (sums, by) = sums_hold(&derivation, &mut off);
    deviations.sums += sums;
    deviations.largest("sum", by.to_f64().unwrap());
    deviations.faults.extend(off.iter().map(|off| format!("seed {seed} {off}")));
    let machines: Vec<Machine> =
        (0..world.machines.len()).map(|at| Machine::new(world, &grid, at)).collect();
    let worse = |one: &&Machine| one.pool.as_ref().is_some_and(|pool| pool.taken > 0.0);
    deviations.lowered += machines.iter().filter(worse).count();
    let lines: Vec<Line<'_>> =
        world.lines.iter().map(|line| Line::new(world, &grid, line, &machines)).collect();
    for one in &derivation.figures {
        let slots = slots_of(&grid, one.period);
        let place = Place { seed, resource: &one.resource, period: one.period };
        let at: usize = one.resource[1..].parse().unwrap();
        if one.resource.starts_with('M') {
            machine(place, &machines[at], (one, slots, &grid), deviations);
        } else {
            line(place, &lines[at], (one, slots, &grid), deviations);
        }
    }
    missing(seed, (world, &grid), &derivation, (&machines, deviations));
}

type Asked<'a> = (&'a Figures, (usize, usize), &'a Grid);

fn machine(
    place: Place<'_>,
    right: &Machine,
    (found, slots, grid): Asked<'_>,
    to: &mut Deviations,
) {
    let sums = right.sums(slots);
    let elements = &found.elements;
    to.slots(place, "scheduled", sums.scheduled, elements.scheduled);
    to.slots(place, "planned", sums.planned, elements.planned);
    to.slots(place, "down", sums.down, elements.down);
    to.slots(place, "standby", sums.standby, elements.standby);
    to.slots(place, "unknown", sums.unknown, elements.unknown);
    to.slots(place, "ahead", sums.ahead, elements.ahead);
    let shown = found.demonstrated.as_ref().map(|pool| pool.availability);
    to.number(place, "availability", right.share(), shown);
    let attainable = sums.attainable(right.share());
    to.number(place, "attainable", attainable, found.attainable_hours);
    to.number(place, "good", good(right, (slots, grid), attainable), found.good_units);
    let is_ahead = slots.0 >= grid.now && found.period.kind() == PeriodKind::Week;
    let low = attainable.filter(|_| is_ahead).zip(right.pool.as_ref().and_then(|pool| pool.low));
    let low = low.map(|(most, share)| most.min(share * hours(sums.ahead)));
    to.number(place, "low", low, found.low_hours.map(|low| low.value));
    status(place, right, (sums, slots, grid), (found, to));
}

/// What is counted, and the attainable hours of the rest since the first count at
/// the counted rate.
fn good(
    machine: &Machine,
    ((first, last), grid): ((usize, usize), &Grid),
    attainable: Option<f64>,
) -> Option<f64> {
    let output = machine.output.as_ref()?;
    if last <= output.since {
        return None;
    }
    let (mut made, mut counted, mut rest) = (0.0, false, Sums::default());
    let mut scheduled = 0;
    for slot in first..last {
        if let Some(parts) = output.made[slot] {
            made += parts;
            counted = true;
        } else if slot >= output.since {
            rest.add(machine.steps[slot], false);
            scheduled = rest.scheduled - rest.planned - rest.down;
        }
    }
    let hours = match attainable {
        Some(_) => rest.attainable(machine.share())?,
        None => hours(scheduled),
    };
    match machine.rate {
        _ if hours < 1e-9 && counted => Some(made),
        Some(rate) => Some(made + rate * hours),
        None if counted && last <= grid.now => Some(made),
        None => None,
    }
}

/// What ADR 16 decides of a status: who differs, who is silent, of what nobody knows.
fn status(
    place: Place<'_>,
    right: &Machine,
    (sums, (first, last), grid): (Sums, (usize, usize), &Grid),
    (found, to): (&Figures, &mut Deviations),
) {
    if found.attainable_hours.is_none() {
        let known = found.good_units.is_some();
        to.holds(place, "knows no hour, and says so", known || found.status == Status::Unknown);
        return;
    }
    let differ = sums.conflicting > 1;
    to.holds(place, "conflicting: sources differ", !differ || found.status == Status::Conflicting);
    let is_past = last <= grid.now;
    let open = sums.unknown + sums.ahead;
    let known = found.status == Status::Conflicting || found.status >= Status::Assumed;
    let now = grid.time(grid.now);
    let silent = right.heard.is_none_or(|at| at + right.live_hours * HOUR < now);
    // Of a source that is live the time since its last word is only not told yet.
    let later = !silent && right.heard.is_some_and(|at| at < grid.time(last));
    let fits = !is_past || sums.unknown == 0 || known || later;
    to.holds(place, "assumed: unknown past time", fits);
    let live = found.status == Status::Live;
    to.holds(place, "silent, not live", is_past || !silent || open == 0 || !live);
    let heard = right.heard.is_some_and(|at| at >= grid.time(last - 1) + SLOT);
    let told = is_past && first < last && sums.unknown == 0 && sums.conflicting == 0 && heard;
    to.holds(place, "told, and live", !told || live);
}

fn line(place: Place<'_>, right: &Line<'_>, (found, slots, _): Asked<'_>, to: &mut Deviations) {
    let of = right.found(slots);
    to.number(place, "line attainable", of.map(|of| of.attainable), found.attainable_hours);
    to.number(place, "line good", of.map(|of| of.good), found.good_units);
    if let Some(of) = of {
        to.slots(place, "line scheduled", of.scheduled, found.elements.scheduled);
        to.slots(place, "line standby", of.standby, found.elements.standby);
    }
}

/// A machine has figures for every period of the horizon in which anybody spoke.
fn missing(
    seed: u64,
    (world, grid): (&World, &Grid),
    derivation: &Derivation,
    (machines, to): (&[Machine], &mut Deviations),
) {
    let monday = grid.monday(world.now);
    let from = monday.saturating_sub(jiff::ToSpan::days(7 * world.past_weeks));
    let until = monday.saturating_add(jiff::ToSpan::days(7 * (world.future_weeks + 1)));
    let known: BTreeSet<(&str, Period)> =
        derivation.figures.iter().map(|one| (&*one.resource, one.period)).collect();
    for (at, machine) in machines.iter().enumerate() {
        let resource = format!("M{at}");
        for (day, slots) in grid.by_day().range(from..until) {
            for kind in KINDS {
                let period = Period::containing(kind, *day);
                if known.contains(&(resource.as_str(), period)) {
                    continue;
                }
                let place = Place { seed, resource: &resource, period };
                let spoke = machine.since.is_some_and(|since| since < grid.time(slots.1));
                to.holds(place, "missing", slots.1 <= grid.now && !spoke);
            }
        }
    }
}
