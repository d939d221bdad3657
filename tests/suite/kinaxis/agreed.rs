//! A write that rests on what no public material confirms (a load that merges) goes
//! out under a signed agreement only, as it does at a target whose vendor publishes
//! no write at all.

use std::fs;

use planthread::pipeline::{TargetCycle, enable, standing};
use planthread_kit::{
    Class, Clock as _, ConnectorError,
    agreement::{SigningKey, State, document::Signed, gate::sign},
};
use planthread_mocks::Setup;
use serde_json::{Value, json};

use super::{Rig, cell, measures, registered, settings, week};
use crate::{site::Site, way::Way};

const SIGNALS: &str = "Capacity Signals";
const FILE: &str = "agreements/kinaxis-merge.json";

/// What is shipped, changed, and signed with a key of ours.
fn signed(change: impl FnOnce(&mut Value)) -> (Signed, String) {
    let key = SigningKey::read(&"5".repeat(64)).unwrap();
    let (_, text) = registered().target.starter.files[0];
    let mut document = serde_json::from_str::<Signed>(text).unwrap().document;
    change(&mut document);
    (sign(document, &key), key.public())
}

/// Settings of a load that merges, under what is in `file`.
fn merges(agreement: &Value) -> Value {
    settings(json!({
        "write_route": "data_load",
        "data_load": { "source": "capacity_signals_ds", "operation": "Partial",
            "success": ["Completed"] },
        "agreement": agreement,
    }))
}

/// Pushes one cell under this agreement.
fn push(rig: &Rig, name: &str, change: impl FnOnce(&mut Value)) -> Result<(), ConnectorError> {
    let (signed, public) = signed(change);
    let file = format!("{name}.json");
    rig.keep(&file, &serde_json::to_string(&signed).unwrap());
    let settings = merges(&json!({ "file": file, "trusts": { "Ada": public } }));
    let connector = rig.open(SIGNALS, &settings, &measures()).unwrap();
    rig.push(connector.as_ref(), &[cell(SIGNALS, "cut", week(49), "36.5")]).map(drop)
}

#[test]
fn without_an_agreement_everything_works_but_the_write() {
    let rig = Rig::new(&["partial-load"]);
    let connector = rig.open(SIGNALS, &merges(&json!({})), &measures()).unwrap();
    let cells = [cell(SIGNALS, "cut", week(49), "36.5")];
    let error = rig.push(connector.as_ref(), &cells).unwrap_err();
    assert!(error.class == Class::Auth && error.took_nothing, "{error}");
    assert!(rig.sandbox.lock().unwrap().history().is_empty());
    assert_eq!(rig.read(connector.as_ref(), SIGNALS).unwrap().len(), 0);
    assert_eq!(connector.pack(&cells).unwrap().len(), 2);
    let found = rig.clock.block_on(connector.discover()).unwrap();
    let line = found.findings.iter().find(|one| one.line == "agreement").unwrap();
    assert!(!line.ok && line.text.starts_with("unverified"), "{line:?}");
}

#[test]
fn what_is_confirmed_needs_none() {
    let rig = Rig::new(&[]);
    let mut full = merges(&json!({}));
    full["data_load"]["operation"] = "Full".into();
    for settings in [settings(json!({})), full.clone()] {
        let connector = rig.open(SIGNALS, &settings, &measures()).unwrap();
        assert!(connector.info().agreement.is_none());
    }
    // No client was seen to write the days of a file in another form, and a Full file
    // can't be tried with one cell group.
    full["file_dates"] = "dd.mm.yyyy".into();
    let refused = rig.open(SIGNALS, &full, &measures()).unwrap_err();
    assert_eq!(refused.field, "settings.file_dates", "{refused:?}");
    let mut merging = merges(&json!({}));
    merging["file_dates"] = "dd.mm.yyyy".into();
    assert!(rig.open(SIGNALS, &merging, &measures()).unwrap().info().agreement.is_some());
}

