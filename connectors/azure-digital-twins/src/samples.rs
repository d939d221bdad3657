//! What the tests of this crate share: settings, measures, cells.

use planthread_contracts::{CellKey, MeasureDecl};
use planthread_kit::CellWrite;
use serde_json::{Value, json};

use crate::Config;

pub(crate) fn settings() -> Value {
    json!({ "host": "https://plant.api.wcus.digitaltwins.azure.net",
        "auth": { "kind": "bearer", "token": "${env:TOKEN}" } })
}

pub(crate) fn config() -> Config {
    serde_json::from_value(settings()).unwrap()
}

fn measure(name: &str, surface: &str, carries: &str, scale: u32) -> MeasureDecl {
    serde_json::from_value(json!({ "name": name, "surface": surface, "carries": carries,
        "unit": "HUR", "scale": scale, "level": "week", "over_time": "sum",
        "over_resources": "sum", "owner": "bridge", "role": "value" }))
    .unwrap()
}

pub(crate) fn measures() -> Vec<MeasureDecl> {
    vec![
        measure("live", "attainableHours", "attainable_clock_hours", 2),
        measure("as_of", "asOf", "as_of", 0),
    ]
}

pub(crate) fn cell(resource: &str, period: &str, measure: &str, value: &str) -> CellWrite {
    CellWrite {
        key: CellKey {
            target: "twins".into(),
            scope: "".into(),
            resource: resource.into(),
            location: "1010".into(),
            product: None,
            period: period.parse().unwrap(),
            measure: measure.into(),
        },
        revision: 1,
        value: value.parse().unwrap(),
    }
}
