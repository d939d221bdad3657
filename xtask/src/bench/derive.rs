//! What deriving costs: a plant of machines and lines in memory, from facts to
//! cells, in a process of its own, so that its peak of memory is its own.

use std::{borrow::Cow, collections::BTreeMap, path::Path};

use jiff::{SignedDuration, Timestamp};
use planthread_contracts::{EquipmentState, MeasureDecl, PeriodKind};
use planthread_domain::{
    Mapping, Plant,
    calendar::Span,
    decode::{CountFact, Facts, SourceIndex, StateFact, StateSet, Subject},
    derive::Deriver,
    lanes::in_order,
    project::{Landing, Request, portion},
};
use planthread_kit::{Clock as _, SystemClock};
use serde_json::{Value, json};

use super::process::{self, own_cpu_s};

/// The measures of the demo.
const CONFIG: &str = include_str!("../../../examples/sap-ibp-sandbox/planthread.yaml");
/// Of five subjects four are machines, and one is the line that they make.
const MACHINES_A_LINE: u32 = 4;
/// Hours that the machines tell of: eight weeks are pooled, eight more test them.
const HOURS: i64 = 16 * 7 * 24;
/// Hours between two readings of a counter.
const SHIFT: i64 = 8;
/// The instant that is derived for.
const AS_OF: &str = "2026-11-25T10:00:00Z";

/// What one process measured.
struct Measured {
    figures: u64,
    cells: u64,
    /// CPU of the figures alone, and of the way to cells.
    derive_s: f64,
    whole_s: f64,
    wall_s: f64,
    /// Memory with the facts alone, and at most, in MiB.
    facts_mib: u64,
    peak_mib: u64,
}

/// Figures and cells per second at n, 2n and 4n resources, and the memory of the
/// largest at a quarter, a half and the whole of the horizon.
///
/// # Errors
/// When a process fails.
pub(crate) fn derived(resources: u32, weeks: u32) -> Result<String, String> {
    let mut report = format!(
        "{:>10}{:>7}{:>7}{:>10}{:>10}{:>9}{:>9}{:>13}{:>11}{:>10}{:>11}{:>10}\n",
        "resources",
        "weeks",
        "cores",
        "figures",
        "cells",
        "CPU-s",
        "wall-s",
        "figures/CPU-s",
        "cells/s",
        "us each",
        "facts MiB",
        "peak MiB"
    );
    let of_size = [4, 2, 1].map(|part| (resources / part, weeks, 2));
    let of_horizon = [4, 2].map(|part| (resources, weeks / part, 2));
    for (resources, weeks, cores) in
        of_size.into_iter().chain(of_horizon).chain([(resources, weeks, 1)])
    {
        let one = measured(resources, weeks, cores)?;
        let per = |count: u64, seconds: f64| count as f64 / seconds.max(0.01);
        report.push_str(&format!(
            "{resources:>10}{weeks:>7}{cores:>7}{:>10}{:>10}{:>9.2}{:>9.2}{:>13.0}{:>11.0}{:>10.0}{:>11}{:>10}\n",
            one.figures,
            one.cells,
            one.whole_s,
            one.wall_s,
            per(one.figures, one.derive_s),
            per(one.cells, one.wall_s),
            one.derive_s * 1e6 / f64::from(resources),
            one.facts_mib,
            one.peak_mib,
        ));
    }
    report.push_str(
        "figures/CPU-s and us each: of the figures alone, with what prepares them; cells/s: of \
         wall time, which others share\n",
    );
    report.push_str(&alone(weeks, ROUNDS)?);
    Ok(report)
}

fn measured(resources: u32, weeks: u32, cores: u32) -> Result<Measured, String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let words = [resources, weeks, cores].map(|number| number.to_string());
    let words: Vec<&str> =
        ["bench", "derive-once"].into_iter().chain(words.iter().map(String::as_str)).collect();
    let cost = process::run(&program, &words, Path::new("/tmp"))?;
    let said: BTreeMap<String, f64> =
        serde_json::from_str(&cost.said).map_err(|error| format!("{}: {error}", cost.said))?;
    let number = |name: &str| said.get(name).copied().unwrap_or_default();
    Ok(Measured {
        figures: number("figures") as u64,
        cells: number("cells") as u64,
        derive_s: number("derive_s"),
        whole_s: number("whole_s"),
        wall_s: number("wall_s"),
        facts_mib: number("facts_mib") as u64,
        peak_mib: cost.peak_mib,
    })
}

