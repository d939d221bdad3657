//! Data loads: a Full file carries its whole table and never what is not ours, one
//! that merges never empties a field, and what a dead attempt left is replaced.

use planthread_contracts::RowOutcome;
use planthread_kit::Class;
use serde_json::{Value, json};

use super::{Rig, cell, measure, measures, settings, week};

const SIGNALS: &str = "Capacity Signals";

fn load(operation: &str) -> Value {
    settings(json!({
        "write_route": "data_load",
        "data_load": { "source": "capacity_signals_ds", "operation": operation,
            "success": ["Completed"] },
    }))
}

fn own() -> [planthread_contracts::MeasureDecl; 2] {
    [
        measure("live", "Planthread::CapacitySignal.Live"),
        measure("low", "Planthread::CapacitySignal.Low"),
    ]
}

#[test]
fn a_full_file_carries_what_it_is_not_told_as_it_stands() {
    let rig = Rig::new(&[]);
    let connector = rig.open(SIGNALS, &load("Full"), &own()).unwrap();
    rig.push(connector.as_ref(), &[cell(SIGNALS, "live", week(49), "36.5")]).unwrap();
    // A person corrects a value of another period.
    rig.edit(SIGNALS, "Planthread::CapacitySignal.Live", "12");
    let outcome = rig.push(connector.as_ref(), &[cell(SIGNALS, "low", week(49), "30")]).unwrap();
    // Without a history nobody says which lines were taken.
    assert_eq!((outcome.rows, outcome.failed), (vec![RowOutcome::Unproven], false));
    let seen = rig.read(connector.as_ref(), SIGNALS).unwrap();
    let value = |measure: &str, number| seen[&(measure.to_owned(), week(number))];
    assert_eq!(value("live", 49), Some("36.5".parse().unwrap()));
    assert_eq!(value("low", 49), Some("30".parse().unwrap()));
    assert_eq!(value("live", 50), Some("12".parse().unwrap()), "the person's value stays");
}

#[test]
fn a_full_file_is_refused_where_it_would_delete_somebody_elses_rows() {
    let rig = Rig::new(&[]);
    let connector = rig.open(SIGNALS, &load("Full"), &measures()).unwrap();
    let error =
        rig.push(connector.as_ref(), &[cell(SIGNALS, "cut", week(49), "36.5")]).unwrap_err();
    assert!(error.class == Class::Drift && error.took_nothing, "{error}");
    assert!(error.message.contains("Past Undefined"), "{error}");
    assert!(rig.sandbox.lock().unwrap().history().is_empty(), "nothing was changed");
}

#[test]
fn fewer_rows_than_were_seen_wait_for_a_person() {
    let rig = Rig::new(&[]);
    let bulk = rig.open(SIGNALS, &settings(json!({})), &own()).unwrap();
    rig.push(bulk.as_ref(), &[cell(SIGNALS, "live", week(49), "36.5")]).unwrap();
    let connector = rig.open(SIGNALS, &load("Full"), &own()).unwrap();
    rig.push(connector.as_ref(), &[cell(SIGNALS, "live", week(50), "37")]).unwrap();
    rig.push(connector.as_ref(), &[cell(SIGNALS, "live", week(51), "38")]).unwrap();
    let staged = rig.call(
        "bulk/remove",
        &json!({ "Scenario": { "Name": SIGNALS, "Scope": "Public" },
        "Table": { "Namespace": "Planthread", "Name": "CapacitySignal" },
        "Fields": ["Constraint.Name", "EffectiveInDate"],
        "Rows": [{ "Values": ["LINE-1", "2026-11-30"] }, { "Values": ["LINE-1", "2026-12-07"] }] }),
    );
    let id = staged["RemovalId"].as_str().unwrap().trim_start_matches('#');
    rig.call(&format!("bulk/remove/{id}/complete"), &Value::Null);
    let error = rig.push(connector.as_ref(), &[cell(SIGNALS, "live", week(52), "39")]).unwrap_err();
    assert!(error.class == Class::Drift && error.took_nothing, "{error}");
    assert!(error.message.contains("1 rows, 2 were seen before"), "{error}");
}

#[test]
fn a_file_that_merges_may_lie_beside_other_rows_and_empties_no_field() {
    let rig = Rig::new(&["partial-load"]);
    let connector = rig.open(SIGNALS, &load("Partial"), &measures()).unwrap();
    for (measure, value) in [("cut", "36.5"), ("live", "35"), ("cut", "37")] {
        rig.push(connector.as_ref(), &[cell(SIGNALS, measure, week(49), value)]).unwrap();
    }
    let seen = rig.read(connector.as_ref(), SIGNALS).unwrap();
    assert_eq!(seen[&("cut".to_owned(), week(49))], Some("37".parse().unwrap()));
    assert_eq!(seen[&("live".to_owned(), week(49))], Some("35".parse().unwrap()));
}

#[test]
fn what_a_dead_attempt_staged_is_replaced_before_the_trigger() {
    let rig = Rig::new(&["partial-load"]);
    let connector = rig.open(SIGNALS, &load("Partial"), &measures()).unwrap();
    // Somebody died after this: a file for both tables lies there, untriggered.
    rig.call("dataload/capacity_signals_ds/CapacitySignal", &json!({
        "Scenario": { "Name": SIGNALS, "Scope": "Public" },
        "Columns": ["Constraint.Name", "Constraint.Site.Value", "EffectiveInDate", "EffectiveOutDate", "Live"],
        "Rows": [{ "Values": ["LINE-1", "1010", "20261130", "20261206", "99"] }],
        "OperationType": "Partial", "FileFormat": "Tab Delimited (*.tab)" }));
    rig.push(connector.as_ref(), &[cell(SIGNALS, "cut", week(49), "36.5")]).unwrap();
    let seen = rig.read(connector.as_ref(), SIGNALS).unwrap();
    assert_eq!(seen.get(&("live".to_owned(), week(49))), None, "the stale file was not loaded");
    assert_eq!(seen[&("cut".to_owned(), week(49))], Some("36.5".parse().unwrap()));
}
