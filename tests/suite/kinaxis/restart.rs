//! What a Full file must not lack, and what a dead attempt left behind, is known to the
//! ledger, so a new process knows it.

use std::time::Duration;

use planthread::{in_process::gate::Effect, pipeline::TargetCycle};
use planthread_contracts::CellKey;
use planthread_engine::{
    ledger::{self, Lock, LockKind},
    status,
};
use planthread_kit::Clock as _;
use planthread_mocks::{Setup, Simulator as _, Writer};
use serde_json::{Value, json};

use super::registered;
use crate::{mortal::Mortal, site::Site, way::Way};

/// A target that loads Full files, of two tables.
fn way() -> Way {
    Way::all(registered()).into_iter().find(|way| way.name == "load").unwrap()
}

/// A target that loads Full files, with everything landed.
fn landed() -> Site {
    let site = Site::of((registered(), &way()), Setup::default(), |sandbox| sandbox);
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

/// The cells of one table.
fn cells_of(mortal: &Mortal, table: &str) -> Vec<CellKey> {
    let bridge = mortal.site.bridge();
    let target = bridge.target(Some("maestro")).unwrap();
    let mut keys = Vec::new();
    ledger::cells(&bridge.reader().unwrap(), mortal.site.clock.now(), |cell| {
        let mut measures = target.config.measures.iter();
        let mine = |name: &str| name == cell.key.measure.as_str();
        if measures.any(|one| mine(&one.name) && one.surface.starts_with(table)) {
            keys.push(cell.key);
        }
        Ok(())
    })
    .unwrap();
    keys
}

/// Tables that the bridge wrote to.
fn written(mortal: &Mortal) -> Vec<String> {
    let changes = mortal.gate().history().into_iter();
    let ours = changes.filter(|one| matches!(one.cell.writer, Writer::Integration(_)));
    ours.map(|one| one.cell.measure).collect()
}

/// Cycles until something is true, at most three.
fn until(mortal: &Mortal, done: impl Fn() -> bool) -> bool {
    (0..3).any(|_| {
        mortal.site.clock.advance(Duration::from_mins(20));
        mortal.cycle() && done()
    })
}

/// Law 4: the bridge dies when all files lie there and the trigger never arrives; the next
/// one has nothing for a table that is empty, and loads the others. A death at any other
/// request is a case of the conformance suite.
#[test]
fn a_file_of_a_dead_attempt_is_not_loaded_for_a_table_that_gets_nothing() {
    let (mortal, keys) = dead_before_the_trigger(&way());
    assert!(until(&mortal, || !written(&mortal).is_empty()), "nothing was loaded");
    let stale = written(&mortal).into_iter().find(|measure| measure.starts_with(TABLE));
    assert_eq!(stale, None);
    for key in keys {
        ledger::unlock(&mortal.site.bridge().state, key).unwrap();
    }
    assert!(until(&mortal, || open(&mortal.site) == 0));
}

/// Nothing public says what an empty Full file does.
#[test]
fn without_the_switch_no_empty_file_is_made_and_nothing_is_loaded() {
    let mut way = way();
    way.targets["maestro"]["settings"]["data_load"]["empty_file"] = false.into();
    let (mortal, _) = dead_before_the_trigger(&way);
    assert!(!until(&mortal, || !written(&mortal).is_empty()), "{:?}", written(&mortal));
}

const TABLE: &str = "Planthread::PlanCut.";

/// A bridge that died with all files in the extract area, and a person who takes all
/// cells of one table then.
fn dead_before_the_trigger(way: &Way) -> (Mortal, Vec<CellKey>) {
    let mut mortal = Mortal::new(registered(), way);
    let lines = mortal.undisturbed();
    let trigger = lines.iter().position(|line| line.ends_with("/dataupdate/trigger")).unwrap();
    mortal.begin();
    mortal.gate().kill = Some((trigger + 1, Effect::None));
    assert!(!mortal.cycle());
    mortal.gate().killed = false;
    // A person takes all cells of one table.
    let (keys, now) = (cells_of(&mortal, TABLE), mortal.site.clock.now());
    assert!(!keys.is_empty());
    for key in keys.clone() {
        let (owner, reason) = ("planner".to_owned(), "decided".to_owned());
        let until = now + Duration::from_hours(100);
        let lock = Lock { key, kind: LockKind::Send, owner, reason, since: now, until };
        ledger::lock(&mortal.site.bridge().state, lock).unwrap();
    }
    (mortal, keys)
}