/// Times that one resource is derived, so that the clock of the CPU can tell.
const ROUNDS: u32 = 300;

/// What it costs to derive one machine, and one line with its machines, from facts
/// that changed: nothing of the last time is kept.
///
/// # Errors
/// When the plant can't be derived.
pub(crate) fn alone(weeks: u32, rounds: u32) -> Result<String, String> {
    let as_of: Timestamp = AS_OF.parse().map_err(|error| format!("{error}"))?;
    let mut report = String::new();
    let line = MACHINES_A_LINE + 1;
    for (resources, name, words) in
        [(1, "m-0", "one machine"), (line, "l-0", "one line with its machines")]
    {
        let config = config(resources, weeks, as_of)?;
        let plant = serde_json::from_value(config["plant"].clone()).map_err(|e| e.to_string())?;
        let facts = facts(resources, as_of).seal();
        let begun = own_cpu_s()?;
        let mut figures = 0;
        for _ in 0..rounds {
            let (plant, facts) = (Cow::<Plant>::Borrowed(&plant), Cow::Borrowed(&facts));
            let deriver = Deriver::new(plant, facts, as_of, &[PeriodKind::Week]);
            figures = deriver.map_err(|error| error.to_string())?.of([name]).figures.len();
        }
        let us = (own_cpu_s()? - begun) * 1e6 / f64::from(rounds);
        report.push_str(&format!("{words}, {figures} weeks: {us:.0} us of CPU\n"));
    }
    Ok(report)
}

/// Derives once, and says what it cost: one JSON object.
///
/// # Errors
/// When the plant can't be derived or projected.
pub(crate) fn once(resources: u32, weeks: u32, cores: u32) -> Result<String, String> {
    let as_of: Timestamp = AS_OF.parse().map_err(|error| format!("{error}"))?;
    let config = config(resources, weeks, as_of)?;
    let read = |value: &Value| value.clone();
    let plant: Plant = serde_json::from_value(read(&config["plant"])).map_err(|e| e.to_string())?;
    let mapping: Mapping =
        serde_json::from_value(read(&config["mapping"])).map_err(|e| e.to_string())?;
    let measures: Vec<MeasureDecl> =
        serde_json::from_value(read(&config["measures"])).map_err(|e| e.to_string())?;
    let facts = facts(resources, as_of).seal();
    let facts_mib = process::resident_kib() / 1024;
    let clock = SystemClock::new();
    let begun = clock.now();
    let before = own_cpu_s()?;
    let lanes = || vec![(); usize::try_from(cores).unwrap_or(1)];
    let weeks = &[PeriodKind::Week];
    let (of_plant, told) = (|| Cow::Borrowed(&plant), || Cow::Borrowed(&facts));
    let live = Deriver::new(of_plant(), told(), as_of, weeks).map_err(|e| e.to_string())?;
    let cut = Deriver::of_cut(of_plant(), told(), as_of, weeks).map_err(|e| e.to_string())?;
    let names: Vec<&str> = live.names().collect();
    let figures: usize =
        in_order(lanes(), &names, |(), name| live.of([*name]).figures.len(), |all| all.sum());
    let derive_s = own_cpu_s()? - before;
    let cells = |(): &mut (), landing: &Landing<'_>| {
        let (live, cut) = (live.of(landing.sources()), cut.of(landing.sources()));
        let request = Request {
            plant: &plant,
            live: &live,
            cut: Some(&cut),
            released: None,
            target: "ibp",
            scope: "",
            mapping: &mapping,
            measures: &measures,
            heartbeat: Some(7.into()),
        };
        portion(&request, landing).map_or(0, |portion| portion.cells.len())
    };
    let cells: usize = in_order(lanes(), &Landing::all(&mapping), cells, |all| all.sum());
    let wall_s = clock.now().duration_since(begun).as_secs_f64();
    let said = json!({ "figures": figures, "cells": cells, "derive_s": derive_s,
        "whole_s": own_cpu_s()? - before, "wall_s": wall_s, "facts_mib": facts_mib });
    Ok(said.to_string())
}

