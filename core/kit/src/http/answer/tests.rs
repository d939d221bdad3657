//! What counts as a receipt, and what is said of everything else.

use proptest::prelude::*;

use super::*;
use crate::http::said::said;

const LOGIN: &str = "<!DOCTYPE html><html><head><title>Sign in</title></head></html>";
const MAYBE: Class = Class::Transient { sent: Sent::Maybe };

fn answer(status: u16, kind: &str, body: &str) -> Response<Bytes> {
    let mut builder = Response::builder().status(status);
    if !kind.is_empty() {
        builder = builder.header(header::CONTENT_TYPE, kind);
    }
    builder.body(Bytes::from(body.to_owned())).unwrap()
}

fn take(answer: &Response<Bytes>) -> Result<Value, ConnectorError> {
    receipt("stage rows", answer, Expect::json("/d"), Sent::Maybe, said)
}

fn refused(answer: &Response<Bytes>) -> ConnectorError {
    take(answer).unwrap_err()
}

#[test]
fn only_the_documented_status_with_the_documented_body_is_a_receipt() {
    for kind in ["application/json", "application/json; charset=utf-8", "application/hal+json", ""]
    {
        assert!(take(&answer(200, kind, r#"{"d":{}}"#)).is_ok(), "{kind}");
    }
    for (status, kind, body) in [
        (201, "application/json", r#"{"d":{}}"#),
        (204, "", ""),
        (200, "application/json", r#"{"e":{}}"#),
        (200, "application/json", r#"{"error":{"code":"X","message":"no"}}"#),
        (200, "application/json", "[]"),
        (200, "multipart/mixed; boundary=b", "--b\r\nHTTP/1.1 400 Bad Request\r\n"),
        (200, "text/plain", r#"{"d":{}}"#),
        (200, "application/json", "ok"),
        (200, "text/html", LOGIN),
        (200, "", LOGIN),
        (200, "application/json", "\u{feff}  <HTML>"),
    ] {
        let error = refused(&answer(status, kind, body));
        assert_eq!(error.class, Class::Drift, "{status} {kind} {body}: {error}");
        assert!(error.cure.is_some() && !error.took_nothing, "{error}");
    }
}

#[test]
fn a_login_page_is_named_with_its_title_and_not_shown() {
    let error = refused(&answer(200, "text/html", LOGIN)).to_string();
    assert!(
        error.contains("a web page instead of JSON, such as a login page (\"Sign in\")"),
        "{error}"
    );
    assert!(!error.contains("DOCTYPE"), "{error}");
    let gateway = refused(&answer(502, "text/html", LOGIN));
    assert_eq!(gateway.class, MAYBE);
    assert!(gateway.to_string().contains("HTTP 502: a web page"), "{gateway}");
}

#[test]
fn an_error_inside_a_success_says_what_the_vendor_said() {
    let body = r#"{"error":{"code":"BAD/7","message":{"value":"row 3 is locked"}}}"#;
    let error = refused(&answer(200, "application/json", body));
    assert_eq!(error.vendor_code.as_deref(), Some("BAD/7"));
    assert!(error.message.contains("row 3 is locked"), "{error}");
}

#[test]
fn a_redirect_shows_where_it_leads_without_its_query() {
    let mut moved = answer(302, "text/html", LOGIN);
    let place = "https://me:hunter2@login.example.com/saml?SAMLRequest=abc#x";
    moved.headers_mut().insert(header::LOCATION, place.parse().unwrap());
    let error = refused(&moved);
    assert_eq!(error.class, Class::Drift);
    assert!(error.message.contains("login.example.com/saml"), "{error}");
    assert!(!error.message.contains("abc") && !error.message.contains("hunter2"), "{error}");
}

#[test]
fn cut_bodies_may_pass_and_say_whether_the_write_may_have_happened() {
    assert_eq!(refused(&answer(200, "application/json", r#"{"d":{"results":["#)).class, MAYBE);
    let mut cut = answer(200, "application/json", "{}");
    cut.headers_mut().insert(header::CONTENT_LENGTH, 99.into());
    assert_eq!(refused(&cut).class, MAYBE);
    cut.headers_mut().insert(header::CONTENT_ENCODING, "gzip".parse().unwrap());
    assert_eq!(refused(&cut).class, Class::Drift, "a packed length is not the body's");
}

#[test]
fn classes_by_status() {
    for (status, class) in [
        (401, Class::Auth),
        (403, Class::Auth),
        (400, Class::Drift),
        (404, Class::Drift),
        (411, Class::Drift),
        (413, Class::Drift),
        (415, Class::Drift),
        (302, Class::Drift),
        (408, MAYBE),
        (500, MAYBE),
        (502, MAYBE),
    ] {
        assert_eq!(refused(&answer(status, "application/json", "{}")).class, class, "{status}");
    }
    for status in [400, 401, 403, 404, 405, 411, 413, 414, 415] {
        assert!(refuses(StatusCode::from_u16(status).unwrap()), "{status}");
    }
    for status in [200, 302, 406, 408, 409, 422, 423, 429, 431, 500, 502] {
        assert!(!refuses(StatusCode::from_u16(status).unwrap()), "{status}");
    }
}

#[test]
fn an_empty_body_counts_only_where_it_is_documented() {
    let nothing = |answer: &Response<Bytes>| {
        receipt("drop row", answer, Expect::nothing(), Sent::Maybe, said)
    };
    assert_eq!(nothing(&answer(204, "", "")).unwrap(), Value::Null);
    let quiet = Expect::nothing().with(&[200, 204]);
    let page = answer(200, "text/html", LOGIN);
    let error = receipt("drop row", &page, quiet, Sent::Maybe, said).unwrap_err();
    assert!(error.message.contains("web page"), "{error}");
    let empty = refused(&answer(200, "application/json", ""));
    assert!(empty.class == Class::Drift && empty.message.contains("an empty answer"), "{empty}");
}

proptest! {
    #[test]
    fn nothing_but_the_member_makes_a_receipt(
        status in 200_u16..600,
        kind in "(|application/json|text/html|text/plain|multipart/mixed)",
        body in proptest::collection::vec(any::<u8>(), 0..200),
    ) {
        let mut given = answer(status, &kind, "");
        *given.body_mut() = Bytes::from(body.clone());
        let documented = status == 200
            && (kind.is_empty() || kind == "application/json")
            && serde_json::from_slice::<Value>(&body).is_ok_and(|value| value.get("d").is_some());
        prop_assert_eq!(take(&given).is_ok(), documented);
    }
}
