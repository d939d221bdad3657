//! Answers in the forms that the real service was seen to use.
//!
//! Shapes A to D are those of section 1.11 of the fact sheet: the service's own,
//! the gateway's (with and without wrapper), the framework's, and a JSON text
//! that holds JSON.

use bytes::Bytes;
use http::{Request, Response, header};
use jiff::{Timestamp, tz::TimeZone};
use serde_json::{Map, Value, json};

use crate::sdk::web::parameter;
pub(super) use crate::sdk::web::{
    digest, empty, header_text, json_answer, parameters, segments, with,
};

/// What a request comes to.
pub(super) type Answer = Result<Response<Bytes>, Refusal>;

/// A refusal, not yet in one of the shapes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) code: &'static str,
    pub(super) message: String,
    /// Texts of single errors: code and message.
    pub(super) details: Vec<String>,
    shape: Shape,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// A: the service.
    Service,
    /// B: the gateway throttles; seconds of `Retry-After`.
    Throttle(u32),
    /// B': the gateway does not know the caller.
    Unauthorized,
    /// C: the framework could not read the body.
    Framework,
    /// D: a JSON text whose text is shape A.
    DoubleEncoded,
    /// 403 without a body.
    Empty,
}

impl Refusal {
    pub(super) fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { status, code, message, details: Vec::new(), shape: Shape::Service }
    }

    /// The values don't fit the model.
    pub(super) fn invalid(what: &str, details: Vec<String>) -> Self {
        let message = format!("Invalid {what} specified");
        Self { details, ..Self::new(400, "ValidationFailed", message) }
    }

    /// A patch that is none.
    pub(super) fn patch(message: impl Into<String>) -> Self {
        Self::new(400, "JsonPatchInvalid", message)
    }

    /// What the caller saw is no longer there.
    pub(super) fn precondition(etag: &str) -> Self {
        let text = format!("The provided ETag {etag} does not match the current one.");
        Self::new(412, "PreconditionFailed", text)
    }

    /// Too many requests, from the gateway.
    pub(super) fn throttle(seconds: u32) -> Self {
        let text = "Maximum request rate limit reached. Please wait and try again.";
        Self { shape: Shape::Throttle(seconds), ..Self::new(429, "", text) }
    }

    /// Too many requests, from the service: double-encoded.
    pub(super) fn busy(message: &str) -> Self {
        Self { shape: Shape::DoubleEncoded, ..Self::new(429, "TooManyRequests", message) }
    }

    /// The gateway does not know the caller.
    pub(super) fn unauthorized() -> Self {
        Self { shape: Shape::Unauthorized, ..Self::new(401, "", "Unauthorized") }
    }

    /// The framework could not read the body.
    pub(super) fn unreadable(message: impl Into<String>) -> Self {
        Self { shape: Shape::Framework, ..Self::new(400, "", message) }
    }

    /// A role is missing, and nobody says so.
    pub(super) fn forbidden() -> Self {
        Self { shape: Shape::Empty, ..Self::new(403, "", "") }
    }

    /// The answer as it goes out.
    pub(super) fn render(&self) -> Response<Bytes> {
        let mut error = json!({ "code": self.code, "message": self.message });
        if !self.details.is_empty() {
            let detail = |text: &String| json!({ "code": self.code, "message": text });
            error["details"] = self.details.iter().map(detail).collect();
        }
        let service = json!({ "error": error });
        match self.shape {
            Shape::Service => {
                with(json_answer(self.status, &service), "x-ms-error-code", self.code)
            }
            Shape::Throttle(seconds) => {
                let body = json!({ "error": { "statusCode": 429, "message": self.message } });
                with(json_answer(429, &body), "retry-after", &seconds.to_string())
            }
            Shape::Unauthorized => {
                json_answer(401, &json!({ "statusCode": 401, "message": self.message }))
            }
            Shape::Framework => {
                let body = json!({
                    "errors": { "": [self.message] },
                    "type": "https://tools.ietf.org/html/rfc7231#section-6.5.1",
                    "title": "One or more validation errors occurred.",
                    "status": self.status,
                    "detail": null,
                    "instance": null,
                    "extensions": { "traceId": "00-0-0-00" },
                });
                with(json_answer(self.status, &body), "content-type", "application/problem+json")
            }
            Shape::DoubleEncoded => json_answer(429, &Value::String(service.to_string())),
            Shape::Empty => empty(self.status),
        }
    }
}

