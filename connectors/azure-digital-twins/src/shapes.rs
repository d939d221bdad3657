//! Our client against every shape of error that the service was recorded with
//! (section 1.11): what each request makes of it, in one table.

use std::time::Duration;

use http::HeaderValue;
use planthread_kit::{Class, ConnectorError, http::Lane};
use serde_json::{Value, json};

use crate::{
    client::Patched,
    wired::{Rig, json_of},
};

/// What a request ended with.
#[derive(Debug, Clone, PartialEq)]
enum Ended {
    /// In an error of this class.
    As(Class),
    /// The twin is not there.
    Absent,
    /// The twin moved.
    Moved,
    /// The values were refused.
    Refused,
}
use Ended::{Absent, As, Moved, Refused};

const AUTH: Ended = As(Class::Auth);
const DRIFT: Ended = As(Class::Drift);

const fn throttled(seconds: u64) -> Ended {
    As(Class::Throttled { after: Duration::from_secs(seconds) })
}

/// One shape: its name, status, headers, body; what a read of a twin, a PATCH and a
/// query end with; the code and a part of the text that are kept, where the shape has
/// them and no pause hides them.
struct Shape {
    name: &'static str,
    status: u16,
    headers: &'static [(&'static str, &'static str)],
    body: Option<Value>,
    ends: [Ended; 3],
    code: Option<&'static str>,
    text: &'static str,
}

fn service(code: &str, message: &str) -> Value {
    json!({ "error": { "code": code, "message": message } })
}

#[rustfmt::skip]
fn table() -> Vec<Shape> {
    let details = json!({ "error": { "code": "ValidationFailed", "message": "Invalid twin specified",
        "details": [{ "code": "ValidationFailed", "message": "x does not appear on the DTDL for Twin." }] } });
    let inner = json!({ "error": { "code": "InvalidArgument", "message": "no such argument",
        "innererror": { "code": "Deep", "message": "deep" } } });
    let limit = json!({ "error": { "statusCode": 429, "message": "Maximum request rate limit reached." } });
    let framework = json!({ "errors": { "": ["A non-empty request body is required."] },
        "type": "https://tools.ietf.org/html/rfc7231#section-6.5.1", "status": 400, "detail": null,
        "title": "One or more validation errors occurred.", "extensions": { "traceId": "00-1" } });
    let double = Value::String(service("TooManyRequests", "There is already a running job.").to_string());
    let quota = service("QuotaExceptionError", "The quota was reached.");
    let json_header: &[(&str, &str)] = &[("content-type", "application/json; charset=utf-8")];
    vec![
        Shape { name: "A 400", status: 400, headers: json_header, body: Some(service("JsonPatchInvalid", "Unsupported operation type move")), ends: [DRIFT, Refused, DRIFT], code: Some("JsonPatchInvalid"), text: "Unsupported operation type move" },
        Shape { name: "A 400 with details", status: 400, headers: json_header, body: Some(details), ends: [DRIFT, Refused, DRIFT], code: Some("ValidationFailed"), text: "x does not appear on the DTDL" },
        Shape { name: "A 400 with innererror", status: 400, headers: json_header, body: Some(inner), ends: [DRIFT, Refused, DRIFT], code: Some("InvalidArgument"), text: "no such argument" },
        Shape { name: "A 404", status: 404, headers: json_header, body: Some(service("DigitalTwinNotFound", "There is no digital twin")), ends: [Absent, Refused, DRIFT], code: Some("DigitalTwinNotFound"), text: "There is no digital twin" },
        Shape { name: "A 409", status: 409, headers: json_header, body: Some(service("ModelIdAlreadyExists", "already exist")), ends: [DRIFT, DRIFT, DRIFT], code: Some("ModelIdAlreadyExists"), text: "already exist" },
        Shape { name: "A 412", status: 412, headers: json_header, body: Some(service("PreconditionFailed", "W/1 is not the ETag")), ends: [DRIFT, Moved, DRIFT], code: Some("PreconditionFailed"), text: "is not the ETag" },
        Shape { name: "B 429", status: 429, headers: &[("retry-after", "7"), ("content-type", "application/json")], body: Some(limit.clone()), ends: [throttled(7), throttled(7), throttled(7)], code: None, text: "429" },
        Shape { name: "B' 401", status: 401, headers: json_header, body: Some(json!({ "statusCode": 401, "message": "Unauthorized" })), ends: [AUTH, AUTH, AUTH], code: None, text: "401" },
        Shape { name: "C 400", status: 400, headers: &[("content-type", "application/problem+json; charset=utf-8")], body: Some(framework), ends: [DRIFT, DRIFT, DRIFT], code: None, text: "A non-empty request body is required." },
        Shape { name: "D 429", status: 429, headers: json_header, body: Some(double.clone()), ends: [As(PATIENCE), As(PATIENCE), As(PATIENCE)], code: None, text: "429" },
        Shape { name: "200 with an error", status: 200, headers: json_header, body: Some(quota.clone()), ends: [throttled(1), throttled(1), throttled(1)], code: Some("QuotaExceptionError"), text: "The quota was reached." },
        Shape { name: "200 with an error and time", status: 200, headers: &[("retry-after", "14"), ("content-type", "application/json")], body: Some(quota), ends: [throttled(14), throttled(14), throttled(14)], code: Some("QuotaExceptionError"), text: "The quota was reached." },
        Shape { name: "200 with B", status: 200, headers: json_header, body: Some(limit), ends: [throttled(1), throttled(1), throttled(1)], code: None, text: "Maximum request rate" },
        Shape { name: "200 with D", status: 200, headers: json_header, body: Some(double), ends: [throttled(1), throttled(1), throttled(1)], code: Some("TooManyRequests"), text: "already a running job" },
        Shape { name: "200 with another error", status: 200, headers: json_header, body: Some(service("SqlQueryError", "wrong")), ends: [DRIFT, DRIFT, DRIFT], code: Some("SqlQueryError"), text: "wrong" },
        Shape { name: "403 without a body", status: 403, headers: &[], body: None, ends: [AUTH, AUTH, AUTH], code: None, text: "403" },
        Shape { name: "404 of the door", status: 404, headers: json_header, body: Some(service("NotFound", "Sub-Domain not found")), ends: [AUTH, AUTH, DRIFT], code: Some("NotFound"), text: "Sub-Domain not found" },
    ]
}

