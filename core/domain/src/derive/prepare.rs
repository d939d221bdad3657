//! From sealed facts to prepared machines: which source of a machine holds.

use planthread_contracts::Status;
use rust_decimal::Decimal;

use super::{
    clock::Clock,
    figures::Demonstrated,
    forecast::Outlook,
    machine::{Machine, Seen},
    output::Output,
    timeline::Timeline,
};
use crate::{
    calendar::{LocalTimeError, Span, Spans, schedule::place, span::HOUR_MS},
    decode::{Facts, SourceIndex, StateFact, StateSet, Subject},
    model::{Begins, EquipmentState, Plant, Reader, Resource, Rules},
    truth::age_status,
};

/// Prepares every resource of the plant, in its order.
pub(super) fn machines<'a>(
    plant: &'a Plant,
    facts: &Facts,
    clock: &'a Clock,
) -> Result<Vec<Machine<'a>>, LocalTimeError> {
    plant
        .resources
        .iter()
        .zip((0..).map(Subject))
        .map(|(resource, subject)| {
            let (schedule, bounds) = clock.schedule(plant, &resource.calendar)?;
            let declared = declared_stops(plant, resource)?;
            let seen = see(plant, facts, clock, subject, resource);
            let mut machine = Machine::new(resource, schedule, bounds, &declared, seen, clock.now);
            machine.output = output(plant, facts, subject, &machine);
            machine.pool(&plant.rules, clock.now)?;
            Ok(machine)
        })
        .collect()
}

/// The forecasts of one subject, decided.
pub(super) fn outlook<'a>(
    plant: &Plant,
    facts: &'a Facts,
    now: i64,
    position: usize,
    demonstrated: Option<&Demonstrated>,
) -> Outlook<'a> {
    let subject = u32::try_from(position).map(Subject).unwrap_or(Subject(u32::MAX));
    let of = slice(&facts.forecasts, |forecast| forecast.subject, subject);
    Outlook::of(of, plant, now, demonstrated.map(|d| d.availability))
}

/// The facts of one subject, in a list sorted by subject first.
fn slice<T>(facts: &[T], subject_of: impl Fn(&T) -> Subject, subject: Subject) -> &[T] {
    let from = facts.partition_point(|fact| subject_of(fact) < subject);
    let to = facts.partition_point(|fact| subject_of(fact) <= subject);
    &facts[from..to]
}

fn declared_stops(plant: &Plant, resource: &Resource) -> Result<Spans, LocalTimeError> {
    let Some(calendar) = plant.calendar(&resource.calendar) else { return Ok(Spans::default()) };
    let stops = plant.planned_maintenance.iter().filter(|window| window.resource == resource.id);
    let spans = stops.map(|window| {
        Ok(Span {
            start: place(window.start, calendar, plant)?,
            end: place(window.end, calendar, plant)?,
        })
    });
    Ok(Spans::union(spans.collect::<Result<_, LocalTimeError>>()?))
}

/// One source's view of a machine.
struct View<'a> {
    reader: &'a Reader,
    facts: &'a [StateFact],
    begins: Option<&'a Begins>,
    authority: u32,
    last_seen: i64,
    status: Status,
}

impl View<'_> {
    /// From when it tells.
    fn from(&self) -> Option<i64> {
        let begins = self.begins.map(|begins| begins.at.as_millisecond());
        begins.into_iter().chain(self.facts.first().map(|fact| fact.at)).min()
    }
}

fn see(plant: &Plant, facts: &Facts, clock: &Clock, subject: Subject, resource: &Resource) -> Seen {
    let views = views(plant, facts, clock, subject, resource);
    let window = Span { start: clock.first, end: clock.now };
    let walk = |view: &View<'_>| {
        let until = if view.status == Status::Live { clock.now } else { view.last_seen };
        Timeline::walk(view.facts, view.begins, window, until)
    };
    // The strongest source within its time to live holds; when all have passed
    // it, the one that spoke last.
    let valid = views.iter().filter(|view| view.status != Status::Assumed);
    let best = valid
        .min_by_key(|view| (view.authority, std::cmp::Reverse(view.last_seen)))
        .or_else(|| views.iter().max_by_key(|view| view.last_seen));
    let Some(best) = best else {
        return Seen {
            timeline: Timeline { unknown: Spans::one(window), ..Timeline::default() },
            rivals: Vec::new(),
            told: StateSet::default(),
            tells_planned: true,
            observed_from: None,
            observed_until: None,
            last_word: None,
            status: Status::Unknown,
        };
    };
    let rivals = views.iter().filter(|view| {
        !std::ptr::eq(*view, best)
            && view.authority == best.authority
            && view.status != Status::Assumed
    });
    let told = tell(&views, best, clock, &plant.rules, walk);
    let live = best.status == Status::Live && told.dead.is_none();
    let last_seen = told.dead.map_or(best.last_seen, |dead| dead.last_seen.min(best.last_seen));
    Seen {
        timeline: told.timeline,
        rivals: rivals.map(walk).collect(),
        told: told_standby(plant, best.facts),
        tells_planned: views.iter().any(|view| tells_planned(view.reader)),
        observed_from: views.iter().filter_map(View::from).min(),
        observed_until: Some(if live { clock.now } else { last_seen }),
        last_word: Some(last_seen),
        status: told.dead.map_or(best.status, |dead| best.status.max(dead.status)),
    }
}

