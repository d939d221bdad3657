//! What figures are worth on simulated machines and lines: how often the low one
//! is not reached, and how far the mean lies from what happens, on things that
//! stay as they are, starve, drift, or break in part.

#![expect(clippy::unwrap_used, reason = "a test that can't make its input must fail there")]
#![expect(clippy::print_stderr, reason = "the measured numbers are for whoever runs these tests")]

mod dice;

use dice::Dice;
use jiff::Timestamp;
use planthread_contracts::EquipmentState;
use planthread_domain::{
    Facts, Plant,
    accuracy::{ResourceWeeks, Summary, accuracy},
    calendar::Span,
    decode::{Made, MadeFact, SourceIndex, StateFact, StateSet, Subject},
    lanes::in_order,
};
use rust_decimal::{Decimal, prelude::FromPrimitive as _};

const HOUR_MS: i64 = 3_600_000;
const WEEK_MS: i64 = 168 * HOUR_MS;

/// Weeks before the first that is judged: a pool, and the weeks that test it.
const BEFORE: i64 = 17;

/// Weeks that are judged.
const JUDGED: i64 = 26;

/// Monday 2025-01-06 00:00 UTC.
fn begin() -> i64 {
    "2025-01-06T00:00:00Z".parse::<Timestamp>().unwrap().as_millisecond()
}

/// Nearly normal, of mean 0 and deviation 1.
fn noise(dice: &mut Dice) -> f64 {
    (0..12).map(|_| dice.share()).sum::<f64>() - 6.0
}

/// Machines M0, M1, ... round the clock; where `lined`, each is a line of its own.
fn plant(machines: usize, lined: bool) -> Plant {
    let resources: Vec<_> = (0..machines)
        .map(|n| {
            serde_json::json!({ "id": format!("M{n}"), "class": "machine",
            "calendar": "24x7", "ideal_cycle_seconds": "60" })
        })
        .collect();
    let lines: Vec<_> = (0..machines)
        .filter(|_| lined)
        .map(|n| {
            serde_json::json!({ "id": format!("L{n}"), "calendar": "24x7",
            "counter": format!("M{n}"), "ideal_cycle_seconds": "60",
            "stages": [{ "name": "only", "machines": [format!("M{n}")] }] })
        })
        .collect();
    serde_json::from_value(serde_json::json!({
        "id": "SIM", "zone": "UTC",
        "calendars": [{ "id": "24x7", "version": "1", "round_the_clock": true }],
        "resources": resources, "lines": lines,
        "sources": [{ "name": "twin", "reader": { "cloudevents": {} } }],
    }))
    .unwrap()
}

fn state(subject: u32, at: i64, state: EquipmentState) -> StateFact {
    let (subject, source, unless) = (Subject(subject), SourceIndex(0), StateSet::default());
    StateFact { subject, source, at, rank: 0, line: 0, state: Some(state), unless }
}

/// A machine that fails after `up` hours on average, for `down(week)` hours, and
/// says as each week begins what it does.
fn machine(subject: u32, dice: &mut Dice, up: f64, down: impl Fn(i64) -> f64) -> Vec<StateFact> {
    let end = BEFORE + JUDGED;
    let (mut facts, mut at, mut runs) = (Vec::new(), 0i64, true);
    let mut now = EquipmentState::Productive;
    for week in 0..=end {
        let monday = week * WEEK_MS;
        while at < monday {
            now = if runs { EquipmentState::Productive } else { EquipmentState::UnscheduledDown };
            facts.push(state(subject, begin() + at, now));
            let hours = if runs { dice.wait(up) } else { dice.wait(down(week)) };
            at += (hours * HOUR_MS as f64) as i64 + 1;
            runs = !runs;
        }
        facts.push(state(subject, begin() + monday, now));
    }
    facts
}

