//! Settings, measures and cells that several tests use. Names are those of the
//! sandbox where they exist there.

use planthread_contracts::{CellKey, MeasureDecl};
use planthread_kit::CellWrite;
use serde_json::json;

use crate::config::{Config, tests::settings};

/// A configuration with one measure that needs a unit.
pub(crate) fn config() -> Config {
    let mut settings = settings();
    settings["measures"] = json!({ "output": { "conversions": { "UOMTOID": "EA" } } });
    Config::read(settings).unwrap()
}

fn measure(name: &str, surface: &str, scale: u32, over_resources: &str) -> MeasureDecl {
    serde_json::from_value(json!({ "name": name, "surface": surface,
        "carries": "attainable_clock_hours", "unit": "HUR", "scale": scale, "level": "week",
        "over_time": "sum", "over_resources": over_resources, "owner": "bridge", "role": "value" }))
    .unwrap()
}

/// Four weekly measures.
pub(crate) fn measures() -> Vec<MeasureDecl> {
    vec![
        measure("live", "TWINCAPALIVE", 2, "sum"),
        measure("cut", "TWINCAPA", 2, "sum"),
        measure("output", "TWINOUTPUT", 0, "sum"),
        measure("severity", "TWINSEVERITY", 4, "max"),
    ]
}

/// A cell of scope `UPSIDE` at location 1010.
pub(crate) fn cell(measure: &str, resource: &str, period: &str, value: &str) -> CellWrite {
    CellWrite {
        key: CellKey {
            target: "ibp".to_owned(),
            scope: "UPSIDE".to_owned(),
            resource: resource.to_owned(),
            location: "1010".to_owned(),
            product: None,
            period: period.parse().unwrap(),
            measure: measure.to_owned(),
        },
        revision: 1,
        value: value.parse().unwrap(),
    }
}