/// The body as JSON.
pub(super) fn body(request: &Request<Bytes>) -> Result<Value, Refusal> {
    serde_json::from_slice(request.body())
        .map_err(|error| Refusal::unreadable(format!("The input is not valid JSON: {error}")))
}

/// The body as a JSON object.
pub(super) fn object(request: &Request<Bytes>, what: &str) -> Result<Map<String, Value>, Refusal> {
    match body(request)? {
        Value::Object(map) => Ok(map),
        _ => {
            let text = format!("Could not deserialize {what} body.");
            Err(Refusal::new(400, "InvalidArgument", text))
        }
    }
}

/// An instant as twins write it: seven digits of a second.
pub(super) fn twin_time(at: Timestamp) -> String {
    format!("{at:.7}")
}

/// An instant as models write it.
pub(super) fn model_time(at: Timestamp) -> String {
    let text = at.to_zoned(TimeZone::UTC).strftime("%Y-%m-%dT%H:%M:%S%.7f").to_string();
    format!("{text}+00:00")
}

/// Whether `If-Match` allows a change of what has `etag`.
pub(super) fn may_change(request: &Request<Bytes>, etag: &str) -> Result<(), Refusal> {
    match header_text(request, header::IF_MATCH.as_str()) {
        Some(asked) if asked != "*" && asked != etag => Err(Refusal::precondition(asked)),
        _ => Ok(()),
    }
}

/// Whether `If-None-Match: *` allows something to be put where `there` says
/// whether something is.
pub(super) fn may_create(request: &Request<Bytes>, there: bool, what: &str) -> Result<(), Refusal> {
    if there && header_text(request, header::IF_NONE_MATCH.as_str()) == Some("*") {
        return Err(Refusal::new(
            412,
            "PreconditionFailed",
            format!("The {what} exists, and If-None-Match: * was given."),
        ));
    }
    Ok(())
}

/// One page of a list: rows from the `skip`-th on, and whether more follow.
pub(super) fn page(
    request: &Request<Bytes>,
    most: usize,
    skip: usize,
    all: usize,
) -> (usize, bool) {
    let asked = header_text(request, "max-items-per-page").and_then(|text| text.parse().ok());
    let size = asked.unwrap_or(most).clamp(1, most);
    let end = (skip + size).min(all);
    (end, end < all)
}

/// The answer with one page of a list, and the way to the next.
pub(super) fn list(
    request: &Request<Bytes>,
    rows: &[Value],
    most: usize,
    tls: bool,
) -> Response<Bytes> {
    let skip = parameter(request, "continuationToken").and_then(|text| text.parse().ok());
    let skip = skip.unwrap_or(0).min(rows.len());
    let (end, more) = page(request, most, skip, rows.len());
    let next = more.then(|| {
        let host = header_text(request, "host").or_else(|| request.uri().host());
        let scheme = request.uri().scheme_str().unwrap_or(if tls { "https" } else { "http" });
        let kept =
            url::form_urlencoded::parse(request.uri().query().unwrap_or_default().as_bytes())
                .filter(|(key, _)| key != "continuationToken")
                .collect::<Vec<_>>();
        let query = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(kept)
            .append_pair("continuationToken", &end.to_string())
            .finish();
        let path = request.uri().path();
        format!("{scheme}://{}{path}?{query}", host.unwrap_or("sandbox"))
    });
    json_answer(200, &json!({ "value": rows[skip..end], "nextLink": next }))
}
