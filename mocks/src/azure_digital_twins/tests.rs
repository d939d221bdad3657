//! The sandbox as a client sees it: requests in, answers out.

use bytes::Bytes;
use http::{Request, Response};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::FACTORY;
use crate::sdk::{Setup, simulator::Simulator};

struct Session {
    sandbox: Box<dyn Simulator>,
    at: Timestamp,
}

impl Session {
    fn seeded(on: &[&str]) -> Self {
        let on = on.iter().map(|name| (*name).to_owned()).collect();
        let options = vec![("seed-demo".to_owned(), "yes".to_owned())];
        let sandbox = (FACTORY.build)(&Setup { options, on, ..Setup::default() }).unwrap();
        Self { sandbox, at: "2026-11-22T22:00:00Z".parse().unwrap() }
    }

    fn wait(&mut self, seconds: i64) {
        self.at += SignedDuration::from_secs(seconds);
    }

    fn ask(&mut self, verb: &str, path: &str, etag: &str, body: &Value) -> Response<Bytes> {
        let sign = if path.contains('?') { '&' } else { '?' };
        let request = Request::builder()
            .method(verb)
            .uri(format!("http://sandbox{path}{sign}api-version=2023-10-31"))
            .header("authorization", "Bearer planthread")
            .header("if-match", etag)
            .body(Bytes::from(if body.is_null() { String::new() } else { body.to_string() }))
            .unwrap();
        self.sandbox.handle(self.at, &request).response
    }

    fn get(&mut self, path: &str) -> Value {
        read(&self.ask("GET", path, "*", &Value::Null))
    }

    /// Puts the file of an import where a job finds it, runs the job, and tells
    /// how it ended.
    fn import(&mut self, file: &str) -> Value {
        let blob = Request::put("http://sandbox/blobs/in/pack.ndjson");
        let blob = blob.body(Bytes::from(file.to_owned())).unwrap();
        self.sandbox.handle(self.at, &blob);
        self.wait(2);
        let uris = json!({ "inputBlobUri": "https://sandbox/blobs/in/pack.ndjson",
            "outputBlobUri": "https://sandbox/blobs/out.txt" });
        assert_eq!(self.ask("PUT", "/jobs/imports/j1", "*", &uris).status(), 201);
        self.wait(5);
        let ended = self.get("/jobs/imports/j1");
        self.wait(2);
        self.ask("DELETE", "/jobs/imports/j1", "*", &Value::Null);
        ended
    }
}

fn read(answer: &Response<Bytes>) -> Value {
    serde_json::from_slice(answer.body()).unwrap()
}

fn etag(answer: &Response<Bytes>) -> String {
    answer.headers()["etag"].to_str().unwrap().to_owned()
}

const LINE: &str = "/digitaltwins/LINE-1";

fn week(value: f64) -> Value {
    json!([{ "op": "add", "path": "/capacity/attainableHours", "value": { "W2026_49": value } },
        { "op": "add", "path": "/capacity/$metadata/attainableHours/sourceTime",
          "value": "2026-11-22T06:00:00Z" }])
}

#[test]
fn a_delayed_patch_cannot_win() {
    let mut session = Session::seeded(&[]);
    let first = etag(&session.ask("GET", LINE, "*", &Value::Null));
    let newer = session.ask("PATCH", LINE, &first, &week(38.5));
    assert_eq!(newer.status(), 204);
    let delayed = session.ask("PATCH", LINE, &first, &week(12.0));
    assert_eq!(
        (delayed.status().as_u16(), &delayed.headers()["x-ms-error-code"]),
        (412, &http::HeaderValue::from_static("PreconditionFailed"))
    );
    let twin = session.get(LINE);
    assert_eq!(twin["capacity"]["attainableHours"]["W2026_49"], 38.5);
    let meta = &twin["capacity"]["$metadata"]["attainableHours"];
    assert_eq!(meta["sourceTime"], "2026-11-22T06:00:00Z");
    assert_eq!(twin["$etag"], etag(&newer));
    let cells = session.sandbox.stored();
    assert_eq!((cells.len(), cells[0].location.as_str()), (1, "1010"));
}

