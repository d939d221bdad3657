//! The derivation on small, hand-counted inputs, and the laws it must keep.

use planthread_contracts::{CapacityBasis, EquipmentState};
use proptest::prelude::*;
use rust_decimal::Decimal;

use super::*;
use crate::{
    calendar::{
        Span,
        span::{HOUR_MS, hours},
    },
    decode::{Forecast, Foretold, SourceIndex, StateFact, StateSet, Subject},
    fixture,
    model::PlannedMaintenance,
};

#[path = "../../tests/arithmetic/mod.rs"]
mod arithmetic;
mod decided;
mod line;
mod pool;
mod silence;

/// Monday 2026-10-05 00:00 in Berlin.
const MONDAY: &str = "2026-10-04T22:00:00Z";

const CLOCK: planthread_contracts::Carries = planthread_contracts::Carries::AttainableClockHours;

fn ms(text: &str) -> i64 {
    text.parse::<Timestamp>().unwrap().as_millisecond()
}

fn state(source: u16, at: i64, state: EquipmentState) -> StateFact {
    let (subject, source, unless) = (Subject(0), SourceIndex(source), StateSet::default());
    StateFact { subject, source, at, rank: 0, line: 0, state: Some(state), unless }
}

/// Stops of M1, in hours after [`MONDAY`].
fn stops(hours: &[(i64, i64)]) -> Vec<StateFact> {
    let at = |hour: i64| ms(MONDAY) + hour * HOUR_MS;
    hours
        .iter()
        .flat_map(|(from, to)| {
            [
                state(0, at(*from), EquipmentState::UnscheduledDown),
                state(0, at(*to), EquipmentState::Productive),
            ]
        })
        .collect()
}

/// The counter of M1 reads `total` at the end of the hour that begins so many
/// hours after [`MONDAY`].
fn count(hour: i64, total: u64) -> crate::decode::CountFact {
    let at = |hour: i64| ms(MONDAY) + hour * HOUR_MS;
    crate::decode::CountFact {
        subject: Subject(0),
        source: SourceIndex(1),
        interval: Span { start: at(hour), end: at(hour + 1) },
        total,
        received: 0,
    }
}

fn facts(states: Vec<StateFact>) -> Facts {
    Facts { states, ..Facts::default() }.seal()
}

fn weeks(plant: &Plant, facts: &Facts, as_of: i64) -> Derivation {
    let as_of = Timestamp::from_millisecond(as_of).unwrap();
    derive(plant, facts, as_of, &[PeriodKind::Week]).unwrap()
}

fn m1(derivation: &Derivation, week: &str) -> Figures {
    derivation.get("M1", week.parse().unwrap()).unwrap().clone()
}

/// The explanation of a figure, which must reproduce it.
fn explained(plant: &Plant, derivation: &Derivation, resource: &str, period: &str) -> String {
    let period = period.parse().unwrap();
    let found = explain(plant, derivation, resource, period, CLOCK).unwrap();
    let mut known = BTreeMap::new();
    for step in &found.steps {
        let value = arithmetic::value(&step.formula, &known);
        assert_eq!(value.round_dp(9), step.result.round_dp(9), "{found}");
        known.insert(step.name.clone(), value);
    }
    let landed = derivation.get(resource, period).unwrap().attainable_hours.unwrap();
    assert_eq!(known["attainable"].round_dp(9), landed.round_dp(9), "{found}");
    found.to_string()
}

