//! What the planner's page is told about its totals.

use super::*;
use crate::sap_ibp::{Wiring, options::storage};

fn edit(client: &mut Client, resource: &str, location: &str, period: &str, figure: &str) {
    let edit = json!({ "resource": resource, "location": location, "period": period,
        "measure": figure, "value": "95", "who": "Ines" });
    let body = edit.to_string();
    let headers = [("content-type", "application/json")];
    assert_eq!(client.send(Method::POST, "/planner/edit", body, &headers).status(), 200);
}

/// One cell of the page: measure and column.
fn cell(client: &mut Client, query: &str, figure: &str, column: &str) -> Value {
    let data = client.get_json(&format!("/planner/data.json?{query}&from=2026-11&months=2"));
    let at = data["columns"].as_array().unwrap().iter().position(|c| c["id"] == column).unwrap();
    let measures = data["measures"].as_array().unwrap();
    measures.iter().find(|measure| measure["id"] == figure).unwrap()["cells"][at].clone()
}

#[test]
fn a_total_says_how_many_of_its_cells_a_person_edited() {
    let mut client = Client::new();
    client.land("TWINCAPALIVE", "100");
    for week in ["2026-W47", "2026-W48"] {
        edit(&mut client, "LINE-1", "1010", week, "TWINCAPALIVE");
    }
    edit(&mut client, "LINE-2", "1020", "2026-W48", "TWINCAPALIVE");
    edit(&mut client, "LINE-3", "1010", "2026-W48", "CAPASUPPLY");
    let month = cell(&mut client, "resource=LINE-1", "TWINCAPALIVE", "2026-11");
    assert_eq!((&month["edited"], &month["of"]), (&json!(2), &json!(5)));
    let all = cell(&mut client, "", "TWINCAPALIVE", "2026-W48");
    assert_eq!((&all["edited"], &all["of"]), (&json!(2), &json!(6)));
    assert_eq!(cell(&mut client, "", "TWINCAPALIVE", "2026-11")["edited"], 3);
    assert_eq!(cell(&mut client, "", "INUSE", "2026-11")["edited"], 1);
    assert_eq!(cell(&mut client, "", "CAPADEMAND", "2026-11").get("edited"), None);
    let one = cell(&mut client, "resource=LINE-1", "TWINCAPALIVE", "2026-W48");
    assert_eq!((&one["by"], &one["name"]), (&json!("person"), &json!("Ines")));
    edit(&mut client, "LINE-1", "1010", "2026-W48", "TWINCAPA");
    client.sandbox.rewire(Wiring::Calculation);
    assert_eq!(cell(&mut client, "", "INUSE", "2026-11")["edited"], 2, "what drives the plan");
    let used = cell(&mut client, "resource=LINE-1", "INUSE", "2026-W48");
    assert_eq!((&used["v"], &used["name"]), (&json!("95"), &json!("Ines")));
}

#[test]
fn a_status_total_counts_states_and_only_vouches_for_numbers_that_are_there() {
    let mut client = Client::new();
    let land = |client: &mut Client, week: &str, values: &[(&str, &str)]| {
        let mut row = json!({ "RESID": "LINE-1", "LOCID": "1010", "PERIODID4_TSTAMP": week });
        let mut fields = "RESID,LOCID,PERIODID4_TSTAMP".to_owned();
        for (figure, value) in values {
            row[*figure] = (*value).into();
            fields = format!("{fields},{figure}");
        }
        // A transaction is committed once: each landing has its own.
        let id = format!("t{}", client.sandbox.requests());
        let response =
            client.post(&format!("{PLANNING}/PTDEMOTrans"), &trans(&id, &fields, &[row]));
        assert_eq!(response.status(), 201);
        client.commit(&id);
    };
    let (live, status, end) = ("TWINCAPALIVE", "TWINSTATUS", "TWINVALIDTO");
    let states = |client: &mut Client| {
        cell(client, "resource=LINE-1", "TWINSTATUS", "2026-11")["states"].clone()
    };
    land(&mut client, "2026-11-23T00:00:00", &[(live, "1"), (status, "1"), (end, "20261122")]);
    assert_eq!(states(&mut client), json!({ "live": 1, "unknown": 4 }), "its last day counts");
    land(&mut client, "2026-11-16T00:00:00", &[(live, "1"), (status, "1"), (end, "20261121")]);
    land(&mut client, "2026-11-09T00:00:00", &[(status, "1")]);
    land(&mut client, "2026-11-02T00:00:00", &[(status, "5")]);
    land(&mut client, "2026-11-30T00:00:00", &[(live, "1"), (status, "3")]);
    let expected = json!({ "live": 1, "stale": 1, "unknown": 1, "conflicting": 1, "held": 1 });
    assert_eq!(states(&mut client), expected);
    let known = |client: &mut Client| {
        cell(client, "resource=LINE-1", "TWINSTATUS", "2026-11")["known"].clone()
    };
    assert_eq!(known(&mut client), 5);
    land(&mut client, "2026-11-09T00:00:00", &[(live, "1"), (status, "2")]);
    land(&mut client, "2026-11-02T00:00:00", &[(live, "1"), (status, "6")]);
    let expected = json!({ "live": 1, "stale": 1, "planner": 1, "unknown": 1, "held": 1 });
    assert_eq!(states(&mut client), expected);
    assert_eq!(known(&mut client), 4, "unknown is written, and is no knowledge");
}

#[test]
fn the_page_learns_whose_day_it_is_and_what_is_stored() {
    for (word, period) in [
        ("day", "2026-11-23"),
        ("week", "2026-W48"),
        ("technical_week", "2026-W49a"),
        ("month", "2026-11"),
    ] {
        let options = Options { storage: storage(word).unwrap(), ..Options::default() };
        let mut client = Client::with(options);
        let data = client.get_json("/planner/data.json?from=2026-11&months=1");
        assert_eq!((&data["zone"], &data["storage"]), (&json!("UTC"), &json!(word)));
        let columns = data["columns"].as_array().unwrap();
        assert!(columns.iter().any(|c| c["id"] == period && c["total"] == false), "{word}");
        let supply = &data["measures"][0]["cells"];
        assert!(supply.as_array().unwrap().iter().all(Value::is_object), "{word}: {supply}");
    }
    assert!(storage("fortnight").unwrap_err().to_string().contains("technical_week"));
}

#[test]
fn covered_adds_up_and_a_status_total_is_its_worst_part() {
    let mut client = Client::new();
    for (line, location, status, covered) in
        [("LINE-1", "1010", "1", "1"), ("LINE-2", "1020", "6", "0"), ("LINE-3", "1010", "3", "1")]
    {
        let row = json!({ "RESID": line, "LOCID": location, "PERIODID4_TSTAMP":
            "2026-11-23T00:00:00", "TWINSTATUS": status, "TWINCOVERED": covered });
        let fields = "RESID,LOCID,PERIODID4_TSTAMP,TWINSTATUS,TWINCOVERED";
        client.post(&format!("{PLANNING}/PTDEMOTrans"), &trans(line, fields, &[row]));
        client.commit(line);
    }
    let all = client.read("$select=TWINSTATUS,TWINCOVERED");
    assert_eq!(
        (&all[0]["TWINSTATUS"], &all[0]["TWINCOVERED"]),
        (&json!("6.000000"), &json!("2.000000"))
    );
    let total = cell(&mut client, "", "TWINCOVERED", "2026-W48");
    assert_eq!((&total["v"], &total["of"]), (&json!("2"), &json!(6)));
}
