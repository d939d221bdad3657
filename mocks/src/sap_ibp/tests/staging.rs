//! Deep insert, commit, import, messages.

use super::*;
use crate::simulator::Writer;

#[test]
fn nothing_is_saved_before_the_commit() {
    let mut client = Client::new();
    assert_eq!(client.stage("a", "LINE-1", "TWINCAPA", "112.5").status(), 201);
    client.pass(3600.0 / 4.0);
    assert_eq!((client.value("TWINCAPA"), client.status("a")), (None, "INITIAL".into()));
    client.fetch_token();
    client.commit("a");
    assert_eq!(client.value("TWINCAPA").unwrap(), "112.500000");
    let cell = client.sandbox.stored().into_iter().find(|c| c.measure == "TWINCAPA").unwrap();
    assert_eq!(cell.writer, Writer::Integration("planthread".into()));
    assert_eq!((cell.period.to_string(), cell.scope), ("2026-W48".into(), String::new()));
}

#[test]
fn an_import_is_initial_then_processing_then_processed() {
    let mut client = Client::new();
    client.stage("a", "LINE-1", "TWINCAPA", "1");
    client.post(&format!("{PLANNING}/commit?P_TransactionID='a'"), &Value::Null);
    assert_eq!(client.status("a"), "INITIAL");
    client.pass(0.3);
    assert_eq!((client.status("a"), client.value("TWINCAPA")), ("PROCESSING".into(), None));
    client.pass(0.4);
    assert_eq!(client.status("a"), "PROCESSED");
    let unknown = client.get(&format!("{PLANNING}/getExportResult?P_TransactionID='never'"));
    assert_eq!(unknown.status(), 404);
}

#[test]
fn a_chunk_sent_twice_doubles_and_a_new_transaction_does_not() {
    let mut client = Client::new();
    for _ in 0..2 {
        client.stage("twice", "LINE-1", "TWINCAPA", "100");
    }
    client.commit("twice");
    assert_eq!(client.value("TWINCAPA").unwrap(), "200.000000");
    client.land("TWINCAPA", "100");
    client.land("TWINCAPA", "100");
    assert_eq!(client.value("TWINCAPA").unwrap(), "100.000000");
    let response = client.stage("twice", "LINE-1", "TWINCAPA", "1");
    assert_eq!(response.status(), 400, "committed already");
}

#[test]
fn do_commit_commits() {
    let mut client = Client::new();
    let row = json!({ "RESID": "LINE-1", "LOCID": "1010",
        "PERIODID4_TSTAMP": "2026-11-25T7:07:30", "TWINCAPA": "0" });
    let mut body = trans("one", "PERIODID4_TSTAMP,TWINCAPA,LOCID,RESID", &[row]);
    body["DoCommit"] = true.into();
    assert_eq!(client.post(&format!("{PLANNING}/PTDEMOTrans/"), &body).status(), 201);
    client.pass(2.0);
    assert_eq!(
        client.value("TWINCAPA").unwrap(),
        "0.000000",
        "a timestamp inside; zero is a value"
    );
}

#[test]
fn an_unknown_resource_shows_only_in_messages() {
    let mut client = Client::new();
    let rows = [("LINE-1", "110"), ("LINE-99", "90")].map(|(resource, value)| {
        json!({ "RESID": resource, "LOCID": "1010",
                "PERIODID4_TSTAMP": "2026-11-23T00:00:00", "TWINCAPA": value })
    });
    let body = trans("mixed", "RESID,LOCID,PERIODID4_TSTAMP,TWINCAPA", &rows);
    assert_eq!(client.post(&format!("{PLANNING}/PTDEMOTrans"), &body).status(), 201);
    client.commit("mixed");
    assert_eq!(client.status("mixed"), "PROCESSED_WITH_ERRORS");
    assert_eq!(client.value("TWINCAPA").unwrap(), "110.000000");
    let messages = client.messages("mixed");
    assert_eq!(messages.len(), 1);
    assert!(messages[0]["MsgText"].as_str().unwrap().contains("LINE-99"));
    assert!(messages[0].get("NavPTDEMOMessage").is_none());
    let all = client.get(&format!("{PLANNING}/PTDEMOMessage"));
    assert_eq!(all.status(), 400, "filter is mandatory");
    let path = format!(
        "{PLANNING}/PTDEMOMessage?$filter=Transactionid eq 'mixed'&$expand=NavPTDEMOMessage"
    );
    assert_eq!(client.get(&path).status(), 400, "unconfirmed here, so off");
    client.sandbox.switch(Switch::MessageExpand, true);
    let row = &client.get_json(&path)["d"]["results"][0]["NavPTDEMOMessage"];
    assert_eq!(
        (row["RESID"].as_str(), row["TWINCAPA"].as_str()),
        (Some("LINE-99"), Some("90.000000"))
    );
}

