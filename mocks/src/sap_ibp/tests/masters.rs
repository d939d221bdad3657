//! Master data: reads, catalogue, upsert with its own spellings.

use super::*;

fn upsert(
    client: &mut Client,
    id: &str,
    kind: &str,
    attributes: &str,
    rows: &Value,
) -> Response<Bytes> {
    let mut body =
        json!({ "TransactionID": id, "RequestedAttributes": attributes, "DoCommit": false });
    body[format!("Nav{kind}")] = rows.clone();
    client.post(&format!("{MASTER}/{kind}Trans"), &body)
}

fn commit(client: &mut Client, id: &str) -> String {
    let path = format!("{MASTER}/Commit?P_TransactionID='{id}'");
    assert_eq!(client.post(&path, &Value::Null).status(), 200);
    client.pass(2.0);
    let json = client.get_json(&format!("{MASTER}/GetExportResult?P_TransactionID='{id}'"));
    json["d"]["results"][0]["Value"].as_str().unwrap().to_owned()
}

#[test]
fn a_new_resource_can_be_loaded_and_then_takes_values() {
    let mut client = Client::new();
    assert_eq!(client.stage("before", "LINE-99", "TWINCAPA", "1").status(), 201);
    client.commit("before");
    assert_eq!(client.status("before"), "PROCESSED_WITH_ERRORS");
    let id = client.get_json(&format!(
        "{MASTER}/GetTransactionID?TransactionID=''&MasterDataTypeID='PTRESOURCE'"
    ));
    let id = id["d"]["Value"].as_str().unwrap().to_owned();
    let rows = json!({ "results": [{ "RESID": "LINE-99", "RESDESCR": "New line" }] });
    assert_eq!(upsert(&mut client, &id, "PTRESOURCE", "RESID,RESDESCR", &rows).status(), 201);
    let known = |client: &mut Client| {
        let path = format!("{MASTER}/PTRESOURCE?$filter=RESID eq 'LINE-99'&$select=RESDESCR");
        client.get_json(&path)["d"]["results"].as_array().unwrap().len()
    };
    assert_eq!(known(&mut client), 0, "staged only");
    assert_eq!((commit(&mut client, &id), known(&mut client)), ("PROCESSED".into(), 1));
    let pair = json!([{ "RESID": "LINE-99", "LOCID": "1010" }]);
    upsert(&mut client, "pair", "PTRESOURCELOCATION", "RESID,LOCID", &pair);
    assert_eq!(commit(&mut client, "pair"), "PROCESSED");
    client.stage("after", "LINE-99", "TWINCAPA", "1");
    client.commit("after");
    assert_eq!(client.status("after"), "PROCESSED");
}

#[test]
fn duplicates_reject_both_copies_and_dangling_pairs_are_named() {
    let mut client = Client::new();
    let rows = json!([{ "RESID": "A", "RESDESCR": "1" }, { "RESID": "A", "RESDESCR": "2" }, { "RESID": "B", "RESDESCR": "3" }]);
    upsert(&mut client, "d", "PTRESOURCE", "RESID,RESDESCR", &rows);
    assert_eq!(commit(&mut client, "d"), "PROCESSED_WITH_ERRORS");
    let path =
        format!("{MASTER}/PTRESOURCEMessage?$filter=TransactionID eq 'd'&$expand=NavPTRESOURCE");
    let messages = client.get_json(&path)["d"]["results"].as_array().unwrap().clone();
    assert_eq!(messages.len(), 2);
    assert!(messages[0]["MessageText"].as_str().unwrap().starts_with("119 Duplicate master data"));
    assert_eq!(messages[0]["NavPTRESOURCE"]["RESID"], "A");
    assert_eq!(client.get(&format!("{MASTER}/PTRESOURCEMessage")).status(), 400);
    assert_eq!(client.get(&path.replace("$expand=Nav", "$expand=nav")).status(), 400);
    upsert(
        &mut client,
        "p",
        "PTRESOURCELOCATION",
        "RESID,LOCID",
        &json!([{ "RESID": "B", "LOCID": "9999" }]),
    );
    assert_eq!(commit(&mut client, "p"), "PROCESSED_WITH_ERRORS");
}

#[test]
fn base_sends_no_version_and_a_version_needs_both() {
    let mut client = Client::new();
    let rows = json!([{ "RESID": "LINE-1", "LOCID": "1010" }]);
    for (area, version, status) in [
        ("PTDEMO", "", 400),
        ("", "TWIN", 400),
        ("PTDEMO", "__BASELINE", 400),
        ("PTDEMO", "TWIN", 201),
    ] {
        let body = json!({ "TransactionID": format!("{area}{version}"), "RequestedAttributes": "RESID,LOCID",
            "PlanningAreaID": area, "VersionID": version, "NavPTRESOURCELOCATION": rows });
        let response = client.post(&format!("{MASTER}/PTRESOURCELOCATIONTrans"), &body);
        assert_eq!(response.status(), status, "{area} {version}");
    }
    let pairs = client.get_json(&format!("{MASTER}/PTRESOURCELOCATION?$filter=RESID eq 'LINE-1'"));
    let versions: Vec<_> =
        pairs["d"]["results"].as_array().unwrap().iter().map(|r| r["VersionID"].clone()).collect();
    assert_eq!(versions, ["__BASELINE", "TWIN"]);
}

