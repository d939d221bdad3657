//! Who asks, tokens, formats, service documents.

use super::*;
use crate::{latency::Profile, simulator::ClientCertificate};

#[test]
fn wrong_users_are_refused() {
    let mut client = Client::new();
    let wrong = format!("Basic {}", STANDARD.encode("planthread:guess"));
    let response = client.send(Method::GET, PLANNING, "", &[("authorization", &wrong)]);
    assert_eq!(response.status(), 401);
    let unscoped = format!("Basic {}", STANDARD.encode("planthread-noscenario:planthread"));
    let response = client.send(Method::GET, PLANNING, "", &[("authorization", &unscoped)]);
    assert_eq!(response.status(), 403);
    assert!(!response.headers().contains_key("x-csrf-token"), "no scenario is no CSRF matter");
}

#[test]
fn a_verified_certificate_replaces_basic_and_a_header_does_not() {
    let mut client = Client::new();
    let mut request = Request::get(format!("{PLANNING}/")).body(Bytes::new()).unwrap();
    request.headers_mut().insert("x-client-cn", "planthread".parse().unwrap());
    assert_eq!(client.sandbox.handle(client.at, &request).response.status(), 401);
    request.extensions_mut().insert(ClientCertificate { common_name: "planthread".into() });
    assert_eq!(client.sandbox.handle(client.at, &request).response.status(), 200);
    request.extensions_mut().insert(ClientCertificate { common_name: "other".into() });
    assert_eq!(client.sandbox.handle(client.at, &request).response.status(), 401);
}

#[test]
fn token_and_cookie_count_only_together() {
    let mut client = Client::new();
    let (token, cookie) = (client.token.clone(), client.cookie.clone());
    let path = format!("{PLANNING}/commit?P_TransactionID='x'");
    for headers in [
        vec![],
        vec![("x-csrf-token", &*token)],
        vec![("cookie", &*cookie)],
        vec![("x-csrf-token", "guess"), ("cookie", &*cookie)],
    ] {
        let response = client.send(Method::POST, &path, "", &headers);
        assert_eq!(response.status(), 403);
        assert_eq!(response.headers()["x-csrf-token"], "Required");
        assert_eq!(response.body().as_ref(), b"CSRF token validation failed");
    }
    assert_eq!(client.post(&path, &Value::Null).status(), 404, "id unknown, but let through");
}

#[test]
fn every_documented_place_hands_out_a_token() {
    let documents = ["", "/", "/$metadata"].map(|path| (path, vec![Method::GET, Method::HEAD]));
    let sets = ["/PTDEMOTrans", "/PTDEMOTrans/"].map(|path| (path, vec![Method::HEAD]));
    for (path, methods) in documents.into_iter().chain(sets) {
        for method in methods {
            let mut client = Client::new();
            let headers = [("x-csrf-token", "fetch")];
            let response = client.send(method.clone(), &format!("{PLANNING}{path}"), "", &headers);
            assert!(response.headers().contains_key("x-csrf-token"), "{method} {path}");
            assert_eq!(response.headers().get_all("set-cookie").iter().count(), 2);
            assert!(method != Method::HEAD || response.body().is_empty());
        }
    }
}

#[test]
fn a_failed_request_carries_no_token() {
    let mut client = Client::new();
    for path in ["/PTDEMOTrans", "/NOAREA", "/PTDEMO?$select=RESID"] {
        let headers = [("x-csrf-token", "fetch")];
        let response = client.send(Method::GET, &format!("{PLANNING}{path}"), "", &headers);
        assert!(response.status().is_client_error(), "{path}");
        assert!(!response.headers().contains_key("x-csrf-token"), "{path}");
        assert!(!response.headers().contains_key("set-cookie"), "{path}");
    }
}

#[test]
fn plain_http_sets_no_secure_cookie_and_tls_does() {
    for secure in [false, true] {
        let options = Options { behind_tls: secure, ..Options::default() };
        let mut client = Client::with(options);
        let headers = [("x-csrf-token", "fetch")];
        let response = client.send(Method::GET, &format!("{PLANNING}/"), "", &headers);
        let cookies: Vec<_> = response.headers().get_all("set-cookie").iter().collect();
        assert!(cookies.iter().all(|c| c.to_str().unwrap().contains("Secure") == secure));
    }
}

#[test]
fn sessions_end_when_idle_and_a_refused_post_stages_nothing() {
    let mut client = Client::new();
    client.pass(31.0 * 60.0);
    assert_eq!(client.stage("late", "LINE-1", "TWINCAPA", "1").status(), 403);
    client.fetch_token();
    assert_eq!(client.stage("late", "LINE-1", "TWINCAPA", "100").status(), 201);
    client.commit("late");
    assert_eq!(client.value("TWINCAPA").unwrap(), "100.000000");
    client.sandbox.expire_sessions();
    assert_eq!(client.stage("next", "LINE-1", "TWINCAPA", "1").status(), 403);
}

#[test]
fn atom_is_the_default_and_json_on_request() {
    let mut client = Client::new();
    let id = format!("{PLANNING}/getTransactionID");
    let atom = client.send(Method::GET, &id, "", &[]);
    let text = String::from_utf8(atom.body().to_vec()).unwrap();
    assert!(text.contains("<content type=\"application/xml\"><m:properties><d:Name>"), "{text}");
    let json = client.send(Method::GET, &format!("{id}?$format=json"), "", &[]);
    let json: Value = serde_json::from_slice(json.body()).unwrap();
    assert_eq!(json["d"]["Value"].as_str().unwrap().len(), 32);
    let error = client.send(Method::GET, &format!("{PLANNING}/NOAREA"), "", &[]);
    assert_eq!(error.status(), 404);
    assert!(
        error.body().starts_with(b"<?xml")
            && error.headers()["content-type"] == "application/xml;charset=utf-8"
    );
    let error = client.get(&format!("{PLANNING}/NOAREA"));
    assert!(error_text(&error).contains("NOAREA"));
}

