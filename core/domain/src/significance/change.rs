//! Why attainable hours changed from one release to the next: signed parts, whose sum is
//! the change.
//!
//! Each release keeps the layers of its figure, which are those that an explanation
//! shows. A change is walked layer by layer from the old ones to the new ones, in a fixed
//! order: what the figure moves by at a step is the part of that step. So parts add up
//! whatever changed, and what changed alone has all of it: a shift that people decided
//! counts with the availability that is expected of it, and nothing of it is left to the
//! trend. The layers of a release are numbers, not a version: a calendar that somebody
//! changed shows by itself, and so do the machines that stand behind a line.

use std::{cmp::Ordering, collections::BTreeMap};

use planthread_contracts::Status;
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Released;
use crate::{
    calendar::span::hours,
    derive::{Elements, Figures, LineFigures, LinePool, at_most},
};

/// Decimals of hours in which parts are told: few enough that sums are exact.
const PARTS_SCALE: u32 = 9;

/// What moved a figure.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, JsonSchema, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The weekly shifts.
    Calendar,
    /// What people decided for single days: overtime, extra shifts, closed
    /// days, holidays.
    Decision,
    /// Declared stops.
    PlannedStop,
    /// What broke down in the time that was measured since, against what was expected of
    /// it; of a line what its output fell short by. Above zero where less was lost.
    Breakdown,
    /// What is expected of the time that is not measured: demonstrated availability, or
    /// what a twin foretells.
    Trend,
    /// Telemetry that was lost, and the cautious value that holds meanwhile; above zero
    /// where it came back.
    DataLost,
    /// Other machines, lines or shares stand behind it.
    Mapping,
}

impl Cause {
    /// Every one, in the order in which they are told.
    pub const ALL: [Self; 7] = [
        Self::Decision,
        Self::Breakdown,
        Self::Trend,
        Self::PlannedStop,
        Self::DataLost,
        Self::Calendar,
        Self::Mapping,
    ];

    /// The words in reports.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Calendar => "calendar",
            Self::Decision => "decision",
            Self::PlannedStop => "planned stop",
            Self::Breakdown => "breakdown",
            Self::Trend => "trend of availability",
            Self::DataLost => "data lost",
            Self::Mapping => "mapping",
        }
    }
}

/// What attainable hours are made of. Times are in milliseconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layers {
    /// Scheduled by the weekly shifts.
    pub regular: i64,
    /// Decided on top of them, or taken away.
    pub decided: i64,
    /// Declared stops within scheduled time.
    pub planned: i64,
    /// Scheduled time, less declared stops, of which is known what happened.
    pub known: i64,
    /// Hours that were lost in it.
    pub lost: Decimal,
    /// Attainable hours.
    pub attainable: Decimal,
}

impl Layers {
    /// Those of `one`; `None` where its attainable hours are not known.
    #[must_use]
    pub fn of(one: &Figures) -> Option<Self> {
        let Elements { scheduled, regular, planned, down, unknown, ahead, .. } = one.elements;
        let known = scheduled - planned - unknown - ahead;
        let lost = match &one.line {
            None => hours(down),
            Some(line) => hours(known) - measured(one, line),
        };
        Some(Self {
            regular,
            decided: scheduled - regular,
            planned,
            known,
            lost,
            attainable: one.attainable_hours?,
        })
    }

    /// Time that is not measured.
    const fn open(&self) -> i64 {
        self.regular + self.decided - self.planned - self.known
    }

    /// The share of it that is expected to be lost; `None` where there is none.
    fn rate(&self) -> Option<Decimal> {
        let net = hours(self.open() + self.known);
        (net - self.lost - self.attainable).checked_div(hours(self.open()))
    }

    /// Attainable hours at the share `rate` lost of what is not measured.
    fn at(&self, rate: Decimal) -> Decimal {
        let open = hours(self.open());
        open + hours(self.known) - self.lost - rate * open
    }
}

/// Hours of a line in the time that was counted, or seen.
fn measured(one: &Figures, line: &LineFigures) -> Decimal {
    let counted = one.output_standard_hours.unwrap_or_default();
    let ratio = line.pool.as_ref().and_then(LinePool::ratio);
    let unasked = ratio.map(|ratio| at_most(&line.unasked, ratio));
    counted + at_most(&line.seen, Decimal::ONE) + unasked.unwrap_or_default()
}

