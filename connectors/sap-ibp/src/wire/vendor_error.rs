//! Error bodies in their three forms, and the class that an HTTP answer has.

use bytes::Bytes;
use http::{Response, StatusCode};
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
/// anything else is kept as text (§8, B and Gateway).
pub(crate) fn parse(body: &[u8]) -> VendorError {
    let text = String::from_utf8_lossy(body);
    let parsed = from_json(&text).or_else(|| from_xml(&text));
    let (code, message) = parsed.unwrap_or_else(|| (None, text.trim().to_owned()));
    VendorError { code: code.filter(|code| !code.is_empty()), text: shorten(&message) }
}

fn from_json(text: &str) -> Option<(Option<String>, String)> {
    let body: Value = serde_json::from_str(text).ok()?;
    let error = body.get("error")?;
    let message = match error.get("message")? {
        Value::String(text) => text.clone(),
        nested => nested.get("value")?.as_str()?.to_owned(),
    };
    Some((error.get("code").and_then(Value::as_str).map(str::to_owned), message))
}

/// `<error><code/><message/></error>`, with or without a namespace.
fn from_xml(text: &str) -> Option<(Option<String>, String)> {
    if !text.trim_start().starts_with('<') {
        return None;
    }
    let mut reader = Reader::from_str(text);
    let (mut inside, mut path) = (String::new(), 0_u32);
    let (mut code, mut message) = (None, None);
    loop {
        match reader.read_event().ok()? {
            Event::Start(tag) => {
                path += 1;
                if path == 1 && tag.local_name().as_ref() != "error" {
                    return None;
                }
                tag.local_name().as_ref().clone_into(&mut inside);
            }
            Event::Text(part) if path == 2 => {
                let part = part.xml10_content();
                match inside.as_str() {
                    "code" => code.get_or_insert_with(String::new).push_str(&part),
                    "message" => message.get_or_insert_with(String::new).push_str(&part),
                    _ => {}
                }
            }
            Event::GeneralRef(entity) if path == 2 && inside == "message" => {
                let named = match entity.xml10_content().as_ref() {
                    "amp" => '&',
                    "lt" => '<',
                    "gt" => '>',
                    "quot" => '"',
                    "apos" => '\'',
                    _ => entity.resolve_char_ref().ok().flatten().unwrap_or('?'),
                };
                message.get_or_insert_with(String::new).push(named);
            }
            Event::End(_) => path = path.saturating_sub(1),
            Event::Eof => break,
            _ => {}
        }
    }
    Some((code, message?.trim().to_owned()))
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
    let text = if vendor.text.is_empty() { "no text" } else { &vendor.text };
    let error = ConnectorError::new(class, operation, format!("HTTP {}: {text}", status.as_u16()));
    let error = with_code(error, &vendor);
    match cure_of(status) {
        Some(cure) => error.cure(cure),
        None => error,
    }
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

    proptest! {
        #[test]
        fn no_body_breaks_the_parser(body in proptest::collection::vec(any::<u8>(), 0..300), xml in "<error>[<>a-z/&;]{0,40}") {
            prop_assert!(parse(&body).text.chars().count() <= KEPT + 3);
            let _ = parse(xml.as_bytes());
            let _ = invalid_column(&String::from_utf8_lossy(&body));
        }
    }
}
