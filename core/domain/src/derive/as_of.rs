//! The days of a derivation, its schedules, and how old each source is.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{Timestamp, ToSpan as _, civil::Date};
use planthread_contracts::{Period, PeriodKind, TwinKind, TwinSource};
use sha2::{Digest as _, Sha256};

use super::{decline::BEHIND, prepare::heard};
use crate::{
    calendar::{Bounds, LocalTimeError, Schedule, Span, periods, span::instant, zone},
    decode::{DecidedHours, Facts, SourceIndex, StateFact, Subject, fact::hex},
    model::{Calendar, Plant, SourceFormat},
    timeline::{Listed, knows, of_subject, voices},
};

/// Weeks of silence, ten years, after which what a source said is no history
/// any more; it bounds the days that a schedule is built for.
const SILENT_WEEKS_MAX: u32 = 520;

/// What all resources of a derivation share.
#[derive(Debug)]
pub(super) struct AsOf {
    /// `as_of` in milliseconds.
    pub(super) now: i64,
    /// First day after the horizon.
    to: Date,
    /// First instant of any schedule, in milliseconds.
    pub(super) first: i64,
    /// When each source last spoke, by position; `None` for never.
    last_seen: Vec<Option<i64>>,
    /// When each source last said more than that it knows nothing.
    pub(super) last_known: Vec<Option<i64>>,
    /// Which machines each source lists.
    pub(super) listed: Listed,
    /// First instant that anybody tells of.
    heard: Option<i64>,
    /// The days of each calendar.
    days: BTreeMap<String, Days>,
    /// The days of each line and machine of which people decided something.
    decided: BTreeMap<String, Days>,
    /// The days of a calendar that the plant does not have; `validate` names it.
    nothing: Days,
}

/// The days of one calendar: what all that it schedules has in common.
#[derive(Debug, Clone)]
pub(super) struct Days {
    pub(super) schedule: Schedule,
    /// The periods that are derived, by kind and in order.
    pub(super) periods: Vec<(Period, Span)>,
    /// The ISO weeks up to the current one, in order.
    weeks: Vec<(Period, Span)>,
}

impl Days {
    /// So many weeks before the week of `instant`, in order; fewer where the
    /// derivation begins later.
    pub(super) fn weeks_before(&self, count: u32, instant: i64) -> &[(Period, Span)] {
        let week = self.weeks.partition_point(|(_, span)| span.end <= instant);
        let first = week.saturating_sub(usize::try_from(count).unwrap_or(usize::MAX));
        self.weeks.get(first..week).unwrap_or_default()
    }

    /// The weeks from that of `instant` to the one before that of `until`.
    pub(super) fn weeks_between(&self, instant: i64, until: i64) -> &[(Period, Span)] {
        let of = |instant| self.weeks.partition_point(|(_, span)| span.end <= instant);
        self.weeks.get(of(instant)..of(until)).unwrap_or_default()
    }

    /// The instants of a week up to the current one.
    pub(super) fn week(&self, week: Period) -> Option<Span> {
        let found = self.weeks.binary_search_by_key(&week.start(), |(week, _)| week.start());
        found.ok().map(|at| self.weeks[at].1)
    }

    /// The instants by which a past period is known or not: those of its whole week,
    /// so that the hours of days and split weeks stay conserved.
    pub(super) fn whole(&self, period: Period, window: Span) -> Span {
        match period.kind() {
            PeriodKind::Day | PeriodKind::TechnicalWeek => {
                self.week(Period::containing(PeriodKind::Week, period.start())).unwrap_or(window)
            }
            PeriodKind::Week | PeriodKind::Month => window,
        }
    }
}

impl AsOf {
    /// The clock at `now`, with a horizon of so many weeks before the current one,
    /// and behind it.
    pub(super) fn new(
        plant: &Plant,
        facts: &Facts,
        (now, (past_weeks, future_weeks)): (i64, (u32, u32)),
        kinds: &[PeriodKind],
    ) -> Result<Self, LocalTimeError> {
        let bounds = Bounds::new(&plant.zone, plant.day_start)?;
        let week = |ms| Ok(Period::containing(PeriodKind::Week, bounds.date(ms)?).start());
        let current: Date = week(now)?;
        let weeks = |count: u32| i64::from(count) * 7;
        let from = current.saturating_sub(weeks(past_weeks).days());
        let to = current.saturating_add(weeks(future_weeks + 1).days());
        let [last_seen, last_known] =
            [|_: &StateFact| true, knows].map(|counts| last_rows(plant, facts, counts));
        // A silent machine is pooled over the weeks before its silence.
        let listed = Listed::of(plant);
        let oldest = oldest(plant, facts, &last_known, &listed, now).map_or(Ok(from), week)?;
        let silent = current.saturating_sub(weeks(SILENT_WEEKS_MAX).days());
        let pool = oldest.clamp(silent, current);
        let pool = pool.saturating_sub(weeks(plant.rules.pool_weeks + BEHIND + 1).days());
        // Months reach beyond the weeks of the horizon on both sides.
        let first = from.min(pool).saturating_sub(40.days());
        let last = to.saturating_add(40.days());
        let spans = |bounds: &Bounds, kind, from, to| {
            let all = periods(kind, from, to).map(|period| Ok((period, bounds.span(period)?)));
            all.collect::<Result<Vec<_>, LocalTimeError>>()
        };
        let days = |calendar: &str, schedule| {
            let (zone, day_start) = plant.days_of(calendar);
            let bounds = Bounds::over(zone, day_start, (first, last))?;
            let periods = kinds.iter().map(|kind| spans(&bounds, *kind, from, to));
            let periods = periods.collect::<Result<Vec<_>, _>>()?.concat();
            // The current week of another zone may be the next one.
            let weeks = spans(&bounds, PeriodKind::Week, first, current.saturating_add(8.days()))?;
            Ok(Days { schedule, periods, weeks })
        };
        let of_calendar = |calendar: &Calendar| {
            let schedule = Schedule::build(calendar, plant, first, last)?;
            Ok((calendar.id.clone(), days(&calendar.id, schedule)?))
        };
        let nothing = days("", Schedule::nothing())?;
        let days = plant.calendars.iter().map(of_calendar);
        let days = days.collect::<Result<BTreeMap<_, _>, LocalTimeError>>()?;
        let inside = Span { start: bounds.day(first)?, end: bounds.day(last)? };
        let decided = decided(plant, &facts.decided, &days, inside);
        let first = bounds.day(first.saturating_sub(2.days()))?;
        let heard = first_heard(plant, facts);
        Ok(Self { now, to, first, last_seen, last_known, listed, heard, days, decided, nothing })
    }