#[test]
fn documents_list_the_area_in_both_formats_and_cases() {
    let mut client = Client::new();
    let json = client.get_json(&format!("{PLANNING}/"));
    assert_eq!(json["d"]["EntitySets"][0], "PTDEMO");
    let lower = PLANNING.replace("IBP", "ibp");
    assert_eq!(client.get_json(&lower)["d"], json["d"]);
    let xml = client.send(Method::GET, &format!("{PLANNING}/"), "", &[]);
    let xml = String::from_utf8(xml.body().to_vec()).unwrap();
    assert!(xml.contains("<app:collection href=\"PTDEMOTrans\">"));
}

#[test]
fn metadata_is_xml_even_when_json_is_asked_for() {
    let mut client = Client::new();
    for root in [PLANNING, MASTER] {
        let response = client.get(&format!("{root}/$metadata"));
        let xml = String::from_utf8(response.body().to_vec()).unwrap();
        let mut reader = quick_xml::Reader::from_str(&xml);
        let mut elements = 0;
        loop {
            match reader.read_event().unwrap() {
                quick_xml::events::Event::Eof => break,
                quick_xml::events::Event::Start(_) => elements += 1,
                _ => {}
            }
        }
        assert!(elements > 10, "{root}");
    }
    let xml = client.get(&format!("{PLANNING}/$metadata"));
    let xml = String::from_utf8(xml.body().to_vec()).unwrap();
    assert!(!xml.contains("\"commit\"") && xml.contains("m:HttpMethod=\"PUT\""));
    client.sandbox.switch(Switch::CommitInMetadata, true);
    let xml = client.get(&format!("{PLANNING}/$metadata"));
    assert!(String::from_utf8(xml.body().to_vec()).unwrap().contains("\"commit\""));
}

#[test]
fn an_area_can_be_disabled_for_the_planning_service_alone() {
    let mut client = Client::switched(Switch::PlanningEnabled, false);
    assert_eq!(client.get(&format!("{PLANNING}/PTDEMO?$select=RESID,TWINCAPA")).status(), 404);
    assert_eq!(client.get(&format!("{PLANNING}/PTMASTER")).status(), 404);
    assert_eq!(client.get(&format!("{MASTER}/PTRESOURCE")).status(), 200);
    let sets = client.get_json(&format!("{PLANNING}/"));
    assert!(!sets.to_string().contains("PTDEMO\""));
}

#[test]
fn verbs_and_parameters_of_functions_are_strict() {
    let mut client = Client::new();
    assert_eq!(client.get(&format!("{PLANNING}/commit?P_TransactionID='x'")).status(), 405);
    assert_eq!(client.get(&format!("{PLANNING}/getExportResult?P_TransactionID=x")).status(), 404);
    assert_eq!(client.get(&format!("{PLANNING}/getExportResult")).status(), 404);
    assert_eq!(client.get(&format!("{PLANNING}/GetTransactionID")).status(), 404, "spelling");
    let path = format!(
        "{PLANNING}/InitiateParallelProcess?Transactionid='p1'&PlanningArea='PTDEMO'&VersionID=''&ScenarioID=''"
    );
    assert_eq!(client.post(&path, &Value::Null).status(), 200);
    assert_eq!(client.status("p1"), "INITIAL");
}

#[test]
fn documented_latency_is_asked_for_and_never_slept() {
    let options = Options { latency: Profile::AsDocumented, ..Options::default() };
    let mut client = Client::with(options);
    let rows: Vec<_> = (0..50)
        .map(|_| {
            json!({ "RESID": "LINE-1", "LOCID": "1010",
            "PERIODID4_TSTAMP": "2026-11-23T00:00:00", "TWINCAPA": "1", "TWINLOST": "1" })
        })
        .collect();
    let body = trans("slow", "RESID,LOCID,TWINCAPA,TWINLOST,PERIODID4_TSTAMP", &rows);
    let mut request = Request::post(format!("{PLANNING}/PTDEMOTrans"))
        .header("x-csrf-token", &client.token)
        .header("cookie", &client.cookie)
        .header("content-type", "application/json")
        .header("authorization", format!("Basic {}", STANDARD.encode("planthread:planthread")))
        .body(Bytes::from(body.to_string()))
        .unwrap();
    let reply = client.sandbox.handle(client.at, &request);
    assert_eq!((reply.response.status().as_u16(), reply.delay.as_secs()), (201, 2));
    *request.method_mut() = Method::GET;
    *request.uri_mut() = format!("{PLANNING}/PTDEMO?$select=RESID,TWINCAPA").parse().unwrap();
    assert_eq!(client.sandbox.handle(client.at, &request).delay.as_secs(), 6);
}

#[test]
fn addresses_in_answers_are_https_behind_tls() {
    for (behind_tls, scheme) in [(false, "http://"), (true, "https://")] {
        let mut client = Client::with(Options { behind_tls, ..Options::default() });
        for path in [
            format!("{PLANNING}/PTDEMO?$select=RESID,CAPASUPPLY&$top=1&$orderby=RESID"),
            format!("{MASTER}/PTRESOURCE?$top=1"),
        ] {
            let json = client.get_json(&path);
            let uri = json["d"]["results"][0]["__metadata"]["uri"].as_str().unwrap();
            assert!(uri.starts_with(scheme), "{uri}");
        }
    }
}
