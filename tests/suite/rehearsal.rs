//! A sandbox in the shape of a configured target: a team rehearses against its
//! own names before it has a tenant.

use std::path::Path;

use planthread::{config, sandbox::shape_of};
use planthread_mocks::{SandboxShape, Setup, sap_ibp::Options};
use serde_json::{Value, json};

use crate::world::{World, measure, plan_of};

/// A tenant where nothing is called as in the sandbox.
fn renamed() -> Value {
    let mut config = plan_of(3, 5);
    let target = &mut config["targets"]["ibp"];
    target["scope"] = json!("UPSIDE");
    target["settings"]["planning_area"] = json!("ZACMESCP");
    target["settings"]["attributes"] = json!({ "resource": "ZRESOURCE", "location": "ZPLANT" });
    target["settings"]["time_fields"] = json!({ "week": "PERIODID2_TSTAMP" });
    target["settings"]["master_data"] = json!({ "resource_location": "ACMEWORKCENTER" });
    target["measures"] = json!([
        measure("live", "TWINACMELIVE", "attainable_clock_hours", "value"),
        measure("status", "TWINACMESTATUS", "status", "value"),
        measure("assumed", "ZCAPASUPPLY", "observed", "value"),
    ]);
    target["measures"][2]["owner"] = json!({ "other": "nightly ERP load" });
    target["in_use"] = json!({ "wiring": "job", "measure": "live", "driver": "assumed" });
    for (n, row) in target["mapping"]["rows"].as_array_mut().unwrap().iter_mut().enumerate() {
        row["resource"] = json!(format!("WC00{}0", n + 1));
        row["location"] = json!("DE01");
    }
    config
}

fn shape(config: &Value) -> SandboxShape {
    let loaded = config::parse(&config.to_string(), Path::new("/planthread.yaml"), None).unwrap();
    shape_of("ibp", &loaded.config.targets["ibp"])
}

#[test]
fn what_is_configured_is_checked_landed_and_read_back_under_its_own_names() {
    let config = renamed();
    let setup = Setup { shape: Some(shape(&config)), ..Setup::default() };
    let world = World::new(&config, Options::of(&setup).unwrap());
    let live = world.open();
    let found = world.clock.block_on(live.target.connector.discover()).unwrap();
    let wrong: Vec<_> = found.findings.iter().filter(|finding| !finding.ok).collect();
    assert!(wrong.is_empty(), "{wrong:?}");
    assert_eq!(found.resources.len(), 3, "{:?}", found.resources);
    assert_eq!(found.scopes, ["UPSIDE"]);
    let done = world.cycle(&live);
    let applied = done.applied.unwrap();
    assert_eq!((applied.sent, applied.accepted), (36, 36), "{applied:?}");
    world.assert_landed(&live, "in the shape of the target");
    assert!(
        world
            .stored()
            .keys()
            .all(|(resource, location, ..)| { resource.starts_with("WC00") && location == "DE01" })
    );
}

#[test]
fn a_shape_carries_no_word_on_who_we_are() {
    let config = renamed();
    let shape = shape(&config);
    assert!(shape.settings.get("auth").is_none() && shape.settings.get("host").is_some());
    assert!(!format!("{shape:?}").contains("password"));
    assert_eq!(shape.driver.as_deref(), Some("ZCAPASUPPLY"));
    assert_eq!((shape.driven_by.as_deref(), &*shape.wiring), (Some("TWINACMELIVE"), "job"));
}
