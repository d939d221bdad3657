//! The sandbox as a foreign client sees it, and each of its traps.

use bytes::Bytes;
use http::{Request, header};
use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::*;
use crate::sdk::Setup;

const RULE_PATH: &str = "/api/ibplquery/1234/PlanthreadCapacity";
const VERBOSE: &str = "/api/ibplquery/1234/ExecuteQueryJson";
const COMPACT: &str = "/api/ibplquery/1234/ExecuteCompactJsonQuery?traceDdl=true";

fn at() -> Timestamp {
    "2026-11-22T22:00:00Z".parse().unwrap()
}

fn sandbox(on: &[&str], options: &[(&str, &str)]) -> O9 {
    let on = on.iter().map(|name| (*name).to_owned()).collect();
    let options = options.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    O9::new(Options::of(&Setup { on, options, ..Setup::default() }).unwrap())
}

fn ask_as(o9: &mut O9, key: &str, method: &str, path: &str, body: &Value) -> (u16, Value) {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::AUTHORIZATION, key)
        .body(Bytes::from(body.to_string()))
        .unwrap();
    let reply = o9.handle(at(), &request).response;
    let text = String::from_utf8_lossy(reply.body()).into_owned();
    (reply.status().as_u16(), serde_json::from_str(&text).unwrap_or(Value::from(text)))
}

fn post(o9: &mut O9, path: &str, body: &Value) -> (u16, Value) {
    ask_as(o9, "ApiKey planthread.planthread", "POST", path, body)
}

fn get(o9: &mut O9, path: &str) -> (u16, Value) {
    ask_as(o9, "ApiKey planthread.planthread", "GET", path, &Value::Null)
}

fn run(o9: &mut O9, text: &str) -> (u16, Value) {
    post(o9, VERBOSE, &json!({ "Query": text }))
}

fn row(id: &str, resource: &str, measure: &str, value: &str) -> Value {
    json!({ "Id": id, "Version": "TwinSignals", "Measure": measure, "Resource": resource,
        "Location": "1010", "Time": "W49-2026", "Value": value })
}

fn signal(o9: &mut O9, id: &str, rows: &[Value]) -> (u16, Value) {
    post(o9, RULE_PATH, &json!({ "SignalId": id, "Rows": rows }))
}

/// What a measure of LINE-1 in the first week holds.
fn held(o9: &mut O9, measure: &str) -> Value {
    let text = format!(
        "select ([Version].[Version Name].[TwinSignals] * [Resource].[Resource].[LINE-1] * \
         [Time].[Week].[W49-2026]) on row, ({{Measure.[{measure}]}}) on column;"
    );
    run(o9, &text).1["Data"][0]["C3"]["Value"].clone()
}

#[test]
fn only_a_key_or_a_fresh_token_gets_in() {
    let mut o9 = sandbox(&[], &[]);
    let path = "/api/v2/fact/PlanthreadDemo";
    assert_eq!(ask_as(&mut o9, "Bearer x", "GET", path, &Value::Null).0, 401);
    let login = json!({ "userEmail": "planthread", "submittedPassword": "planthread",
        "expirySeconds": 36000 });
    let (_, said) = ask_as(&mut o9, "", "POST", "/api/framework/auth/login", &login);
    let token = format!("Basic {}", said["AuthToken"].as_str().unwrap());
    assert_eq!(ask_as(&mut o9, &token, "GET", path, &Value::Null).0, 200);
    o9.expire_sessions();
    assert_eq!(ask_as(&mut o9, &token, "GET", path, &Value::Null).0, 401);
    let (status, listed) = get(&mut o9, path);
    assert_eq!(
        (status, &listed[0]["KeyAttributes"][3]),
        (200, &json!({ "Name": "Week", "DimensionName": "Time" }))
    );
    assert_eq!(get(&mut o9, "/api/v2/graph/PlanthreadDemo").0, 404, "no unconfirmed route");
    assert_eq!(post(&mut o9, "/api/v2/fact/PlanthreadDemo/Capacity%20Plan", &json!([])).0, 404);
}

