//! What people decided for a line and week, from the plant's calendars and the sheets
//! of decisions that count.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{Timestamp, ToSpan as _, Zoned, civil::Date, tz::TimeZone};
use planthread_contracts::Period;
use planthread_domain::{
    decode::{DecidedHours, DecisionSheet, HoursKind, OtherEnd, SHEET_ID},
    gap::Line,
    model::{CalendarException, Moment, PlannedMaintenance, Plant},
};
use planthread_engine::{Reader, journal};
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    config::{Loaded, Target},
    failure::Failure,
    pipeline::truth::supposes,
};

/// What was decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DecidedKind {
    /// The shifts of these days are dropped.
    Closed,
    /// Hours are worked besides the shifts.
    Extra,
    /// A planned stop.
    PlannedStop,
}

/// A change that people decided, on days of one week.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct DecidedChange {
    /// What was decided.
    pub kind: DecidedKind,
    /// First day, in the plant's own zone.
    #[schemars(with = "String")]
    pub from: Date,
    /// Last day, inclusive.
    #[schemars(with = "String")]
    pub to: Date,
    /// Why.
    pub reason: String,
    /// Who answers for it.
    pub owner: String,
    /// The planning cycle in which it was decided.
    pub cycle: Option<String>,
    /// What the sheet calls it in which it stands; absent where it stands in none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sheet_kind: Option<HoursKind>,
    /// The other end of a transfer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub other: Option<OtherEnd>,
    /// Somebody proposes it: it counts nothing until it is confirmed, save as `supposed`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub proposed: bool,
    /// It is proposed, and counts in the scope of this target as if it were confirmed.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub supposed: bool,
    /// From when until when, to the minute and in the zone of the line, where hours of
    /// a day were decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hours: Option<String>,
}

impl DecidedChange {
    /// Whether it moves hours of this target.
    #[must_use]
    pub const fn counts(&self) -> bool {
        !self.proposed || self.supposed
    }

    /// In words: `closed 2026-12-24 to 2026-12-26: company holidays (works council)`,
    /// `proposed: extra shift 2026-12-05 06:00 to 2026-12-05 14:00: backlog (A. Meier)`.
    #[must_use]
    pub fn words(&self) -> String {
        let word = match (self.proposed, self.supposed) {
            (false, _) => "",
            (true, false) => "proposed: ",
            (true, true) => "proposed, counted here: ",
        };
        format!("{word}{}: {} ({})", self.kind_and_days(), self.reason, self.owner)
    }

    /// What, and for which days or hours: `closed 2026-12-24 to 2026-12-26`.
    pub(super) fn kind_and_days(&self) -> String {
        let sheet = self.sheet_kind.map(HoursKind::word);
        let kind = sheet.unwrap_or(match self.kind {
            DecidedKind::Closed => "closed",
            DecidedKind::Extra => "extra hours",
            DecidedKind::PlannedStop => "planned stop",
        });
        let when = match &self.hours {
            Some(hours) => hours.clone(),
            None if self.from == self.to => self.from.to_string(),
            None => format!("{} to {}", self.from, self.to),
        };
        match &self.other {
            None => format!("{kind} {when}"),
            Some(OtherEnd::To(other)) => format!("{kind} to {other} {when}"),
            Some(OtherEnd::From(other)) => format!("{kind} from {other} {when}"),
        }
    }
}

/// What was decided for the lines of `target` in `weeks`.
pub(super) fn of(
    loaded: &Loaded,
    sheets: &[DecidedHours],
    target: &Target,
    weeks: &BTreeSet<Period>,
) -> BTreeMap<(Line, Period), Vec<DecidedChange>> {
    let plant = &loaded.config.plant;
    let mut found: BTreeMap<(Line, Period), Vec<DecidedChange>> = BTreeMap::new();
    for (line, source) in sources(target) {
        for change in changes(plant, sheets, &source) {
            let meets = |week: &&Period| change.from < week.end() && week.start() <= change.to;
            for week in weeks.iter().filter(meets) {
                let here = found.entry((line.clone(), *week)).or_default();
                if !here.contains(&change) {
                    here.push(change.clone());
                    here.sort();
                }
            }
        }
    }
    found
}

/// The zone in which the weeks of each line begin: the plant's own for a line that
/// nothing is known of.
pub(in crate::pipeline) fn zones(
    loaded: &Loaded,
    target: &Target,
    lines: &BTreeSet<Line>,
) -> BTreeMap<Line, String> {
    let plant = &loaded.config.plant;
    let mut zones: BTreeMap<Line, String> =
        lines.iter().map(|line| (line.clone(), plant.zone.clone())).collect();
    for (line, source) in sources(target) {
        if let Some(calendar) = calendars(plant, &source).first() {
            zones.insert(line, plant.days_of(calendar).0.to_owned());
        }
    }
    zones
}

/// What stands behind each line of the target.
fn sources(target: &Target) -> impl Iterator<Item = (Line, String)> {
    target.mapping.rows.iter().map(|row| {
        let line = Line { plant: row.location.as_str().into(), line: row.resource.as_str().into() };
        (line, row.source.clone())
    })
}

/// The machines behind a source: itself, or those of the line.
fn machines<'a>(plant: &'a Plant, source: &'a str) -> BTreeSet<&'a str> {
    let of_line = plant.line(source).into_iter().flat_map(|line| &line.stages);
    let machines = of_line.flat_map(|stage| stage.machines.iter().map(String::as_str));
    machines.chain([source]).collect()
}

