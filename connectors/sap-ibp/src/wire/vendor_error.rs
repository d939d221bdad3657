//! Error bodies in their three forms, and the class that an HTTP answer has.

use bytes::Bytes;
use http::{Response, StatusCode, header};
use planthread_kit::{Class, ConnectorError, Sent, redact};
use quick_xml::{Reader, events::Event};
use serde_json::Value;

/// Characters of a vendor's text that are kept (§8).
const KEPT: usize = 800;

/// What the service said when it refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct VendorError {
    /// Its code, where the body has one.
    pub(crate) code: Option<String>,
    /// Its text, shortened and redacted.
    pub(crate) text: String,
}

/// Parses JSON with `message.value`, JSON with a plain message, and XML;
/// anything else is kept as text (§8, B and Gateway). What stands in
/// `innererror.errordetails`, often the text about a single row, comes after
/// the message.
pub(crate) fn parse(body: &[u8]) -> VendorError {
    let text = String::from_utf8_lossy(body);
    let parsed = from_json(&text).or_else(|| from_xml(&text));
    let said =
        parsed.unwrap_or_else(|| Said { message: text.trim().to_owned(), ..Said::default() });
    VendorError { code: Some(said.code.clone()).filter(|code| !code.is_empty()), text: said.text() }
}

/// An error body in parts.
#[derive(Debug, Default)]
struct Said {
    code: String,
    message: String,
    details: Vec<String>,
}

impl Said {
    fn text(&self) -> String {
        let mut details: Vec<&str> = Vec::new();
        for detail in self.details.iter().map(|detail| detail.trim()) {
            let new = !detail.is_empty() && detail != self.message && !details.contains(&detail);
            if new {
                details.push(detail);
            }
        }
        if details.is_empty() {
            return shorten(&self.message);
        }
        shorten(&format!("{} ({})", self.message, details.join("; ")))
    }
}

fn from_json(text: &str) -> Option<Said> {
    let body: Value = serde_json::from_str(text).ok()?;
    let error = body.get("error")?;
    let worded = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        nested => nested.get("value")?.as_str().map(str::to_owned),
    };
    let details = error.pointer("/innererror/errordetails");
    // Where it came from XML, the list has a name of its own.
    let details = details.and_then(|list| list.get("errordetail").unwrap_or(list).as_array());
    let details = details.into_iter().flatten();
    Some(Said {
        code: error.get("code").and_then(Value::as_str).unwrap_or_default().to_owned(),
        message: worded(error.get("message")?)?,
        details: details.filter_map(|detail| worded(detail.get("message")?)).collect(),
    })
}

/// `<error><code/><message/><innererror><errordetails>…`, with or without a
/// namespace.
fn from_xml(text: &str) -> Option<Said> {
    if !text.trim_start().starts_with('<') {
        return None;
    }
    let mut reader = Reader::from_str(text);
    let mut path: Vec<String> = Vec::new();
    let mut said = Said::default();
    loop {
        let part = match reader.read_event().ok()? {
            Event::Start(tag) => {
                path.push(tag.local_name().as_ref().to_owned());
                if path.len() == 1 && path[0] != "error" {
                    return None;
                }
                if path.last().is_some_and(|name| name == "errordetail") {
                    said.details.push(String::new());
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
            ["error", "code"] => said.code.push_str(part.trim()),
            ["error", "message"] => said.message.push_str(&part),
            [.., "errordetail", "message"] => {
                if let Some(detail) = said.details.last_mut() {
                    detail.push_str(&part);
                }
            }
            _ => {}
        }
    }
    said.message = said.message.trim().to_owned();
    (!said.message.is_empty()).then_some(said)
}

/// Keeps the first 800 characters of one line and hides what must not show:
/// what any target may echo, and the session cookies of this one.
pub(crate) fn shorten(text: &str) -> String {
    const COOKIES: [&str; 3] = ["sap_sessionid", "sap-usercontext", "sap-xsrf"];
    let hidden = text.split_whitespace().map(|word| {
        let lower = word.to_ascii_lowercase();
        let cookie = COOKIES.iter().find(|name| lower.contains(**name) && lower.contains('='));
        cookie.map_or_else(|| word.to_owned(), |name| format!("{name}=***"))
    });
    redact::up_to(&hidden.collect::<Vec<_>>().join(" "), KEPT)
}

/// Whether a 403 asks for a new CSRF token; such a request staged nothing
/// (§6.8 rule 5, §8).
pub(crate) fn wants_token(response: &Response<Bytes>) -> bool {
    response.status() == StatusCode::FORBIDDEN
        && response
            .headers()
            .get("x-csrf-token")
            .is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"required"))
}