#[test]
fn the_rule_writes_names_what_it_refuses_and_knows_what_it_has_taken() {
    let mut o9 = sandbox(&[], &[]);
    let rows = [
        row("1", "LINE-1", "Capacity Override", "36.50"),
        row("2", "line-1", "Capacity Override", "1"),
        row("3", "LINE-1", "Capacity Final", "1"),
    ];
    let (status, said) = signal(&mut o9, "a", &rows);
    assert_eq!((status, &said["Status"]), (200, &json!("Partial")));
    assert_eq!(said["Rows"][0]["Id"], "2");
    assert_eq!(said["Rows"][1]["Code"], 403);
    assert_eq!(held(&mut o9, "Capacity Override"), json!(36.5));
    assert_eq!(held(&mut o9, "Capacity Final"), json!(36.5));
    assert_eq!(signal(&mut o9, "a", &rows).1["Status"], "Duplicate");
    assert_eq!(signal(&mut o9, "a", &rows[..1]).0, 409);
}

#[test]
fn both_reply_forms_and_their_oddities() {
    let read = json!({ "Tenant": 1234, "Query": "select (&CWV * [Resource].[Resource] * \
        [Time].[Week].filter(#.Name == [W49-2026])) on row, ({Measure.[Capacity]}) on column;" });
    let mut plain = sandbox(&[], &[("resources", "2")]);
    let (_, verbose) = post(&mut plain, VERBOSE, &read);
    assert_eq!(
        verbose["Meta"][1],
        json!({ "DimensionName": "Resource", "AttributeName": "Resource" })
    );
    assert_eq!(verbose["Data"][1]["C1"]["Name"], "LINE-2");
    assert_eq!(verbose["Data"][1]["C3"]["Value"], json!(120.0));
    let (_, compact) = post(&mut plain, COMPACT, &read);
    assert_eq!(compact["Results"]["0"]["Data"][1], json!([0, 1, 0, 120.0]));
    let odd = ["double-encoded-replies", "cell-metadata", "rows-as-objects", "numbers-as-text"];
    let mut odd = sandbox(&odd, &[("resources", "2")]);
    let text = post(&mut odd, COMPACT, &read).1;
    let inner: Value = serde_json::from_str(text.as_str().unwrap()).unwrap();
    assert_eq!(inner["Results"]["0"]["Data"][1]["3"][0], "120");
}