/// Where nobody says how long, the backoff of the request stack decides: any time.
const PATIENCE: Class = Class::Throttled { after: Duration::MAX };

fn fits(wanted: &Ended, got: &Ended) -> bool {
    match (wanted, got) {
        (As(PATIENCE), As(Class::Throttled { after })) => *after < Duration::from_secs(600),
        (a, b) => a == b,
    }
}

#[test]
fn every_recorded_shape_ends_as_what_it_is() {
    for shape in table() {
        let (status, headers, body) = (shape.status, shape.headers, shape.body.clone());
        let rig = Rig::new(move |_| {
            let mut answer = match &body {
                Some(body) => json_of(status, body),
                None => http::Response::builder().status(status).body(bytes::Bytes::new()).unwrap(),
            };
            for (name, value) in headers {
                answer.headers_mut().insert(*name, HeaderValue::from_static(value));
            }
            answer
        });
        let client = rig.client();
        let read = rig.clock.block_on(client.twin(Lane::Sweep, "LINE-1"));
        let patch = rig.clock.block_on(client.patch("LINE-1", "W/\"1\"", "[]".to_owned()));
        let query = rig.clock.block_on(client.query(Lane::Sweep, "SELECT * FROM DIGITALTWINS"));
        let mut said = Vec::new();
        let mut ended = |error: ConnectorError| {
            said.push((error.vendor_code.clone(), error.message.clone()));
            As(error.class)
        };
        let read = match read {
            Ok(None) => Absent,
            Ok(Some(twin)) => panic!("{}: {twin:?}", shape.name),
            Err(error) => ended(error),
        };
        let query = query.map_err(&mut ended).expect_err(shape.name);
        let patch = match patch {
            Ok(Patched::Done(_)) => panic!("{}: done", shape.name),
            Ok(Patched::Moved) => Moved,
            Ok(Patched::Refused(no)) => {
                said.push((no.code, no.text));
                Refused
            }
            Err(error) => ended(error),
        };
        for (at, got) in [read, patch, query].iter().enumerate() {
            assert!(fits(&shape.ends[at], got), "{}, request {at}: {got:?}", shape.name);
        }
        for (code, text) in said {
            assert_eq!(code.as_deref(), shape.code, "{}: {text}", shape.name);
            assert!(text.contains(shape.text), "{}: {text}", shape.name);
        }
    }
}

#[test]
fn a_twin_may_have_a_property_called_error() {
    let twin = json!({ "$dtId": "LINE-1", "$etag": "W/\"1\"", "error": { "code": "E-STOP" },
        "$metadata": { "$model": "dtmi:a:Line;1" } });
    let rig = Rig::new(move |_| json_of(200, &twin));
    assert!(rig.clock.block_on(rig.client().twin(Lane::Sweep, "LINE-1")).unwrap().is_some());
}
