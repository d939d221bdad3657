//! The line-simulation example, against the hand count of its README and
//! against a second way of counting (minute by minute).

#![expect(clippy::unwrap_used, reason = "a test that can't read its input must fail there")]

mod arithmetic;
mod steps;
mod twin;

use std::{collections::BTreeMap, fs, path::PathBuf};

use jiff::{Timestamp, ToSpan as _, Unit, tz::TimeZone};
use planthread_contracts::{Carries, Period, PeriodKind, Status};
use planthread_domain::{
    Decoder, Derivation, Facts, Plant,
    decode::{CountFact, Subject},
    derive,
    derive::{
        Figures, Phase,
        explain::{day_number, day_of_truth, last_whole_day},
        figure_name,
    },
    explain, rows,
};
use rust_decimal::Decimal;

/// Every figure of a resource that a measure can carry.
const FIGURES: [Carries; 11] = [
    Carries::AttainableClockHours,
    Carries::DemonstratedStandardHours,
    Carries::PlanCut,
    Carries::LowHours,
    Carries::ExpectedLostHours,
    Carries::GoodUnits,
    Carries::Severity,
    Carries::HoursAtRisk,
    Carries::Status,
    Carries::AsOf,
    Carries::ValidUntil,
];

#[derive(serde::Deserialize)]
struct Example {
    plant: Plant,
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../examples/line-simulation")
}

fn read(name: &str) -> String {
    fs::read_to_string(folder().join(name)).unwrap()
}

fn plant() -> Plant {
    let example: Example = serde_saphyr::from_str(&read("planthread.yaml")).unwrap();
    assert_eq!(example.plant.validate(), []);
    example.plant
}

fn facts(plant: &Plant) -> Facts {
    let decoder = Decoder::new(plant).unwrap();
    let mut facts = Facts::default();
    for source in &plant.sources {
        for file in &source.files {
            for record in rows(read(file).as_bytes(), source, file, plant.as_of.unwrap()) {
                decoder.decode(&record.unwrap(), &mut facts).unwrap();
            }
        }
    }
    facts.seal()
}

fn derived(kinds: &[PeriodKind]) -> (Plant, Derivation) {
    let plant = plant();
    let derivation = derive(&plant, &facts(&plant), plant.as_of.unwrap(), kinds).unwrap();
    (plant, derivation)
}

fn week(derivation: &Derivation, resource: &str, period: &str) -> Figures {
    derivation.get(resource, period.parse().unwrap()).unwrap().clone()
}

fn minutes(hours: Decimal) -> Decimal {
    (hours * Decimal::from(60)).round_dp(6).normalize()
}

#[test]
fn derive_agrees_with_the_hand_count_of_the_readme() {
    let (_, derivation) = derived(&[PeriodKind::Week]);
    let readme = read("README.md");
    let mut sums: BTreeMap<(String, String), i64> = BTreeMap::new();
    let mut heading = None;
    for line in readme.lines() {
        if let Some((machine, week)) =
            line.strip_prefix("### ").and_then(|rest| rest.split_once(", week "))
        {
            heading = Some((machine.to_owned(), week.to_owned()));
            continue;
        }
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        if let ([from, to, minutes], Some(key)) = (cells.as_slice(), &heading)
            && let (Ok(from), Ok(to)) = (from.parse::<Timestamp>(), to.parse::<Timestamp>())
        {
            let minutes: i64 = minutes.parse().unwrap();
            assert_eq!((to.as_second() - from.as_second()) / 60, minutes, "{line}");
            *sums.entry(key.clone()).or_default() += minutes;
        }
    }
    assert_eq!(sums.len(), 4, "two machines, two weeks");
    for ((machine, period), counted) in sums {
        let down = week(&derivation, &machine, &period).down_hours();
        assert_eq!(minutes(down), counted.into(), "{machine} {period}");
    }
}

