//! Pure: what an answer proves.
//!
//! A 2xx is not a receipt by itself: log-on pages, proxies and gateways answer
//! 200 for a request that never reached the target. Only a documented status
//! with the documented body counts; everything else is an error that says what
//! came instead.

use bytes::Bytes;
use http::{Response, StatusCode, header};
use serde_json::Value;

use super::said::Said;
use crate::{Class, ConnectorError, Sent, redact};

/// What an answer must be to count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expect {
    /// Statuses that the vendor documents for this step.
    pub statuses: &'static [u16],
    /// The documented body.
    pub body: Body,
}

/// A documented body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Body {
    /// JSON with a value at this JSON pointer (`/d`); an empty pointer asks for
    /// JSON of any shape.
    Json(&'static str),
    /// None.
    Empty,
}

impl Expect {
    /// 200 with JSON that has a value at `pointer`.
    #[must_use]
    pub const fn json(pointer: &'static str) -> Self {
        Self { statuses: &[200], body: Body::Json(pointer) }
    }

    /// One of `statuses` with the same body.
    #[must_use]
    pub const fn with(self, statuses: &'static [u16]) -> Self {
        Self { statuses, ..self }
    }

    /// 204 without a body.
    #[must_use]
    pub const fn nothing() -> Self {
        Self { statuses: &[204], body: Body::Empty }
    }
}

/// The JSON of an answer that is as expected; `Null` where no body is.
///
/// `sent` is what a failure that may pass means for this request: `Maybe` for a
/// write, `No` for a read. `reader` reads the vendor's refusals.
///
/// # Errors
/// `Transient` for a body that was cut, and as [`refusal`] for another status.
/// `Drift` for anything else in the place of the documented answer: whether it
/// took effect is not known then, unless the connector knows
/// ([`ConnectorError::took_nothing`]).
pub fn receipt(
    operation: &'static str,
    answer: &Response<Bytes>,
    expect: Expect,
    sent: Sent,
    reader: fn(&[u8]) -> Said,
) -> Result<Value, ConnectorError> {
    let drift = |text: String| ConnectorError::new(Class::Drift, operation, text);
    let status = answer.status().as_u16();
    if !expect.statuses.contains(&status) {
        if !answer.status().is_success() {
            return Err(refusal(operation, answer, sent, reader));
        }
        if is_page(answer) {
            return Err(instead(operation, answer, "JSON"));
        }
        let documented = expect.statuses.iter().map(u16::to_string).collect::<Vec<_>>().join(", ");
        return Err(drift(format!("HTTP {status}, documented is {documented}")).cure(COMPARE));
    }
    whole(operation, answer, sent)?;
    let pointer = match expect.body {
        Body::Json(pointer) => pointer,
        Body::Empty if answer.body().is_empty() => return Ok(Value::Null),
        Body::Empty if is_page(answer) => return Err(instead(operation, answer, "JSON")),
        Body::Empty => return Err(drift(format!("HTTP {status} with a body")).cure(COMPARE)),
    };
    let value = json(operation, answer, sent)?;
    if value.pointer(pointer).is_some() {
        return Ok(value);
    }
    let said = reader(answer.body());
    let names = names(&value);
    let error = drift(match said.text.as_str() {
        "" => format!("HTTP {status} without `{}`, with {names}", shown(pointer)),
        text => format!("HTTP {status} without `{}`: {text}", shown(pointer)),
    });
    Err(said.code_of(error).cure(COMPARE))
}

/// The JSON of an answer, whatever its status and members are.
///
/// # Errors
/// `Transient` with `sent` for text that was cut, `Drift` for what is no JSON.
pub fn json(
    operation: &'static str,
    answer: &Response<Bytes>,
    sent: Sent,
) -> Result<Value, ConnectorError> {
    whole(operation, answer, sent)?;
    let declared = content_type(answer).is_none_or(|kind| is_json(&kind));
    match serde_json::from_slice(answer.body()) {
        Ok(value) if declared => Ok(value),
        Err(error) if error.is_eof() && declared && begins_as_json(answer.body()) => {
            let text = "the answer's JSON ends too early";
            Err(ConnectorError::new(Class::Transient { sent }, operation, text))
        }
        _ => Err(instead(operation, answer, "JSON")),
    }
}

/// A body that a relay cut is a failed answer, not a short one.
///
/// # Errors
/// `Transient` with `sent` when fewer bytes came than were declared.
pub fn whole(
    operation: &'static str,
    answer: &Response<Bytes>,
    sent: Sent,
) -> Result<(), ConnectorError> {
    let headers = answer.headers();
    let declared = headers
        .get(header::CONTENT_LENGTH)
        // A packed length says nothing about the unpacked body.
        .filter(|_| !headers.contains_key(header::CONTENT_ENCODING))
        .and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    match declared {
        Some(length) if length > answer.body().len() => {
            let text =
                format!("the answer was cut: {} of {length} bytes came", answer.body().len());
            Err(ConnectorError::new(Class::Transient { sent }, operation, text))
        }
        _ => Ok(()),
    }
}

/// Whether `status` is clearly about the request itself, and says that it was
/// not taken (RFC 9110 section 15.5): its data, its sender, its name, its verb,
/// its length or its type. Anything else may come from somebody in between, or
/// be said after the target took it (406 speaks of the answer).
#[must_use]
pub const fn refuses(status: StatusCode) -> bool {
    matches!(status.as_u16(), 400 | 401 | 403 | 404 | 405 | 411 | 413 | 414 | 415)
}