#[test]
fn law_7_availability_is_pooled_from_sums_not_averaged() {
    // Week 41: 42 of 168 h down; week 42: 168 − 84 planned, of which 0 down.
    let mut plant = fixture::plant();
    plant.planned_maintenance = vec![PlannedMaintenance {
        resource: "M1".into(),
        start: "2026-10-12T00:00:00".parse().unwrap(),
        end: "2026-10-15T12:00:00".parse().unwrap(),
        reason: "overhaul".into(),
        owner: "maintenance".into(),
    }];
    plant.rules.pool_weeks = 2;
    let mut states = stops(&[(0, 42)]);
    // The overhaul was seen as a planned stop.
    states.push(state(0, ms(MONDAY) + 168 * HOUR_MS, EquipmentState::ScheduledDown));
    states.push(state(0, ms(MONDAY) + 252 * HOUR_MS, EquipmentState::Productive));
    // Still heard of at the end, so that both weeks are seen completely.
    states.push(state(0, ms(MONDAY) + 336 * HOUR_MS, EquipmentState::Productive));
    let derivation = weeks(&plant, &facts(states), ms(MONDAY) + 336 * HOUR_MS);
    let one = m1(&derivation, "2026-W43");
    let availability = one.demonstrated.unwrap().availability;
    // 1 − 42 ÷ (168 + 84), not the mean of 0.75 and 1.
    assert_eq!(
        availability.round_dp(12),
        (Decimal::ONE - Decimal::from(42) / Decimal::from(252)).round_dp(12)
    );
    assert_eq!(m1(&derivation, "2026-W42").planned_maintenance_hours(), 84.into());
}

#[test]
fn planned_maintenance_is_subtracted_once_and_not_discounted() {
    let mut plant = fixture::plant();
    plant.planned_maintenance = vec![PlannedMaintenance {
        resource: "M1".into(),
        start: "2026-10-20T06:00:00+02:00".parse().unwrap(),
        end: "2026-10-20T14:00:00+02:00".parse().unwrap(),
        reason: "oil".into(),
        owner: "maintenance".into(),
    }];
    let derivation = weeks(&plant, &facts(stops(&[(0, 42)])), ms(MONDAY) + 170 * HOUR_MS);
    let one = m1(&derivation, "2026-W43");
    assert_eq!(one.planned_maintenance_hours(), 8.into());
    let availability = one.demonstrated.unwrap().availability;
    let attainable = Decimal::from(169 - 8) * availability;
    assert_eq!(one.attainable_hours.unwrap().round_dp(12), attainable.round_dp(12));
}

#[test]
fn without_history_nothing_is_known_unless_the_master_data_say() {
    let mut plant = fixture::plant();
    let as_of = ms(MONDAY) + 10 * HOUR_MS;
    let bare = m1(&weeks(&plant, &Facts::default(), as_of), "2026-W43");
    assert_eq!((bare.status, bare.attainable_hours), (Status::Unknown, None));
    plant.resources[0].standard_availability = Some(Decimal::new(8, 1));
    let standard = m1(&weeks(&plant, &Facts::default(), as_of), "2026-W43");
    assert_eq!(standard.status, Status::Assumed);
    assert_eq!(standard.attainable_hours, Some(Decimal::new(1352, 1)));
}

#[test]
fn standby_is_no_loss_and_corrects_the_load() {
    let plant = fixture::plant();
    let at = |hour: i64| ms(MONDAY) + hour * HOUR_MS;
    // The twin (authority 10) tells states: 84 h starved in week 41.
    let mut all = facts(vec![
        state(2, at(-1), EquipmentState::Productive),
        state(2, at(0), EquipmentState::StandbyStarved),
        state(2, at(84), EquipmentState::Productive),
        state(2, at(168), EquipmentState::Productive),
    ]);
    let count = |hour: i64, total: u64| crate::decode::CountFact {
        subject: Subject(0),
        source: SourceIndex(1),
        interval: Span { start: at(hour - 1), end: at(hour) },
        total,
        received: 0,
    };
    all.counts = vec![count(0, 100), count(168, 100 + 4_200)];
    let one = m1(&weeks(&plant, &all.seal(), at(168)), "2026-W41");
    assert_eq!((one.down_hours(), one.attainable_hours), (0.into(), Some(168.into())));
    // 4,200 parts of a minute = 70 h in 84 loaded hours: at full load 140 h.
    assert_eq!(one.output_standard_hours, Some(70.into()));
    assert_eq!(one.demonstrated_standard_hours, Some(140.into()));
}