    /// The days of a resource or line that works by `calendar`, with what people decided
    /// of it.
    pub(super) fn days(&self, id: &str, calendar: &str) -> &Days {
        let own = self.decided.get(id).or_else(|| self.days.get(calendar));
        own.unwrap_or(&self.nothing)
    }

    /// Every period that is derived, by its kind: without those that were over
    /// before anybody said anything.
    pub(super) fn periods(&self) -> BTreeMap<PeriodKind, BTreeSet<Period>> {
        let mut all: BTreeMap<PeriodKind, BTreeSet<Period>> = BTreeMap::new();
        let mut known: Vec<&[(Period, Span)]> = Vec::new();
        for days in self.days.values() {
            // Most calendars of a plant have the same periods.
            if known.contains(&days.periods.as_slice()) {
                continue;
            }
            known.push(&days.periods);
            let heard = |(period, window): &&(Period, Span)| {
                window.end > self.now
                    || self.heard.is_some_and(|heard| days.whole(*period, *window).end > heard)
            };
            for of_kind in days.periods.chunk_by(|(a, _), (b, _)| a.kind() == b.kind()) {
                let mut heard: BTreeSet<Period> =
                    of_kind.iter().filter(heard).map(|(period, _)| *period).collect();
                all.entry(of_kind[0].0.kind()).or_default().append(&mut heard);
            }
        }
        all
    }

    /// Everybody who spoke: twins by their own word, sources of rows by their
    /// name.
    pub(super) fn sources(&self, plant: &Plant, facts: &Facts) -> Vec<TwinSource> {
        let rows = plant.sources.iter().zip(&self.last_seen).filter_map(|(source, seen)| {
            let twin_kind = match source.reader {
                SourceFormat::MachineEvents(_) => TwinKind::Asset,
                SourceFormat::Counts(_) => TwinKind::Performance,
                SourceFormat::Cloudevents(_) | SourceFormat::Decisions(_) => return None,
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

/// The days of each line and machine of which people decided something, with it.
fn decided(
    plant: &Plant,
    all: &[DecidedHours],
    days: &BTreeMap<String, Days>,
    inside: Span,
) -> BTreeMap<String, Days> {
    if all.is_empty() {
        return BTreeMap::new();
    }
    let resources = plant.resources.iter().map(|one| (&one.id, &one.calendar));
    let every = resources.chain(plant.lines.iter().map(|one| (&one.id, &one.calendar)));
    let own = every.filter_map(|(id, calendar)| {
        let mut theirs = all.iter().filter(|one| one.holds_for(plant, id)).peekable();
        theirs.peek()?;
        let days = days.get(calendar)?;
        let schedule = days.schedule.with(theirs, inside);
        Some((id.clone(), Days { schedule, ..days.clone() }))
    });
    own.collect()
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
fn oldest(
    plant: &Plant,
    facts: &Facts,
    last_known: &[Option<i64>],
    listed: &Listed,
    now: i64,
) -> Option<i64> {
    let subjects = plant.resources.iter().zip(0..).map(|(_, at)| Subject(at));
    let heard = subjects.flat_map(|subject| {
        let states = heard(&voices(plant, facts, last_known, listed, subject), now).0;
        let counts = of_subject(&facts.counts, |fact| fact.subject, subject).iter();
        let counts = counts.map(|fact| fact.interval.end).max();
        let made = of_subject(&facts.made, |fact| fact.subject, subject).iter();
        let made = made.map(|fact| fact.interval.end).max();
        [states, counts.max(made)]
    });
    heard.flatten().min()
}

/// The first instant that anybody tells of.
fn first_heard(plant: &Plant, facts: &Facts) -> Option<i64> {
    let states = facts.states.iter().map(|fact| fact.at);
    let counts = facts.counts.iter().map(|fact| fact.interval.start);
    let made = facts.made.iter().map(|fact| fact.interval.start);
    let begins = plant.sources.iter().filter_map(|source| source.reader.begins());
    let begins = begins.map(|begins| begins.at.as_millisecond());
    states.chain(counts).chain(made).chain(begins).min()
}