/// The calendars that a source works by, its own first.
fn calendars<'a>(plant: &'a Plant, source: &'a str) -> Vec<&'a str> {
    let line = plant.line(source).map(|line| line.calendar.as_str());
    let machines = machines(plant, source).into_iter();
    let theirs = machines.filter_map(|id| Some(plant.resource(id)?.calendar.as_str()));
    let mut all: Vec<&str> = Vec::new();
    for calendar in line.into_iter().chain(theirs) {
        if !all.contains(&calendar) {
            all.push(calendar);
        }
    }
    all
}

/// Everything that was decided for a source, on whichever day.
fn changes(plant: &Plant, sheets: &[DecidedHours], source: &str) -> Vec<DecidedChange> {
    let calendars = calendars(plant, source);
    let zone = calendars.first().map_or(plant.zone.as_str(), |calendar| plant.days_of(calendar).0);
    let zone = TimeZone::get(zone).unwrap_or(TimeZone::UTC);
    let exceptions = calendars.iter().filter_map(|id| plant.calendar(id));
    let exceptions = exceptions.flat_map(|calendar| &calendar.exceptions).flat_map(of_exception);
    let machines = machines(plant, source);
    let stops = plant.planned_maintenance.iter();
    let stops = stops.filter(|stop| machines.contains(stop.resource.as_str()));
    let holds = |row: &&DecidedHours| machines.iter().any(|one| row.holds_for(plant, one));
    let rows = sheets.iter().filter(holds).map(|row| of_row(row, &zone));
    exceptions.chain(stops.map(|stop| of_stop(stop, &zone))).chain(rows).collect()
}

/// A day may be closed and worked besides: then both are said.
fn of_exception(one: &CalendarException) -> Vec<DecidedChange> {
    let closed = one.closed.then_some(DecidedKind::Closed);
    let extra = (!one.extra.is_empty()).then_some(DecidedKind::Extra);
    let change = |kind| DecidedChange {
        kind,
        from: one.from,
        to: one.last(),
        reason: one.reason.clone(),
        owner: one.owner.clone(),
        cycle: one.cycle.clone(),
        sheet_kind: None,
        other: None,
        proposed: false,
        supposed: false,
        hours: None,
    };
    closed.into_iter().chain(extra).map(change).collect()
}

fn of_stop(stop: &PlannedMaintenance, zone: &TimeZone) -> DecidedChange {
    let day = |moment: Moment| match moment {
        Moment::Utc(instant) => instant.to_zoned(zone.clone()).date(),
        Moment::Local(local) => local.date(),
    };
    // A stop that ends as a day begins has nothing of that day.
    let second = 1.second();
    let last = match stop.end {
        Moment::Utc(instant) => Moment::Utc(instant.saturating_sub(second).unwrap_or(instant)),
        Moment::Local(local) => Moment::Local(local.saturating_sub(second)),
    };
    DecidedChange {
        kind: DecidedKind::PlannedStop,
        from: day(stop.start),
        to: day(last),
        reason: stop.reason.clone(),
        owner: stop.owner.clone(),
        cycle: None,
        sheet_kind: None,
        other: None,
        proposed: false,
        supposed: false,
        hours: None,
    }
}

/// A row of a sheet. What ends as a day begins has nothing of that day.
fn of_row(row: &DecidedHours, zone: &TimeZone) -> DecidedChange {
    let (from, to) = (row.from.to_zoned(zone.clone()), row.to.to_zoned(zone.clone()));
    let last = to.saturating_sub(1.second()).date();
    let minute = |at: &Zoned| at.strftime("%Y-%m-%d %H:%M").to_string();
    DecidedChange {
        kind: if row.closes() { DecidedKind::Closed } else { DecidedKind::Extra },
        sheet_kind: Some(row.kind),
        other: row.other.clone(),
        from: from.date(),
        to: last,
        reason: row.reason.clone(),
        owner: row.who.clone(),
        cycle: row.cycle.clone(),
        proposed: !row.confirmed,
        supposed: row.supposed,
        hours: Some(format!("{} to {}", minute(&from), minute(&to))),
    }
}

/// Rows of sheets that counted or were proposed by what was taken in until `at`, and stand
/// in no sheet now, whatever their reason or status.
///
/// # Errors
/// When the state can't be read.
pub(super) fn dropped(
    plant: &Plant,
    reader: &Reader,
    now: &[DecidedHours],
    at: Timestamp,
) -> Result<Vec<DecidedHours>, Failure> {
    let mut all = Vec::new();
    for source in plant.sources.iter().filter(|source| source.reader.is_decisions()) {
        let record = journal::counted_at(reader, (&source.name, SHEET_ID), at)?;
        let sheet = record.as_ref().and_then(DecisionSheet::of);
        all.extend(sheet.into_iter().flat_map(|sheet| sheet.decided));
    }
    all.retain(|row| !now.iter().any(|one| one.is_same(row)));
    Ok(all)
}

/// What the sheets of `plant` say that count, in the order of their sources, as they
/// count at `target`.
///
/// # Errors
/// When the state can't be read.
pub(super) fn sheets(
    plant: &Plant,
    reader: &Reader,
    target: &Target,
) -> Result<Vec<DecidedHours>, Failure> {
    let mut all = Vec::new();
    for source in plant.sources.iter().filter(|source| source.reader.is_decisions()) {
        let record = journal::counting(reader, &source.name, SHEET_ID)?;
        let sheet = record.as_ref().and_then(DecisionSheet::of);
        all.extend(sheet.into_iter().flat_map(|sheet| sheet.decided));
    }
    if supposes(target) {
        all.iter_mut().for_each(DecidedHours::suppose);
    }
    Ok(all)
}
