//! From sealed facts to a prepared machine: its timeline, its output, its pool.

use std::collections::HashMap;

use planthread_contracts::Status;
use rust_decimal::Decimal;

use super::{
    Deriver,
    as_of::AsOf,
    figures::Demonstrated,
    forecast::Outlook,
    machine::{Machine, Seen},
};
use crate::{
    calendar::{LocalTimeError, Span, Spans, schedule::place},
    decode::{Facts, Forecast, Foretold, SourceIndex, StateSet, Subject, VerdictFact},
    model::{EquipmentState, Plant, Resource, SourceFormat},
    timeline::{Interval, Known, Output, Timeline, Voice, merge, of_subject, voices},
    truth::age_status,
};

impl Deriver<'_> {
    /// Prepares the resource at `position`; `None` where the plant has none there.
    pub(super) fn machine(&self, position: usize) -> Option<Machine<'_>> {
        let (plant, facts, clock) = (&*self.plant, &*self.facts, &self.clock);
        let resource = plant.resources.get(position)?;
        let subject = u32::try_from(position).map(Subject).ok()?;
        let seen = see(plant, facts, clock, subject);
        let stops = self.stops.get(resource.id.as_str());
        let stops = stops.unwrap_or(const { &Spans::none() });
        let mut machine = Machine::new(
            resource,
            clock.days(&resource.id, &resource.calendar),
            stops,
            seen,
            clock.now,
        );
        machine.output = output(plant, facts, subject, &machine);
        machine.pool(&plant.rules, clock.now);
        Some(machine)
    }
}

impl Deriver<'_> {
    /// What each source says of a machine on which sources differ; of another nothing.
    pub(super) fn said_by_each(
        &self,
        machine: &Machine<'_>,
        subject: Subject,
    ) -> Vec<Vec<Interval>> {
        let intervals = machine.timeline.intervals();
        if intervals.iter().all(|one| one.known != Known::Conflicting) {
            return Vec::new();
        }
        let (facts, clock) = (&*self.facts, &self.clock);
        let voices = voices(&self.plant, facts, &clock.last_known, &clock.listed, subject);
        let window = Span { start: clock.first, end: clock.now };
        voices.iter().map(|voice| voice.walk(window)).collect()
    }

    /// Whether a twin told a severity of the resource or line of this name.
    pub(super) fn has_severity(&self, name: &str) -> bool {
        let position = self.positions.get(name).and_then(|at| u32::try_from(*at).ok());
        position.is_some_and(|position| {
            let of = |forecast: &Forecast| forecast.subject;
            let told = of_subject(&self.facts.forecasts, of, Subject(position));
            told.iter().any(|forecast| forecast.what == Foretold::Severity)
        })
    }
}

/// The forecasts of one subject, decided.
pub(super) fn outlook<'a>(
    plant: &Plant,
    facts: &'a Facts,
    now: i64,
    position: usize,
    (scheduled, demonstrated): (&Spans, Option<&Demonstrated>),
) -> Outlook<'a> {
    let subject = u32::try_from(position).map(Subject).unwrap_or(Subject(u32::MAX));
    let of = of_subject(&facts.forecasts, |forecast| forecast.subject, subject);
    Outlook::of(of, plant, scheduled, now, demonstrated.map(|d| d.availability))
}

/// The declared stops of each machine, in the local time of its calendar.
pub(super) fn declared_stops(plant: &Plant) -> Result<HashMap<String, Spans>, LocalTimeError> {
    let resources = plant.resources.iter().map(|resource| (resource.id.as_str(), resource));
    let resources: HashMap<&str, &Resource> = resources.collect();
    let mut stops: HashMap<&str, Vec<Span>> = HashMap::new();
    for window in &plant.planned_maintenance {
        let resource = resources.get(window.resource.as_str());
        let calendar = resource.and_then(|resource| plant.calendar(&resource.calendar));
        let Some(calendar) = calendar else { continue };
        let start = place(window.start, calendar, plant)?;
        let end = place(window.end, calendar, plant)?;
        stops.entry(&window.resource).or_default().push(Span { start, end });
    }
    Ok(stops.into_iter().map(|(id, spans)| (id.to_owned(), Spans::union(spans))).collect())
}

/// What persons said of sources that differ on one machine.
pub(super) fn verdicts(facts: &Facts, subject: Subject) -> &[VerdictFact] {
    of_subject(&facts.verdicts, |verdict| verdict.subject, subject)
}

/// What all sources together have seen of one machine.
fn see(plant: &Plant, facts: &Facts, clock: &AsOf, subject: Subject) -> Seen {
    let voices = voices(plant, facts, &clock.last_known, &clock.listed, subject);
    let window = Span { start: clock.first, end: clock.now };
    let timeline = merge(&voices, verdicts(facts, subject), window);
    let (heard, status) = heard(&voices, clock.now);
    // Who never told of planned stops can't say that a declared one did not happen.
    let tells_planned =
        voices.is_empty() || voices.iter().any(|voice| tells_planned(&voice.source.reader));
    Seen {
        told: told_standby(&voices),
        tells_planned,
        observed_from: voices.iter().filter_map(Voice::from).min(),
        observed_until: heard.map(|at| if status == Status::Live { clock.now } else { at }),
        last_word: heard,
        status,
        silent: silent(&voices, &timeline, clock.now),
        timeline,
    }
}