#[test]
fn pages_follow_their_cursor_and_the_body_has_a_status() {
    let mut o9 = sandbox(&[], &[]);
    let filters = r#"[{"AttributeName":"Version Name","Values":["CurrentWorkingView"],"DimensionName":"Version"},{"AttributeName":"Week","DateRanges":[{"op":">=","value":"2026-11-30"},{"op":"<=","value":"2026-12-07"}],"DimensionName":"Time"}]"#;
    let filters: String = url::form_urlencoded::byte_serialize(filters.as_bytes()).collect();
    let path = format!("/api/v2/fact/PlanthreadDemo/Capacity%20Plan?size=5&Filters={filters}");
    let (mut rows, mut cursor) = (0, String::new());
    loop {
        let (_, page) = get(&mut o9, &format!("{path}{cursor}"));
        assert_eq!(page["StatusCode"], 200);
        rows += page["Data"]["Capacity Plan"].as_array().unwrap().len();
        match page["Cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(rows, 12, "six resources, two weeks");
    let mut differs = sandbox(&["body-status-differs"], &[]);
    let (status, page) = get(&mut differs, &path);
    assert_eq!((status, &page["StatusCode"]), (200, &json!(500)));
}

#[test]
fn statements_that_write_are_off_until_somebody_confirms_them() {
    let update = "update Measure.[Capacity Override]@([Version].[Version Name].[TwinSignals], \
        [Resource].[Resource].[LINE-1], [Location].[Location].[1010], [Time].[Week].[W49-2026]) = 30;";
    assert_eq!(run(&mut sandbox(&[], &[]), update).0, 403);
    let mut on = sandbox(&["update-over-query"], &[]);
    assert_eq!(run(&mut on, update).0, 200);
    assert_eq!(held(&mut on, "Capacity Override"), json!(30.0));
    let month = update.replace("[Week].[W49-2026]", "[Month].[M11-2026]");
    assert_eq!(run(&mut on, &month).0, 200, "legal, and it spreads");
    let spread = on.stored().into_iter().filter(|cell| cell.measure == "Capacity Override").count();
    assert!(spread > 1, "{spread}");
    let mut saving = sandbox(&["update-over-query", "save-needed"], &[]);
    run(&mut saving, update);
    assert_eq!(held(&mut saving, "Capacity Override"), Value::Null);
    run(&mut saving, "save();");
    assert_eq!(held(&mut saving, "Capacity Override"), json!(30.0));
    let scope = "scope:([Version].[Version Name].[TwinSignals] * [Resource].[Resource].[LINE-1] * \
        [Location].[Location].[1010] * [Time].[Week].[W49-2026]); Measure.[Capacity Override] = 20; end scope;";
    let mut fresh = sandbox(&["update-over-query"], &[]);
    run(&mut fresh, scope);
    assert_eq!(held(&mut fresh, "Capacity Override"), Value::Null, "a scope skips empty cells");
    let cartesian = format!("cartesian {scope}");
    let mut ignores = sandbox(&["update-over-query", "cartesian-ignored"], &[]);
    assert_eq!(run(&mut ignores, &cartesian).0, 200);
    assert_eq!(held(&mut ignores, "Capacity Override"), Value::Null);
    run(&mut fresh, &cartesian);
    assert_eq!(held(&mut fresh, "Capacity Override"), json!(20.0));
}

#[test]
fn the_traps_answer_success_and_only_a_read_back_tells() {
    let rows = [row("1", "LINE-1", "Capacity Override", "500")];
    let mut masked = sandbox(&["assortment-mask"], &[("resources", "1")]);
    assert_eq!(signal(&mut masked, "a", &rows).1["Status"], "Success");
    assert_eq!(held(&mut masked, "Capacity Override"), Value::Null);
    let mut ruled = sandbox(&["active-rule-overwrites"], &[]);
    assert_eq!(signal(&mut ruled, "a", &rows).1["Status"], "Success");
    assert_eq!(held(&mut ruled, "Capacity Override"), json!(120.0));
    let mut slow = sandbox(&["slow-create-member"], &[]);
    let body = json!({ "SignalId": "a", "Rows": [row("1", "LINE-9", "Capacity Override", "1")] });
    let request = Request::post(RULE_PATH)
        .header(header::AUTHORIZATION, "ApiKey planthread.planthread")
        .body(Bytes::from(body.to_string()))
        .unwrap();
    assert_eq!(slow.handle(at(), &request).delay.as_secs(), 60);
    let mut silent = sandbox(&["silent-read-only"], &[]);
    let read_only = [row("1", "LINE-1", "Capacity Final", "1")];
    assert_eq!(signal(&mut silent, "a", &read_only).1["Status"], "Success");
}

#[test]
fn a_pack_is_imported_whole_or_not_at_all() {
    let mut o9 = sandbox(&[], &[]);
    let file = "Version,Resource,Location,Time,Measure,Value\n\
        TwinSignals,LINE-1,1010,W49-2026,Capacity Override,36.50\n\
        TwinSignals,LINE-2,1020,W49-2026,Capacity Override,40\n";
    let mark = |text: &str, rows: usize| {
        let digest: String = Sha256::digest(text).iter().map(|b| format!("{b:02x}")).collect();
        format!("{rows}:{digest}")
    };
    let half = &file[..file.len() - 20];
    for (text, done, says) in [
        (file, None, "missing"),
        (half, Some(mark(file, 2)), "not copied whole"),
        (half, Some(mark(half, 2)), "record 2"),
        (file, Some(mark(file, 3)), "says 3"),
    ] {
        let error = o9.import_csv(at(), text, b',', done.as_deref()).unwrap_err();
        assert!(error.contains(says), "{error}");
        assert_eq!(held(&mut o9, "Capacity Override"), Value::Null);
    }
    assert_eq!(o9.import_csv(at(), file, b',', Some(&mark(file, 2))), Ok(2));
    assert_eq!(held(&mut o9, "Capacity Override"), json!(36.5));
}

#[test]
fn a_week_is_split_at_the_months_end() {
    let mut o9 = sandbox(&[], &[("level", "partial_week")]);
    let mut part = row("1", "LINE-1", "Capacity Override", "8.00");
    part["Time"] = "202649B".into();
    let mut whole = part.clone();
    (whole["Id"], whole["Time"]) = ("2".into(), "W49-2026".into());
    let (_, said) = signal(&mut o9, "a", &[part, whole]);
    assert_eq!(said["Rows"].as_array().unwrap().len(), 1, "{said}");
    assert_eq!(said["Rows"][0]["Id"], "2");
}