fn forecast(what: Foretold, value: Decimal, issued: i64) -> Forecast {
    let bounds = crate::calendar::Bounds::new("Europe/Berlin", jiff::civil::Time::midnight());
    Forecast {
        subject: Subject(0),
        what,
        interval: bounds.unwrap().span("2026-W43".parse().unwrap()).unwrap(),
        source: SourceIndex(2),
        issued,
        valid_until: issued + 72 * HOUR_MS,
        value,
        about: "PRESS-7".into(),
    }
}

#[test]
fn a_twin_outranks_the_pool_and_falls_to_the_lower_when_it_dies() {
    let plant = fixture::plant();
    let issued = ms(MONDAY) + 168 * HOUR_MS;
    let mut all = facts(stops(&[(0, 42), (167, 168)]));
    let up = Decimal::new(9, 1);
    all.forecasts.push(forecast(Foretold::UpFraction, up, issued));
    all.forecasts.push(forecast(Foretold::FailureProbability, Decimal::new(4, 1), issued));
    all.forecasts.push(forecast(Foretold::RepairHours, 10.into(), issued));
    let all = all.seal();
    let live = m1(&weeks(&plant, &all, issued + HOUR_MS), "2026-W43");
    assert_eq!(live.attainable_hours.unwrap(), Decimal::from(169) * up);
    assert_eq!(live.risk.as_ref().unwrap().hours_at_risk, 4.into());
    assert_eq!(live.status, Status::Live);
    let signals = weeks(&plant, &all, issued + HOUR_MS).signals(&live, "1");
    assert_eq!(signals.risk.unwrap().validate(), []);
    // 72 h valid and 72 h held: then the lower of 0.9 and what was shown.
    let dead = m1(&weeks(&plant, &all, issued + 145 * HOUR_MS), "2026-W43");
    let mean = dead.demonstrated.as_ref().unwrap().availability;
    assert!(mean < up, "{mean}");
    assert_eq!(dead.status, Status::Assumed);
    assert_eq!(dead.attainable_hours.unwrap().round_dp(9), (Decimal::from(169) * mean).round_dp(9));
}

/// The hours of a forecast of M1, from so many hours after [`MONDAY`].
fn rolling(what: Foretold, value: Decimal, issued: i64, from: i64, to: i64) -> Forecast {
    let at = |hour: i64| ms(MONDAY) + hour * HOUR_MS;
    let interval = Span { start: at(from), end: at(to) };
    Forecast { interval, ..forecast(what, value, at(issued)) }
}

#[test]
fn of_rolling_forecasts_the_newest_holds_and_no_risk_counts_twice() {
    let plant = fixture::plant();
    let mut all = facts(stops(&[(0, 42), (335, 336)]));
    // On two days, each time for the next 169 hours; and by day, for Monday.
    for (issued, up, risk) in [(312, 95, 8), (336, 60, 4)] {
        let (from, to) = (issued, issued + 193);
        let share = |hundredths| Decimal::new(hundredths, 2);
        all.forecasts.push(rolling(Foretold::UpFraction, share(up), issued, from, to));
        all.forecasts.push(rolling(Foretold::FailureProbability, share(risk), issued, from, to));
        all.forecasts.push(rolling(Foretold::RepairHours, 10.into(), issued, from, to));
    }
    let one = m1(&weeks(&plant, &all.seal(), ms(MONDAY) + 336 * HOUR_MS), "2026-W43");
    assert_eq!(one.attainable_hours, Some(Decimal::from(169) * Decimal::new(60, 2)));
    // 0.04 × 10 h, of which 169 of 193 hours lie in the week: the newer word, once.
    let at_risk = one.risk.unwrap().hours_at_risk;
    assert_eq!(at_risk.round_dp(9), (Decimal::new(4 * 169, 1) / Decimal::from(193)).round_dp(9));
}