#[test]
fn values_that_the_model_does_not_have_are_refused_as_one() {
    let mut session = Session::seeded(&[]);
    for (path, value, says) in [
        ("/capacity/attainableHours", json!({ "W2026_49": "x" }), "type map"),
        ("/capacity/status", json!({ "W2026_49": 1.5 }), "type map"),
        ("/capacity/none", json!({}), "does not appear on the DTDL for capacity"),
        ("/none", json!(1), "does not appear on the DTDL for Twin"),
    ] {
        let mut patch = week(1.0);
        patch[1] = json!({ "op": "add", "path": path, "value": value });
        let answer = session.ask("PATCH", LINE, "*", &patch);
        let text = read(&answer)["error"]["details"][0]["message"].to_string();
        assert!(answer.status() == 400 && text.contains(says), "{path}: {text}");
    }
    assert!(session.sandbox.stored().is_empty());
    let fresh = json!([{ "op": "add", "path": "/capacity/attainableHours/W2026_49", "value": 1 }]);
    let answer = read(&session.ask("PATCH", LINE, "*", &fresh));
    assert_eq!(answer["error"]["code"], "JsonPatchInvalid", "an unset map has no path");
}

#[test]
fn queries_lag_and_find_by_model() {
    let mut session = Session::seeded(&[]);
    session.ask("PATCH", LINE, "*", &week(38.5));
    let ask = json!({ "query": "SELECT * FROM DIGITALTWINS T WHERE \
        IS_OF_MODEL(T, 'dtmi:planthread:isa95:WorkCenter;1') AND T.$dtId = 'LINE-1'" });
    let seen = read(&session.ask("POST", "/query", "*", &ask));
    assert!(seen["value"][0]["capacity"]["attainableHours"].is_null(), "{seen}");
    session.wait(5);
    let seen = read(&session.ask("POST", "/query", "*", &ask));
    assert_eq!(seen["value"][0]["capacity"]["attainableHours"]["W2026_49"], 38.5);
}

#[test]
fn faults_come_in_the_shapes_that_were_recorded() {
    let mut session = Session::seeded(&["throttled-writes"]);
    for _ in 0..4 {
        session.ask("PATCH", LINE, "*", &week(1.0));
    }
    let gateway = session.ask("PATCH", LINE, "*", &week(1.0));
    assert_eq!(
        (gateway.status().as_u16(), &gateway.headers()["retry-after"]),
        (429, &http::HeaderValue::from_static("7"))
    );
    assert!(read(&gateway)["error"]["code"].is_null());
    let uris = json!({ "inputBlobUri": "https://sandbox/blobs/a", "outputBlobUri": "https://s/b" });
    session.ask("PUT", "/jobs/imports/a", "*", &uris);
    session.wait(1);
    let busy = session.ask("PUT", "/jobs/imports/b", "*", &uris);
    let inner: Value = serde_json::from_str(read(&busy).as_str().unwrap()).unwrap();
    assert_eq!(inner["error"]["code"], "TooManyRequests");
    let early = session.ask("GET", "/jobs/imports/a", "*", &Value::Null);
    assert_eq!((early.status().as_u16(), early.headers().contains_key("retry-after")), (429, true));
}

const PACK: &str = r#"{"Section":"Header"}
{"fileVersion":"1.0.0","author":"us","organization":"us"}
{"Section":"Models"}
{"Section":"Twins"}
{"$dtId":"LINE-2","$metadata":{"$model":"dtmi:planthread:isa95:WorkCenter;1"},"location":"1020","capacity":{"$metadata":{},"attainableHours":{"W2026_49":36.25}}}
{"Section":"Relationships"}
"#;

#[test]
fn an_import_takes_a_whole_file_and_refuses_a_damaged_one() {
    let mut session = Session::seeded(&[]);
    for (file, says) in [
        (PACK[..PACK.len() / 2].to_owned(), "breaks off"),
        (PACK.replace("{\"Section\":\"Relationships\"}\n", ""), "a section is missing"),
        (PACK.replace("1.0.0", "2"), "fileVersion"),
        (PACK.replace("36.25", "\"many\""), "twin LINE-2"),
        (PACK.replace("{\"Section\":\"Models\"}\n", ""), "in its place"),
    ] {
        let ended = session.import(&file);
        let text = ended["error"]["message"].to_string();
        assert!(ended["status"] == "failed" && text.contains(says), "{says}: {ended}");
        assert!(session.sandbox.stored().is_empty());
    }
    assert_eq!(session.import(PACK)["status"], "succeeded");
    assert_eq!(session.sandbox.stored()[0].value.to_string(), "36.25");
}