/// Turns an answer that is not a success into an error with its class.
///
/// `sent` is what a transient failure means for this request: `Maybe` for
/// writes, `No` for reads.
pub(crate) fn classify(
    operation: &'static str,
    response: &Response<Bytes>,
    sent: Sent,
) -> ConnectorError {
    let vendor = parse(response.body());
    let status = response.status();
    if let Some(name) = invalid_column(&vendor.text) {
        return with_code(
            ConnectorError::new(
                Class::Drift,
                operation,
                format!("key figure {name} can't be written: {}", vendor.text),
            ),
            &vendor,
        )
        .cure(format!(
            "{name} is calculated, not editable, or not assigned to this version; make it a stored, \
             editable key figure at the declared level, or correct `surface` of its measure"
        ));
    }
    let class = match status.as_u16() {
        401 | 403 => Class::Auth,
        // Somebody lost patience while the request came in, or was handled.
        408 => Class::Transient { sent },
        // A redirect is somebody else's log-on page.
        300..=499 => Class::Drift,
        _ => Class::Transient { sent },
    };
    let elsewhere = status.is_redirection().then(|| location(response)).flatten();
    let said = if vendor.text.is_empty() { "no text".to_owned() } else { vendor.text.clone() };
    let text = elsewhere.unwrap_or(said);
    let error = ConnectorError::new(class, operation, format!("HTTP {}: {text}", status.as_u16()));
    let error = with_code(error, &vendor);
    match cure_of(status) {
        Some(cure) => error.cure(cure),
        None => error,
    }
}

/// Where a redirect points, without its query: it is the best hint at whose
/// page stands between.
fn location(response: &Response<Bytes>) -> Option<String> {
    let value = response.headers().get(header::LOCATION)?;
    let value = String::from_utf8_lossy(value.as_bytes());
    Some(format!("redirects to {}", redact::up_to(&value, 200)))
}

/// The error of a write whose token was refused twice in a row, the second
/// time fresh from the service. It staged nothing.
pub(crate) fn session_lost(operation: &'static str) -> ConnectorError {
    let text = "the token was refused twice, the second time just after the service gave it";
    ConnectorError::new(Class::Transient { sent: Sent::No }, operation, text).cure(
        "the session gets lost on the way, this is not a lack of rights: a proxy or load balancer \
         drops cookies or changes the node between two requests; let it keep both",
    )
}

fn with_code(error: ConnectorError, vendor: &VendorError) -> ConnectorError {
    match &vendor.code {
        Some(code) => error.vendor_code(code.clone()),
        None => error,
    }
}

/// `invalid column name: <KF>` comes as a 500 and looks like an outage, but is
/// permanent (§5, §11, B). Answers the name.
pub(crate) fn invalid_column(text: &str) -> Option<String> {
    const WORDS: &str = "invalid column name";
    let at = text.to_ascii_lowercase().find(WORDS)?;
    let rest = text[at + WORDS.len()..].trim_start_matches([':', ' ', '\'', '"']);
    let name: String =
        rest.chars().take_while(|part| part.is_ascii_alphanumeric() || *part == '_').collect();
    Some(if name.is_empty() { "(not named)".to_owned() } else { name })
}