#[test]
fn law_8_a_stronger_twin_that_dies_caps_a_weaker_one() {
    let mut plant = fixture::plant();
    let weaker =
        crate::model::Source { name: "guess".into(), authority: 50, ..plant.sources[2].clone() };
    plant.sources.push(weaker);
    let mut all = facts(stops(&[(0, 42), (335, 336)]));
    all.forecasts.push(rolling(Foretold::UpFraction, Decimal::new(6, 1), 200, 336, 505));
    let week = rolling(Foretold::UpFraction, Decimal::new(9, 1), 330, 336, 673);
    all.forecasts.push(Forecast { source: SourceIndex(3), ..week });
    let all = all.seal();
    let at = |hour: i64| m1(&weeks(&plant, &all, ms(MONDAY) + hour * HOUR_MS), "2026-W43");
    let most = Some(Decimal::from(169) * Decimal::new(6, 1));
    // The stronger one's word of hour 200 is stale at 272, dead at 344.
    assert_eq!(at(271).attainable_hours, most);
    assert_eq!((at(336).attainable_hours, at(336).status), (most, Status::Held));
    assert_eq!(at(336).as_of.as_millisecond(), ms(MONDAY) + 200 * HOUR_MS);
    // Beyond its horizon the weaker one speaks alone.
    let next = m1(&weeks(&plant, &all, ms(MONDAY) + 336 * HOUR_MS), "2026-W44");
    assert_eq!((next.attainable_hours, next.status), (Some(Decimal::new(1_512, 1)), Status::Live));
}

#[test]
fn sources_that_differ_are_in_conflict() {
    let mut plant = fixture::plant();
    plant.sources[2].authority = plant.sources[0].authority;
    let at = |hour: i64| ms(MONDAY) + hour * HOUR_MS;
    let mut states = stops(&[(0, 42), (167, 168)]);
    states.push(state(2, at(1), EquipmentState::Productive));
    states.push(state(2, at(168), EquipmentState::Productive));
    let one = m1(&weeks(&plant, &facts(states), at(168)), "2026-W41");
    assert_eq!(one.status, Status::Conflicting);
}

#[test]
fn a_source_that_did_not_look_yet_contradicts_nobody() {
    let mut plant = fixture::plant();
    plant.sources[2].authority = plant.sources[0].authority;
    let at = |hour: i64| ms(MONDAY) + hour * HOUR_MS;
    let mut states = stops(&[(0, 42), (167, 168)]);
    let alone = m1(&weeks(&plant, &facts(states.clone()), at(170)), "2026-W41");
    // A twin that joins in week 42 knows nothing of week 41.
    states.push(state(2, at(169), EquipmentState::Productive));
    let one = m1(&weeks(&plant, &facts(states), at(170)), "2026-W41");
    assert_eq!((one.status, one.attainable_hours), (Status::Live, alone.attainable_hours));
    assert_eq!(one.down_hours(), 43.into());
}

#[test]
fn law_8_the_death_of_a_stronger_source_does_not_rewrite_the_past() {
    let plant = fixture::plant();
    let at = |hour: i64| ms(MONDAY) + hour * HOUR_MS;
    // The twin (authority 10) saw 42 h down in week 41, and dies after week 42.
    let twin = vec![
        state(0, at(300), EquipmentState::Productive),
        state(2, at(0), EquipmentState::UnscheduledDown),
        state(2, at(42), EquipmentState::Productive),
        state(2, at(337), EquipmentState::Productive),
    ];
    let alive = facts(twin.clone());
    let good = m1(&weeks(&plant, &alive, at(337)), "2026-W44").attainable_hours.unwrap();
    // The file of events (authority 100) goes on, and never saw that stop.
    let mut both = twin;
    both.push(state(0, at(500), EquipmentState::Productive));
    let later = weeks(&plant, &facts(both), at(500));
    assert_eq!(m1(&later, "2026-W41").down_hours(), 42.into());
    let now = m1(&later, "2026-W44");
    assert_eq!(now.status, Status::Assumed, "until somebody hands over");
    assert!(now.attainable_hours.unwrap() <= good, "{:?} > {good}", now.attainable_hours);
}

