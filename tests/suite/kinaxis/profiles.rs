//! Tenants of other shapes: a table where a row that is sent again is a second
//! one, work centres instead of constraints, brackets around filters, handles
//! that expire, one session a user.

use planthread_contracts::{Carries, Owner, RowOutcome};
use planthread_kit::{Class, Clock as _, Sent};
use serde_json::{Value, json};

use super::{Rig, cell, measure, measures, settings, week};

const SIGNALS: &str = "Capacity Signals";

#[test]
fn surplus_rows_leave_before_a_row_that_would_be_a_second_one() {
    let rig = Rig::new(&["append-non-keyed"]);
    let connector = rig.open(SIGNALS, &settings(json!({ "non_keyed": "append" })), &measures());
    let connector = connector.unwrap();
    for value in ["36.50", "40", "40"] {
        rig.push(connector.as_ref(), &[cell(SIGNALS, "cut", week(49), value)]).unwrap();
        let seen = rig.read(connector.as_ref(), SIGNALS).unwrap();
        assert_eq!(seen[&("cut".to_owned(), week(49))], Some(value.parse().unwrap()));
    }
}

#[test]
fn a_second_row_under_the_wrong_policy_is_a_finding_and_never_a_value() {
    let rig = Rig::new(&["append-non-keyed"]);
    let connector = rig.open(SIGNALS, &settings(json!({})), &measures()).unwrap();
    for value in ["36.50", "40"] {
        rig.push(connector.as_ref(), &[cell(SIGNALS, "cut", week(49), value)]).unwrap();
    }
    let error = rig.read(connector.as_ref(), SIGNALS).unwrap_err();
    assert!(error.class == Class::Drift && error.to_string().contains("append"), "{error}");
    let append = rig.open(SIGNALS, &settings(json!({ "non_keyed": "append" })), &measures());
    let append = append.unwrap();
    let seen = rig.read(append.as_ref(), SIGNALS).unwrap();
    assert_eq!(seen[&("cut".to_owned(), week(49))], None, "nobody knows which row counts");
    rig.push(append.as_ref(), &[cell(SIGNALS, "cut", week(49), "41")]).unwrap();
    let seen = rig.read(append.as_ref(), SIGNALS).unwrap();
    assert_eq!(seen[&("cut".to_owned(), week(49))], Some("41".parse().unwrap()));
}

#[test]
fn work_centres_are_written_by_overrides_with_ids_of_ours() {
    let rig = Rig::new(&[]);
    let hours = [measure("hours", "Mfg::CapacityOverride.WorkingHour")];
    let crp = settings(json!({ "table_family": "crp" }));
    let connector = rig.open(SIGNALS, &crp, &hours).unwrap();
    for value in ["7.50", "7.25"] {
        let outcome = rig.push(connector.as_ref(), &[cell(SIGNALS, "hours", week(50), value)]);
        assert_eq!(outcome.unwrap().rows, [RowOutcome::Accepted]);
    }
    let seen = rig.read(connector.as_ref(), SIGNALS).unwrap();
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[&("hours".to_owned(), week(50))], Some("7.25".parse().unwrap()));
    let found = rig.clock.block_on(connector.discover()).unwrap();
    assert!(found.findings.iter().all(|finding| finding.ok), "{:?}", found.findings);
    let other = rig.open(SIGNALS, &crp, &measures()).unwrap_err();
    assert!(other.to_string().contains("CapacityOverride"), "{other}");
}

#[test]
fn a_filter_has_the_form_of_the_profile_or_the_read_says_so() {
    let rig = Rig::new(&["bracketed-filter"]);
    let plain = rig.open(SIGNALS, &settings(json!({})), &measures()).unwrap();
    assert_eq!(rig.read(plain.as_ref(), SIGNALS).unwrap_err().class, Class::Drift);
    for form in ["bracketed", "none"] {
        let settings = settings(json!({ "reading": { "filter": form } }));
        let connector = rig.open(SIGNALS, &settings, &measures()).unwrap();
        rig.push(connector.as_ref(), &[cell(SIGNALS, "cut", week(49), "36.5")]).unwrap();
        assert_eq!(rig.read(connector.as_ref(), SIGNALS).unwrap().len(), 1, "{form}");
    }
}

#[test]
fn a_handle_that_expires_between_pages_is_a_read_to_repeat() {
    let rig = Rig::new(&["export-expires"]);
    let small = settings(json!({ "reading": { "page_size": 1 } }));
    let connector = rig.open(SIGNALS, &small, &measures()).unwrap();
    rig.push(connector.as_ref(), &[cell(SIGNALS, "cut", week(49), "36.5")]).unwrap();
    let error = rig.read(connector.as_ref(), SIGNALS).unwrap_err();
    assert_eq!(error.class, Class::Transient { sent: Sent::No }, "{error}");
}

#[test]
fn a_refused_second_session_is_a_matter_of_rights_not_of_values() {
    let rig = Rig::new(&["one-session"]);
    let oauth = settings(json!({ "auth": { "kind": "oauth2_client_credentials",
        "token_url": "http://127.0.0.1/PTDM01_DEV01/oauth2/token", "client_id": "planthread",
        "client_secret": "${file:kinaxis-secret}" } }));
    let first = rig.open(SIGNALS, &oauth, &measures()).unwrap();
    rig.push(first.as_ref(), &[cell(SIGNALS, "cut", week(49), "36.5")]).unwrap();
    // A second target of the process goes on with the same session.
    let beside = rig.open(SIGNALS, &oauth, &measures()).unwrap();
    assert_eq!(rig.read(beside.as_ref(), SIGNALS).unwrap().len(), 1);
    let second = rig.open(SIGNALS, &settings(json!({})), &measures()).unwrap();
    let error = rig.push(second.as_ref(), &[cell(SIGNALS, "cut", week(49), "40")]).unwrap_err();
    assert_eq!(error.class, Class::Auth, "{error}");
    let seen = rig.read(first.as_ref(), SIGNALS).unwrap();
    assert_eq!(seen[&("cut".to_owned(), week(49))], Some("36.5".parse().unwrap()));
}

