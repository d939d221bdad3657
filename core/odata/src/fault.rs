//! Error bodies in their forms, and the class that a refusal has.

use std::fmt;

use bytes::Bytes;
use http::{Response, StatusCode};
use planthread_kit::{
    Class, ConnectorError, Sent,
    http::{Said, answer::refusal},
    redact,
};
use quick_xml::{Reader, events::Event};
use serde_json::Value;

/// Characters of a service's text that are kept.
const KEPT: usize = 800;

/// What a vendor's services do beyond the protocol.
#[derive(Clone, Copy)]
pub struct Dialect {
    /// Reads its error bodies, most often by [`said`].
    pub read: fn(&[u8]) -> Said,
    /// What helps after a refusal with this status.
    pub cure: fn(StatusCode) -> Option<&'static str>,
}

impl Dialect {
    /// A service that does nothing beyond the protocol.
    #[must_use]
    pub const fn plain() -> Self {
        Self { read: |body| said(body, &[]), cure: |_| None }
    }
}

impl fmt::Debug for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dialect").finish_non_exhaustive()
    }
}

/// Reads JSON with `message.value`, JSON with a plain message, and XML;
/// anything else is kept as text. What stands in `innererror.errordetails`,
/// often the text about a single row, comes after the message. `cookies` are those
/// of [`shorten`].
#[must_use]
pub fn said(body: &[u8], cookies: &[&str]) -> Said {
    let text = String::from_utf8_lossy(body);
    let parts = from_json(&text).or_else(|| from_xml(&text));
    let parts =
        parts.unwrap_or_else(|| Parts { message: text.trim().to_owned(), ..Parts::default() });
    let code = Some(parts.code.clone()).filter(|code| !code.is_empty());
    Said { text: shorten(&parts.text(), cookies), code }
}

/// An error body in parts.
#[derive(Debug, Default)]
struct Parts {
    code: String,
    message: String,
    details: Vec<String>,
}

impl Parts {
    fn text(&self) -> String {
        let mut details: Vec<&str> = Vec::new();
        for detail in self.details.iter().map(|detail| detail.trim()) {
            let new = !detail.is_empty() && detail != self.message && !details.contains(&detail);
            if new {
                details.push(detail);
            }
        }
        if details.is_empty() {
            return self.message.clone();
        }
        format!("{} ({})", self.message, details.join("; "))
    }
}

fn from_json(text: &str) -> Option<Parts> {
    let body: Value = serde_json::from_str(text).ok()?;
    let error = body.get("error")?;
    let worded = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        nested => nested.get("value")?.as_str().map(str::to_owned),
    };
    let details = error.pointer("/innererror/errordetails");
    // Where it was made from XML, the list stands under a name of its own.
    let details = details.and_then(|list| list.get("errordetail").unwrap_or(list).as_array());
    let details = details.into_iter().flatten();
    Some(Parts {
        code: error.get("code").and_then(Value::as_str).unwrap_or_default().to_owned(),
        message: worded(error.get("message")?)?,
        details: details.filter_map(|detail| worded(detail.get("message")?)).collect(),
    })
}

/// `<error><code/><message/><innererror><errordetails>…`, with or without a
/// namespace.
fn from_xml(text: &str) -> Option<Parts> {
    if !text.trim_start().starts_with('<') {
        return None;
    }
    let mut reader = Reader::from_str(text);
    let mut path: Vec<String> = Vec::new();
    let mut parts = Parts::default();
    loop {
        let part = match reader.read_event().ok()? {
            Event::Start(tag) => {
                path.push(tag.local_name().as_ref().to_owned());
                if path[0] != "error" {
                    return None;
                }
                if path.last().is_some_and(|name| name == "errordetail") {
                    parts.details.push(String::new());
                }
                continue;
            }
            Event::Text(part) => part.xml10_content().into_owned(),
            Event::GeneralRef(entity) => {
                let named = match entity.xml10_content().as_ref() {
                    "amp" => '&',
                    "lt" => '<',
                    "gt" => '>',
                    "quot" => '"',
                    "apos" => '\'',
                    _ => entity.resolve_char_ref().ok().flatten().unwrap_or('?'),
                };
                named.to_string()
            }
            Event::End(_) => {
                path.pop();
                continue;
            }
            Event::Eof => break,
            _ => continue,
        };
        match path.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
            ["error", "code"] => parts.code.push_str(part.trim()),
            ["error", "message"] => parts.message.push_str(&part),
            [.., "errordetail", "message"] => {
                if let Some(detail) = parts.details.last_mut() {
                    detail.push_str(&part);
                }
            }
            _ => {}
        }
    }
    parts.message = parts.message.trim().to_owned();
    (!parts.message.is_empty()).then_some(parts)
}

/// Keeps the first 800 characters in one line and hides what must not show: what
/// any target may echo, and the values of session cookies, whose names have one of
/// the parts in `cookies`, in lower case.
#[must_use]
pub fn shorten(text: &str, cookies: &[&str]) -> String {
    let hidden = text.split_whitespace().map(|word| {
        let lower = word.to_ascii_lowercase();
        let cookie = cookies.iter().find(|name| lower.contains(**name) && lower.contains('='));
        cookie.map_or_else(|| word.to_owned(), |name| format!("{name}=***"))
    });
    redact::up_to(&hidden.collect::<Vec<_>>().join(" "), KEPT)
}

/// Whether a 403 asks for a new CSRF token; such a request did nothing.
#[must_use]
pub(crate) fn wants_token(response: &Response<Bytes>) -> bool {
    response.status() == StatusCode::FORBIDDEN
        && response
            .headers()
            .get("x-csrf-token")
            .is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"required"))
}

