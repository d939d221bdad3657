//! One line, step by step (ADR 16, step 7).

use super::{
    decline::{Given, taken_off},
    grid::Grid,
    machine::{Machine, Step, hours, least_of_newest, weeks_before},
    output::Output,
    world::{self, World},
};

/// Hours and good parts of one line in one period.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Found {
    pub(crate) attainable: f64,
    pub(crate) good: f64,
    pub(crate) scheduled: i64,
    pub(crate) standby: i64,
}

/// One line.
#[derive(Debug)]
pub(crate) struct Line<'a> {
    line: &'a world::Line,
    output: Option<&'a Output>,
    works: Vec<bool>,
    counted: Vec<bool>,
    unasked: Vec<bool>,
    /// What its machines allow in each step, and what is expected of them.
    most: Vec<f64>,
    expected: Vec<Option<f64>>,
    /// Whether all its machines were told.
    told: Vec<bool>,
    ratio: Option<f64>,
    /// Whether nobody counts it.
    alone: bool,
}

impl<'a> Line<'a> {
    pub(crate) fn new(
        world: &'a World,
        grid: &Grid,
        line: &'a world::Line,
        machines: &'a [Machine],
    ) -> Self {
        let output = machines[line.counter].output.as_ref();
        let works: Vec<bool> = (0..grid.slots).map(|at| grid.works(line.calendar, at)).collect();
        let counts = |at: usize| output.is_some_and(|output| output.made[at].is_some());
        let counted: Vec<bool> = (0..grid.slots).map(|at| works[at] && counts(at)).collect();
        let is_idle = |at: usize| output.is_some_and(|output| output.idle[at]);
        let asks =
            |at: usize| !matches!(machines[line.counter].steps[at], Step::Up { unasked: true, .. });
        let unasked = (0..grid.slots).map(|at| works[at] && is_idle(at) && !asks(at)).collect();
        let members = || line.stages.iter().flatten().map(|at| &machines[*at]);
        let all_heard = members().all(|one| one.heard.is_some());
        let is_told = |at: usize| {
            at < grid.now && all_heard && members().all(|one| one.steps[at] != Step::Unknown)
        };
        let told = (0..grid.slots).map(|at| works[at] && is_told(at)).collect();
        let composed = |at: usize| compose(world, line, machines, at);
        let (most, expected) = (0..grid.slots).map(composed).unzip();
        let ratio = None;
        let mut one = Self {
            line,
            output,
            works,
            counted,
            unasked,
            most,
            expected,
            told,
            ratio,
            alone: false,
        };
        let first_proof = members().filter_map(|one| one.heard).min();
        one.ratio = one.counted_ratio(world, grid);
        if one.ratio.is_none() {
            one.alone = true;
            one.ratio = first_proof.and_then(|until| one.composed_ratio(world, grid, until));
        }
        one
    }

    /// Parts as hours of the line's cycle.
    fn output_hours(&self, parts: f64) -> f64 {
        parts * f64::from(i32::try_from(self.line.cycle_seconds).unwrap()) / 3_600.0
    }

    fn made(&self, (first, last): (usize, usize)) -> Option<f64> {
        let made = &self.output?.made[first..last];
        let all = made.iter().flatten();
        made.iter().any(Option::is_some).then(|| self.output_hours(all.sum()))
    }

    /// Output for each scheduled hour that was counted and asked for, over the full
    /// weeks before the counter's last word that were counted fully enough.
    fn counted_ratio(&self, world: &World, grid: &Grid) -> Option<f64> {
        let until = self.output?.until.min(world.now);
        let mondays = weeks_before(grid.monday(until), world.pool_weeks + 8);
        let weeks = mondays.into_iter().rev().map(|monday| {
            let week = grid.week(monday);
            let count = |of: &[bool]| count(&of[week.0..week.1]);
            let counted = count(&self.counted);
            let is_full = counted * 5 >= count(&self.works) * 4;
            let asked = counted - count(&self.unasked);
            let made = self.made(week).unwrap_or_default();
            (counted > 0).then_some(((made, asked), is_full))
        });
        let weeks: Vec<_> = weeks.collect();
        let ratio = least_of_newest(&weeks, world.pool_weeks)?;
        let full = weeks.iter().rev().flatten().filter(|(_, full)| *full);
        let given: Vec<Given> = full.map(|((made, asked), _)| (*made, hours(*asked))).collect();
        Some((ratio - taken_off(&given, ratio)).clamp(0.0, 1.0))
    }