#[test]
fn a_calculated_key_figure_is_a_500() {
    let mut client = Client::new();
    let response = client.stage("c", "LINE-1", "UTILIZATIONPCT", "1");
    assert_eq!(
        (response.status().as_u16(), &*error_text(&response)),
        (500, "invalid column name: UTILIZATIONPCT")
    );
    client.sandbox.rewire(super::super::Wiring::Calculation);
    assert_eq!(client.stage("c", "LINE-1", "CAPASUPPLY", "1").status(), 500);
}

#[test]
fn columns_are_checked() {
    let mut client = Client::new();
    let row = json!({ "RESID": "LINE-1", "LOCID": "1010",
        "PERIODID4_TSTAMP": "2026-11-23T00:00:00", "TWINCAPA": "1" });
    for (fields, says) in [
        ("", "one time field"),
        ("RESID,LOCID,TWINCAPA", "one time field"),
        ("RESID,LOCID,PERIODID4_TSTAMP", "no key figure"),
        ("RESID,LOCID,PERIODID4_TSTAMP,TWINCAPA,TWINLOST", "TWINLOST"),
        ("RESID,PERIODID4_TSTAMP,TWINCAPA", "LOCID"),
        ("RESID,LOCID,PERIODID4_TSTAMP,TWINCAPA,VERSIONID", "can't be written"),
        ("RESID,LOCID,PERIODID4_TSTAMP,NOSUCH", "invalid"),
    ] {
        let response = client.post(
            &format!("{PLANNING}/PTDEMOTrans"),
            &trans("x", fields, std::slice::from_ref(&row)),
        );
        assert_eq!(response.status(), 400, "{fields}");
        assert!(error_text(&response).contains(says), "{fields}: {}", error_text(&response));
    }
}

#[test]
fn values_are_checked() {
    let mut client = Client::new();
    let fields = "RESID,LOCID,PERIODID4_TSTAMP,TWINCAPA";
    let row = |value: Value, date: &str| json!({ "RESID": "LINE-1", "LOCID": "1010", "PERIODID4_TSTAMP": date, "TWINCAPA": value });
    let iso = "2026-11-23T00:00:00";
    for (value, date) in [
        (json!(1.5), iso),
        (json!(null), iso),
        (json!("many"), iso),
        (json!("0.1234567"), iso),
        (json!("1_000"), iso),
        (json!("1e3"), iso),
        (json!("+5"), iso),
        (json!("1000000000000"), iso),
        (json!("1"), "2026-11-23T00:00:00Z"),
        (json!("1"), "/Date(1763856000000)/"),
        (json!("1"), "2026-11-23"),
    ] {
        let body = trans("x", fields, &[row(value.clone(), date)]);
        let response = client.post(&format!("{PLANNING}/PTDEMOTrans"), &body);
        assert_eq!(response.status(), 400, "{value} {date}");
    }
    client.sandbox.switch(Switch::JsonDates, true);
    let body = trans("x", fields, &[row(json!("1"), "/Date(1795392000000)/")]);
    assert_eq!(client.post(&format!("{PLANNING}/PTDEMOTrans"), &body).status(), 201);
}

