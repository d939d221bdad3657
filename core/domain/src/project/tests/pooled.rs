//! Resources that are one at the target: every kind of figure, together.

use planthread_contracts::{Mix, SeverityMethod};
use proptest::prelude::*;

use super::*;
use crate::derive::{Risk, Severity};

/// One part of a pool, in whole units.
#[derive(Debug, Clone, Copy)]
struct Part {
    hours: i64,
    standard: i64,
    lost: i64,
    pieces: i64,
    severity: i64,
    at_risk: i64,
    status: Status,
    /// Days since the truth behind it, and until it is stale.
    age: i64,
    life: i64,
}

fn part() -> impl Strategy<Value = Part> {
    let of_signals = [Status::Live, Status::Held, Status::Assumed, Status::Conflicting];
    let hours = (0i64..168, 0i64..168, 0i64..50, 0i64..9_000, 0i64..=100, 0i64..40);
    let standing = (proptest::sample::select(of_signals.to_vec()), 0i64..9, 1i64..9);
    (hours, standing).prop_map(|(numbers, (status, age, life))| {
        let (hours, standard, lost, pieces, severity, at_risk) = numbers;
        Part { hours, standard, lost, pieces, severity, at_risk, status, age, life }
    })
}

fn whole_days(days: i64) -> jiff::SignedDuration {
    jiff::SignedDuration::from_hours(24 * days)
}

/// Makes the figures of a resource say what `part` says.
fn tell(one: &mut Figures, part: Part, as_of: Timestamp) {
    // What is lost is what is open and not attained.
    let open = (part.hours + part.lost) * HOUR_MS;
    (one.elements.scheduled, one.elements.planned) = (open, 0);
    one.attainable_hours = Some(part.hours.into());
    one.demonstrated_standard_hours = Some(part.standard.into());
    one.good_units = Some(part.pieces.into());
    one.severity = Some(Box::new(Severity {
        value: Decimal::new(part.severity, 2),
        method: SeverityMethod::Queue,
        mix: Mix::Observed,
        start: one.start,
        end: one.end,
        status: Status::Live,
    }));
    one.risk = Some(Box::new(Risk {
        failure_probability: Decimal::ONE,
        repair_hours: part.at_risk.into(),
        hours_at_risk: part.at_risk.into(),
        asset: "asset".to_owned(),
        model_horizon: one.end,
        parts: Vec::new(),
        status: Status::Live,
    }));
    one.status = part.status;
    one.as_of = as_of - whole_days(part.age);
    one.valid_until = as_of + whole_days(part.life);
}

proptest! {
    #[test]
    fn a_declared_sum_is_right_for_every_kind_of_figure(a in part(), b in part()) {
        let (plant, mapping) = (fixture::plant(), fixture::mapping());
        let mut live = derivation(&[PeriodKind::Week]);
        let as_of = live.origin.as_of;
        for one in &mut live.figures {
            tell(one, if one.resource == "M3" { b } else { a }, as_of);
        }
        // How the target goes on with resources of its own changes nothing.
        let mut hours = measure("hours", "attainable_clock_hours", "week", "HUR", 2);
        hours.over_resources = Aggregation::None;
        let measures = [
            hours,
            measure("lost", "expected_lost_hours", "week", "HUR", 2),
            measure("pieces", "good_units", "week", "H87", 0),
            measure("severity", "severity", "week", "C62", 2),
            measure("risk", "hours_at_risk", "week", "HUR", 2),
            measure("status", "status", "week", "C62", 0),
            measure("covered", "covered", "week", "C62", 0),
            measure("as_of", "as_of", "week", "C62", 0),
            measure("valid_until", "valid_until", "week", "C62", 0),
        ];
        let landed = project(&request(&plant, &live, &mapping, &measures)).unwrap();
        let of = |name: &str| cell(&landed, "R-2", "2026-W47", name).value;
        let sum = |of: fn(Part) -> i64| Decimal::from(of(a) + of(b));
        prop_assert_eq!(of("hours"), sum(|part| part.hours));
        prop_assert_eq!(of("lost"), sum(|part| part.lost));
        prop_assert_eq!(of("pieces"), sum(|part| part.pieces));
        prop_assert_eq!(of("risk"), sum(|part| part.at_risk));
        prop_assert_eq!(of("severity"), Decimal::new(a.severity.max(b.severity), 2));
        prop_assert_eq!(of("status"), a.status.max(b.status).code().into());
        let both = a.status.is_measured() && b.status.is_measured();
        prop_assert_eq!(of("covered"), u8::from(both).into());
        // Both were derived at midnight of the second of November in Berlin...
        let day = |days: i64| {
            let date = jiff::civil::date(2026, 11, 2) + jiff::ToSpan::days(days);
            date.strftime("%Y%m%d").to_string().parse::<Decimal>().unwrap()
        };
        prop_assert_eq!(of("as_of"), day(-a.age.max(b.age)));
        // ... and end at a midnight: the day before is the last whole one.
        prop_assert_eq!(of("valid_until"), day(a.life.min(b.life) - 1));
        let until = cell(&landed, "R-2", "2026-W47", "hours").valid_until;
        prop_assert_eq!(until, as_of + whole_days(a.life.min(b.life)));
    }
}

#[test]
fn demonstrated_standard_hours_of_a_declared_sum_add_up() {
    let (plant, mut live) = (fixture::plant(), derivation(&[PeriodKind::Week]));
    let expects = Figure::DemonstratedStandardHours;
    let mapping = Mapping { expects, ..fixture::mapping() };
    for one in &mut live.figures {
        one.demonstrated_standard_hours = Some(if one.resource == "M3" { 30 } else { 50 }.into());
    }
    let measures = [measure("standard", "demonstrated_standard_hours", "week", "HUR", 2)];
    let landed = project(&request(&plant, &live, &mapping, &measures)).unwrap();
    assert_eq!(cell(&landed, "R-2", "2026-W47", "standard").value, 80.into());
}