#[test]
fn reference_types_have_no_trans_set_and_the_catalogue_lists_the_rest() {
    let mut client = Client::new();
    let units = client.get_json(&format!("{MASTER}/PTUOMTO?$orderby=UOMTOID desc"));
    assert_eq!(units["d"]["results"][0]["UOMTOID"], "EA");
    assert_eq!(upsert(&mut client, "u", "PTUOMTO", "UOMTOID", &json!([])).status(), 404);
    let list = client.get_json(&format!(
        "{MASTER}/VersionSpecificMasterDataTypes?$filter=PlanningAreaID eq 'PTDEMO'"
    ));
    let text = list.to_string();
    assert!(
        text.contains("PTRESOURCELOCATION") && text.contains("TWIN") && !text.contains("PTUOMTO")
    );
}

#[test]
fn rows_are_checked_and_deleting_is_for_newer_tenants() {
    let mut client = Client::new();
    let row = json!([{ "RESID": "LINE-6", "CREATEDDATE": "x" }]);
    assert_eq!(upsert(&mut client, "r", "PTRESOURCE", "RESID,CREATEDDATE", &row).status(), 400);
    let mut body = json!({ "TransactionID": "del", "RequestedAttributes": "RESID", "DeleteEntries": true,
        "DoCommit": true, "NavPTRESOURCE": [{ "RESID": "LINE-6" }] });
    assert_eq!(client.post(&format!("{MASTER}/PTRESOURCETrans"), &body).status(), 400);
    let mut misspelt = body.clone();
    misspelt.as_object_mut().unwrap().remove("DeleteEntries");
    misspelt["Transactionid"] = "del".into();
    let refused = client.post(&format!("{MASTER}/PTRESOURCETrans"), &misspelt);
    assert!(error_text(&refused).contains("Transactionid"), "the planning side's spelling");
    client.sandbox.switch(Switch::DeleteEntries, true);
    body["TransactionID"] = "del2".into();
    assert_eq!(client.post(&format!("{MASTER}/PTRESOURCETrans"), &body).status(), 201);
    client.pass(2.0);
    let left = client.get_json(&format!("{MASTER}/PTRESOURCE"));
    assert_eq!(left["d"]["results"].as_array().unwrap().len(), 5);
}

#[test]
fn a_wrong_spelling_is_refused_and_never_an_empty_list() {
    let mut client = Client::new();
    upsert(&mut client, "m", "PTRESOURCE", "RESID", &json!([{ "RESID": "" }]));
    assert_eq!(commit(&mut client, "m"), "PROCESSED_WITH_ERRORS");
    for (path, odd) in [
        ("PTRESOURCEMessage?$filter=Transactionid eq 'm'", "Transactionid"),
        ("PTRESOURCEMessage?$filter=TransactionID eq 'm' or MsgText eq 'x'", "MsgText"),
        ("PTRESOURCEMessage?$filter=TransactionID eq 'm'&$select=ExceptionId", "ExceptionId"),
        ("PTRESOURCE?$filter=RESID eq 'LINE-1' or LOCID eq '1010'", "LOCID"),
        ("PTRESOURCE?$filter=Resid eq 'LINE-1'", "Resid"),
        ("PTRESOURCE?$orderby=LOCID", "LOCID"),
        ("PTRESOURCE?$select=RESID,LOCID", "LOCID"),
        ("PTRESOURCE?$filter=VersionID eq 'TWIN'", "VersionID"),
        ("VersionSpecificMasterDataTypes?$orderby=RESID", "RESID"),
    ] {
        let response = client.get(&format!("{MASTER}/{path}"));
        assert_eq!(response.status(), 400, "{path}");
        let text = error_text(&response);
        assert!(text.contains(&format!("'{odd}'")) && text.contains("unknown"), "{path}: {text}");
    }
    let path = format!("{MASTER}/PTRESOURCE?$filter=RESID eq 5");
    assert!(error_text(&client.get(&path)).contains("Invalid parametertype"));
    let right = format!("{MASTER}/PTRESOURCEMessage?$filter=TransactionID eq 'm'");
    let found = |client: &mut Client, path: &str| {
        client.get_json(path)["d"]["results"].as_array().unwrap().len()
    };
    assert_eq!(found(&mut client, &right), 1);
    let text = "MessageText eq 'Key attribute RESID is empty'";
    assert_eq!(found(&mut client, &format!("{right} and {text}")), 1);
    assert_eq!(found(&mut client, &format!("{right} and MessageText eq 'x'")), 0);
    let other = right.replace("PTRESOURCEMessage", "PTLOCATIONMessage");
    assert_eq!(found(&mut client, &other), 0, "messages are those of the set's own type");
}

