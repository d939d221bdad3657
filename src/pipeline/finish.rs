//! A walk that must end by an instant: what goes before a planning run goes in time, near
//! periods first, or says what is missing.

use std::{collections::BTreeMap, pin::pin, str::FromStr};

use futures_util::future::{Either, select};
use jiff::{Timestamp, civil::Time, tz::TimeZone};
use planthread_contracts::RevisionState;
use planthread_engine::ledger;
use planthread_kit::Clock;
use schemars::JsonSchema;
use serde::Serialize;

use super::{Bridge, Course, OpenTarget, TargetCycle};
use crate::{
    failure::{Exit, Failure},
    report::text_table::{count, instant},
};

/// Periods that are named in a message.
const NAMED: usize = 3;

/// When a run must have ended, as people write it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FinishBy {
    /// At this instant.
    At(Timestamp),
    /// When it is this time next, in the zone of the plant.
    Time(Time),
}

impl FromStr for FinishBy {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let time = || text.parse().map(Self::Time);
        text.parse().map(Self::At).or_else(|_| time()).map_err(|_: jiff::Error| {
            "write an instant with its offset, such as 2026-12-01T05:30+01:00, or a time in the \
             zone of the plant, such as 05:30"
                .to_owned()
        })
    }
}

impl FinishBy {
    /// The instant after `now` that it means in `zone`.
    ///
    /// # Errors
    /// When it is over, or lies beyond every date.
    pub fn instant(self, zone: &TimeZone, now: Timestamp) -> Result<Timestamp, Failure> {
        let by = match self {
            Self::At(at) => Some(at),
            Self::Time(time) => {
                let today = now.to_zoned(zone.clone()).date();
                let days = [Ok(today), today.tomorrow()].into_iter().flatten();
                let mut all = days.filter_map(|day| {
                    // A time that a clock skips is the one after the step.
                    Some(day.to_datetime(time).to_zoned(zone.clone()).ok()?.timestamp())
                });
                all.find(|at| *at > now)
            }
        };
        by.filter(|at| *at > now).ok_or_else(|| {
            let what = by.map_or_else(|| "that time".to_owned(), instant);
            Failure::usage(format!("--finish-by: {what} is over; it is {}", instant(now)))
                .cure("write a later one")
        })
    }
}

/// What a run left when its time was over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Missed {
    /// When it had to end.
    pub by: Timestamp,
    /// Values that are wanted at the target.
    pub wanted: u64,
    /// Those that were not sent, or not read back there, by period. What a policy holds
    /// and what was refused is not among them: no time brings it.
    pub missing: BTreeMap<String, u64>,
    /// Values that are out in a push: it may still take effect after that.
    pub in_flight: u64,
}

impl Missed {
    /// Values that are missing.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.missing.values().sum()
    }

    /// Why the run ended.
    #[must_use]
    pub fn failure(&self) -> Failure {
        let of = match self.count() {
            0 => "what was wanted is proven, and the walk had not come to its end".to_owned(),
            cells => format!("{cells} of {} values are not proven at the target", self.wanted),
        };
        let mut near = self.missing.iter().map(|(period, cells)| format!("{period} ({cells})"));
        let mut named: Vec<String> = near.by_ref().take(NAMED).collect();
        match near.count() {
            0 => {}
            more => named.push(format!("and {}", count(more, "later period"))),
        }
        let periods =
            if named.is_empty() { String::new() } else { format!(": {}", named.join(", ")) };
        let out = match self.in_flight {
            0 => String::new(),
            cells => format!("; {cells} of them are in a push that may still take effect"),
        };
        let by = instant(self.by);
        Failure::new(Exit::Transient, format!("not finished by {by}: {of}{periods}{out}"))
            .cure(
                "what the plan reads meanwhile is what stood there before; run this again, and \
                 it goes on",
            )
            .explain("missed")
    }
}

/// Lets `steps` run until `by`; nothing where they had not ended.
pub(super) async fn until<T>(
    clock: &dyn Clock,
    by: Option<Timestamp>,
    steps: impl Future<Output = T>,
) -> Option<T> {
    let Some(by) = by else { return Some(steps.await) };
    let left = by.duration_since(clock.now()).try_into().unwrap_or_default();
    match select(pin!(steps), clock.sleep(left)).await {
        Either::Left((ended, _)) => Some(ended),
        Either::Right(_) => None,
    }
}

impl Bridge {
    /// What is done here when the time of a walk is over: what is missing is counted, and
    /// lies in a pack for whoever loads it by hand. Nothing more is asked of the target.
    pub(super) fn cut(
        &self,
        target: &OpenTarget,
        course: Course<'_>,
        by: Timestamp,
        done: &mut TargetCycle,
    ) -> Result<(), Failure> {
        self.in_turn()?;
        if let Some(truth) = course.truth() {
            done.policy_holds = Some(self.hold_by_policy(target, truth.as_of)?);
            done.pack = self.pack(target, truth.as_of)?;
        }
        let left = self.missed(target, by)?;
        let failure = left.failure();
        done.missed = Some(left);
        Err(failure)
    }

    /// What is missing at `target` when the time of a run is over.
    fn missed(&self, target: &OpenTarget, by: Timestamp) -> Result<Missed, Failure> {
        let mut left = Missed { by, wanted: 0, missing: BTreeMap::new(), in_flight: 0 };
        ledger::cells(&self.reader()?, self.clock.now(), |cell| {
            if cell.key.target.as_str() != target.name {
                return Ok(());
            }
            left.wanted += u64::from(cell.state != RevisionState::Withdrawn);
            left.in_flight += u64::from(cell.state == RevisionState::InFlight);
            let missing =
                [RevisionState::Pending, RevisionState::InFlight, RevisionState::Unproven];
            if missing.contains(&cell.state) {
                *left.missing.entry(cell.key.period.to_string()).or_default() += 1;
            }
            Ok(())
        })?;
        Ok(left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_the_next_one_in_the_zone_of_the_plant_and_an_instant_itself() {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let now: Timestamp = "2026-10-24T20:00:00Z".parse().unwrap();
        let by = |text: &str| text.parse::<FinishBy>().unwrap().instant(&zone, now);
        let at = |text: &str| -> Timestamp { text.parse().unwrap() };
        assert_eq!(by("23:30").unwrap(), at("2026-10-24T21:30:00Z"));
        // Over today; tomorrow the clocks have gone back by then.
        assert_eq!(by("05:30").unwrap(), at("2026-10-25T04:30:00Z"));
        assert_eq!(by("2026-10-25T05:30+01:00").unwrap(), at("2026-10-25T04:30:00Z"));
        let over = by("2026-10-24T19:59:59Z").unwrap_err();
        assert!(over.message.contains("is over") && !over.cure.is_empty(), "{over:?}");
        for wrong in ["", "tomorrow", "25:00", "2026-10-25", "05.30"] {
            assert!(wrong.parse::<FinishBy>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_is_missing_is_named_near_periods_first() {
        let by: Timestamp = "2026-11-28T05:30:00Z".parse().unwrap();
        let missing = (48..53).map(|week| (format!("2026-W{week}"), 7)).collect();
        let left = Missed { by, wanted: 90, missing, in_flight: 9 };
        let failure = left.failure();
        assert_eq!(
            failure.message,
            "not finished by 2026-11-28 05:30:00Z: 35 of 90 values are not proven at the target: \
             2026-W48 (7), 2026-W49 (7), 2026-W50 (7), and 2 later periods; 9 of them are in a \
             push that may still take effect"
        );
        assert_eq!(failure.exit, Exit::Transient);
    }
}
