//! The plant and the facts of a world, as the code under test reads them.

use jiff::{Timestamp, tz::TimeZone};
use planthread_contracts::{EquipmentState, Mix, SeverityMethod};
use planthread_domain::{
    Facts, Plant,
    calendar::Span,
    decode::{CountFact, Forecast, SourceIndex, StateFact, StateSet, Subject, VerdictFact},
};
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::world::{Alive, Calendar, HOUR, Kind, Source, World};

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

pub(crate) fn instant(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).unwrap()
}

/// The configuration of a world.
pub(crate) fn plant(world: &World) -> Plant {
    let calendars: Vec<Value> = (0..world.calendars.len()).map(|at| calendar(world, at)).collect();
    let machines = world.machines.iter().enumerate().map(|(at, machine)| {
        json!({ "id": format!("M{at}"), "class": "machine",
            "calendar": format!("C{}", machine.calendar),
            "ideal_cycle_seconds": machine.cycle_seconds.map(|one| one.to_string()),
            "standard_availability": machine.standard.map(|of| format!("0.{of:02}")) })
    });
    let lines = world.lines.iter().enumerate().map(|(at, line)| {
        let stages =
            line.stages.iter().enumerate().map(
                |(at, stage)| json!({ "name": format!("stage {at}"), "machines": names(stage) }),
            );
        json!({ "id": format!("L{at}"), "calendar": format!("C{}", line.calendar),
            "stages": stages.collect::<Vec<_>>(), "counter": format!("M{}", line.counter),
            "ideal_cycle_seconds": line.cycle_seconds.to_string() })
    });
    let stops = world.stops.iter().map(|stop| {
        json!({ "resource": format!("M{}", stop.machine), "start": instant(stop.start),
            "end": instant(stop.end), "reason": "care", "owner": "maintenance" })
    });
    let sources = (0..world.sources.len()).map(|at| source(at, &world.sources[at]));
    serde_json::from_value(json!({
        "id": "RANDOM", "zone": world.zone, "day_start": format!("{:02}:00:00", world.day_start),
        "horizon": { "past_weeks": world.past_weeks, "future_weeks": world.future_weeks },
        "rules": { "pool_weeks": world.pool_weeks },
        "calendars": calendars,
        "resources": machines.collect::<Vec<_>>(),
        "lines": lines.collect::<Vec<_>>(),
        "planned_maintenance": stops.collect::<Vec<_>>(),
        "sources": sources.collect::<Vec<_>>(),
    }))
    .unwrap()
}

fn names(machines: &[usize]) -> Vec<String> {
    machines.iter().map(|machine| format!("M{machine}")).collect()
}

fn calendar(world: &World, at: usize) -> Value {
    let Calendar { round_the_clock, shifts, closed } = &world.calendars[at];
    let shifts = shifts.iter().enumerate().map(|(at, (start, end, last))| {
        let days = &DAYS[..=usize::try_from(*last).unwrap()];
        json!({ "name": format!("shift {at}"), "days": days,
            "start": format!("{start:02}:00:00"), "end": format!("{end:02}:00:00") })
    });
    let closed = closed
        .iter()
        .map(|day| json!({ "from": day, "closed": true, "reason": "holiday", "owner": "plant" }));
    json!({ "id": format!("C{at}"), "version": "1", "round_the_clock": round_the_clock,
        "shifts": shifts.collect::<Vec<_>>(), "exceptions": closed.collect::<Vec<_>>() })
}

fn source(at: usize, source: &Source) -> Value {
    let columns = ["time", "machine", "value"];
    let reader = match source.kind {
        Kind::Twin => json!({ "cloudevents": {} }),
        Kind::Events => {
            let events: serde_json::Map<String, Value> = source
                .tells
                .iter()
                .map(|state| (format!("{state:?}"), json!({ "state": state })))
                .collect();
            let begins =
                source.begins.map(|(at, state)| json!({ "at": instant(at), "state": state }));
            json!({ "machine_events": { "header": columns, "events": events, "begins": begins,
                "columns": { "time": "time", "machine": "machine", "event": "value" } } })
        }
        Kind::Counter => json!({ "counts": { "header": columns, "stamp": "start",
            "columns": { "time": "time", "machine": "machine", "total": "value" },
            "interval_minutes": 60, "good_parts": true, "opening_total": source.opening } }),
    };
    let alive = match source.alive {
        Alive::OwnRows => json!("own_rows"),
        Alive::AnyRow => json!("any_row"),
        Alive::RowsOf(other) => json!({ "rows_of": format!("S{other}") }),
    };
    let handed_over = source
        .handed_over
        .map(|at| json!({ "at": instant(at), "by": "shift leader", "reason": "replaced" }));
    json!({ "name": format!("S{at}"), "authority": source.authority, "reader": reader,
        "speaks_for": names(&source.listed), "alive_by": alive, "hand_over": handed_over,
        "live_hours": source.live_hours, "time_to_live_hours": source.time_to_live_hours })
}

/// What the sources of a world said.
pub(crate) fn facts(world: &World) -> Facts {
    facts_in_order(world, &(0..world.sources.len()).collect::<Vec<_>>())
}

/// The same, where source `s` stands at position `places[s]` of the configuration.
pub(crate) fn facts_in_order(world: &World, places: &[usize]) -> Facts {
    let down = StateSet::of(&[EquipmentState::UnscheduledDown]);
    let source = |at: usize| SourceIndex(u16::try_from(places[at]).unwrap());
    let subject = |machine: usize| Subject(u32::try_from(machine).unwrap());
    let states = world.words.iter().enumerate().map(|(line, word)| StateFact {
        subject: subject(word.machine),
        source: source(word.source),
        at: word.at,
        rank: 0,
        line: u64::try_from(line).unwrap() + 1,
        state: word.state,
        unless: if word.unless_down { down } else { StateSet::default() },
    });
    let counts = world.readings.iter().map(|one| CountFact {
        subject: subject(one.machine),
        source: source(one.source),
        interval: Span { start: one.end - HOUR, end: one.end },
        total: u64::try_from(one.total).unwrap(),
        received: 0,
    });
    let about = serde_json::to_string(&(SeverityMethod::Queue, Mix::Observed)).unwrap();
    let forecasts = world.forecasts.iter().map(|one| Forecast {
        subject: subject(one.subject),
        what: one.what,
        interval: Span { start: one.start, end: one.end },
        source: source(one.source),
        issued: one.issued,
        valid_until: one.valid_until,
        value: Decimal::new(one.hundredths, 2),
        about: about.clone(),
    });
    let verdicts = world.verdicts.iter().map(|one| VerdictFact {
        subject: subject(one.machine),
        interval: Span { start: one.start, end: one.end },
        given: one.given,
        source: source(one.source),
        words: String::new(),
    });
    let (states, counts, verdicts) = (states.collect(), counts.collect(), verdicts.collect());
    let forecasts = forecasts.collect();
    Facts { states, counts, forecasts, verdicts, ..Facts::default() }.seal()
}

pub(crate) fn zone(world: &World) -> TimeZone {
    TimeZone::get(world.zone).unwrap()
}