/// The error of an answer that is no success, with what the vendor said.
#[must_use]
pub fn refusal(
    operation: &'static str,
    answer: &Response<Bytes>,
    sent: Sent,
    reader: fn(&[u8]) -> Said,
) -> ConnectorError {
    let status = answer.status();
    let class = match status.as_u16() {
        401 | 403 => Class::Auth,
        // Somebody lost patience while the request came in, or was handled.
        408 => Class::Transient { sent },
        300..=499 => Class::Drift,
        _ => Class::Transient { sent },
    };
    let number = status.as_u16();
    let (said, text) = match location(answer) {
        Some(place) => (Said::default(), format!("HTTP {number} to {place}")),
        None if is_page(answer) => {
            (Said::default(), format!("HTTP {number}: {}", kind(answer, "an answer of the target")))
        }
        None => {
            let said = reader(answer.body());
            let text = if said.text.is_empty() { "no text" } else { said.text.as_str() };
            let text = format!("HTTP {number}: {text}");
            (said, text)
        }
    };
    let error = said.code_of(ConnectorError::new(class, operation, text));
    match cure(number) {
        Some(cure) => error.cure(cure),
        None => error,
    }
}

/// What helps where something else answered in the place of the target.
pub const COMPARE: &str = "compare host and paths in the settings with the target's own address: a \
    log-on page, a proxy or a gateway may answer in its place";

const fn cure(status: u16) -> Option<&'static str> {
    match status {
        300..=399 => Some(
            "nothing is sent after a redirect: write the address of the interface itself; a log-on \
             page stands behind such an answer where the identity is not known",
        ),
        401 => Some("check identity and secret, and whether the user is locked"),
        403 => Some("check the rights of this identity at the target"),
        404 | 405 => Some("compare host and paths in the settings with what the target offers"),
        411 => Some("something on the way wants a length and drops ours: look at the proxies"),
        413 | 414 => Some("send less in one request, or let the target's front take more"),
        415 => Some("something on the way takes no JSON: look at the proxies"),
        _ => None,
    }
}

/// Where a redirect leads, without query and user.
fn location(answer: &Response<Bytes>) -> Option<String> {
    if !answer.status().is_redirection() {
        return None;
    }
    let place = answer.headers().get(header::LOCATION)?.to_str().ok()?;
    let place = place.split(['?', '#']).next().unwrap_or_default();
    Some(redact::text(place)).filter(|place| !place.is_empty())
}

fn content_type(answer: &Response<Bytes>) -> Option<String> {
    let value = answer.headers().get(header::CONTENT_TYPE)?.to_str().ok()?;
    let essence = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    Some(essence).filter(|essence| !essence.is_empty())
}

fn is_json(essence: &str) -> bool {
    essence == "application/json" || essence == "text/json" || essence.ends_with("+json")
}

/// Whether the body is a page for people, by its declaration or its beginning.
#[must_use]
pub fn is_page(answer: &Response<Bytes>) -> bool {
    let declared = content_type(answer);
    if declared.is_some_and(|kind| kind == "text/html" || kind == "application/xhtml+xml") {
        return true;
    }
    let head = start(answer, 64);
    ["<!doctype html", "<html"].iter().any(|sign| head.starts_with(sign))
}

/// The error of a body that is not what was `wanted`: it says what came.
#[must_use]
pub fn instead(operation: &'static str, answer: &Response<Bytes>, wanted: &str) -> ConnectorError {
    let text = format!("HTTP {}: {}", answer.status().as_u16(), kind(answer, wanted));
    ConnectorError::new(Class::Drift, operation, text).cure(COMPARE)
}

/// What kind of body this is, for people.
fn kind(answer: &Response<Bytes>, wanted: &str) -> String {
    let declared = content_type(answer).unwrap_or_default();
    let start = start(answer, 64);
    let other = match () {
        () if is_page(answer) => {
            let title = title(answer).map(|title| format!(" (\"{title}\")")).unwrap_or_default();
            return format!("a web page instead of {wanted}, such as a login page{title}");
        }
        () if start.is_empty() => "an empty answer",
        () if declared.starts_with("multipart/") || start.starts_with("--") => "a multipart answer",
        () if start.starts_with('<') => "an XML document",
        () if declared.is_empty() || is_json(&declared) => "a text that is no JSON",
        () => return format!("{} instead of {wanted}", redact::text(&declared)),
    };
    format!("{other} instead of {wanted}")
}

/// The title of a page, shortened.
fn title(answer: &Response<Bytes>) -> Option<String> {
    let text = String::from_utf8_lossy(&answer.body()[..answer.body().len().min(4_096)]);
    let lower = text.to_ascii_lowercase();
    let at = lower.find("<title")?;
    let from = at + lower[at..].find('>')? + 1;
    let to = from + lower[from..].find("</title")?;
    Some(redact::up_to(text[from..to].trim(), 80)).filter(|title| !title.is_empty())
}

/// How the body begins, in small letters.
fn start(answer: &Response<Bytes>, most: usize) -> String {
    let head = String::from_utf8_lossy(&answer.body()[..answer.body().len().min(most)]);
    head.trim_start_matches('\u{feff}').trim_start().to_lowercase()
}

/// Whether a text that ends too early was JSON at all.
fn begins_as_json(body: &[u8]) -> bool {
    body.iter().find(|byte| !byte.is_ascii_whitespace()).is_some_and(|byte| b"{[".contains(byte))
}

fn shown(pointer: &str) -> String {
    pointer.trim_start_matches('/').replace('/', ".")
}

/// The names at the top of a body: enough to see what it is, no values.
fn names(value: &Value) -> String {
    match value {
        Value::Object(map) if !map.is_empty() => {
            let names: Vec<&str> = map.keys().map(String::as_str).take(5).collect();
            redact::text(&names.join(", "))
        }
        Value::Array(_) => "a list".to_owned(),
        _ => "nothing".to_owned(),
    }
}

#[cfg(test)]
mod tests;
