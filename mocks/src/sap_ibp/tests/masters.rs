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