/// From one release to the next, in attainable hours.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct Change {
    /// Before.
    pub from: Decimal,
    /// After.
    pub to: Decimal,
    /// By what it moved; what is not named did not move it. Their sum is `to` − `from`.
    pub parts: BTreeMap<Cause, Decimal>,
}

impl Change {
    /// From `before` to `now`; `None` where one of them has no layers.
    pub(super) fn between(before: &Released, now: &Released) -> Option<Self> {
        let (from, to) = before.layers.as_ref().zip(now.layers.as_ref())?;
        let expected = if before.is_rerouted(now) {
            Cause::Mapping
        } else if is_silent(before.status) == is_silent(now.status) {
            Cause::Trend
        } else {
            Cause::DataLost
        };
        Some(Self::of(from, to, expected))
    }

    /// From `from` to `to`. `expected` says why what is expected moved: the trend; the
    /// sources fell silent between them, or speak again; or others stand behind the figure,
    /// and then what was known before moved for that reason, too.
    #[must_use]
    pub fn of(from: &Layers, to: &Layers, expected: Cause) -> Self {
        let told = |value: Decimal| value.round_dp(PARTS_SCALE);
        let (first, last) = (told(from.attainable), told(to.attainable));
        // Where nothing is open on one side, any share gives the same there.
        let rate = from.rate().or_else(|| to.rate()).unwrap_or_default();
        let (mut walked, mut parts, mut stood) = (from.clone(), BTreeMap::new(), first);
        // Measured time that moves with the schedule is no news of the machine.
        let follows = from.open() == to.open();
        for cause in [Cause::Calendar, Cause::Decision, Cause::PlannedStop] {
            let (layer, aim, sign) = match cause {
                Cause::Calendar => (&mut walked.regular, to.regular, 1),
                Cause::Decision => (&mut walked.decided, to.decided, 1),
                _ => (&mut walked.planned, to.planned, -1),
            };
            let moved = aim - *layer;
            *layer = aim;
            if follows {
                walked.known += sign * moved;
            }
            if moved != 0 {
                step(&mut parts, &mut stood, cause, told(walked.at(rate)));
            }
        }
        if (walked.known, walked.lost) != (to.known, to.lost) {
            let cause = match to.known.cmp(&walked.known) {
                Ordering::Less | Ordering::Equal if expected == Cause::Mapping => Cause::Mapping,
                Ordering::Less => Cause::DataLost,
                _ => Cause::Breakdown,
            };
            (walked.known, walked.lost) = (to.known, to.lost);
            step(&mut parts, &mut stood, cause, told(walked.at(rate)));
        }
        step(&mut parts, &mut stood, expected, last);
        parts.retain(|_, part| !part.is_zero());
        Self { from: first, to: last, parts }
    }

    /// Its parts in words, the larger ones first: `breakdown -6.50, decision +8.00`.
    #[must_use]
    pub fn words(&self) -> String {
        if self.parts.is_empty() {
            return "nothing moved them".to_owned();
        }
        let all = Cause::ALL.into_iter();
        let mut parts: Vec<(Cause, Decimal)> =
            all.filter_map(|cause| Some((cause, *self.parts.get(&cause)?))).collect();
        parts.sort_by_key(|(_, part)| std::cmp::Reverse(part.abs()));
        // A precision alone would cut off.
        let part =
            |(cause, part): (Cause, Decimal)| format!("{} {:+.2}", cause.words(), part.round_dp(2));
        parts.into_iter().map(part).collect::<Vec<_>>().join(", ")
    }
}

/// Moves on to `value`, for `cause`.
fn step(parts: &mut BTreeMap<Cause, Decimal>, stood: &mut Decimal, cause: Cause, value: Decimal) {
    *parts.entry(cause).or_default() += value - *stood;
    *stood = value;
}

/// Whether a status says that its source does not speak.
const fn is_silent(status: Status) -> bool {
    matches!(status, Status::Held | Status::Assumed | Status::Unknown)
}

#[cfg(test)]
#[path = "change_tests.rs"]
mod tests;
