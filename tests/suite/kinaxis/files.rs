//! Data loads: a Full file carries its whole table and never what is not ours, one
//! that merges never empties a field, and what a dead attempt left is replaced.

use std::{collections::BTreeSet, sync::Arc};

use planthread_contracts::RowOutcome;
use planthread_kit::{Class, NoteError, agreement::SigningKey, rows::RowKey, target::Known};
use serde_json::{Value, json};

use super::{Rig, cell, measure, measures, settings, week};

const SIGNALS: &str = "Capacity Signals";

fn load(operation: &str) -> Value {
    settings(json!({
        "write_route": "data_load",
        "data_load": { "source": "capacity_signals_ds", "operation": operation,
            "success": ["Completed"] },
        // A load that merges goes out under an agreement.
        "agreement": { "file": "agreements/kinaxis-merge.json",
            "trusts": { "planthread demo": SigningKey::demo().unwrap().public() } },
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

/// A row of a whole period looks like one of ours; its resource tells.
#[test]
fn a_full_file_is_refused_where_a_row_of_a_resource_stands_that_was_never_ours() {
    let rig = Rig::new(&[]);
    let live = |value| cell(SIGNALS, "live", week(49), value);
    let mut theirs = live("20");
    (theirs.key.resource, theirs.key.location) = ("LINE-2".into(), "1020".into());
    let other = rig.open(SIGNALS, &load("Full"), &own()[..1]).unwrap();
    rig.push(other.as_ref(), &[theirs]).unwrap();
    let connector = rig.open(SIGNALS, &load("Full"), &own()[..1]).unwrap();
    let error = rig.push(connector.as_ref(), &[live("36.5")]).unwrap_err();
    assert!(error.class == Class::Drift && error.took_nothing, "{error}");
    assert!(error.message.contains("LINE-2@1020 2026-W49"), "{error}");
}

/// Somebody deletes rows of LINE-1 that begin on these days.
fn delete(rig: &Rig, days: &[&str]) {
    let rows: Vec<Value> = days.iter().map(|day| json!({ "Values": ["LINE-1", day] })).collect();
    let staged = rig.call(
        "bulk/remove",
        &json!({ "Scenario": { "Name": SIGNALS, "Scope": "Public" },
            "Table": { "Namespace": "Planthread", "Name": "CapacitySignal" },
            "Fields": ["Constraint.Name", "EffectiveInDate"], "Rows": rows }),
    );
    let id = staged["RemovalId"].as_str().unwrap().trim_start_matches('#');
    rig.call(&format!("bulk/remove/{id}/complete"), &Value::Null);
}

/// What a ledger remembers: rows, and whether something was left behind.
#[derive(Debug)]
struct Remembered(BTreeSet<RowKey>, bool);

impl Known for Remembered {
    fn rows(&self, measures: &[String]) -> Result<BTreeSet<RowKey>, NoteError> {
        assert_eq!(measures, ["live"], "the measures of the table");
        Ok(self.0.clone())
    }

    fn left_behind(&self, _: &[String]) -> Result<bool, NoteError> {
        Ok(self.1)
    }
}

#[test]
fn a_row_that_was_seen_is_never_left_out_unless_a_person_says_so() {
    let mut rig = Rig::new(&[]);
    let connector = rig.open(SIGNALS, &load("Full"), &own()[..1]).unwrap();
    let live = |number, value| cell(SIGNALS, "live", week(number), value);
    for number in [49, 50, 51] {
        rig.push(connector.as_ref(), &[live(number, "36.5")]).unwrap();
    }
    delete(&rig, &["2026-11-30", "2026-12-07"]);
    let seen = [49, 50, 51].map(|number| RowKey::of(&live(number, "0").key));
    rig.known = Arc::new(Remembered(seen.into_iter().collect(), true));
    let connector = rig.open(SIGNALS, &load("Full"), &own()[..1]).unwrap();
    // One of the two comes back with this batch; the other would be gone for good.
    let error = rig.push(connector.as_ref(), &[live(50, "37")]).unwrap_err();
    assert!(error.class == Class::Drift && error.took_nothing, "{error}");
    assert!(error.message.contains("lacks 1 rows that were seen, first LINE-1@1010 2026-W49"));
    let decided = |until: &str| {
        let mut settings = load("Full");
        settings["data_load"]["fewer_rows"] =
            json!({ "by": "A. Planner", "reason": "week 49 is over", "until": until });
        rig.open(SIGNALS, &settings, &own()[..1]).unwrap()
    };
    let late = rig.push(decided("2026-11-21").as_ref(), &[live(50, "37")]).unwrap_err();
    assert!(late.class == Class::Fatal && late.took_nothing, "{late}");
    assert_eq!(rig.read(connector.as_ref(), SIGNALS).unwrap().len(), 1, "nothing was written");
    rig.push(decided("2026-12-31").as_ref(), &[live(50, "37")]).unwrap();
    assert_eq!(rig.read(connector.as_ref(), SIGNALS).unwrap().len(), 2);
}

/// Somebody else's row is in no ledger.
#[test]
fn a_row_of_somebody_else_that_is_hidden_is_not_deleted_by_the_next_file() {
    let rig = Rig::new(&[]);
    let live = |number, value| cell(SIGNALS, "live", week(number), value);
    // Rows that another process wrote: to this one they are as good as anybody's.
    let other = rig.open(SIGNALS, &load("Full"), &own()[..1]).unwrap();
    for number in [49, 50] {
        rig.push(other.as_ref(), &[live(number, "36.5")]).unwrap();
    }
    let connector = rig.open(SIGNALS, &load("Full"), &own()[..1]).unwrap();
    rig.push(connector.as_ref(), &[live(51, "36.5")]).unwrap();
    delete(&rig, &["2026-11-30"]);
    let error = rig.push(connector.as_ref(), &[live(51, "37")]).unwrap_err();
    assert!(error.class == Class::Drift && error.took_nothing, "{error}");
    assert!(error.message.contains("lacks 1 rows that were seen, first LINE-1@1010 2026-W49"));
}

#[test]
fn a_batch_that_brings_back_what_is_missing_lacks_nothing() {
    let mut rig = Rig::new(&[]);
    let live = |number, value| cell(SIGNALS, "live", week(number), value);
    rig.known = Arc::new(Remembered([RowKey::of(&live(49, "0").key)].into(), false));
    let connector = rig.open(SIGNALS, &load("Full"), &own()[..1]).unwrap();
    rig.push(connector.as_ref(), &[live(49, "36.5")]).unwrap();
    assert_eq!(rig.read(connector.as_ref(), SIGNALS).unwrap().len(), 1);
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