/// A line that made so much of what it could in each week.
fn made(subject: u32, share: impl Fn(i64) -> f64) -> Vec<MadeFact> {
    (0..BEFORE + JUDGED)
        .map(|week| {
            let start = begin() + week * WEEK_MS;
            let interval = Span { start, end: start + WEEK_MS };
            let parts = (share(week).clamp(0.0, 1.0) * 10_080.0).round();
            MadeFact {
                subject: Subject(subject),
                source: SourceIndex(0),
                interval,
                made: Made::Parts(Decimal::from_f64(parts).unwrap()),
                issued: interval.end,
                received: interval.end,
            }
        })
        .collect()
}

fn judged(plant: &Plant, facts: Facts) -> Vec<ResourceWeeks> {
    let end = begin() + (BEFORE + JUDGED) * WEEK_MS;
    let as_of = Timestamp::from_millisecond(end).unwrap();
    accuracy(plant, &facts.seal(), as_of, u32::try_from(JUDGED).unwrap()).unwrap()
}

/// All weeks of some resources that were foretold as they began.
fn together(found: &[ResourceWeeks], first: &str) -> Summary {
    let of = found.iter().filter(|one| one.resource.starts_with(first));
    let weeks: Vec<_> = of.flat_map(|one| &one.weeks).filter(|week| week.ahead == 1).collect();
    Summary::of(1, &weeks).unwrap()
}

/// Machines that stay as they are.
fn stable(seed: u64) -> Summary {
    let mut dice = Dice(seed);
    let machines = 40;
    let states = (0..machines).flat_map(|n| {
        // Frequent short stops, rare long ones, and what lies between.
        let (up, down) = [(20.0, 2.0), (60.0, 8.0), (35.0, 5.0)][n as usize % 3];
        machine(n, &mut dice, up, |_| down)
    });
    let facts = Facts { states: states.collect(), ..Facts::default() };
    together(&judged(&plant(machines as usize, false), facts), "M")
}

/// Machines whose stops grow from one hour to about seven.
fn worse(seed: u64) -> Summary {
    let mut dice = Dice(seed);
    let machines = 12;
    let states = (0..machines).flat_map(|n| {
        machine(n, &mut dice, 20.0, |week| 0.25f64.mul_add((week - BEFORE).max(0) as f64, 1.0))
    });
    let facts = Facts { states: states.collect(), ..Facts::default() };
    together(&judged(&plant(machines as usize, false), facts), "M")
}

/// How a kind of line gives less or more, week by week.
type Share = fn(i64, &mut Dice) -> f64;

const LINES: u32 = 36;

const KINDS: [(&str, Share); 4] = [
    ("stable", |_, dice| 0.03f64.mul_add(noise(dice), 0.8)),
    // Some weeks lack parts from the line before.
    ("starved", |_, dice| {
        let starved = if dice.share() < 0.25 { 0.3 * dice.share() } else { 0.0 };
        0.02f64.mul_add(noise(dice), 0.85) - starved
    }),
    // A point less each week, from the first that is judged on.
    ("drifting", |week, dice| {
        let gone = 0.01 * (week - BEFORE).max(0) as f64;
        0.03f64.mul_add(noise(dice), 0.85) - gone
    }),
    // One of four parallel stations breaks, and stays so.
    ("stepped", |week, dice| {
        let left = if week < BEFORE + 10 { 0.9 } else { 0.675 };
        0.03f64.mul_add(noise(dice), left)
    }),
];

fn lines(share: Share, seed: u64) -> Summary {
    let mut dice = Dice(seed);
    let mut facts = Facts::default();
    for line in 0..LINES {
        let shares: Vec<f64> = (0..BEFORE + JUDGED).map(|week| share(week, &mut dice)).collect();
        facts.made.extend(made(line, |week| shares[usize::try_from(week).unwrap()]));
        let mondays = (0..=BEFORE + JUDGED).map(|week| begin() + week * WEEK_MS);
        facts.states.extend(mondays.map(|at| state(line, at, EquipmentState::Productive)));
    }
    together(&judged(&plant(LINES as usize, true), facts), "L")
}