#[test]
fn one_that_holds_lands_and_one_that_does_not_stops() {
    let rig = Rig::new(&["partial-load"]);
    push(&rig, "good", |_| {}).unwrap();
    let refused = |name: &str, change: &dyn Fn(&mut Value)| {
        let error = push(&rig, name, change).unwrap_err();
        assert!(error.class == Class::Auth && error.took_nothing, "{error}");
        error.message
    };
    let expired = refused("expired", &|document| {
        document["approved"]["expires"] = "2026-11-01T00:00:00Z".into();
    });
    assert!(expired.contains("expired"), "{expired}");
    let other = refused("other-word", &|document| {
        document["settings"]["data_load.operation"] = "Merge".into();
    });
    assert!(other.contains("`data_load.operation`"), "{other}");
    let unstated = refused("unstated", &|document| document["settings"] = json!({}));
    assert!(unstated.contains("does not state"), "{unstated}");
    let rendered = refused("rendered", &|document| {
        document["golden"][0]["request"]["body"]["OperationType"] = "Merge".into();
    });
    assert!(rendered.contains("file_taken"), "{rendered}");
    let elsewhere = refused("elsewhere", &|document| {
        document["golden"][0]["head"]["table"] = "Mfg::Constraint".into();
    });
    assert!(elsewhere.contains("no measure lies in `Mfg::Constraint`"), "{elsewhere}");
    let changes = rig.sandbox.lock().unwrap().history().len();
    assert_eq!(changes, 1, "only the first one landed");
}

/// One cycle of a new process.
fn started(site: &Site) -> TargetCycle {
    let bridge = site.bridge();
    let targets = bridge.targets(Some("maestro")).unwrap();
    let mut done = site.clock.block_on(bridge.cycle(&targets, bridge.as_of())).unwrap();
    done.targets.remove(0)
}

/// A tenant that nobody plans with, whose agreement is signed and not probed.
fn contracted(on: &[&str]) -> Site {
    let way = Way::all(registered()).into_iter().find(|way| way.name == "merge").unwrap();
    let on = on.iter().map(|name| (*name).to_owned()).collect();
    let setup = Setup { on, ..Setup::default() };
    let site = Site::of((registered(), &way), setup, |sandbox| sandbox);
    let (signed, public) = signed(|document| {
        document["environment"] = "non_production".into();
        document["hosts"] = json!(["http://127.0.0.1:9102/PTDM01_DEV01"]);
    });
    fs::write(site.folder.join(FILE), serde_json::to_string(&signed).unwrap()).unwrap();
    let config = site.folder.join("planthread.yaml");
    let demo = SigningKey::demo().unwrap().public();
    let text = fs::read_to_string(&config).unwrap().replace(&demo, &public);
    fs::write(&config, text).unwrap();
    site
}

#[test]
fn a_tenant_is_probed_and_enabled_by_persons_before_it_is_written() {
    let site = contracted(&[]);
    let state = || {
        let target = site.bridge().target(Some("maestro")).unwrap();
        standing(&target, site.clock.now()).unwrap().state
    };
    assert_eq!(state(), State::Contracted);
    assert!(started(&site).stopped.is_some());
    let (_, written) = site.stored();
    assert_eq!(written.len(), 0, "nothing goes out before a probe");
    let bridge = site.bridge();
    let probed = site.clock.block_on(bridge.probe(Some("maestro"), "Bea")).unwrap();
    assert!(probed.seen == probed.cells.len() && probed.seen > 0, "{probed:?}");
    assert_eq!(site.stored().1.len(), probed.seen, "two cell groups, and no more");
    assert!(probed.beside > 0 && probed.changed.is_empty(), "the first one stays: {probed:?}");
    drop(bridge);
    assert_eq!(state(), State::Probed);
    enable(&site.bridge().target(Some("maestro")).unwrap(), "Ada", site.clock.now()).unwrap();
    assert_eq!(state(), State::Enabled);
    let done = started(&site);
    assert!(done.stopped.is_none(), "{:?}", done.stopped);
    assert!(site.stored().1.len() > probed.seen);
}

/// The word for a load that merges replaces the table instead.
#[test]
fn a_probe_whose_load_deletes_other_rows_suspends_the_agreement() {
    let site = contracted(&["partial-replaces"]);
    let bridge = site.bridge();
    bridge.ingest().unwrap();
    let probed = site.clock.block_on(bridge.probe(Some("maestro"), "Bea")).unwrap();
    assert!(!probed.changed.is_empty(), "{probed:?}");
    assert_eq!(probed.agreement.state, State::Suspended);
    let missing = &probed.agreement.missing;
    assert!(missing.contains("changed") && missing.contains("did not send"), "{missing}");
    let target = bridge.target(Some("maestro")).unwrap();
    assert!(enable(&target, "Ada", site.clock.now()).is_err());
}
