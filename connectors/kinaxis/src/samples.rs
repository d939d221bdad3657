//! Settings, measures and cells that several tests use. Names are those of the
//! sandbox.

use planthread_contracts::{CellKey, MeasureDecl};
use planthread_kit::CellWrite;
use serde_json::{Value, json};

use crate::config::{Config, Layout};

/// The settings of a tenant of the constraint family.
pub(crate) fn settings() -> Value {
    json!({
        "base_url": "https://na1.kinaxis.net/PTDM01_DEV01",
        "auth": { "kind": "basic", "user": "planthread", "password": "${file:secret}" },
        "guide_edition": "2016.2",
        "table_family": "constraint",
        "write_route": "bulk_upload",
        "rate_basis": "period",
        "effective_out": "inclusive",
        "file_dates": "yyyymmdd",
        "non_keyed": "modify",
        "own_tables": [{ "name": "Planthread::CapacitySignal" }],
    })
}

pub(crate) fn config() -> Config {
    serde_json::from_value(settings()).unwrap()
}

/// The tables of [`measures`].
pub(crate) fn layouts() -> Vec<Layout> {
    config().layouts(&measures()).unwrap()
}

fn measure(name: &str, surface: &str, scale: u32) -> MeasureDecl {
    serde_json::from_value(json!({ "name": name, "surface": surface,
        "carries": "attainable_clock_hours", "unit": "HUR", "scale": scale, "level": "week",
        "over_time": "sum", "over_resources": "sum", "owner": "bridge", "role": "value" }))
    .unwrap()
}

/// Three measures in two tables.
pub(crate) fn measures() -> Vec<MeasureDecl> {
    vec![
        measure("cut", "Mfg::ConstraintAvailable.Rate", 2),
        measure("live", "Planthread::CapacitySignal.Live", 2),
        measure("as_of", "Planthread::CapacitySignal.AsOf", 0),
    ]
}

fn cell(measure: &str, (resource, location): (&str, &str), value: &str) -> CellWrite {
    CellWrite {
        key: CellKey {
            target: "maestro".into(),
            scope: "Capacity Signals".into(),
            resource: resource.into(),
            location: location.into(),
            product: None,
            period: "2026-W49".parse().unwrap(),
            measure: measure.into(),
        },
        revision: 1,
        value: value.parse().unwrap(),
    }
}

/// Two cell groups of three measures.
pub(crate) fn batch() -> Vec<CellWrite> {
    let places = [(("LINE-1", "1010"), "36.5"), (("LINE-2", "1020"), "40")];
    let group = |(place, value): (_, &str)| {
        [cell("as_of", place, "20261122"), cell("cut", place, value), cell("live", place, "35.25")]
    };
    places.into_iter().flat_map(group).collect()
}