#[test]
fn every_machine_and_week_agrees_with_a_minute_by_minute_count() {
    let (plant, derivation) = derived(&[PeriodKind::Week]);
    let berlin = TimeZone::get("Europe/Berlin").unwrap();
    let mut events: BTreeMap<(String, Timestamp), Vec<String>> = BTreeMap::new();
    for line in read("machine-events.csv").lines().skip(1) {
        let [time, machine, event] = line.split(',').collect::<Vec<_>>().try_into().unwrap();
        let at = (machine.to_owned(), time.parse().unwrap());
        events.entry(at).or_default().push(event.to_owned());
    }
    let start: Timestamp = "2026-09-27T22:00:00Z".parse().unwrap();
    let mut compared = 0;
    for resource in &plant.resources {
        let mut counted: BTreeMap<String, [i64; 3]> = BTreeMap::new();
        let (mut at, mut state) = (start, "up");
        while at < plant.as_of.unwrap() {
            let now = events.get(&(resource.id.clone(), at));
            let happened = |what: &str| now.is_some_and(|all| all.iter().any(|one| one == what));
            if happened("restored") {
                state = "up";
            }
            if happened("failure") {
                state = "down";
            } else if happened("maintenance_start") && state == "up" {
                state = "planned";
            }
            let day = berlin.to_datetime(at).date();
            let week = Period::containing(PeriodKind::Week, day).to_string();
            let sums = counted.entry(week).or_default();
            sums[0] += 1;
            sums[1] += i64::from(state == "down");
            sums[2] += i64::from(state == "planned");
            at += 1.minute();
        }
        for (period, [scheduled, down, planned]) in counted {
            let one = week(&derivation, &resource.id, &period);
            let measured = one.elements.scheduled - one.elements.ahead;
            assert_eq!(measured / 60_000, scheduled, "{} {period}", resource.id);
            assert_eq!(minutes(one.down_hours()), down.into(), "{} {period}", resource.id);
            let found = minutes(one.planned_maintenance_hours());
            assert_eq!(found, planned.into(), "{} {period}", resource.id);
            compared += 1;
        }
    }
    assert_eq!(compared, 48);
}

#[test]
fn the_week_of_the_clock_change_has_169_hours_and_phases_follow_as_of() {
    let (_, derivation) = derived(&[PeriodKind::Week]);
    let phases = |phase| derivation.figures.iter().filter(|one| one.phase == phase).count();
    assert_eq!(phases(Phase::Past), 7 * 7);
    assert_eq!(phases(Phase::Current), 7);
    assert_eq!(phases(Phase::Future), 7 * 26);
    for one in derivation.figures.iter().filter(|one| one.period.to_string() == "2026-W43") {
        assert_eq!(one.scheduled_hours(), 169.into(), "{}", one.resource);
    }
    let spring = week(&derivation, "M1", "2027-W12");
    assert_eq!(spring.scheduled_hours(), 167.into());
    assert!(derivation.figures.iter().all(|one| one.status == Status::Live));
}

#[test]
fn the_future_is_scheduled_times_demonstrated_over_seven_full_weeks() {
    let (_, derivation) = derived(&[PeriodKind::Week]);
    let one = week(&derivation, "M1", "2026-W48");
    let pool = one.demonstrated.unwrap();
    assert_eq!(pool.weeks.len(), 7);
    // Minutes down W40 to W46, of 6 weeks of 168 hours and one of 169.
    let down = Decimal::from(551 + 67 + 409 + 200 + 776 + 806 + 928);
    let scheduled = Decimal::from((6 * 168 + 169) * 60);
    assert_eq!(pool.availability.round_dp(20), (Decimal::ONE - down / scheduled).round_dp(20));
    let attainable = Decimal::from(168) * pool.availability;
    assert_eq!(one.attainable_hours.unwrap().round_dp(12), attainable.round_dp(12));
    // Preventive maintenance is planned: M2 has no unplanned down at all.
    assert_eq!(
        week(&derivation, "M2", "2026-W48").demonstrated.unwrap().availability,
        Decimal::ONE
    );
}