/// What all sources together tell.
struct Told<'v, 'a> {
    timeline: Timeline,
    /// The silent source whose open stop still holds: the machine is as old as
    /// its last word, however many others go on about something else.
    dead: Option<&'v View<'a>>,
}

/// Puts the views together, the stronger first. What a stronger source told
/// before it fell silent stays told: its death doesn't rewrite the past (law 8).
/// A weaker one fills what is unknown.
fn tell<'v, 'a>(
    views: &'v [View<'a>],
    best: &View<'a>,
    clock: &Clock,
    rules: &Rules,
    walk: impl Fn(&View<'a>) -> Timeline,
) -> Told<'v, 'a> {
    let mut ranked: Vec<&View<'_>> = views.iter().collect();
    ranked.sort_by_key(|view| (view.authority, std::cmp::Reverse(view.last_seen)));
    let window = Span { start: clock.first, end: clock.now };
    let timeline = Timeline { unknown: Spans::one(window), ..Timeline::default() };
    let mut told = Told { timeline, dead: None };
    for view in ranked {
        let mut own = walk(view);
        if !std::ptr::eq(view, best) && view.status != Status::Live {
            let silence = Span { start: view.last_seen, end: clock.now };
            own = own.silent(silence, stops_until(view, views, clock, rules));
            if told.timeline.is_unknown_at(clock.now) && own.is_stopped_at(clock.now) {
                told.dead = Some(view);
            }
        }
        told.timeline = told.timeline.filled_by(&own);
    }
    told
}

/// Until when the last stop of a source that fell silent goes on: for the time
/// to live of its word, and then until somebody else has said something of this
/// machine since. That others speak of other machines ends no stop.
fn stops_until(view: &View<'_>, views: &[View<'_>], clock: &Clock, rules: &Rules) -> i64 {
    let others = views.iter().filter(|other| !std::ptr::eq(*other, view));
    let words = others.flat_map(|other| {
        let told = other.facts.iter().filter(|fact| is_known(fact)).map(|fact| fact.at);
        told.chain(other.begins.map(|begins| begins.at.as_millisecond()))
    });
    let held = view.last_seen.saturating_add(i64::from(rules.time_to_live_hours) * HOUR_MS);
    let word = words.filter(|at| *at > view.last_seen).min();
    word.map_or(clock.now, |at| at.max(held).min(clock.now))
}

/// Whether a fact says what the machine does.
fn is_known(fact: &StateFact) -> bool {
    fact.state.is_some_and(|state| state != EquipmentState::Unknown)
}

fn views<'a>(
    plant: &'a Plant,
    facts: &'a Facts,
    clock: &Clock,
    subject: Subject,
    resource: &Resource,
) -> Vec<View<'a>> {
    let mine = slice(&facts.states, |fact| fact.subject, subject);
    let hour_ms = |hours: u32| i64::from(hours) * HOUR_MS;
    let rules = &plant.rules;
    // A machine that counts parts and never stopped is among those of a source
    // that tells everything.
    let counted = !slice(&facts.counts, |fact| fact.subject, subject).is_empty()
        || !slice(&facts.made, |fact| fact.subject, subject).is_empty();
    let mut views = Vec::new();
    for (position, source) in plant.sources.iter().enumerate() {
        let from = mine.partition_point(|fact| usize::from(fact.source.0) < position);
        let to = mine.partition_point(|fact| usize::from(fact.source.0) <= position);
        let begins = match &source.reader {
            Reader::MachineEvents(events) => events.begins.as_ref(),
            Reader::Counts(_) | Reader::Cloudevents(_) => None,
        };
        let named = source.reader.machines().values().any(|id| *id == resource.id);
        let tells = from < to || (begins.is_some() && (named || counted));
        let facts = &mine[from..to];
        let spoke = clock.last_seen[position].filter(|_| tells);
        let known = spoke.and_then(|spoke| last_known(&source.reader, facts, begins, spoke));
        if let Some(last_seen) = known {
            let (live, held) = (hour_ms(rules.live_hours), hour_ms(rules.time_to_live_hours));
            let status = age_status(last_seen, clock.now, live, held);
            let reader = &source.reader;
            views.push(View {
                reader,
                facts,
                begins,
                authority: source.authority,
                last_seen,
                status,
            });
        }
    }
    views
}