#[test]
fn law_8_a_machine_of_which_nobody_knows_grows_old_while_others_speak() {
    let plant = fixture::plant();
    let at = |hour: i64| ms(MONDAY) + hour * HOUR_MS;
    let other = |hour: i64, source| StateFact {
        subject: Subject(1),
        ..state(source, at(hour), EquipmentState::Productive)
    };
    // M1 was up for week 41, then its signal was lost; M2 is heard of for ever.
    for lost in [
        vec![
            state(0, at(170), EquipmentState::Productive),
            state(0, at(500), EquipmentState::Unknown),
            other(1_000, 0),
        ],
        vec![state(2, at(0), EquipmentState::Productive), other(1_000, 2)],
    ] {
        let mut all = stops(&[(0, 42)]);
        if lost[0].source == SourceIndex(2) {
            all = vec![state(2, at(170), EquipmentState::Productive)];
        }
        all.extend(lost);
        let one = m1(&weeks(&plant, &facts(all), at(1_000)), "2026-W48");
        assert_eq!(one.status, Status::Assumed);
        assert_eq!(one.as_of.as_millisecond(), at(170));
        assert!(one.valid_until.as_millisecond() < at(1_000), "grey by itself");
        assert_eq!(one.demonstrated.unwrap().weeks.last().unwrap().period.to_string(), "2026-W41");
    }
}

#[test]
fn a_declared_stop_counts_where_no_source_could_have_seen_it() {
    let mut plant = fixture::plant();
    plant.planned_maintenance = vec![PlannedMaintenance {
        resource: "M1".into(),
        start: "2026-10-06T00:00:00".parse().unwrap(),
        end: "2026-10-06T10:00:00".parse().unwrap(),
        reason: "overhaul".into(),
        owner: "maintenance".into(),
    }];
    let all = facts(stops(&[(0, 1), (167, 168)]));
    let planned = |plant: &Plant| {
        m1(&weeks(plant, &all, ms(MONDAY) + 168 * HOUR_MS), "2026-W41").planned_maintenance_hours()
    };
    // Its source tells planned stops, and told none: it did not happen.
    assert_eq!(planned(&plant), Decimal::ZERO);
    if let crate::model::SourceFormat::MachineEvents(events) = &mut plant.sources[0].reader {
        events.events.remove("maintenance_start");
    }
    assert_eq!(planned(&plant), 10.into());
}

