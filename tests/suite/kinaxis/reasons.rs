//! Why a number is what it is, of which source, and how old: a text in the row of the
//! numbers, which a planner reads on the page, by whatever way they came.

use std::collections::BTreeMap;

use http::Request;
use planthread_kit::{Clock as _, agreement::SigningKey, rows::RowKey};
use planthread_mocks::Setup;
use serde_json::{Value, json};

use super::{Rig, cell, measure, measures, registered, settings, week};
use crate::{site::Site, way::Way};

const SIGNALS: &str = "Capacity Signals";
const LIVE: &str = "Planthread::CapacitySignal.Live";

/// What the page of LINE-1 tells beside each stored period that has a live value.
fn told(page: &Value) -> BTreeMap<String, Option<String>> {
    let measures = page["measures"].as_array().unwrap();
    let live = measures.iter().find(|measure| measure["id"] == LIVE).unwrap();
    let columns = page["columns"].as_array().unwrap().iter().zip(live["cells"].as_array().unwrap());
    columns
        .filter(|(column, cell)| column["total"] == false && !cell.is_null())
        .map(|(column, _)| {
            let id = column["id"].as_str().unwrap().to_owned();
            (id, column["told"].as_str().map(str::to_owned))
        })
        .collect()
}

fn page() -> Request<bytes::Bytes> {
    let query = "resource=LINE-1&location=1010&version=Capacity%20Signals&from=2026-11&months=3";
    Request::get(format!("/planner/data.json?{query}")).body(bytes::Bytes::new()).unwrap()
}

#[test]
fn every_landed_row_says_why_whose_and_how_old_by_every_way() {
    for way in [Way::default()].into_iter().chain(Way::all(registered())) {
        let site = Site::of((registered(), &way), Setup::default(), |sandbox| sandbox);
        let bridge = site.bridge();
        let targets = bridge.targets(Some("maestro")).unwrap();
        let done = site.clock.block_on(bridge.cycle(&targets, bridge.as_of())).unwrap();
        assert!(done.targets[0].stopped.is_none(), "{}: {:?}", way.name, done.targets[0].stopped);
        let answer = site.send(&page()).response;
        let told = told(&serde_json::from_slice(answer.body()).unwrap());
        assert!(told.len() > 14, "{}: {told:?}", way.name);
        for (period, text) in &told {
            let text = text.as_deref().unwrap_or_else(|| panic!("{}: {period}", way.name));
            let begins = text.split(':').next().unwrap();
            assert!(["live", "held", "assumed"].contains(&begins), "{text}");
            for part in ["attainable ", "; source press-a; known as of 2026-11-", "; recipe "] {
                assert!(text.contains(part), "{}, {period}: {text}", way.name);
            }
        }
    }
}

fn reasoned(route: &Value) -> Value {
    let mut settings = settings(json!({
        "own_tables": [{ "name": "Planthread::CapacitySignal", "reason": "Reason" }],
        "agreement": { "file": "agreements/kinaxis-merge.json",
            "trusts": { "planthread demo": SigningKey::demo().unwrap().public() } },
    }));
    for (name, value) in route.as_object().unwrap() {
        settings[name] = value.clone();
    }
    settings
}

/// Rows that a push does not bring keep their reason; one that it brings gets its own.
#[test]
fn a_reason_stays_with_the_numbers_that_it_tells_of() {
    let load = |operation: &str| {
        json!({ "write_route": "data_load", "data_load": { "source": "capacity_signals_ds",
            "operation": operation, "success": ["Completed"] } })
    };
    for (route, on) in
        [(json!({}), vec![]), (load("Full"), vec![]), (load("Partial"), vec!["partial-load"])]
    {
        let rig = Rig::new(&on);
        let own = [measure("live", LIVE), measure("lost", "Planthread::CapacitySignal.Lost")];
        // The agreement on a load that merges speaks of the rate, too.
        let rate = measures().remove(0);
        let own: Vec<_> = own.into_iter().chain((!on.is_empty()).then_some(rate)).collect();
        let connector = rig.open(SIGNALS, &reasoned(&route), &own).unwrap();
        assert!(connector.info().capabilities.tells);
        let push = |measure: &str, number, value: &str, text: &str| {
            let write = cell(SIGNALS, measure, week(number), value);
            let told = [(RowKey::of(&write.key), text.to_owned())].into();
            rig.push_telling(connector.as_ref(), &[write], told).unwrap()
        };
        push("live", 49, "36.5", "live: first");
        push("live", 50, "30", "held: second");
        push("lost", 49, "3.5", "live: corrected");
        let answer = rig.sandbox.lock().unwrap().handle(rig.clock.now(), &page()).response;
        let told = told(&serde_json::from_slice(answer.body()).unwrap());
        let text = |week: &str| told[week].as_deref();
        assert_eq!(text("2026-W49"), Some("live: corrected"));
        assert_eq!(text("2026-W50"), Some("held: second"));
        let seen = rig.read(connector.as_ref(), SIGNALS).unwrap();
        assert_eq!(seen.values().flatten().count(), 3, "no text is read as a value: {seen:?}");
    }
}

#[test]
fn a_reason_needs_a_field_of_its_own() {
    let rig = Rig::new(&[]);
    let mut settings = settings(json!({}));
    settings["own_tables"][0]["reason"] = "Live".into();
    let fault = rig.open(SIGNALS, &settings, &[measure("live", LIVE)]).unwrap_err();
    assert!(fault.to_string().contains("text field of its own"), "{fault}");
}
