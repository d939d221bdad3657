//! The plan behind the interface: wiring, jobs, people, packs, the page's data.

use super::*;
use crate::{sap_ibp::Wiring, simulator::Writer};

fn wired(wiring: Wiring) -> Client {
    Client::with(Options { wiring, ..Options::default() })
}

fn page_post(client: &mut Client, path: &str, body: &Value) -> Response<Bytes> {
    client.send(Method::POST, path, body.to_string(), &[("content-type", "application/json")])
}

/// Load of LINE-1 in week 2026-W48 and in the week after.
fn loads(client: &mut Client) -> Vec<String> {
    let rows = client.read(
        "$select=PERIODID4_TSTAMP,CAPADEMAND&$filter=RESID eq 'LINE-1' and PERIODID4_REL ge 1 \
         and PERIODID4_REL le 2&$orderby=PERIODID4_TSTAMP",
    );
    rows.iter().map(|row| row["CAPADEMAND"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn unwired_capacity_moves_nothing() {
    let mut client = wired(Wiring::None);
    let (supply, before) = (client.value("CAPASUPPLY"), loads(&mut client));
    client.land("TWINCAPA", "40");
    client.sandbox.nightly(client.at);
    assert_eq!((client.value("CAPASUPPLY"), loads(&mut client)), (supply, before));
}

#[test]
fn a_copy_job_drives_the_plan_from_the_next_night_on() {
    let mut client = wired(Wiring::Job);
    let before = loads(&mut client);
    client.land("TWINCAPA", "40");
    assert_eq!(client.value("CAPASUPPLY").unwrap(), "120.000000");
    client.sandbox.nightly(client.at);
    assert_eq!(client.value("CAPASUPPLY").unwrap(), "40.000000");
    let after = loads(&mut client);
    assert_eq!(after[0], "40.000000", "the load is levelled to what is in use");
    assert_ne!(after[1], before[1], "and the rest moves on");
    let copied = client.sandbox.history().into_iter().rfind(|c| c.cell.measure == "CAPASUPPLY");
    assert_eq!(copied.unwrap().cell.writer.kind(), "job");
}

#[test]
fn a_calculation_drives_it_at_once() {
    let mut client = wired(Wiring::Calculation);
    let before = client.value("UTILIZATIONPCT").unwrap();
    client.land("TWINCAPA", "60");
    assert_eq!(client.value("CAPASUPPLY").unwrap(), "60.000000");
    assert_ne!(client.value("UTILIZATIONPCT").unwrap(), before);
}

#[test]
fn direct_writes_compete_with_the_nightly_load() {
    let mut client = wired(Wiring::Direct);
    client.land("CAPASUPPLY", "90");
    assert_eq!(client.value("CAPASUPPLY").unwrap(), "90.000000");
    let changes = client.sandbox.history().len();
    client.sandbox.nightly(client.at);
    assert_eq!(client.value("CAPASUPPLY").unwrap(), "120.000000");
    let last = &client.sandbox.history()[changes];
    assert_eq!((last.cell.measure.as_str(), last.before), ("CAPASUPPLY", Some(90.into())));
    assert_eq!(last.cell.writer, Writer::Job("ERP nightly load".into()));
}

#[test]
fn the_nightly_load_leaves_bridge_cells_alone_unless_told_to_spoil_them() {
    let mut client = Client::new();
    client.land("TWINCAPA", "100");
    client.sandbox.nightly(client.at);
    assert_eq!(client.value("TWINCAPA").unwrap(), "100.000000");
    client.sandbox.switch(Switch::NightlyOverwritesBridge, true);
    client.sandbox.nightly(client.at);
    assert_eq!(client.value("TWINCAPA").unwrap(), "120.000000");
}

#[test]
fn the_nightly_job_runs_by_itself_at_its_hour() {
    let mut client = Client::with(Options {
        nightly_hour: Some(2),
        wiring: Wiring::Direct,
        ..Options::default()
    });
    client.land("CAPASUPPLY", "90");
    client.pass(16.0 * 3600.0);
    assert_eq!(client.value("CAPASUPPLY").unwrap(), "90.000000", "01:00 is too early");
    client.pass(2.0 * 3600.0);
    assert_eq!(client.value("CAPASUPPLY").unwrap(), "120.000000");
}

#[test]
fn a_person_edits_a_cell_and_the_history_says_so() {
    let mut client = Client::new();
    client.land("TWINCAPA", "100");
    let edit = json!({ "resource": "LINE-1", "location": "1010", "period": "2026-W48",
        "measure": "TWINCAPA", "value": "95.5", "who": "Ines" });
    assert_eq!(page_post(&mut client, "/planner/edit", &edit).status(), 200);
    assert_eq!(client.value("TWINCAPA").unwrap(), "95.500000");
    let last = client.sandbox.history().pop().unwrap();
    assert_eq!((last.cell.writer, last.before), (Writer::Person("Ines".into()), Some(100.into())));
    for (field, value) in [
        ("measure", json!("UTILIZATIONPCT")),
        ("resource", json!("LINE-77")),
        ("period", json!("2026-12")),
        ("version", json!("NOSUCH")),
        ("value", json!("much")),
    ] {
        let mut wrong = edit.clone();
        wrong[field] = value;
        assert_eq!(page_post(&mut client, "/planner/edit", &wrong).status(), 400, "{field}");
    }
    let form = client.send(
        Method::POST,
        "/planner/edit",
        edit.to_string(),
        &[("content-type", "text/plain")],
    );
    assert_eq!(form.status(), 400, "a foreign page's form can't edit");
    let mut cleared = edit;
    cleared["value"] = Value::Null;
    page_post(&mut client, "/planner/edit", &cleared);
    assert_eq!(client.value("TWINCAPA"), None);
}

#[test]
fn a_pack_is_imported_in_two_stages() {
    let mut client = Client::new();
    let file = "RESID,LOCID,KEYFIGUREDATE,TWINCAPA,TWINSTATUS\n\
                LINE-1,1010,2026-11-23,132.500000,1\n\
                LINE-1,1010,30.11.2026,1,1\n\
                LINE-99,1010,2026-11-23,1,1\n\
                LINE-2,1020,2026-11-23,x,1\n\
                LINE-3,1010,2026-11-23,,3\n";
    let response =
        client.send(Method::POST, "/planner/pack", file, &[("content-type", "text/csv")]);
    let report: Value = serde_json::from_slice(response.body()).unwrap();
    assert_eq!((&report["staged"], &report["written"]), (&json!(3), &json!(3)));
    let rejects: Vec<_> = report["rejects"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| (r["line"].as_u64().unwrap(), r["stage"].as_str().unwrap()))
        .collect();
    assert_eq!(rejects, [(3, "parse"), (5, "parse"), (4, "record")]);
    assert_eq!(client.value("TWINCAPA").unwrap(), "132.500000");
    for header in [
        "RESID,LOCID,TWINCAPA",
        "RESID,LOCID,KEYFIGUREDATE,UTILIZATIONPCT",
        "RESID,LOCID,KEYFIGUREDATE",
    ] {
        let response = client.send(
            Method::POST,
            "/planner/pack",
            format!("{header}\n"),
            &[("content-type", "text/csv")],
        );
        assert_eq!(response.status(), 400, "{header}");
    }
    let semicolons = file.replace(',', ";");
    let response = client.send(
        Method::POST,
        "/planner/pack?separator=%3B",
        semicolons,
        &[("content-type", "text/csv")],
    );
    assert_eq!(response.status(), 200);
}

#[test]
fn the_page_gets_weeks_and_month_totals() {
    let mut client = Client::new();
    client.land("TWINCAPALIVE", "100");
    client.land("TWINSTATUS", "1");
    let data =
        client.get_json("/planner/data.json?resource=LINE-1&location=1010&from=2026-11&months=2");
    let columns = data["columns"].as_array().unwrap();
    let at = |id: &str| columns.iter().position(|column| column["id"] == id).unwrap();
    let measure = |data: &Value, id: &str| {
        data["measures"].as_array().unwrap().iter().find(|m| m["id"] == id).unwrap()["cells"]
            .clone()
    };
    let live = measure(&data, "TWINCAPALIVE");
    assert_eq!(live[at("2026-W48")]["v"], "100");
    assert_eq!(live[at("2026-W48")]["by"], "integration");
    assert_eq!(live[at("2026-W49")], Value::Null, "absent is not zero");
    let assumed = measure(&data, "CAPASUPPLY");
    assert_eq!(assumed[at("2026-11")]["v"], "600", "five weeks start in November");
    let status = measure(&data, "TWINSTATUS");
    assert_eq!(
        (&status[at("2026-11")]["known"], &status[at("2026-11")]["of"]),
        (&json!(1), &json!(5))
    );
    assert_eq!(
        (&live[at("2026-11")]["n"], &live[at("2026-11")]["of"]),
        (&json!(1), &json!(5)),
        "a total says how much of it is there, status or not"
    );
    assert_eq!(assumed[at("2026-11")]["n"], 5);
    let plant = client.get_json("/planner/data.json?location=1010&from=2026-11&months=1");
    assert_eq!(measure(&plant, "CAPASUPPLY")[at("2026-W48")]["v"], "360");
    assert!(plant["measures"].as_array().unwrap().iter().all(|m| m["editable"] == false));
}

#[test]
fn the_page_keeps_assumed_and_in_use_apart() {
    let mut client = wired(Wiring::Calculation);
    client.land("TWINCAPA", "60");
    let data = client.get_json("/planner/data.json?resource=LINE-1&from=2026-11&months=1");
    let columns = data["columns"].as_array().unwrap();
    let at = columns.iter().position(|column| column["id"] == "2026-W48").unwrap();
    let value = |id: &str| {
        let measures = data["measures"].as_array().unwrap();
        measures.iter().find(|m| m["id"] == id).unwrap()["cells"][at]["v"].clone()
    };
    assert_eq!((value("CAPASUPPLY"), value("INUSE")), (json!("120"), json!("60")));
    let load: f64 = value("CAPADEMAND").as_str().unwrap().parse().unwrap();
    let used: f64 = value("UTILIZATIONPCT").as_str().unwrap().parse().unwrap();
    assert!((used - load / 60.0).abs() < 1e-5);
}

#[test]
fn technical_weeks_split_at_the_month_end() {
    let storage = planthread_contracts::PeriodKind::TechnicalWeek;
    let mut client = Client::with(Options { storage, ..Options::default() });
    let data = client.get_json("/planner/data.json?resource=LINE-1&from=2026-11&months=2");
    let ids: Vec<_> = data["columns"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| c["id"].as_str().unwrap().to_owned())
        .collect();
    assert!(
        ids.contains(&"2026-W49a".to_owned()) && ids.contains(&"2026-W49b".to_owned()),
        "{ids:?}"
    );
    let rows = client.read(
        "$select=PERIODID5_TSTAMP,CAPASUPPLY&$filter=RESID eq 'LINE-1' and \
        PERIODID4_TSTAMP eq datetime'2026-11-30T00:00:00'&$orderby=PERIODID5_TSTAMP",
    );
    let hours: Vec<_> = rows.iter().map(|row| row["CAPASUPPLY"].as_str().unwrap()).collect();
    assert_eq!(hours, ["24.000000", "96.000000"]);
}

#[test]
fn the_page_and_its_files_are_served() {
    let mut client = Client::new();
    for (path, kind) in [
        ("/planner", "text/html"),
        ("/planner/planner.css", "text/css"),
        ("/planner/rows.js", "text/javascript"),
        ("/planner/totals.js", "text/javascript"),
        ("/planner/chart.js", "text/javascript"),
        ("/planner/planner.js", "text/javascript"),
    ] {
        let response = client.send(Method::GET, path, "", &[]);
        assert!(response.headers()["content-type"].to_str().unwrap().starts_with(kind));
        assert!(response.body().len() > 500, "{path}");
    }
    assert_eq!(client.send(Method::GET, "/elsewhere", "", &[]).status(), 404);
}