#[test]
fn the_line_stands_beside_its_bound() {
    let (_, derivation) = derived(&[PeriodKind::Week]);
    // 2026-W43 at M5, from the counter: its total at the end of the week less
    // its total at the end of the week before, × 1 minute.
    let counts = read("hourly-counts.csv");
    let total = |hour: &str| -> i64 {
        let row = format!("{hour},M5,");
        counts.lines().find_map(|line| line.strip_prefix(&row)).unwrap().parse().unwrap()
    };
    let parts = total("2026-10-25T22:00:00Z") - total("2026-10-18T21:00:00Z");
    let one = week(&derivation, "LINE", "2026-W43");
    let line = one.line.unwrap();
    assert_eq!(minutes(line.measured_output_hours.unwrap()), parts.into());
    let difference = line.composed_bound_hours.unwrap() - line.measured_output_hours.unwrap();
    assert_eq!(line.difference_hours, Some(difference));
    for one in derivation.figures.iter().filter(|one| one.line.is_some()) {
        let line = one.line.clone().unwrap();
        // What was counted lands as it is, what lies ahead never above the bound.
        match one.phase {
            Phase::Past => assert_eq!(one.attainable_hours, one.output_standard_hours),
            Phase::Current => assert!(one.attainable_hours >= one.output_standard_hours),
            Phase::Future => {
                assert!(one.attainable_hours.unwrap() <= line.composed_bound_hours.unwrap());
            }
        }
        assert!(line.limiting_stage.is_some());
    }
}

#[test]
fn what_a_counter_lost_is_a_gap_and_lowers_the_coverage() {
    let plant = plant();
    let mut all = facts(&plant);
    let from: Timestamp = "2026-10-21T10:00:00Z".parse().unwrap();
    // From that hour on M5's counter shows more than it could have made.
    let later = |one: &&mut CountFact| {
        one.subject == Subject(5) && one.interval.start >= from.as_millisecond()
    };
    all.counts.iter_mut().filter(later).for_each(|one| one.total += 30_000);
    let all = all.seal();
    let derivation = derive(&plant, &all, plant.as_of.unwrap(), &[PeriodKind::Week]).unwrap();
    let quality = week(&derivation, "M5", "2026-W43").quality;
    let [gap] = &quality.gaps[..] else { panic!("{quality:?}") };
    assert_eq!((gap.start, gap.end), (from, from + 1.hour()));
    assert_eq!(quality.coverage, Decimal::from(168) / Decimal::from(169));
    assert_eq!(week(&derivation, "M5", "2026-W42").quality.coverage, Decimal::ONE);
}

#[test]
fn a_machine_that_waits_for_maintenance_still_runs() {
    // M4 waits from 2026-10-31T21:20Z and is maintained from 21:45Z: of that
    // hour it is up for 45 minutes, and it made 45 parts of a minute each.
    let counts = read("hourly-counts.csv");
    let total = |hour: &str| -> i64 {
        let row = format!("{hour},M4,");
        counts.lines().find_map(|line| line.strip_prefix(&row)).unwrap().parse().unwrap()
    };
    assert_eq!(total("2026-10-31T21:00:00Z") - total("2026-10-31T20:00:00Z"), 45);
    let events = read("machine-events.csv");
    assert!(events.contains("2026-10-31T21:20:00Z,M4,waiting_for_maintenance"));
    assert!(events.contains("2026-10-31T21:45:00Z,M4,maintenance_start"));
}

#[test]
fn restored_never_shares_a_minute_so_its_rank_is_our_choice() {
    let mut minutes: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in read("machine-events.csv").lines().skip(1) {
        let (key, event) = line.rsplit_once(',').unwrap();
        minutes.entry(key.to_owned()).or_default().push(event.to_owned());
    }
    let shared = minutes.values().filter(|e| e.len() > 1 && e.iter().any(|one| one == "restored"));
    assert_eq!(shared.count(), 0);
}

#[test]
fn every_explanation_reproduces_its_number() {
    let kinds = [PeriodKind::Week, PeriodKind::TechnicalWeek];
    let (plant, facts) = twin::told(plant(), facts(&plant()));
    let derivation = derive(&plant, &facts, plant.as_of.unwrap(), &kinds).unwrap();
    let mut explained: BTreeMap<&str, usize> = BTreeMap::new();
    for one in &derivation.figures {
        for figure in FIGURES {
            let expected = match figure {
                Carries::AsOf => Some(day_number(day_of_truth(one).unwrap())),
                Carries::ValidUntil => Some(day_number(last_whole_day(one).unwrap())),
                other => one.carried(other),
            };
            let found = explain(&plant, &derivation, &one.resource, one.period, figure);
            assert_eq!(found.is_some(), expected.is_some(), "{figure:?} of {one:?}");
            let Some((found, expected)) = found.zip(expected) else { continue };
            let (_, value) = steps::last_of(&found);
            assert_eq!(value.round_dp(9), expected.round_dp(9), "{found}");
            *explained.entry(figure_name(figure)).or_default() += 1;
        }
    }
    let least = explained.values().min().unwrap();
    assert!(explained.len() == FIGURES.len() && *least > 1, "{explained:?}");
}