#[test]
fn bodies_are_checked() {
    let mut client = Client::new();
    let good = trans("x", "RESID,LOCID,PERIODID4_TSTAMP,TWINCAPA", &[]);
    for (field, value) in [
        ("Transactionid", json!("")),
        ("Transactionid", json!("x".repeat(33))),
        ("VersionID", json!("NOSUCH")),
        ("ScenarioID", json!("0123")),
        ("DoCommit", json!("false")),
        ("TransactionName", json!("label")),
        ("NavPTDEMO", json!({ "results": [] })),
    ] {
        let mut body = good.clone();
        body[field] = value;
        let response = client.post(&format!("{PLANNING}/PTDEMOTrans"), &body);
        assert_eq!(response.status(), 400, "{field}");
    }
    client.sandbox.switch(Switch::TransactionName, true);
    let mut named = good;
    named["TransactionName"] = "label".into();
    assert_eq!(client.post(&format!("{PLANNING}/PTDEMOTrans"), &named).status(), 201);
}

#[test]
fn return_min_shortens_the_reply_only_where_switched_on() {
    let mut client = Client::new();
    let row = json!({ "RESID": "LINE-1", "LOCID": "1010",
        "PERIODID4_TSTAMP": "2026-11-23T00:00:00", "TWINCAPA": "1" });
    let body = trans("x", "RESID,LOCID,PERIODID4_TSTAMP,TWINCAPA", &[row]);
    let long = client.post(&format!("{PLANNING}/PTDEMOTrans?P_RETURN_MIN=X"), &body);
    client.sandbox.switch(Switch::ReturnMin, true);
    let short = client.post(&format!("{PLANNING}/PTDEMOTrans?P_RETURN_MIN=X"), &body);
    let rows = |response: &Response<Bytes>| {
        let json: Value = serde_json::from_slice(response.body()).unwrap();
        json["d"]["NavPTDEMO"]["results"].as_array().map(Vec::len)
    };
    assert_eq!((rows(&long), rows(&short)), (Some(1), None));
}

#[test]
fn versions_hold_their_own_values_and_skip_what_is_not_assigned() {
    let mut client = Client::new();
    let before = client.value("CAPASUPPLY");
    let row = json!({ "RESID": "LINE-1", "LOCID": "1010",
        "PERIODID4_TSTAMP": "2026-11-23T00:00:00", "TWINCAPA": "77", "CAPASUPPLY": "1" });
    let mut body = trans("v", "RESID,LOCID,PERIODID4_TSTAMP,TWINCAPA,CAPASUPPLY", &[row]);
    body["VersionID"] = "TWIN".into();
    assert_eq!(client.post(&format!("{PLANNING}/PTDEMOTrans"), &body).status(), 201);
    client.commit("v");
    assert_eq!((client.status("v"), client.messages("v").len()), ("PROCESSED".into(), 0));
    assert_eq!((client.value("TWINCAPA"), client.value("CAPASUPPLY")), (None, before));
    let rows = client.read("$select=VERSIONID,RESID,TWINCAPA&$filter=VERSIONID eq 'TWIN'");
    assert_eq!((rows.len(), rows[0]["TWINCAPA"].as_str()), (1, Some("77.000000")));
    let body = trans("v2", "RESID,LOCID,PERIODID4_TSTAMP,TWINCAPA", &[]);
    client.post(&format!("{PLANNING}/PTDEMOTrans"), &body);
    let mut other = body;
    other["VersionID"] = "TWIN".into();
    assert_eq!(client.post(&format!("{PLANNING}/PTDEMOTrans"), &other).status(), 400);
}

#[test]
fn a_write_above_the_level_is_split_and_one_below_is_rejected() {
    let mut client = Client::new();
    let send = |client: &mut Client, id: &str, field: &str, date: &str| {
        let row = json!({ "RESID": "LINE-1", "LOCID": "1010", field: date, "TWINCAPA": "400" });
        let body = trans(id, &format!("RESID,LOCID,{field},TWINCAPA"), &[row]);
        assert_eq!(client.post(&format!("{PLANNING}/PTDEMOTrans"), &body).status(), 201);
        client.commit(id);
        client.status(id)
    };
    assert_eq!(send(&mut client, "m", "PERIODID3_TSTAMP", "2026-12-01T00:00:00"), "PROCESSED");
    let rows = client.read("$select=PERIODID4_TSTAMP,TWINCAPA&$orderby=PERIODID4_TSTAMP");
    assert_eq!(rows.len(), 4, "December has four weeks that start in it");
    assert!(rows.iter().all(|row| row["TWINCAPA"] == "100.000000"));
    let end = send(&mut client, "d", "PERIODID0_TSTAMP", "2026-12-01T00:00:00");
    assert_eq!(end, "PROCESSED_WITH_ERRORS");
}

