//! What a machine did in some hours, whether a calendar schedules them or not.

use rust_decimal::Decimal;

use super::{Deriver, machine::Machine};
use crate::{
    calendar::Spans,
    timeline::{Class, Interval},
};

/// What was told of some hours of a machine, in milliseconds. The parts sum to the hours.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Happened {
    /// It worked, or was set up.
    pub worked: i64,
    /// It was able to work and stood: without order, operator or parts.
    pub standby: i64,
    /// It was stopped as planned, or told as not scheduled.
    pub planned: i64,
    /// It was down.
    pub down: i64,
    /// Nobody told.
    pub unknown: i64,
}

impl Happened {
    fn of(machine: &Machine<'_>, asked: &Spans) -> Self {
        let told = |class| machine.timeline.of_class(class).and(asked).ms();
        let standing = |one: &Interval| one.class() == Class::Up && one.state.is_standby();
        let standby = machine.timeline.instants(standing).and(asked).ms();
        let [up, planned, down] = [Class::Up, Class::Planned, Class::Down].map(told);
        let unknown = asked.ms() - up - planned - down;
        Self { worked: up - standby, standby, planned, down, unknown }
    }
}

impl Deriver<'_> {
    /// What happened in each of `asked`, for the machine or line of this name: what the
    /// machine did, `None` of a line, and the standard hours of the good output that was
    /// counted, `None` where nobody counted all of it.
    pub(crate) fn happened(
        &self,
        name: &str,
        asked: &[Spans],
    ) -> Vec<(Option<Happened>, Option<Decimal>)> {
        let line = self.plant.line(name);
        let at = self.positions.get(line.map_or(name, |line| &line.counter));
        let machine = at.and_then(|at| self.machine(*at));
        let Some(machine) = machine else { return vec![(None, None); asked.len()] };
        let seconds = match line {
            Some(line) => Some(line.ideal_cycle_seconds),
            None => machine.seconds_a_part(),
        };
        let of = |spans: &Spans| {
            let did = line.is_none().then(|| Happened::of(&machine, spans));
            (did, seconds.and_then(|seconds| made(&machine, spans, seconds)))
        };
        asked.iter().map(of).collect()
    }
}

fn made(machine: &Machine<'_>, asked: &Spans, seconds_a_part: Decimal) -> Option<Decimal> {
    let output = machine.output.as_ref()?;
    let all = asked.as_slice();
    let counted: i64 = all.iter().map(|span| output.counted_ms(*span)).sum();
    let whole = !all.is_empty() && counted == asked.ms();
    let parts: Decimal = all.iter().filter_map(|span| output.parts_within(*span)).sum();
    whole.then(|| parts * seconds_a_part / Decimal::from(3_600))
}