#[test]
fn master_data_are_never_live() {
    let mut plant = fixture::plant();
    plant.resources[0].standard_availability = Some(Decimal::new(8, 1));
    // Three days of history are no full week.
    let begun = ms(MONDAY) + 300 * HOUR_MS;
    if let crate::model::SourceFormat::MachineEvents(events) = &mut plant.sources[0].reader {
        events.begins.as_mut().unwrap().at = Timestamp::from_millisecond(begun).unwrap();
    }
    let all = facts(vec![state(0, begun + 30 * HOUR_MS, EquipmentState::Productive)]);
    let one = m1(&weeks(&plant, &all, begun + 32 * HOUR_MS), "2026-W44");
    assert_eq!(one.attainable_hours, Some(Decimal::new(1_344, 1)));
    assert_eq!((one.basis, one.status), (CapacityBasis::Planned, Status::Assumed));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// Facts end; time goes on. Once the truth is no longer live, no landed
    /// number is above the last good one.
    #[test]
    fn law_8_silence_never_raises_a_number(
        lengths in proptest::collection::vec((1i64..40, 1i64..20), 1..12),
        open in proptest::bool::ANY,
        silence in proptest::collection::vec(25i64..1_200, 1..4),
    ) {
        let mut plant = fixture::plant();
        plant.horizon.future_weeks = 40;
        let mut at = 0;
        let mut stopped = Vec::new();
        for (up, down) in lengths {
            stopped.push((at + up, at + up + down));
            at += up + down;
        }
        let mut states = stops(&stopped);
        if open {
            states.pop();
        }
        let last = states.last().unwrap().at;
        let all = facts(states);
        let good = weeks(&plant, &all, last);
        let next = |as_of: i64| m1(&weeks(&plant, &all, as_of), "2027-W20").attainable_hours;
        let mut lowest = next(last);
        for hours_later in [1, 9, 23, 26, 70, 80, 170, 340] {
            let now = next(last + hours_later * HOUR_MS);
            prop_assert!(now <= lowest, "{hours_later}: {now:?} > {lowest:?}");
            lowest = now;
        }
        for hours_later in silence {
            let later = weeks(&plant, &all, last + hours_later * HOUR_MS);
            for before in good.figures.iter().filter(|one| one.resource == "M1") {
                let Some(now) = later.get("M1", before.period) else { continue };
                let (Some(before), Some(value)) = (before.attainable_hours, now.attainable_hours)
                else { continue };
                prop_assert!(
                    value.round_dp(12) <= before.round_dp(12),
                    "{} raised {} to {}", now.period, before, value
                );
                prop_assert!(now.status != Status::Live || now.phase == Phase::Past);
            }
        }
    }

    #[test]
    fn law_6_kinds_of_period_hold_the_same_attainable_hours(
        lengths in proptest::collection::vec((1i64..60, 1i64..30), 1..14), as_of in 1i64..1_500,
    ) {
        let plant = fixture::plant();
        let mut at = 0;
        let mut stopped = Vec::new();
        for (up, down) in lengths {
            stopped.push((at + up, at + up + down));
            at += up + down;
        }
        let as_of = Timestamp::from_millisecond(ms(MONDAY) + as_of * HOUR_MS).unwrap();
        let kinds = [PeriodKind::Day, PeriodKind::TechnicalWeek, PeriodKind::Week];
        let derivation = derive(&plant, &facts(stops(&stopped)), as_of, &kinds).unwrap();
        let sum = |kind: PeriodKind| -> Decimal {
            let m1 = derivation.figures.iter().filter(|one| one.resource == "M1");
            // Periods from the first that every kind knows.
            let from = "2026-09-28".parse::<jiff::civil::Date>().unwrap();
            m1.filter(|one| one.period.kind() == kind && one.period.start() >= from)
                .filter_map(|one| one.attainable_hours)
                .sum::<Decimal>()
                .round_dp(12)
        };
        prop_assert_eq!(sum(PeriodKind::Day), sum(PeriodKind::Week));
        prop_assert_eq!(sum(PeriodKind::TechnicalWeek), sum(PeriodKind::Week));
    }
}

#[test]
fn hours_of_a_stop_are_exact() {
    assert_eq!(hours(HOUR_MS / 4), Decimal::new(25, 2));
}

/// A plant has them for each resource in each of two hundred periods.
#[test]
fn figures_weigh_little_and_share_the_pool_that_they_rest_on() {
    assert!(size_of::<Figures>() <= 640, "{}", size_of::<Figures>());
    let derivation =
        weeks(&fixture::plant(), &facts(stops(&[(0, 42)])), ms(MONDAY) + 336 * HOUR_MS);
    let of_m1 = derivation.figures.iter().filter(|one| one.resource == "M1");
    let pools: Vec<_> = of_m1.filter_map(|one| one.demonstrated.as_ref()).collect();
    assert!(pools.len() > 1 && pools.iter().all(|pool| Arc::ptr_eq(pool, pools[0])));
}
