//! Law 2 with a signal scenario: what lands there is seen there, and in the
//! planners' scenario only after a commit that brings exactly what was planned.

use std::sync::Arc;

use planthread_contracts::RowOutcome;
use planthread_kit::{CellWrite, Class, Connector};
use serde_json::{Value, json};

use super::{Rig, cell, measures, settings, week};

const SIGNALS: &str = "Capacity Signals";

fn commits(until: &str) -> Value {
    settings(json!({
        "write_route": "commit",
        "scenario": { "name": "Baseline" },
        "commit": { "from": SIGNALS, "script": { "name": "CommitScenario" },
            "decision": { "by": "A. Planner", "reason": "weekly cycle", "until": until } },
    }))
}

fn cells(scope: &str) -> Vec<CellWrite> {
    vec![cell(scope, "cut", week(49), "36.50"), cell(scope, "live", week(49), "35.25")]
}

/// The signal scenario with its cells landed, and the parent.
fn landed(rig: &Rig) -> (Arc<dyn Connector>, Arc<dyn Connector>) {
    let signals = rig.open(SIGNALS, &settings(json!({})), &measures()).unwrap();
    let parent = rig.open("", &commits("2026-12-31"), &measures()).unwrap();
    let outcome = rig.push(signals.as_ref(), &cells(SIGNALS)).unwrap();
    assert!(outcome.rows.iter().all(|row| *row == RowOutcome::Accepted), "{outcome:?}");
    (signals, parent)
}

#[test]
fn seen_in_the_scenario_is_not_seen_in_the_parent_before_the_commit() {
    let rig = Rig::new(&[]);
    let (signals, parent) = landed(&rig);
    assert_eq!(rig.read(signals.as_ref(), SIGNALS).unwrap().len(), 2);
    assert_eq!(rig.read(parent.as_ref(), "").unwrap().len(), 0);
    let outcome = rig.push(parent.as_ref(), &cells("")).unwrap();
    assert!(outcome.rows.iter().all(|row| *row == RowOutcome::Accepted), "{outcome:?}");
    assert!(outcome.receipt.verdict.contains("A. Planner"), "{:?}", outcome.receipt);
    let seen = rig.read(parent.as_ref(), "").unwrap();
    assert_eq!(seen[&("cut".to_owned(), week(49))], Some("36.5".parse().unwrap()));
    assert_eq!(rig.read(signals.as_ref(), SIGNALS).unwrap(), seen);
}

#[test]
fn what_the_scenario_does_not_hold_yet_is_not_committed() {
    let rig = Rig::new(&[]);
    let (_, parent) = landed(&rig);
    let mut cells = cells("");
    cells[0].value = "37".parse().unwrap();
    let error = rig.push(parent.as_ref(), &cells).unwrap_err();
    assert_eq!(error.class, Class::NotYet, "{error}");
    assert_eq!(rig.read(parent.as_ref(), "").unwrap().len(), 0);
}

#[test]
fn a_change_that_nobody_planned_stops_the_commit() {
    let rig = Rig::new(&[]);
    let (_, parent) = landed(&rig);
    rig.edit(SIGNALS, "Planthread::CapacitySignal.Live", "12");
    let error = rig.push(parent.as_ref(), &cells("")).unwrap_err();
    assert!(error.class == Class::Drift && error.took_nothing, "{error}");
    assert!(error.message.contains("LINE-1@1010 2026-W50"), "{error}");
    assert_eq!(rig.read(parent.as_ref(), "").unwrap().len(), 0);
}

/// Somebody sends a row of the capacity table to a tenant that appends it.
fn append(rig: &Rig, row: [&str; 5]) {
    let fields =
        ["Constraint.Name", "Constraint.Site.Value", "EffectiveInDate", "EffectiveOutDate", "Rate"];
    let staged = rig.call(
        "bulk/upload",
        &json!({ "Scenario": { "Name": SIGNALS, "Scope": "Public" },
            "Table": { "Namespace": "Mfg", "Name": "ConstraintAvailable" },
            "Fields": fields, "Rows": [{ "Values": row }] }),
    );
    let id = staged["UploadId"].as_str().unwrap().trim_start_matches('#');
    let done = rig.call(&format!("bulk/upload/{id}/complete"), &Value::Null);
    assert_eq!(done["Results"]["InsertedRowCount"], 1, "{done}");
}

/// Whatever the second row holds, and whether the key is one of the plan.
#[test]
fn a_second_row_of_one_key_is_named_and_not_committed() {
    const OURS: [&str; 5] = ["LINE-1", "1010", "2026-11-30", "2026-12-06", "36.5"];
    for (row, named) in [
        (OURS, "LINE-1@1010 2026-W49 Mfg::ConstraintAvailable.Rate in several rows"),
        (
            ["LINE-1", "1010", "2026-11-30", "2026-12-06", "12"],
            "LINE-1@1010 2026-W49 Mfg::ConstraintAvailable.Rate in several rows",
        ),
        (
            ["LINE-1", "1010", "Past", "Undefined", "7200"],
            "a row of Mfg::ConstraintAvailable: LINE-1 1010 Past Undefined 7200",
        ),
    ] {
        let rig = Rig::new(&["append-non-keyed"]);
        let (_, parent) = landed(&rig);
        append(&rig, row);
        let error = rig.push(parent.as_ref(), &cells("")).unwrap_err();
        assert!(error.class == Class::Drift && error.took_nothing, "{error}");
        assert!(error.message.ends_with(named), "{error}");
        assert_eq!(rig.read(parent.as_ref(), "").unwrap().len(), 0, "{row:?}");
    }
    // Two weeks, of which the plan has one: the other stands twice there and here.
    let rig = Rig::new(&["append-non-keyed"]);
    let (_, parent) = landed(&rig);
    let other = ["LINE-1", "1010", "2026-12-07", "2026-12-13", "30"];
    append(&rig, other);
    append(&rig, other);
    rig.call("script/Public/CommitScenario", &json!({ "scenarioName": SIGNALS }));
    rig.push(parent.as_ref(), &cells("")).unwrap();
    append(&rig, other);
    let error = rig.push(parent.as_ref(), &cells("")).unwrap_err();
    assert!(error.message.contains("2026-W50 Mfg::ConstraintAvailable.Rate in several rows"));
}

#[test]
fn a_decision_ends_and_a_script_that_failed_inside_its_200_is_no_commit() {
    let rig = Rig::new(&[]);
    landed(&rig);
    let late = rig.open("", &commits("2026-11-21"), &measures()).unwrap();
    let error = rig.push(late.as_ref(), &cells("")).unwrap_err();
    assert!(error.class == Class::Fatal && error.took_nothing, "{error}");
    let rig = Rig::new(&["script-fails"]);
    let (_, parent) = landed(&rig);
    let error = rig.push(parent.as_ref(), &cells("")).unwrap_err();
    assert_eq!(error.vendor_code.as_deref(), Some("JavascriptException"), "{error}");
    assert_eq!(rig.read(parent.as_ref(), "").unwrap().len(), 0);
}

#[test]
fn the_parent_is_written_by_commits_alone() {
    let rig = Rig::new(&[]);
    let fault = rig.open("", &settings(json!({})), &measures()).unwrap_err();
    assert!(fault.field == "scope" && fault.to_string().contains("commit"), "{fault}");
    let fault = rig.open(SIGNALS, &commits("2026-12-31"), &measures()).unwrap_err();
    assert_eq!(fault.field, "scope");
}
