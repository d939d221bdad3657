//! Settings, measures and cells that several tests use. Names are those of the
//! sandbox where they exist there.

use std::sync::Arc;

use planthread_contracts::{CellKey, MeasureDecl, Scope};
use planthread_kit::{
    BoxFuture, CellWrite, Quota, Secret, SendError, Transport, VirtualClock,
    http::{Basic, HttpStack, RequestPolicy},
};
use serde_json::json;

use crate::{
    config::{
        Config,
        tests::{read, settings},
    },
    context::Context,
};

/// A network that nothing may use.
#[derive(Debug)]
struct Silent;

impl Transport for Silent {
    fn send(
        &self,
        request: http::Request<bytes::Bytes>,
    ) -> BoxFuture<'_, Result<http::Response<bytes::Bytes>, SendError>> {
        panic!("no request was expected: {}", request.method())
    }
}

/// A stack over it, with a password.
pub(crate) fn silent() -> HttpStack {
    let clock = Arc::new(VirtualClock::new("2026-01-05T06:00:00Z".parse().unwrap(), 1));
    let quota = Arc::new(Quota::unlimited(clock.clone()));
    let auth = Arc::new(Basic::new("planthread", Secret::new("hunter2")));
    HttpStack::new(Arc::new(Silent), clock, quota, auth, RequestPolicy::default())
}

/// A configuration with one measure that needs a unit.
pub(crate) fn config() -> Config {
    let mut settings = settings();
    settings["measures"] = json!({ "output": { "conversions": { "UOMTOID": "EA" } } });
    read(&settings).unwrap()
}

fn measure(name: &str, surface: &str, scale: u32, over_resources: &str) -> MeasureDecl {
    serde_json::from_value(json!({ "name": name, "surface": surface,
        "carries": "attainable_clock_hours", "unit": "HUR", "scale": scale, "level": "week",
        "over_time": "sum", "over_resources": over_resources, "owner": "bridge", "role": "value" }))
    .unwrap()
}

/// The planning service, for what needs no network.
pub(crate) fn planning_service() -> planthread_odata::Service {
    let context = Context::new(config(), Scope::named("UPSIDE"), measures(), silent());
    context.planning
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
            target: "ibp".into(),
            scope: "UPSIDE".into(),
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