#[test]
fn an_import_can_fail_as_a_whole() {
    let mut client = Client::switched(Switch::ImportFails, true);
    client.stage("e", "LINE-1", "TWINCAPA", "1");
    client.commit("e");
    assert_eq!((client.status("e"), client.value("TWINCAPA")), ("ERROR".into(), None));
    assert_eq!(client.messages("e").len(), 1);
    client.sandbox.switch(Switch::StatusNotFirst, true);
    let path = format!("{PLANNING}/getExportResult?P_TransactionID='e'");
    assert_eq!(client.get_json(&path)["d"]["results"][0]["Name"], "TransactionID");
}

#[test]
fn a_wrong_spelling_in_a_message_filter_is_refused_and_never_no_rejects() {
    let mut client = Client::new();
    client.stage("m", "NOBODY", "TWINCAPA", "1");
    client.commit("m");
    for (path, odd) in [
        ("PTDEMOMessage?$filter=TransactionID eq 'm' and MsgText eq 'x'", "TransactionID"),
        ("PTDEMOMessage?$filter=Transactionid eq 'm' and MessageText eq 'x'", "MessageText"),
        ("PTDEMOMessage?$filter=Transactionid eq 'm'&$orderby=MessageID", "MessageID"),
        ("PTDEMOMessage?$filter=Transactionid eq 'm'&$select=Severity", "Severity"),
        ("PTDEMOTrans?$filter=TransactionID eq 'm'", "TransactionID"),
    ] {
        let response = client.get(&format!("{PLANNING}/{path}"));
        assert_eq!(response.status(), 400, "{path}");
        let text = error_text(&response);
        assert!(text.contains(&format!("'{odd}'")) && text.contains("unknown"), "{path}: {text}");
    }
    let path = format!("{PLANNING}/PTDEMOMessage?$filter=Transactionid eq 'm'");
    let found = |client: &mut Client, more: &str| {
        client.get_json(&format!("{path}{more}"))["d"]["results"].as_array().unwrap().clone()
    };
    let text = found(&mut client, "")[0]["MsgText"].as_str().unwrap().to_owned();
    assert_eq!(found(&mut client, &format!(" and MsgText eq '{text}'")).len(), 1);
    assert_eq!(found(&mut client, " and MsgText eq 'x'").len(), 0);
    let short = found(&mut client, "&$select=ExceptionId&$orderby=ExceptionId");
    assert!(short[0].get("MsgText").is_none() && short[0]["ExceptionId"] == "000001");
}

#[test]
fn a_parallel_process_takes_ids_up_to_32_characters() {
    let mut client = Client::new();
    for (length, status) in [(32, 200), (33, 400), (0, 400)] {
        let path = format!(
            "{PLANNING}/InitiateParallelProcess?Transactionid='{}'&PlanningArea='PTDEMO'\
             &VersionID=''&ScenarioID=''",
            "x".repeat(length)
        );
        assert_eq!(client.post(&path, &Value::Null).status(), status, "{length}");
    }
}

/// Writes one value of LINE-1 for December, and reads its four weeks.
fn december(client: &mut Client, figure: &str, value: &str) -> Vec<String> {
    let id = format!("m{}", client.sandbox.requests());
    let row = json!({ "RESID": "LINE-1", "LOCID": "1010",
        "PERIODID3_TSTAMP": "2026-12-01T00:00:00", figure: value });
    let body = trans(&id, &format!("RESID,LOCID,PERIODID3_TSTAMP,{figure}"), &[row]);
    assert_eq!(client.post(&format!("{PLANNING}/PTDEMOTrans"), &body).status(), 201);
    client.commit(&id);
    let rows = client.read(&format!(
        "$select=PERIODID4_TSTAMP,{figure}&$filter=RESID eq 'LINE-1' and PERIODID3_TSTAMP eq \
         datetime'2026-12-01T00:00:00'&$orderby=PERIODID4_TSTAMP"
    ));
    rows.iter().map(|row| row[figure].as_str().unwrap().to_owned()).collect()
}