const fn cure_of(status: StatusCode) -> Option<&'static str> {
    match status.as_u16() {
        401 => Some("check user and password, and whether the communication user is locked"),
        403 => Some("the communication arrangement SAP_COM_0720 must be active for this user"),
        404 => Some(
            "check the service roots, and enable the planning area for the planning service \
             (Global Configuration: FLEXQUERY, PLANNINGAREA)",
        ),
        300..=399 => Some(
            "the host redirects instead of answering: use the API host (with -api) and check how this \
             user logs on",
        ),
        411 | 415 => Some(
            "a proxy or front refuses the form of the request and not its content: let it pass \
             POST requests to the service's host as they are",
        ),
        413 => Some("a front takes no request of this size: lower `transaction.values_per_post`"),
        414 => Some("a front takes no address of this length: lower `reading.pairs_in_filter`"),
        405 => Some("check the verb of the operation in $metadata and set it under `operations`"),
        400..=499 => Some("compare the configuration with the tenant: `planthread check`"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn answer(status: u16, body: &str) -> Response<Bytes> {
        Response::builder().status(status).body(Bytes::from(body.to_owned())).unwrap()
    }

    #[test]
    fn all_three_forms_are_read() {
        let nested = r#"{"error":{"code":"/IBP/CX_X","message":{"lang":"en","value":"no area"}}}"#;
        let plain = r#"{"error":{"code":"X/1","message":"no area"}}"#;
        let xml = r#"<?xml version="1.0"?><error xmlns="http://example.org/m"><code>X/1</code>
            <message xml:lang="en">a &amp; b</message><innererror><code>deep</code></innererror></error>"#;
        assert_eq!(parse(nested.as_bytes()).code.as_deref(), Some("/IBP/CX_X"));
        assert_eq!(parse(nested.as_bytes()).text, "no area");
        assert_eq!(parse(plain.as_bytes()).text, "no area");
        assert_eq!(
            parse(xml.as_bytes()),
            VendorError { code: Some("X/1".into()), text: "a & b".into() }
        );
        let rows = r#"{"error":{"code":"X","message":{"value":"3 errors"},"innererror":{"errordetails":[
            {"code":"R","message":"LINE-9: unknown","severity":"error"},{"message":"LINE-9: unknown"},{"message":"3 errors"}]}}}"#;
        assert_eq!(parse(rows.as_bytes()).text, "3 errors (LINE-9: unknown)");
        let xml = "<error><code>X</code><message>2 errors</message><innererror><errordetails>\
            <errordetail><code>R</code><message>LINE-9 &lt;x&gt;</message></errordetail>\
            <errordetail><message>LINE-8</message></errordetail></errordetails></innererror></error>";
        assert_eq!(parse(xml.as_bytes()).text, "2 errors (LINE-9 <x>; LINE-8)");
        assert_eq!(parse(b"<html><body>Bad gateway</body></html>").code, None);
        assert_eq!(parse(&"x".repeat(2_000).into_bytes()).text.chars().count(), 803);
    }

    #[test]
    fn secrets_do_not_survive() {
        let text = "proxy: Authorization: Basic cGxhbnQ6dGhyZWFk to https://a/b?$filter=x \
                    SAP_SESSIONID_X_100=abcdef; failed";
        let shown = shorten(text);
        assert!(!shown.contains("cGxhbnQ6"), "{shown}");
        assert!(!shown.contains("abcdef") && !shown.contains("$filter"), "{shown}");
        assert!(shown.contains("failed"));
    }

    #[test]
    fn a_calculated_key_figure_is_permanent_though_it_says_500() {
        let body = r#"{"error":{"code":"/IBP/X","message":{"value":"Invalid column name: UTILIZATIONPCT"}}}"#;
        let error = classify("stage rows", &answer(500, body), Sent::Maybe);
        assert_eq!(error.class, Class::Drift);
        assert!(error.to_string().contains("UTILIZATIONPCT"), "{error}");
        let other =
            classify("stage rows", &answer(500, "Data Services internal error"), Sent::Maybe);
        assert_eq!(other.class, Class::Transient { sent: Sent::Maybe });
    }

    #[test]
    fn classes_by_status() {
        let class = |status| classify("read", &answer(status, ""), Sent::No).class;
        assert_eq!(class(401), Class::Auth);
        assert_eq!(class(403), Class::Auth);
        assert_eq!(class(404), Class::Drift);
        assert_eq!(class(302), Class::Drift);
        assert_eq!(class(400), Class::Drift);
        assert_eq!(class(408), Class::Transient { sent: Sent::No });
        assert_eq!(class(502), Class::Transient { sent: Sent::No });
    }

    #[test]
    fn a_redirect_says_where_to_and_keeps_its_query() {
        let mut answer = answer(302, "<html>moved</html>");
        let to = "https://login.example.com/saml?SAMLRequest=hunter2";
        answer.headers_mut().insert(header::LOCATION, to.parse().unwrap());
        let error = classify("read", &answer, Sent::No);
        assert_eq!(error.message, "HTTP 302: redirects to https://login.example.com/saml?***");
    }

    proptest! {
        #[test]
        fn no_body_breaks_the_parser(body in proptest::collection::vec(any::<u8>(), 0..300), xml in "<error>[<>a-z/&;]{0,40}") {
            prop_assert!(parse(&body).text.chars().count() <= KEPT + 3);
            let _ = parse(xml.as_bytes());
            let _ = invalid_column(&String::from_utf8_lossy(&body));
        }
    }
}