    /// What its machines composed to while all of them told.
    fn composed_ratio(&self, world: &World, grid: &Grid, until: i64) -> Option<f64> {
        let newest = weeks_before(grid.monday(until.min(world.now)), world.pool_weeks + 8);
        let weeks = newest.into_iter().rev().map(|monday| {
            let (first, last) = grid.week(monday);
            let told: Vec<usize> = (first..last).filter(|slot| self.told[*slot]).collect();
            let full =
                i64::try_from(told.len()).unwrap() * 5 >= count(&self.works[first..last]) * 4;
            let given: f64 = told.iter().map(|slot| self.most[*slot]).sum();
            let slots = i64::try_from(told.len()).unwrap();
            // In hours, as what is made is.
            (slots > 0).then_some(((given / 4.0, slots), full))
        });
        let ratio = least_of_newest(&weeks.collect::<Vec<_>>(), world.pool_weeks);
        ratio.map(|ratio| ratio.min(1.0))
    }

    /// The hours and parts of the steps of one period; `None` where a machine was
    /// never seen.
    pub(crate) fn found(&self, (first, last): (usize, usize)) -> Option<Found> {
        let made = self.made((first, last)).unwrap_or_default();
        let (mut idle, mut rest) = (0.0, 0.0);
        let mut found = Found { attainable: 0.0, good: 0.0, scheduled: 0, standby: 0 };
        for slot in first..last {
            found.scheduled += i64::from(self.works[slot]);
            found.standby += i64::from(self.unasked[slot]);
            if self.unasked[slot] {
                idle += self.ratio.map_or(0.0, |ratio| self.most[slot].min(ratio));
            }
            if self.works[slot] && !self.counted[slot] {
                rest += match self.ratio {
                    Some(_) if self.alone && self.told[slot] => self.most[slot],
                    Some(ratio) => self.most[slot].min(ratio),
                    None => self.expected[slot]?.min(1.0),
                };
            }
        }
        let cycle = f64::from(i32::try_from(self.line.cycle_seconds).unwrap());
        found.attainable = made + (idle + rest) / 4.0;
        found.good = (made + rest / 4.0) * 3_600.0 / cycle;
        Some(found)
    }
}

fn count(of: &[bool]) -> i64 {
    of.iter().map(|one| i64::from(*one)).sum()
}

/// The least over the stages of the sum over the parallel machines: if every machine
/// that is not stopped gives all that it can, and as it is expected.
fn compose(
    world: &World,
    line: &world::Line,
    machines: &[Machine],
    at: usize,
) -> (f64, Option<f64>) {
    let (mut most, mut expected) = (1.0_f64, Some(1.0_f64));
    let cycle = f64::from(i32::try_from(line.cycle_seconds).unwrap());
    for stage in &line.stages {
        let (mut all, mut mean) = (Some(0.0), Some(0.0));
        for machine in stage {
            let seconds = world.machines[*machine].cycle_seconds;
            let gives = seconds.map(|one| cycle / f64::from(i32::try_from(one).unwrap()));
            let share = match machines[*machine].steps[at] {
                Step::Off | Step::Planned | Step::Down => continue,
                Step::Up { .. } => Some(1.0),
                Step::Unknown | Step::Ahead => machines[*machine].share(),
            };
            all = all.zip(gives).map(|(sum, gives)| sum + gives);
            mean = mean.zip(gives).zip(share).map(|((sum, gives), share)| sum + gives * share);
        }
        most = all.map_or(most, |all: f64| most.min(all));
        expected = expected.zip(mean).map(|(least, mean): (f64, f64)| least.min(mean));
    }
    (most, expected)
}
