//! Every cell that lands can be recomputed from its explanation: figures,
//! shares, parallel units, unit, and the one rounding.

#![expect(clippy::unwrap_used, reason = "a test that can't read its input must fail there")]

mod arithmetic;
mod steps;
mod twin;

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
};

use planthread_contracts::{MeasureDecl, PeriodKind};
use planthread_domain::{
    Decoder, Derivation, Facts, Mapping, Plant, derive,
    derive::Deriver,
    project::{self, Request},
    rows,
};
use rust_decimal::Decimal;

#[derive(serde::Deserialize)]
struct Example {
    plant: Plant,
}

/// The line-simulation example with a twin; M2 is two machines side by side.
fn derived() -> (Plant, Derivation, Derivation) {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../examples/line-simulation");
    let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
    let example: Example = serde_saphyr::from_str(&read("planthread.yaml")).unwrap();
    let mut plant = example.plant;
    plant.resources[1].parallel_units = 2;
    plant.horizon.future_weeks = 6;
    let as_of = plant.as_of.unwrap();
    let decoder = Decoder::new(&plant).unwrap();
    let mut facts = Facts::default();
    for source in &plant.sources {
        for file in &source.files {
            for record in rows(read(file).as_bytes(), source, file, as_of) {
                decoder.decode(&record.unwrap(), &mut facts).unwrap();
            }
        }
    }
    let (plant, facts) = twin::told(plant, facts);
    let kinds = [PeriodKind::Day, PeriodKind::Week, PeriodKind::Month];
    let live = derive(&plant, &facts, as_of, &kinds).unwrap();
    let (of_plant, known) = (Cow::Borrowed(&plant), Cow::Borrowed(&facts));
    let cut = Deriver::of_cut(of_plant, known, as_of, &kinds).unwrap().all();
    (plant, live, cut)
}

fn measure(name: &str, of: &str, unit: &str, scale: u32, level: &str, over: &str) -> MeasureDecl {
    let role = match of {
        "as_of" | "valid_until" | "heartbeat" => "stamp",
        _ => "value",
    };
    serde_json::from_value(serde_json::json!({
        "name": name, "surface": name.to_uppercase(), "carries": of, "unit": unit,
        "scale": scale, "level": level, "over_time": over, "over_resources": over,
        "owner": "bridge", "role": role,
    }))
    .unwrap()
}

fn mapping(expects: &str) -> Mapping {
    serde_json::from_value(serde_json::json!({
        "version": "1", "expects": expects,
        "rows": [
            { "source": "M1", "resource": "R-1", "location": "1010", "share": "0.37" },
            { "source": "M2", "resource": "R-2", "location": "1010", "combine": "sum" },
            { "source": "M3", "resource": "R-2", "location": "1010", "share": "0.5", "combine": "sum" },
            { "source": "M4", "resource": "R-4", "location": "1010" },
        ],
    }))
    .unwrap()
}

fn explained(expects: &str, measures: &[MeasureDecl]) -> BTreeMap<String, usize> {
    let (plant, live, cut) = derived();
    let mapping = mapping(expects);
    let request = Request {
        plant: &plant,
        live: &live,
        cut: Some(&cut),
        target: "t",
        scope: "",
        mapping: &mapping,
        measures,
        released: None,
        heartbeat: Some(4_711.into()),
    };
    let mut counted = BTreeMap::new();
    for cell in project::project(&request).unwrap().cells {
        let found = project::explain(&request, &cell.key).unwrap();
        let (_, value) = steps::last_of(&found.landed);
        assert_eq!(value, cell.value, "{}: {}", cell.key, found.landed);
        // The figures are the numbers with which the landing begins.
        for (figure, step) in found.figures.iter().zip(&found.landed.steps) {
            let (_, end) = steps::last_of(figure);
            let begin = step.formula.split(' ').next().unwrap().parse::<Decimal>().unwrap();
            assert_eq!(begin.round_dp(9), end.round_dp(9), "{}: {}", cell.key, found.landed);
        }
        *counted.entry(cell.key.measure.into()).or_default() += 1;
    }
    counted
}

#[test]
fn every_cell_is_reproduced_from_its_figures() {
    let measures = [
        measure("live", "attainable_clock_hours", "HUR", 1, "week", "sum"),
        measure("by_day", "attainable_clock_hours", "MIN", 0, "day", "sum"),
        measure("cut", "plan_cut", "HUR", 2, "month", "sum"),
        measure("low", "low_hours", "DAY", 3, "week", "min"),
        measure("lost", "expected_lost_hours", "HUR", 2, "day", "sum"),
        measure("severity", "severity", "C62", 1, "week", "max"),
        measure("risk", "hours_at_risk", "HUR", 2, "week", "sum"),
        measure("status", "status", "C62", 0, "week", "max"),
        measure("covered", "covered", "C62", 0, "week", "sum"),
        measure("as_of", "as_of", "C62", 0, "week", "max"),
        measure("valid_until", "valid_until", "C62", 0, "week", "max"),
        measure("beat", "heartbeat", "C62", 0, "week", "max"),
    ];
    let counted = explained("attainable_clock_hours", &measures);
    let names: BTreeSet<&str> = measures.iter().map(|measure| measure.name.as_str()).collect();
    assert_eq!(counted.keys().map(String::as_str).collect::<BTreeSet<_>>(), names, "{counted:?}");
}

#[test]
fn cells_of_standard_hours_and_good_parts_are_reproduced_too() {
    let measures = [
        measure("standard", "demonstrated_standard_hours", "HUR", 2, "day", "sum"),
        measure("cut", "plan_cut", "HUR", 2, "week", "sum"),
        measure("good", "good_units", "H87", 0, "week", "sum"),
    ];
    let counted = explained("demonstrated_standard_hours", &measures);
    assert_eq!(counted.len(), 3, "{counted:?}");
}
