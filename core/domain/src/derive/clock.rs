//! The days of a derivation, its schedules, and how old each source is.

use std::collections::BTreeMap;

use jiff::{Timestamp, ToSpan as _, civil::Date};
use planthread_contracts::{Period, PeriodKind, TwinKind, TwinSource};
use sha2::{Digest as _, Sha256};

use super::{backtest::TESTS, prepare::heard};
use crate::{
    calendar::{Bounds, LocalTimeError, Schedule, span::instant, zone},
    decode::{Facts, SourceIndex, StateFact, Subject, fact::hex},
    model::{Plant, Reader},
    timeline::{knows, of_subject, voices},
};

/// Weeks of silence, ten years, after which what a source said is no history
/// any more; it bounds the days that a schedule is built for.
const SILENT_WEEKS_MAX: u32 = 520;

/// What all resources of a derivation share.
#[derive(Debug)]
pub(super) struct Clock {
    /// `as_of` in milliseconds.
    pub(super) now: i64,
    /// First day of the horizon: the Monday of its first week.
    pub(super) from: Date,
    /// First day after the horizon.
    pub(super) to: Date,
    /// First instant of any schedule, in milliseconds.
    pub(super) first: i64,
    /// When each source last spoke, by position; `None` for never.
    last_seen: Vec<Option<i64>>,
    /// When each source last said more than that it knows nothing.
    pub(super) last_known: Vec<Option<i64>>,
    schedules: BTreeMap<String, Schedule>,
}

impl Clock {
    pub(super) fn new(plant: &Plant, facts: &Facts, now: i64) -> Result<Self, LocalTimeError> {
        let bounds = Bounds::new(&plant.zone, plant.day_start)?;
        let week = |ms| Ok(Period::containing(PeriodKind::Week, bounds.date(ms)?).start());
        let current: Date = week(now)?;
        let weeks = |count: u32| i64::from(count) * 7;
        let from = current.saturating_sub(weeks(plant.horizon.past_weeks).days());
        let to = current.saturating_add(weeks(plant.horizon.future_weeks + 1).days());
        let [last_seen, last_known] =
            [|_: &StateFact| true, knows].map(|counts| last_rows(plant, facts, counts));
        // A silent machine is pooled over the weeks before its silence.
        let oldest = oldest(plant, facts, &last_known, now).map_or(Ok(from), week)?;
        let silent = current.saturating_sub(weeks(SILENT_WEEKS_MAX).days());
        let pool = oldest.clamp(silent, current);
        let pool = pool.saturating_sub(weeks(plant.rules.pool_weeks + TESTS + 1).days());
        // Months reach beyond the weeks of the horizon on both sides.
        let first = from.min(pool).saturating_sub(40.days());
        let last = to.saturating_add(40.days());
        let schedules = plant
            .calendars
            .iter()
            .map(|calendar| {
                let schedule = Schedule::build(calendar, plant, first, last)?;
                Ok((calendar.id.clone(), schedule))
            })
            .collect::<Result<_, LocalTimeError>>()?;
        let first = bounds.day(first.saturating_sub(2.days()))?;
        Ok(Self { now, from, to, first, last_seen, last_known, schedules })
    }

    /// The schedule and the day bounds of a calendar.
    ///
    /// An unknown calendar schedules nothing; `validate` names it.
    pub(super) fn schedule(
        &self,
        plant: &Plant,
        calendar: &str,
    ) -> Result<(&Schedule, Bounds), LocalTimeError> {
        static NOTHING: Schedule = Schedule::nothing();
        let (zone, day_start) = plant.days_of(calendar);
        let bounds = Bounds::new(zone, day_start)?;
        Ok((self.schedules.get(calendar).unwrap_or(&NOTHING), bounds))
    }

    /// Everybody who spoke: twins by their own word, sources of rows by their
    /// name.
    pub(super) fn sources(&self, plant: &Plant, facts: &Facts) -> Vec<TwinSource> {
        let rows = plant.sources.iter().zip(&self.last_seen).filter_map(|(source, seen)| {
            let twin_kind = match source.reader {
                Reader::MachineEvents(_) => TwinKind::Asset,
                Reader::Counts(_) => TwinKind::Performance,
                Reader::Cloudevents(_) => return None,
            };
            Some(TwinSource {
                twin_id: source.name.clone(),
                twin_kind,
                model: None,
                run_id: None,
                input_digest: None,
                observed_until: instant((*seen)?),
            })
        });
        rows.chain(facts.twins.iter().cloned()).collect()
    }

    /// When anybody last spoke.
    pub(super) fn observed_until(&self, facts: &Facts) -> Option<Timestamp> {
        let seen = self.last_seen.iter().flatten().max().map(|ms| instant(*ms));
        seen.max(facts.twins.iter().map(|twin| twin.observed_until).max())
    }

    /// Names the clock changes that were assumed, because a rule change moves
    /// future periods: a digest of the changes of all zones inside the days of
    /// the derivation. It needs no file, and two databases that agree on those
    /// days agree on it.
    pub(super) fn tzdb_version(&self, plant: &Plant) -> Result<String, LocalTimeError> {
        let end = Bounds::new(&plant.zone, plant.day_start)?.day(self.to)?;
        let mut hash = Sha256::new();
        for name in plant.zones() {
            let zone = zone(name)?;
            hash.update(name.as_bytes());
            hash.update(zone.to_offset(instant(self.first)).seconds().to_le_bytes());
            for change in zone.following(instant(self.first)) {
                if change.timestamp().as_millisecond() >= end {
                    break;
                }
                hash.update(change.timestamp().as_second().to_le_bytes());
                hash.update(change.offset().seconds().to_le_bytes());
            }
        }
        Ok(format!("transitions-{}", &hex(&hash.finalize())[..16]))
    }
}

/// The last row of each source, of those that count.
fn last_rows(plant: &Plant, facts: &Facts, counts: fn(&StateFact) -> bool) -> Vec<Option<i64>> {
    let mut last = vec![None; plant.sources.len()];
    let mut speaks = |source: SourceIndex, at: i64| {
        if let Some(last) = last.get_mut(usize::from(source.0)) {
            *last = (*last).max(Some(at));
        }
    };
    for fact in facts.states.iter().filter(|fact| counts(fact)) {
        speaks(fact.source, fact.at);
    }
    for fact in &facts.counts {
        speaks(fact.source, fact.interval.end);
    }
    for fact in &facts.made {
        speaks(fact.source, fact.interval.end);
    }
    last
}

/// The last word of the machine, and of the counter, that fell silent first. A source
/// that goes on for others does not make the weeks before it any younger.
fn oldest(plant: &Plant, facts: &Facts, last_known: &[Option<i64>], now: i64) -> Option<i64> {
    let resources = plant.resources.iter().zip((0..).map(Subject));
    let heard = resources.flat_map(|(resource, subject)| {
        let states = heard(&voices(plant, facts, last_known, subject, resource), now).0;
        let counts = of_subject(&facts.counts, |fact| fact.subject, subject).iter();
        let counts = counts.map(|fact| fact.interval.end).max();
        let made = of_subject(&facts.made, |fact| fact.subject, subject).iter();
        let made = made.map(|fact| fact.interval.end).max();
        [states, counts.max(made)]
    });
    heard.flatten().min()
}