fn say(one: &Summary) -> String {
    let ratio = one.landed.bias / one.landed.error;
    format!(
        "error {:.2} h (trailing {:.2} h), bias {:.2} h = {ratio:.2} of the error",
        one.landed.error, one.trailing.error, one.landed.bias
    )
}

#[test]
fn the_low_figure_of_a_stable_machine_is_not_reached_in_one_week_of_ten() {
    let found = stable(20_261_126);
    let low = found.low.unwrap();
    eprintln!(
        "low: {} of {} weeks below = {:.3}; {}",
        low.beyond,
        low.weeks,
        low.share,
        say(&found)
    );
    assert!(low.weeks > 900, "{low:?}");
    assert!((low.share - Decimal::new(1, 1)).abs() <= Decimal::new(3, 2), "{low:?}");
    assert!(found.landed.error <= found.trailing.error, "{found:?}");
}

#[test]
fn lines_are_foretold_as_well_as_by_the_trailing_mean_and_never_far_too_high() {
    for (name, share) in KINDS {
        let found = lines(share, 7);
        eprintln!("{name}: {} weeks, {}", found.weeks, say(&found));
        assert!(found.weeks >= 20 * LINES as usize, "{name}: {found:?}");
        assert!(found.landed.error <= found.trailing.error, "{name}: {found:?}");
        assert!(found.landed.bias * Decimal::from(3) <= found.landed.error, "{name}: {found:?}");
    }
}

#[test]
fn a_machine_that_gets_worse_is_not_promised_too_much_of() {
    let found = worse(3);
    eprintln!("worse: {} weeks, {}", found.weeks, say(&found));
    assert!(found.landed.bias * Decimal::from(3) <= found.landed.error, "{found:?}");
    // Its weeks scatter more and more: what the last four say is as good, not better.
    assert!(found.landed.error <= found.trailing.error * Decimal::new(105, 2), "{found:?}");
}

/// What `of` says of each seed. On none of them was the rule of ADR 16 chosen; its numbers
/// are of the first forty (`PLANTHREAD_SEEDS=40`).
fn of_seeds(of: impl Fn(u64) -> Summary + Sync) -> Vec<Summary> {
    let asked = std::env::var("PLANTHREAD_SEEDS").ok().map(|text| text.parse::<u64>().unwrap());
    let seeds: Vec<u64> = (5_000..5_000 + asked.unwrap_or(8)).collect();
    let lanes = vec![(); std::thread::available_parallelism().map_or(1, usize::from)];
    in_order(lanes, &seeds, |(), seed| of(*seed), |all| all.collect())
}

#[test]
fn what_holds_on_one_seed_holds_on_others() {
    let told = |name: &str, found: Vec<Summary>| {
        let count = Decimal::from(found.len());
        let mean = |of: fn(&Summary) -> Decimal| {
            let all: Vec<Decimal> = found.iter().map(of).collect();
            (all.iter().sum::<Decimal>() / count, all.into_iter().max().unwrap())
        };
        let (error, most) = mean(|one| one.landed.error / one.trailing.error);
        let (bias, worst) = mean(|one| one.landed.bias / one.landed.error);
        let (low, _) = mean(|one| one.low.map_or(Decimal::ZERO, |low| low.share));
        eprintln!(
            "{name}: error ÷ trailing {error:.3} (most {most:.3}), bias ÷ error {bias:.3} (most {worst:.3}), low passed {low:.3}"
        );
        assert!(worst * Decimal::from(3) <= Decimal::ONE, "{name}: {worst}");
        (error, low)
    };
    for (name, share) in KINDS {
        let (error, _) = told(name, of_seeds(|seed| lines(share, seed)));
        assert!(error < Decimal::ONE, "{name}: {error}");
    }
    told("worse", of_seeds(worse));
    let (error, low) = told("stable machines", of_seeds(stable));
    assert!(error < Decimal::ONE && (low - Decimal::new(1, 1)).abs() <= Decimal::new(3, 2));
}
