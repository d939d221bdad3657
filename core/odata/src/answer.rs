//! What an answer of the service is: the documented JSON, or something else.
//!
//! An answer counts only with the documented status and the documented body,
//! JSON under `d`. A login page or a proxy's page with 200 says nothing
//! about the request that it answers: it is no data and no receipt.

use bytes::Bytes;
use http::{Response, StatusCode};
use planthread_kit::{
    Class, ConnectorError, Sent,
    http::answer::{COMPARE, json},
};
use serde_json::Value;

use crate::fault::{self, Dialect};

/// The body of an answer with status `expected` and JSON under `d`.
///
/// `sent` is what a transient failure means for this request: `Maybe` for
/// writes, `No` for reads.
///
/// # Errors
/// Of the class of its status where the service refused; `Transient` when the
/// body was cut or says that it failed after all; `Drift` when it is anything
/// else than the documented answer, whose kind the text names.
pub fn documented(
    step: &'static str,
    answer: &Response<Bytes>,
    expected: StatusCode,
    sent: Sent,
    dialect: Dialect,
) -> Result<Value, ConnectorError> {
    let status = answer.status();
    if !status.is_success() {
        return Err(fault::refused(step, answer, sent, dialect));
    }
    let body = json(step, answer, sent)?;
    if body.get("error").is_some() {
        let said = (dialect.read)(answer.body());
        let text = format!("the answer {status} carries an error: {}", said.text);
        return Err(ConnectorError::new(Class::Transient { sent }, step, text));
    }
    let holds = body.get("d").is_some_and(|d| d.is_object() || d.is_array());
    if status == expected && holds {
        return Ok(body);
    }
    let text = if holds {
        format!("the answer's status is {status}, documented is {expected}")
    } else {
        "the answer's JSON holds no `d`: it is not the service's".to_owned()
    };
    Err(ConnectorError::new(Class::Drift, step, text).cure(COMPARE))
}

/// The rows of a collection: `d.results`, or `d` itself as a list.
///
/// # Errors
/// `Drift` when there are none.
pub fn rows(step: &'static str, body: &Value) -> Result<Vec<Value>, ConnectorError> {
    let d = body.get("d").unwrap_or(&Value::Null);
    let found = d.get("results").unwrap_or(d).as_array();
    found.cloned().ok_or_else(|| {
        ConnectorError::new(Class::Drift, step, "the answer holds no `d.results`")
            .cure("compare the configuration with the target: `planthread check`")
    })
}

/// `d.__count`, a string or a number.
#[must_use]
pub fn count(body: &Value) -> Option<usize> {
    match body.get("d")?.get("__count")? {
        Value::String(text) => text.parse().ok(),
        number => number.as_u64().and_then(|count| usize::try_from(count).ok()),
    }
}

/// `d.__next`: where the service cut the answer, the address of the rest.
#[must_use]
pub fn next(body: &Value) -> Option<&str> {
    body.get("d")?.get("__next")?.as_str()
}

/// Text of a column; empty when it is absent or null.
#[must_use]
pub fn text<'a>(row: &'a Value, column: &str) -> &'a str {
    row.get(column).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use http::header;
    use proptest::prelude::*;

    use super::*;

    fn answer(status: u16, kind: &str, body: &[u8]) -> Response<Bytes> {
        let builder = Response::builder().status(status).header(header::CONTENT_TYPE, kind);
        builder.body(Bytes::from(body.to_vec())).unwrap()
    }

    fn read(answer: &Response<Bytes>) -> Result<Value, ConnectorError> {
        documented("read", answer, StatusCode::OK, Sent::No, Dialect::plain())
    }

    const TRANSIENT: Class = Class::Transient { sent: Sent::No };

    #[test]
    fn cut_json_is_transient_and_a_login_page_is_named() {
        let cut = read(&answer(200, "application/json", br#"{"d":{"results":[{"RESID":"LI"#));
        assert_eq!(cut.unwrap_err().class, TRANSIENT);
        let mut short = answer(200, "application/json", br#"{"d":{}}"#);
        assert!(read(&short).is_ok());
        short.headers_mut().insert(header::CONTENT_LENGTH, 99.into());
        assert_eq!(read(&short).unwrap_err().class, TRANSIENT);
        short.headers_mut().insert(header::CONTENT_ENCODING, "gzip".parse().unwrap());
        assert!(read(&short).is_ok(), "a compressed length is not the body's length");

        for (kind, body, told) in [
            ("text/html", "<h1>Log on</h1>", "a web page instead of JSON, such as a login page"),
            ("", " <!DOCTYPE html><form>", "a web page"),
            ("multipart/mixed", "--x\r\nHTTP/1.1 400 Bad Request", "a multipart answer"),
            ("application/atom+xml", "<entry/>", "an XML document"),
            ("application/json", "", "an empty answer"),
            ("text/plain", "OK", "text/plain instead of JSON"),
            ("application/json", r#"{"status":"ok"}"#, "holds no `d`"),
        ] {
            let error = read(&answer(200, kind, body.as_bytes())).unwrap_err();
            assert_eq!(error.class, Class::Drift, "{error}");
            assert!(error.message.contains(told) && error.cure.is_some(), "{error}");
        }
    }

    #[test]
    fn an_error_inside_a_success_is_shown_and_is_no_success() {
        let body = br#"{"error":{"code":"X","message":{"value":"failed after all"}}}"#;
        let error = read(&answer(200, "application/json", body)).unwrap_err();
        assert_eq!(error.class, TRANSIENT);
        assert!(error.message.contains("failed after all"), "{error}");
    }

    #[test]
    fn both_shapes_of_collections_are_read() {
        use serde_json::json;
        assert_eq!(rows("read", &json!({"d": {"results": [1], "__count": "3"}})).unwrap().len(), 1);
        assert_eq!(rows("read", &json!({"d": [1, 2]})).unwrap().len(), 2);
        assert_eq!(rows("read", &json!({"x": 1})).unwrap_err().class, Class::Drift);
        assert_eq!(count(&json!({"d": {"__count": "3"}})), Some(3));
        assert_eq!(count(&json!({"d": {"__count": 3}})), Some(3));
        assert_eq!(next(&json!({"d": {"results": [], "__next": "Rows?x"}})), Some("Rows?x"));
        assert_eq!((count(&json!({})), next(&json!({}))), (None, None));
    }

    proptest! {
        /// Whatever comes with a 2xx, only the documented status with JSON
        /// under `d` counts.
        #[test]
        fn nothing_else_is_an_answer(
            status in 200u16..300,
            kind in "(text/html|multipart/mixed; boundary=x|application/json|text/plain)",
            body in prop_oneof![
                "<[a-z!]{1,5}>[a-z ]{0,40}",
                "--[a-z]{1,5}\r\nHTTP/1.1 (400|201) [a-z ]{0,20}",
                r#"\{"[a-ce]":\{"d":\{\}\}\}"#,
                r#"\{"d":("x"|null|7|true)\}"#,
                "\\PC{0,40}",
            ],
        ) {
            let d = serde_json::from_str::<Value>(&body).ok().and_then(|all| all.get("d").cloned());
            prop_assume!(!d.is_some_and(|d| d.is_object() || d.is_array()));
            let error = read(&answer(status, &kind, body.as_bytes())).unwrap_err();
            prop_assert!(matches!(error.class, Class::Drift | TRANSIENT));
        }

        #[test]
        fn another_status_is_no_answer_either(status in 201u16..300) {
            let error = read(&answer(status, "application/json", br#"{"d":{"Value":"1"}}"#));
            prop_assert_eq!(error.unwrap_err().class, Class::Drift);
        }
    }
}