/// Until when a source that last spoke of anything at `spoke` knew what this
/// machine did; `None` when it never did. A file of events tells of all its
/// machines by telling of one; snapshots speak of one machine each. Whoever says
/// "unknown" knew until then.
fn last_known(
    reader: &Reader,
    facts: &[StateFact],
    begins: Option<&Begins>,
    spoke: i64,
) -> Option<i64> {
    let unknown = |fact: &&StateFact| fact.state == Some(EquipmentState::Unknown);
    let after = facts.iter().rposition(is_known).map_or(0, |last| last + 1);
    if let Some(lost) = facts[after..].iter().find(unknown) {
        return match (after, begins) {
            (0, None) => None,
            (0, Some(begins)) if begins.state == EquipmentState::Unknown => None,
            _ => Some(lost.at),
        };
    }
    match reader {
        Reader::Cloudevents(_) => facts.last().map(|fact| fact.at),
        Reader::MachineEvents(_) | Reader::Counts(_) => Some(spoke),
    }
}

/// Whether a source can tell a planned stop from running. Of one that can't, it
/// means nothing that it saw none during a declared stop.
fn tells_planned(reader: &Reader) -> bool {
    let planned =
        |state| matches!(state, EquipmentState::ScheduledDown | EquipmentState::NonScheduled);
    match reader {
        Reader::MachineEvents(events) => {
            events.events.values().any(|rule| rule.state.is_some_and(planned))
        }
        Reader::Cloudevents(_) => true,
        Reader::Counts(_) => false,
    }
}

/// Which kinds of standby the source of these facts can tell: a file of events
/// those of its map, a source of the plant's twins those that it ever told.
fn told_standby(plant: &Plant, facts: &[StateFact]) -> StateSet {
    let Some(first) = facts.first() else { return StateSet::default() };
    let told: Vec<EquipmentState> = match &plant.sources[usize::from(first.source.0)].reader {
        Reader::MachineEvents(events) => events.events.values().filter_map(|e| e.state).collect(),
        Reader::Cloudevents(_) => facts.iter().filter_map(|fact| fact.state).collect(),
        Reader::Counts(_) => Vec::new(),
    };
    let standby: Vec<_> = told.into_iter().filter(|state| state.is_standby()).collect();
    StateSet::of(&standby)
}

/// Good output as the strongest source that counts good parts tells it; of time
/// of which it tells nothing, as the next one does.
fn output(plant: &Plant, facts: &Facts, subject: Subject, machine: &Machine<'_>) -> Option<Output> {
    let units = Decimal::from(machine.resource.parallel_units);
    let seconds = machine.seconds_a_part().and_then(|one| one.checked_div(units));
    let source = |index: SourceIndex| &plant.sources[usize::from(index.0)];
    let counted = slice(&facts.counts, |fact| fact.subject, subject)
        .chunk_by(|a, b| a.source == b.source)
        .filter_map(|of| match &source(of[0].source).reader {
            Reader::Counts(counts) if counts.good_parts => {
                Some((of[0].source, Output::of(of, counts, seconds)))
            }
            _ => None,
        });
    let told = slice(&facts.made, |fact| fact.subject, subject)
        .chunk_by(|a, b| a.source == b.source)
        .map(|of| (of[0].source, Output::told(of, |window| machine.busy(window))));
    let mut ranked: Vec<(SourceIndex, Output)> = counted.chain(told).collect();
    ranked.sort_by_key(|(index, _)| (source(*index).authority, *index));
    ranked.into_iter().map(|(_, output)| output).reduce(|told, weaker| told.filled_by(&weaker))
}
