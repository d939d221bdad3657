//! What a Full file must not lack is known to the ledger, so a new process knows it.

use std::time::Duration;

use planthread::pipeline::TargetCycle;
use planthread_engine::status;
use planthread_kit::Clock as _;
use planthread_mocks::Setup;
use serde_json::{Value, json};

use super::registered;
use crate::{site::Site, way::Way};

/// A target that loads Full files, with everything landed.
fn landed() -> Site {
    let way = Way::all(registered()).into_iter().find(|way| way.name == "load").unwrap();
    let site = Site::of((registered(), &way), Setup::default(), |sandbox| sandbox);
    let done = started(&site);
    assert!(done.stopped.is_none(), "{:?}", done.stopped);
    assert_eq!(open(&site), 0);
    site
}

/// One cycle of a new process.
fn started(site: &Site) -> TargetCycle {
    let bridge = site.bridge();
    let targets = bridge.targets(Some("maestro")).unwrap();
    let mut done = site.clock.block_on(bridge.cycle(&targets, bridge.as_of())).unwrap();
    done.targets.remove(0)
}

/// Cells of the signal scenario that are wanted and not seen.
fn open(site: &Site) -> u64 {
    let scopes = status::status(&site.bridge().reader().unwrap(), site.clock.now()).unwrap().scopes;
    let scope = scopes.into_iter().find(|scope| scope.target == "maestro").unwrap();
    scope.wanted - scope.seen
}

/// Somebody deletes the rows of LINE-4 that begin on a day.
fn delete(site: &Site, day: &str) {
    let post = |path: &str, body: &Value| {
        let request = http::Request::post(format!("/PTDM01_DEV01/integration/V1/{path}"))
            .header("authorization", "Basic cGxhbnRocmVhZDpwbGFudGhyZWFk")
            .header("content-type", "application/json")
            .body(bytes::Bytes::from(body.to_string()))
            .unwrap();
        serde_json::from_slice::<Value>(site.send(&request).response.body()).unwrap()
    };
    let staged = post(
        "bulk/remove",
        &json!({ "Scenario": { "Name": "Capacity Signals", "Scope": "Public" },
            "Table": { "Namespace": "Planthread", "Name": "CapacitySignal" },
            "Fields": ["Constraint.Name", "EffectiveInDate"],
            "Rows": [{ "Values": ["LINE-4", day] }] }),
    );
    let id = staged["RemovalId"].as_str().unwrap().trim_start_matches('#');
    let done = post(&format!("bulk/remove/{id}/complete"), &json!({}));
    assert_eq!(done["Results"]["DeleteRowCount"], 1, "{done}");
}

#[test]
fn a_row_that_vanished_while_the_bridge_was_down_stops_the_next_full_file() {
    let site = landed();
    let changes = site.stored().0.len();
    delete(&site, "2026-11-30");
    let left = site.stored().0.len();
    assert!(left < changes);
    // News of another line would go out in a file that lacks the row.
    site.foretell();
    let stopped = started(&site).stopped.map(|failure| format!("{failure:?}")).unwrap_or_default();
    assert!(
        stopped.contains("lacks 1 rows that were seen, first LINE-4@1020 2026-11-30"),
        "{stopped}"
    );
    assert_eq!(site.stored().0.len(), left, "nothing was written");
    assert!(open(&site) > 0);
    // What was read grows old; then it is read again, missed, and sent with the rest.
    for _ in 0..3 {
        site.clock.advance(Duration::from_hours(25));
        started(&site);
    }
    assert_eq!(open(&site), 0);
    assert!(site.stored().0.len() >= changes);
}