/// Until when the strongest voices are proven to know what the machine does, and
/// how old that is. Of several the one that fell silent first: its silence caps
/// the others until somebody hands over.
pub(super) fn heard(voices: &[Voice<'_>], now: i64) -> (Option<i64>, Status) {
    let speaking = || voices.iter().filter(|voice| !voice.is_handed_over(now));
    let Some(rank) = speaking().map(|voice| voice.source.authority).min() else {
        // All were handed over, and nobody took their place.
        return match voices.iter().map(|voice| voice.proof).max() {
            Some(last) => (Some(last), Status::Assumed),
            None => (None, Status::Unknown),
        };
    };
    let strongest = speaking().filter(|voice| voice.source.authority == rank);
    strongest.fold((None, Status::Live), |(heard, worst), voice| {
        let status = age_status(voice.proof, now, voice.live, voice.time_to_live);
        let first: Option<i64> = Some(heard.map_or(voice.proof, |at: i64| at.min(voice.proof)));
        (first, worst.max(status))
    })
}

/// The sources that are no longer live where what they left holds the machine, and
/// until when each was proven.
fn silent(voices: &[Voice<'_>], timeline: &Timeline, now: i64) -> Vec<(SourceIndex, i64)> {
    let last = timeline.intervals().last().map(|last| last.known);
    let holds = matches!(last, Some(Known::Held | Known::Unknown));
    let old = |voice: &&Voice<'_>| {
        let status = age_status(voice.proof, now, voice.live, voice.time_to_live);
        !voice.is_handed_over(now) && status != Status::Live
    };
    let silent = voices.iter().filter(|_| holds).filter(old);
    silent.map(|voice| (voice.index, voice.proof)).collect()
}

/// Whether a source can tell a planned stop from running. Of one that can't, it
/// means nothing that it saw none during a declared stop.
fn tells_planned(reader: &SourceFormat) -> bool {
    let planned =
        |state| matches!(state, EquipmentState::ScheduledDown | EquipmentState::NonScheduled);
    match reader {
        SourceFormat::MachineEvents(events) => {
            events.events.values().any(|rule| rule.state.is_some_and(planned))
        }
        SourceFormat::Cloudevents(_) => true,
        SourceFormat::Counts(_) | SourceFormat::Decisions(_) => false,
    }
}

/// Which kinds of standby the strongest voices can tell, of several those that spoke
/// last: a file of events those of its map, a source of the plant's twins those that
/// it ever told.
fn told_standby(voices: &[Voice<'_>]) -> StateSet {
    let speaking = || voices.iter().filter(|voice| !voice.facts.is_empty());
    let place = |voice: &Voice<'_>| (voice.source.authority, std::cmp::Reverse(voice.proof));
    let strongest = speaking().map(place).min();
    let told = speaking().filter(|voice| Some(place(voice)) == strongest).flat_map(|voice| {
        let told: Vec<EquipmentState> = match &voice.source.reader {
            SourceFormat::MachineEvents(events) => {
                events.events.values().filter_map(|event| event.state).collect()
            }
            SourceFormat::Cloudevents(_) => {
                voice.facts.iter().filter_map(|fact| fact.state).collect()
            }
            SourceFormat::Counts(_) | SourceFormat::Decisions(_) => Vec::new(),
        };
        told
    });
    let standby: Vec<_> = told.filter(|state| state.is_standby()).collect();
    StateSet::of(&standby)
}

/// Good output as the strongest source that counts good parts tells it; of time
/// of which it tells nothing, as the next one does.
fn output(plant: &Plant, facts: &Facts, subject: Subject, machine: &Machine<'_>) -> Option<Output> {
    let units = Decimal::from(machine.resource.parallel_units);
    let seconds = machine.seconds_a_part().and_then(|one| one.checked_div(units));
    let source = |index: SourceIndex| &plant.sources[usize::from(index.0)];
    let counted = of_subject(&facts.counts, |fact| fact.subject, subject)
        .chunk_by(|a, b| a.source == b.source)
        .filter_map(|of| match &source(of[0].source).reader {
            SourceFormat::Counts(counts) if counts.good_parts => {
                Some((of[0].source, Output::of(of, counts, seconds)))
            }
            _ => None,
        });
    let told = of_subject(&facts.made, |fact| fact.subject, subject)
        .chunk_by(|a, b| a.source == b.source)
        .map(|of| (of[0].source, Output::told(of, |window| machine.busy(window))));
    let mut ranked: Vec<(SourceIndex, Output)> = counted.chain(told).collect();
    let rank = |index: &SourceIndex| (source(*index).authority, &source(*index).name);
    ranked.sort_by(|(a, _), (b, _)| rank(a).cmp(&rank(b)));
    ranked.into_iter().map(|(_, output)| output).reduce(|told, weaker| told.filled_by(&weaker))
}