/// The error of a write whose token was refused twice in a row, the second
/// time fresh from the service. It did nothing.
#[must_use]
pub(crate) fn session_lost(step: &'static str) -> ConnectorError {
    let text = "the token was refused twice, the second time just after the service gave it";
    ConnectorError::new(Class::Transient { sent: Sent::No }, step, text).cure(
        "the session gets lost on the way, this is not a lack of rights: a proxy or load balancer \
         drops cookies or changes the node between two requests; let it keep both",
    )
}

/// Turns an answer that is not a success into an error with its class.
///
/// `sent` is what a transient failure means for this request: `Maybe` for
/// writes, `No` for reads.
#[must_use]
pub fn refused(
    step: &'static str,
    response: &Response<Bytes>,
    sent: Sent,
    dialect: Dialect,
) -> ConnectorError {
    let error = refusal(step, response, sent, dialect.read);
    match (dialect.cure)(response.status()) {
        Some(cure) => error.cure(cure),
        None => error,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PLAIN: Dialect = Dialect::plain();

    fn answer(status: u16, body: &str) -> Response<Bytes> {
        Response::builder().status(status).body(Bytes::from(body.to_owned())).unwrap()
    }

    fn text(body: &str) -> String {
        said(body.as_bytes(), &[]).text
    }

    #[test]
    fn all_three_forms_are_read() {
        let nested = r#"{"error":{"code":"/V/CX_X","message":{"lang":"en","value":"no area"}}}"#;
        let plain = r#"{"error":{"code":"X/1","message":"no area"}}"#;
        let xml = r#"<?xml version="1.0"?><error xmlns="http://example.org/m"><code>X/1</code>
            <message xml:lang="en">a &amp; b</message><innererror><code>deep</code></innererror></error>"#;
        assert_eq!(said(nested.as_bytes(), &[]).code.unwrap(), "/V/CX_X");
        assert_eq!((text(nested).as_str(), text(plain).as_str()), ("no area", "no area"));
        let both = Said { code: Some("X/1".into()), text: "a & b".into() };
        assert_eq!(said(xml.as_bytes(), &[]), both);
        assert_eq!(said(b"<html><body>Bad gateway</body></html>", &[]).code, None);
        assert_eq!(text(&"x".repeat(2_000)).chars().count(), 803);
    }

    #[test]
    fn details_come_after_the_message_and_once() {
        let json = r#"{"error":{"code":"X","message":{"value":"3 errors"},"innererror":{"errordetails":[
            {"code":"R","message":"LINE-9: unknown","severity":"error"},{"message":"LINE-9: unknown"},{"message":"3 errors"}]}}}"#;
        assert_eq!(text(json), "3 errors (LINE-9: unknown)");
        let xml = "<error><code>X</code><message>2 errors</message><innererror><errordetails>\
            <errordetail><code>R</code><message>LINE-9 &lt;x&gt;</message></errordetail>\
            <errordetail><message>LINE-8</message></errordetail></errordetails></innererror></error>";
        assert_eq!(text(xml), "2 errors (LINE-9 <x>; LINE-8)");
    }

    #[test]
    fn secrets_do_not_survive() {
        let text = "proxy: Authorization: Basic cGxhbnQ6dGhyZWFk to https://a/b?$filter=x \
                    SESSION_X_100=abcdef; failed";
        let shown = shorten(text, &["session_x"]);
        assert!(!shown.contains("cGxhbnQ6"), "{shown}");
        assert!(!shown.contains("abcdef") && !shown.contains("$filter"), "{shown}");
        assert!(shown.contains("failed"));
    }

    #[test]
    fn classes_by_status_and_what_the_dialect_knows() {
        let class = |status| refused("read", &answer(status, ""), Sent::No, PLAIN).class;
        let transient = Class::Transient { sent: Sent::No };
        for (status, is) in [
            (401, Class::Auth),
            (403, Class::Auth),
            (404, Class::Drift),
            (302, Class::Drift),
            (400, Class::Drift),
            (408, transient),
            (502, transient),
        ] {
            assert_eq!(class(status), is, "{status}");
        }
        let knows = Dialect {
            cure: |status| (status == StatusCode::INTERNAL_SERVER_ERROR).then_some("calculated"),
            ..PLAIN
        };
        let body = r#"{"error":{"code":"CALC","message":"no"}}"#;
        let error = refused("read", &answer(500, body), Sent::Maybe, knows);
        assert_eq!(
            (error.cure.as_deref(), error.vendor_code.as_deref()),
            (Some("calculated"), Some("CALC"))
        );
    }

    #[test]
    fn a_redirect_says_where_to_and_keeps_its_query() {
        let mut answer = answer(302, "<html>moved</html>");
        let to = "https://login.example.com/saml?Request=hunter2";
        answer.headers_mut().insert(http::header::LOCATION, to.parse().unwrap());
        let error = refused("read", &answer, Sent::No, PLAIN);
        assert_eq!(error.message, "HTTP 302 to https://login.example.com/saml");
    }

    proptest! {
        #[test]
        fn no_body_breaks_the_reader(
            body in proptest::collection::vec(any::<u8>(), 0..300),
            xml in "<error>[<>a-z/&;]{0,40}",
        ) {
            prop_assert!(said(&body, &[]).text.chars().count() <= KEPT + 3);
            let _ = said(xml.as_bytes(), &[]);
        }
    }
}