#[test]
fn keys_and_types_are_those_of_the_metadata() {
    let mut client = Client::new();
    let pairs = client.get_json(&format!("{MASTER}/PTRESOURCELOCATION?$filter=RESID eq 'LINE-1'"));
    let uri = |row: &Value| row["__metadata"]["uri"].as_str().unwrap().to_owned();
    let keys = |version| {
        format!(
            "/PTRESOURCELOCATION(RESID='LINE-1',LOCID='1010',PlanningAreaID='PTDEMO',VersionID='{version}')"
        )
    };
    assert!(uri(&pairs["d"]["results"][0]).ends_with(&keys("__BASELINE")), "{pairs}");
    assert!(uri(&pairs["d"]["results"][1]).ends_with(&keys("TWIN")));
    let simple = client.get_json(&format!("{MASTER}/PTRESOURCE?$filter=RESID eq 'LINE-1'"));
    assert!(uri(&simple["d"]["results"][0]).ends_with("/PTRESOURCE(RESID='LINE-1')"));
    let body = json!({ "TransactionID": "v", "RequestedAttributes": "RESID,LOCID",
        "PlanningAreaID": "PTDEMO", "VersionID": "TWIN", "DoCommit": true,
        "NavPTRESOURCELOCATION": [{ "RESID": "NOBODY", "LOCID": "1010" }] });
    assert_eq!(client.post(&format!("{MASTER}/PTRESOURCELOCATIONTrans"), &body).status(), 201);
    client.pass(2.0);
    let path =
        "PTRESOURCELOCATIONMessage?$filter=TransactionID eq 'v'&$expand=NavPTRESOURCELOCATION";
    let failed = client.get_json(&format!("{MASTER}/{path}"));
    let row = &failed["d"]["results"][0]["NavPTRESOURCELOCATION"];
    assert!(uri(row).ends_with(&keys("TWIN").replace("LINE-1", "NOBODY")), "{row}");
    for name in [
        "GetTransactionID?TransactionID=''&MasterDataTypeID=''",
        "GetExportResult?P_TransactionID='v'",
    ] {
        let result = client.get_json(&format!("{MASTER}/{name}"));
        let result = result["d"]["results"].get(0).unwrap_or(&result["d"]).clone();
        assert_eq!(result["__metadata"]["type"], "IBP.MASTER_DATA_API_SRV.ValueResult", "{name}");
    }
}

#[test]
fn a_type_without_versions_takes_neither_area_nor_version() {
    let mut client = Client::new();
    let body = json!({ "TransactionID": "v", "RequestedAttributes": "RESID",
        "PlanningAreaID": "PTDEMO", "VersionID": "TWIN", "NavPTRESOURCE": [{ "RESID": "A" }] });
    let refused = client.post(&format!("{MASTER}/PTRESOURCETrans"), &body);
    assert_eq!(refused.status(), 400);
    assert!(error_text(&refused).contains("planning area and version"));
}

#[test]
fn a_parallel_process_is_for_a_real_version_of_a_type_that_has_one() {
    let mut client = Client::new();
    let path = |id: &str, kind: &str, area: &str, version: &str| {
        format!(
            "{MASTER}/InitiateParallelProcess?TransactionID='{id}'&MasterDataTypeID='{kind}'\
             &PlanningArea='{area}'&VersionID='{version}'"
        )
    };
    let long = "x".repeat(33);
    for (id, kind, area, version, status) in [
        ("p", "PTRESOURCELOCATION", "PTDEMO", "TWIN", 200),
        (&*long, "PTRESOURCELOCATION", "PTDEMO", "TWIN", 400),
        ("p", "PTRESOURCELOCATION", "PTDEMO", "", 400),
        ("p", "PTRESOURCELOCATION", "PTDEMO", "__BASELINE", 400),
        ("p", "PTRESOURCELOCATION", "PTDEMO", "NOSUCH", 400),
        ("p", "PTRESOURCELOCATION", "NOSUCH", "TWIN", 400),
        ("p", "PTRESOURCE", "PTDEMO", "TWIN", 400),
        ("p", "PTUOMTO", "PTDEMO", "TWIN", 404),
        ("p", "NOSUCH", "PTDEMO", "TWIN", 404),
    ] {
        let response = client.post(&path(id, kind, area, version), &Value::Null);
        assert_eq!(response.status(), status, "{id} {kind} {area} {version}");
    }
    client.sandbox.switch(Switch::ParallelProcess, false);
    let off = client.post(&path("p", "PTRESOURCELOCATION", "PTDEMO", "TWIN"), &Value::Null);
    assert_eq!(off.status(), 404);
}
