//! Answers and refusals, and what a request's body says.

use bytes::Bytes;
use http::{Request, Response, header};
use serde_json::{Value, json};

use super::Kinaxis;
pub(super) use crate::sdk::web::{json_answer as reply, parameter};

/// A refusal: a status with a text. The body's form is unconfirmed (section 7).
pub(super) type Refusal = Box<Response<Bytes>>;
pub(super) type Answer = Result<Response<Bytes>, Refusal>;

pub(super) fn refused(status: u16, text: impl Into<String>) -> Refusal {
    let text: String = text.into();
    Box::new(reply(status, &json!({ "Message": text })))
}

/// The body of a call; an empty one is an empty object.
pub(super) fn body(request: &Request<Bytes>) -> Result<Value, Refusal> {
    if request.body().is_empty() {
        return Ok(json!({}));
    }
    let kind = request.headers().get(header::CONTENT_TYPE);
    if kind.is_none_or(|kind| !kind.as_bytes().starts_with(b"application/json")) {
        return Err(refused(415, "The media type is not supported: send application/json"));
    }
    serde_json::from_slice(request.body())
        .map_err(|error| refused(400, format!("The request body contains an error: {error}")))
}

/// A text at a pointer of a body.
pub(super) fn text<'a>(body: &'a Value, pointer: &str) -> Result<&'a str, Refusal> {
    body.pointer(pointer)
        .and_then(Value::as_str)
        .ok_or_else(|| refused(400, format!("{} is missing", pointer.trim_start_matches('/'))))
}

/// `Rows` of a body: `[{"Values": [..]}, ..]`. Numbers stand for their texts.
pub(super) fn rows(body: &Value) -> Result<Vec<Vec<String>>, Refusal> {
    let wrong = || refused(400, "Rows must be a list of objects with Values");
    let rows = body["Rows"].as_array().ok_or_else(wrong)?;
    let value = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null => Some(String::new()),
        Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    };
    let row = |row: &Value| -> Option<Vec<String>> {
        row["Values"].as_array()?.iter().map(value).collect()
    };
    rows.iter().map(|one| row(one).ok_or_else(wrong)).collect()
}

/// A number in the query.
pub(super) fn number(request: &Request<Bytes>, name: &str) -> Result<usize, Refusal> {
    let text = parameter(request, name);
    let number = text.and_then(|text| text.parse().ok());
    number.ok_or_else(|| refused(400, format!("{name} must be a number")))
}

impl Kinaxis {
    /// The scope behind a scenario reference; empty is the parent.
    pub(super) fn scenario(&self, body: &Value) -> Result<String, Refusal> {
        let (name, scope) = (text(body, "/Scenario/Name")?, text(body, "/Scenario/Scope")?);
        self.scope_of(name)
            .filter(|_| scope == "Public")
            .ok_or_else(|| refused(400, format!("Scenario '{name}' ({scope}) does not exist")))
    }

    /// The scope behind a scenario's name.
    pub(super) fn scope_of(&self, name: &str) -> Option<String> {
        if name == super::tables::PARENT {
            return Some(String::new());
        }
        self.plan.model.has_scope(name).then(|| name.to_owned())
    }

    /// A new handle: `#` and a letter that says of what.
    pub(super) fn handle_of(&mut self, letter: char) -> String {
        self.handles += 1;
        format!("{letter}{}", self.handles)
    }
}