#[test]
fn a_pack_of_ours_is_imported_with_its_manifest_alone() {
    let mut session = Session::seeded(&[]);
    let ours = PACK.replace("\"author\":\"us\"", "\"author\":\"planthread\"");
    let beside = |session: &mut Session, text: &str| {
        let named = json!([{ "name": "pack.ndjson", "sha256": crate::sdk::web::digest(text) }]);
        let manifest = Request::put("http://sandbox/blobs/in/manifest.json");
        let manifest = manifest.body(Bytes::from(json!({ "files": named }).to_string())).unwrap();
        session.sandbox.handle(session.at, &manifest);
        session.import(&ours)
    };
    let alone = session.import(&ours);
    assert!(alone["error"]["message"].to_string().contains("manifest.json is missing"), "{alone}");
    let other = beside(&mut session, PACK);
    assert!(other["error"]["message"].to_string().contains("damaged"), "{other}");
    assert!(session.sandbox.stored().is_empty());
    assert_eq!(beside(&mut session, &ours)["status"], "succeeded");
    assert_eq!(session.sandbox.stored().len(), 1);
}

#[test]
fn a_twin_holds_32_kb_and_no_more() {
    let mut session = Session::seeded(&[]);
    let hours = |weeks: u32| {
        let one =
            |week: u32| (format!("W{}_{:02}", 2000 + week / 52, week % 52 + 1), json!(100.25));
        let map: serde_json::Map<_, _> = (0..weeks).map(one).collect();
        json!([{ "op": "add", "path": "/capacity/attainableHours", "value": map }])
    };
    assert_eq!(session.ask("PATCH", LINE, "*", &hours(1_000)).status(), 204);
    let cut =
        json!([{ "op": "add", "path": "/capacity/planCutHours", "value": hours(900)[0]["value"] }]);
    let refused = session.ask("PATCH", LINE, "*", &cut);
    assert_eq!(refused.status(), 400);
    assert_eq!(read(&refused)["error"]["code"], "ValidationFailed");
    assert!(session.get(LINE)["capacity"].get("planCutHours").is_none());
}

#[test]
fn a_person_edits_a_twin_on_the_page() {
    let mut session = Session::seeded(&[]);
    session.ask("PATCH", LINE, "*", &week(38.5));
    let edit = json!({ "resource": "LINE-1", "location": "1010", "period": "2026-W50",
        "measure": "attainableHours", "value": "12.5", "who": "ana" });
    let request = Request::post("http://localhost/planner/edit")
        .header("content-type", "application/json")
        .body(Bytes::from(edit.to_string()))
        .unwrap();
    let answer = session.sandbox.handle(session.at, &request).response;
    assert_eq!(answer.status(), 200, "{:?}", answer.body());
    assert_eq!(session.get(LINE)["capacity"]["attainableHours"]["W2026_50"], 12.5);
    let last = session.sandbox.history().pop().unwrap();
    assert_eq!(last.cell.writer.to_string(), "person ana");
}

#[test]
fn the_page_of_twins_shows_capacity_and_its_age_and_no_plan() {
    let mut session = Session::seeded(&[]);
    let request = Request::get("http://localhost/planner/data.json?resource=LINE-1");
    let answer = session.sandbox.handle(session.at, &request.body(Bytes::new()).unwrap()).response;
    let data: Value = serde_json::from_slice(answer.body()).unwrap();
    let slots: Vec<&str> = data["measures"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|one| one["slot"].as_str())
        .collect();
    for there in ["live", "cut", "as_of", "valid_until", "status"] {
        assert!(slots.contains(&there), "{there}: {slots:?}");
    }
    for absent in ["assumed", "load", "utilisation", "in_use"] {
        assert!(!slots.contains(&absent), "{absent}: {slots:?}");
    }
}
