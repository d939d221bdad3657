//! Whatever the parts say, a total by maximum is the worst of them, and covered
//! counts those that were measured.

use planthread_contracts::Status;
use proptest::prelude::*;

use super::*;
use crate::{
    decode::Facts,
    derive::{Derivation, derive},
    fixture,
    model::{Mapping, Plant},
    project::project,
};

fn measure(name: &str, carries: &str, over: &str) -> MeasureDecl {
    serde_json::from_value(serde_json::json!({
        "name": name, "surface": name, "carries": carries, "scale": 0, "level": "week",
        "unit": if carries == "attainable_clock_hours" { "HUR" } else { "C62" },
        "over_time": over, "over_resources": over, "owner": "bridge", "role": "value",
    }))
    .unwrap()
}

fn measures() -> [MeasureDecl; 3] {
    [
        measure("live", "attainable_clock_hours", "sum"),
        measure("status", "status", "max"),
        measure("covered", "covered", "sum"),
    ]
}

/// Every source at a place of its own, or two of them at one.
fn mapping(pooled: bool) -> Mapping {
    let rows: Vec<_> = ["M1", "M2", "M3", "LINE"]
        .iter()
        .enumerate()
        .map(|(n, source)| {
            let place = if pooled { n.max(1) } else { n };
            serde_json::json!({ "source": source, "resource": format!("R-{place}"), "location": "1010" })
        })
        .collect();
    serde_json::from_value(serde_json::json!({
        "version": "1", "expects": "attainable_clock_hours", "rows": rows,
    }))
    .unwrap()
}

/// The figures of the plant, with statuses as given; none where there is none.
fn derived(plant: &Plant, statuses: &[Option<Status>; 4]) -> Derivation {
    let as_of = "2026-11-01T23:00:00Z".parse().unwrap();
    let mut live = derive(plant, &Facts::default(), as_of, &[PeriodKind::Week]).unwrap();
    let status_of = |resource: &str| {
        let names = ["M1", "M2", "M3", "LINE"];
        names.iter().position(|name| *name == resource).and_then(|place| statuses[place])
    };
    live.figures.retain(|one| status_of(&one.resource).is_some());
    for one in &mut live.figures {
        one.status = status_of(&one.resource).unwrap();
        one.attainable_hours = (one.status != Status::Unknown).then_some(Decimal::from(100));
    }
    live
}

fn any_status() -> impl Strategy<Value = Option<Status>> {
    let of_signals = Status::ALL.into_iter().filter(|one| *one != Status::Planner);
    proptest::option::weighted(0.9, proptest::sample::select(of_signals.collect::<Vec<_>>()))
}

proptest! {
    #[test]
    fn the_maximum_is_the_worst_and_covered_adds_up(
        statuses in prop::array::uniform4(any_status()),
        pooled: bool,
    ) {
        let plant = fixture::plant();
        let (live, mapping, measures) = (derived(&plant, &statuses), mapping(pooled), measures());
        let request = Request {
            plant: &plant, live: &live, cut: None, target: "t", scope: "", mapping: &mapping,
            measures: &measures, heartbeat: None, released: None,
        };
        let landed = project(&request).unwrap();
        let periods: BTreeSet<Period> = live.figures.iter().map(|one| one.period).collect();
        prop_assert!(statuses.iter().all(Option::is_none) || !periods.is_empty());
        // Without a figure nothing is known.
        let told = statuses.map(|status| status.unwrap_or(Status::Unknown));
        let parts: Vec<Status> = match pooled {
            true => vec![told[0].max(told[1]), told[2], told[3]],
            false => told.to_vec(),
        };
        for period in periods {
            let of = |name: &str| -> Vec<Decimal> {
                let cells = landed.cells.iter();
                cells
                    .filter(|cell| cell.key.period == period && cell.key.measure == name)
                    .map(|cell| cell.value)
                    .collect()
            };
            let (codes, covered) = (of("status"), of("covered"));
            prop_assert_eq!((codes.len(), covered.len()), (parts.len(), parts.len()));
            let worst = parts.iter().max().unwrap().code();
            prop_assert_eq!(codes.into_iter().max(), Some(worst.into()));
            let measured = parts.iter().filter(|part| part.is_measured()).count();
            prop_assert_eq!(covered.into_iter().sum::<Decimal>(), measured.into());
        }
    }

    #[test]
    fn a_persons_value_is_never_covered_nor_live(
        statuses in prop::array::uniform4(any_status()),
        taken in prop::array::uniform4(any::<bool>()),
    ) {
        let plant = fixture::plant();
        let (live, mapping, measures) = (derived(&plant, &statuses), mapping(false), measures());
        let request = Request {
            plant: &plant, live: &live, cut: None, target: "t", scope: "", mapping: &mapping,
            measures: &measures, heartbeat: None, released: None,
        };
        let mut cells = project(&request).unwrap().cells;
        let before = cells.clone();
        let held: BTreeSet<CellKey> = cells
            .iter()
            .filter(|cell| {
                let place: usize = cell.key.resource["R-".len()..].parse().unwrap();
                cell.key.measure == "live" && taken[place]
            })
            .map(|cell| cell.key.clone())
            .collect();
        say_planner(&mut cells, &measures, &held);
        for (now, then) in cells.iter().zip(&before) {
            let group = held.iter().any(|key| spot(key) == spot(&now.key));
            if !group || now.key.measure == "live" {
                prop_assert_eq!(now, then);
                continue;
            }
            // The only value of the group is hers.
            prop_assert_eq!(now.status, Status::Planner);
            let says = if now.key.measure == "covered" { 0 } else { Status::Planner.code() };
            prop_assert_eq!(now.value, says.into());
        }
    }
}

#[test]
fn what_is_worse_beside_a_persons_value_stays_worse() {
    let plant = fixture::plant();
    let live = derived(&plant, &[Some(Status::Assumed); 4]);
    let mapping = mapping(false);
    let mut measures = measures().to_vec();
    measures.push(measure("lost", "expected_lost_hours", "sum"));
    measures[3].unit = Unit::Hour;
    let request = Request {
        plant: &plant,
        live: &live,
        cut: None,
        target: "t",
        scope: "",
        mapping: &mapping,
        measures: &measures,
        heartbeat: None,
        released: None,
    };
    let mut cells = project(&request).unwrap().cells;
    let key = cells.iter().find(|cell| cell.key.measure == "live").unwrap().key.clone();
    say_planner(&mut cells, &measures, &BTreeSet::from([key.clone()]));
    let status = cells.iter().find(|c| c.key.measure == "status" && spot(&c.key) == spot(&key));
    assert_eq!(status.unwrap().value, Status::Assumed.code().into());
}