#[test]
fn an_open_stop_is_told_where_the_time_ahead_ignores_it() {
    let (plant, derivation) = derived(&[PeriodKind::Week]);
    let text = |id: &str, week: &str| {
        let hours = Carries::AttainableClockHours;
        explain(&plant, &derivation, id, week.parse().unwrap(), hours).unwrap().to_string()
    };
    assert!(text("M1", "2026-W48").contains("down since 2026-11-22T21:02:00Z"));
    assert!(!text("M1", "2026-W46").contains("down since"));
    assert!(!text("M2", "2026-W48").contains("down since"));
}

#[test]
fn law_6_technical_weeks_days_and_weeks_hold_the_same_hours() {
    let kinds = [PeriodKind::Day, PeriodKind::TechnicalWeek, PeriodKind::Week];
    let (_, derivation) = derived(&kinds);
    let sum = |kind: PeriodKind, of: fn(&Figures) -> Decimal| -> Decimal {
        let all = derivation.figures.iter().filter(|one| one.line.is_none());
        all.filter(|one| one.period.kind() == kind).map(of).sum()
    };
    for of in [Figures::scheduled_hours, Figures::down_hours, |one: &Figures| {
        one.attainable_hours.unwrap()
    }] {
        let weeks = sum(PeriodKind::Week, of).round_dp(15);
        assert_eq!(sum(PeriodKind::Day, of).round_dp(15), weeks);
        assert_eq!(sum(PeriodKind::TechnicalWeek, of).round_dp(15), weeks);
    }
}

#[test]
fn law_6_days_of_a_line_that_was_counted_add_up_to_its_week() {
    let kinds = [PeriodKind::Day, PeriodKind::TechnicalWeek, PeriodKind::Week];
    let (plant, derivation) = derived(&kinds);
    let of_line = |kind: PeriodKind| {
        let line = derivation.figures.iter().filter(|one| one.line.is_some());
        line.filter(move |one| one.period.kind() == kind && one.phase == Phase::Past)
    };
    let mut above = 0;
    for week in of_line(PeriodKind::Week) {
        for kind in [PeriodKind::Day, PeriodKind::TechnicalWeek] {
            let inside = of_line(kind).filter(|one| week.start <= one.start && one.end <= week.end);
            let sum: Decimal = inside.filter_map(|one| one.attainable_hours).sum();
            let whole = week.attainable_hours.unwrap();
            assert_eq!(sum.round_dp(15), whole.round_dp(15), "{kind:?}s of {}", week.period);
        }
    }
    for day in of_line(PeriodKind::Day) {
        let text = explain(&plant, &derivation, "LINE", day.period, Carries::AttainableClockHours)
            .unwrap()
            .to_string();
        let less = day.line.as_ref().unwrap().difference_hours.unwrap() < Decimal::ZERO;
        assert_eq!(text.contains("Buffers held it from before"), less, "{text}");
        above += u32::from(less);
    }
    assert!(above > 0, "no day of the example shows a buffer that gives out");
}

#[test]
fn law_18_the_same_input_gives_the_same_bytes_in_any_order() {
    let plant = plant();
    let sealed = facts(&plant);
    let mut shuffled = sealed.clone();
    shuffled.states.reverse();
    shuffled.counts.rotate_left(1_000);
    let as_of = plant.as_of.unwrap();
    let bytes = |facts: &Facts| {
        let derivation = derive(&plant, facts, as_of, &[PeriodKind::Week]).unwrap();
        format!("{derivation:?}")
    };
    assert_eq!(bytes(&sealed), bytes(&shuffled.seal()));
}

#[test]
fn every_signal_keeps_its_contract() {
    let (_, derivation) = derived(&[PeriodKind::Week, PeriodKind::Month]);
    for one in &derivation.figures {
        let signals = derivation.signals(one, "1");
        let capacity = signals.capacity.unwrap();
        assert_eq!(capacity.validate(), [], "{} {}", one.resource, one.period);
        assert!(capacity.end.since((Unit::Second, capacity.start)).is_ok());
    }
}