#[test]
fn only_sums_are_split_and_their_parts_add_up_to_the_last_digit() {
    let mut client = Client::new();
    let parts = december(&mut client, "TWINCAPA", "100.000003");
    assert_eq!(parts, ["25.000001", "25.000001", "25.000001", "25.000000"]);
    let parts = december(&mut client, "TWINCAPA", "-0.000002");
    assert_eq!(parts, ["-0.000001", "-0.000001", "0.000000", "0.000000"]);
    for (figure, value) in [
        ("TWINSTATUS", "2.000000"),
        ("TWINVALIDTO", "20261231.000000"),
        ("TWINSEVERITY", "0.700000"),
    ] {
        assert_eq!(december(&mut client, figure, value), [value; 4], "{figure}");
    }
}

#[test]
fn one_transaction_has_one_set_of_columns() {
    let mut client = Client::new();
    let row = |time: &str, figure: &str| json!({ "RESID": "LINE-1", "LOCID": "1010", time: "2026-11-30T00:00:00", figure: "1" });
    let send = |client: &mut Client, fields: &str, row: Value| {
        client.post(&format!("{PLANNING}/PTDEMOTrans"), &trans("one", fields, &[row]))
    };
    let (week, day) = ("PERIODID4_TSTAMP", "PERIODID0_TSTAMP");
    let first = send(&mut client, &format!("RESID,LOCID,{week},TWINCAPA"), row(week, "TWINCAPA"));
    assert_eq!(first.status(), 201);
    for (time, figure) in [(week, "TWINLOST"), (day, "TWINCAPA"), ("PERIODID3_TSTAMP", "TWINCAPA")]
    {
        let other = send(&mut client, &format!("RESID,LOCID,{time},{figure}"), row(time, figure));
        assert_eq!(other.status(), 400, "{time} {figure}");
        assert!(error_text(&other).contains("one set of columns"), "{}", error_text(&other));
    }
    let again = send(&mut client, &format!("TWINCAPA, {week},LOCID,RESID"), row(week, "TWINCAPA"));
    assert_eq!(again.status(), 201, "the order of names is free");
    let path = format!("{PLANNING}/PTDEMOTrans?$filter=Transactionid eq 'one'");
    let kept = client.get_json(&path)["d"]["results"][0]["AggregationLevelFieldsString"].clone();
    assert_eq!(kept, format!("RESID,LOCID,{week},TWINCAPA"));
    client.commit("one");
    assert_eq!((client.status("one"), client.messages("one").len()), ("PROCESSED".into(), 0));
    client.sandbox.switch(Switch::MixedColumns, true);
    client.stage("two", "LINE-1", "TWINCAPA", "1");
    assert_eq!(client.stage("two", "LINE-1", "TWINLOST", "1").status(), 201, "unconfirmed, so off");
}

#[test]
fn a_refusal_speaks_of_each_row_at_fault() {
    let mut client = Client::new();
    let row = |value: &str| {
        json!({ "RESID": "LINE-1", "LOCID": "1010", "PERIODID4_TSTAMP": "2026-11-23T00:00:00",
            "TWINCAPA": value })
    };
    let rows = [row("1"), row("much"), row("2"), row("more")];
    let body = trans("t", "RESID,LOCID,PERIODID4_TSTAMP,TWINCAPA", &rows);
    let details = |client: &mut Client| {
        let refused = client.post(&format!("{PLANNING}/PTDEMOTrans"), &body);
        assert_eq!(refused.status(), 400);
        let json: Value = serde_json::from_slice(refused.body()).unwrap();
        let all = json["error"]["innererror"]["errordetails"].as_array().unwrap().clone();
        let texts = all.iter().map(|one| one["message"].as_str().unwrap().to_owned());
        (json["error"]["message"]["value"].as_str().unwrap().to_owned(), texts.collect::<Vec<_>>())
    };
    let (message, texts) = details(&mut client);
    assert!(message.contains("TWINCAPA"), "{message}");
    assert!(texts[0].starts_with("row 2: ") && texts[1].starts_with("row 4: "), "{texts:?}");
    client.sandbox.switch(Switch::TerseErrors, true);
    let (message, terse) = details(&mut client);
    assert!(!message.contains("TWINCAPA") && terse == texts, "{message}");
    assert_eq!(client.messages("t").len(), 0, "nothing was staged");
}