#[test]
fn no_other_scenario_than_the_scope_is_written() {
    let rig = Rig::new(&[]);
    let named = |name: &str| {
        let settings = settings(json!({ "scenario": { "name": name } }));
        rig.open(SIGNALS, &settings, &measures()).map_err(|fault| fault.field)
    };
    assert_eq!(named("Enterprise Data").unwrap_err(), "scenario.name");
    assert!(named(SIGNALS).is_ok());
}

/// Settings with the worksheet of the calculated load, and the measure that it holds.
fn load() -> (Value, planthread_contracts::MeasureDecl) {
    let sheet = json!({ "workbook": "Capacity Signals", "name": "ConstraintLoad" });
    let settings = settings(json!({ "own_tables": [
        { "name": "Mfg::ConstraintLoad", "start": "Date", "end": "", "worksheet": sheet,
          "resource": "ConstraintName", "site": "ConstraintSiteValue" },
        { "name": "Planthread::CapacitySignal" },
    ] }));
    let mut load = measure("load", "Mfg::ConstraintLoad.Load");
    (load.carries, load.owner) = (Carries::Observed, Owner::Other("supply run".into()));
    (settings, load)
}

#[test]
fn the_load_that_the_tool_calculates_is_read_through_a_worksheet_and_never_written() {
    let rig = Rig::new(&[]);
    let (settings, load) = load();
    let all = [measures(), vec![load.clone()]].concat();
    let connector = rig.open(SIGNALS, &settings, &all).unwrap();
    let seen = rig.read(connector.as_ref(), SIGNALS).unwrap();
    let query = "resource=LINE-1&location=1010&version=&from=2026-11&months=1";
    let page = http::Request::get(format!("/planner/data.json?{query}"));
    let page = page.body(bytes::Bytes::new()).unwrap();
    let answer = rig.sandbox.lock().unwrap().handle(rig.clock.now(), &page).response;
    let page: Value = serde_json::from_slice(answer.body()).unwrap();
    let at = |list: &Value, name: &str| {
        list.as_array().unwrap().iter().position(|one| one["id"] == name || one["slot"] == name)
    };
    let column = at(&page["columns"], "2026-W49").unwrap();
    let shown = &page["measures"][at(&page["measures"], "load").unwrap()]["cells"][column]["v"];
    let shown: rust_decimal::Decimal = shown.as_str().unwrap().parse().unwrap();
    assert_eq!(seen[&("load".to_owned(), week(49))], Some(shown));
    let mut ours = load;
    ours.owner = Owner::Bridge;
    assert_eq!(rig.open(SIGNALS, &settings, &[ours]).unwrap_err().field, "settings.own_tables");
}

#[test]
fn a_worksheet_is_read_as_the_profile_says_and_a_wrong_profile_is_no_reading() {
    let read = |on: &[&str], base: &str, worksheets: Value| {
        let rig = Rig::started(on, &[("start-row", base)]);
        let (mut settings, load) = load();
        settings["worksheets"] = worksheets;
        let connector = rig.open(SIGNALS, &settings, &[load]).unwrap();
        rig.read(connector.as_ref(), SIGNALS)
    };
    let plain = read(&[], "0", json!({})).unwrap();
    assert!(plain.len() > 3, "{plain:?}");
    for (on, base, worksheets) in [
        (&[][..], "0", json!({ "page_size": 1 })),
        (&[], "0", json!({ "page_size": 3, "scope_parameter": "Scope", "query_id": "encode" })),
        (&["hash-kept"], "0", json!({ "query_id": "encode" })),
        (&[], "1", json!({ "start_row": 1, "page_size": 2 })),
        (&[], "1", json!({ "start_row": 1 })),
    ] {
        assert_eq!(
            read(on, base, worksheets.clone()).unwrap(),
            plain,
            "{on:?} {base} {worksheets}"
        );
    }
    // A hash that is left out where it is needed, and a first row that is skipped.
    assert!(read(&["hash-kept"], "0", json!({})).is_err());
    assert!(read(&[], "0", json!({ "start_row": 1, "page_size": 2 })).is_err(), "a row is short");
}

#[test]
fn pages_that_are_asked_side_by_side_bring_what_one_after_the_other_does() {
    let rig = Rig::new(&[]);
    let cells: Vec<_> = (49..53).map(|at| cell(SIGNALS, "live", week(at), "35.25")).collect();
    let mut seen = Vec::new();
    for (one_session, page_size) in [(true, 50_000), (true, 1), (false, 1), (false, 2)] {
        let changes = json!({ "one_session": one_session, "reading": { "page_size": page_size } });
        let connector = rig.open(SIGNALS, &settings(changes), &measures()).unwrap();
        rig.push(connector.as_ref(), &cells).unwrap();
        seen.push(rig.read(connector.as_ref(), SIGNALS).unwrap());
    }
    assert!(seen[0].len() == cells.len() && seen.iter().all(|one| *one == seen[0]), "{seen:?}");
}