fn config(resources: u32, weeks: u32, as_of: Timestamp) -> Result<Value, String> {
    let demo: Value = serde_saphyr::from_str(CONFIG).map_err(|error| error.to_string())?;
    let lines = resources / (MACHINES_A_LINE + 1);
    let machines = resources - lines;
    let begins = as_of.saturating_sub(SignedDuration::from_hours(HOURS)).unwrap_or(as_of);
    let mut plant = demo["plant"].clone();
    let machine = |n: u32| {
        let calendar = if n.is_multiple_of(3) { "two-shift" } else { "three-shift" };
        json!({ "id": format!("m-{n}"), "class": "machine", "calendar": calendar, "ideal_cycle_seconds": 60 })
    };
    let line = |n: u32| {
        let of = |k: u32| format!("m-{}", n * MACHINES_A_LINE + k);
        json!({ "id": format!("l-{n}"), "calendar": "three-shift", "counter": of(3), "ideal_cycle_seconds": 60,
            "stages": [ { "name": "first", "machines": [of(0)] }, { "name": "second", "machines": [of(1), of(2)] },
                { "name": "last", "machines": [of(3)] } ] })
    };
    plant["horizon"] = json!({ "past_weeks": 0, "future_weeks": weeks - 1 });
    plant["resources"] = (0..machines).map(machine).collect();
    plant["lines"] = (0..lines).map(line).collect();
    plant["sources"][0]["speaks_for"] = (0..machines).map(|n| json!(format!("m-{n}"))).collect();
    plant["sources"][0]["reader"]["machine_events"]["begins"]["at"] = json!(begins);
    let row = |n: u32| {
        let source = if n < machines { format!("m-{n}") } else { format!("l-{}", n - machines) };
        json!({ "source": source, "resource": format!("R-{n}"), "location": "1010" })
    };
    let target = &demo["targets"]["ibp"];
    let mapping = json!({ "version": "1", "expects": "attainable_clock_hours",
        "rows": (0..resources).map(row).collect::<Vec<_>>() });
    Ok(json!({ "plant": plant, "mapping": mapping, "measures": target["measures"] }))
}

/// Each machine starves, fails and is restored about once in seven to twelve hours,
/// at its own pace, and is counted once a shift.
fn facts(resources: u32, as_of: Timestamp) -> Facts {
    let machines = resources - resources / (MACHINES_A_LINE + 1);
    let begin = as_of.as_millisecond() - HOURS * 3_600_000;
    let mut facts = Facts::default();
    for machine in 0..machines {
        let subject = Subject(machine);
        let state = |minute: i64, state| StateFact {
            subject,
            source: SourceIndex(0),
            at: begin + minute * 60_000,
            rank: 0,
            line: 0,
            state: Some(state),
            unless: StateSet::default(),
        };
        let pace = 60 * 18 + 7 * i64::from(machine % 67);
        for minute in (pace..HOURS * 60).step_by(usize::try_from(pace).unwrap_or(1)) {
            let long = 20 + minute % 97;
            facts.states.push(state(minute, EquipmentState::UnscheduledDown));
            facts.states.push(state(minute + long, EquipmentState::Productive));
            facts.states.push(state(minute + pace / 2, EquipmentState::StandbyStarved));
            facts.states.push(state(minute + pace / 2 + 15, EquipmentState::Productive));
        }
        let mut total = 0;
        for hour in (0..HOURS).step_by(8) {
            total += 400 + u64::from(machine % 41);
            let start = begin + hour * 3_600_000;
            facts.counts.push(CountFact {
                subject,
                source: SourceIndex(1),
                interval: Span { start, end: start + SHIFT * 3_600_000 },
                total,
                received: as_of.as_millisecond(),
            });
        }
    }
    facts.states.retain(|fact| fact.at < as_of.as_millisecond());
    facts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_machine_and_one_line_are_derived_over_the_whole_horizon() {
        let said = alone(104, 1).unwrap();
        let lines: Vec<&str> = said.lines().collect();
        assert_eq!(lines.len(), 2, "{said}");
        assert!(lines[0].starts_with("one machine, 104 weeks: "), "{said}");
        assert!(lines[1].starts_with("one line with its machines, 104 weeks: "), "{said}");
    }
}
