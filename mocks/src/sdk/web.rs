//! What every sandbox does with requests and answers, whatever its vendor says.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, header};
use percent_encoding::percent_decode_str;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// An answer with a body of JSON.
#[must_use]
pub fn json_answer(status: u16, body: &Value) -> Response<Bytes> {
    let json = "application/json; charset=utf-8";
    with(answer(status, body.to_string()), "content-type", json)
}

/// An answer without a body.
#[must_use]
pub fn empty(status: u16) -> Response<Bytes> {
    answer(status, Bytes::new())
}

/// An answer whose body has no declared type yet. A number that is no status is 200.
pub fn answer(status: u16, body: impl Into<Bytes>) -> Response<Bytes> {
    let mut response = Response::new(body.into());
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    response
}

/// The same answer with one header more; a text that can't stand in one is left
/// out.
#[must_use]
pub fn with(mut response: Response<Bytes>, name: &'static str, value: &str) -> Response<Bytes> {
    if let Ok(value) = HeaderValue::try_from(value) {
        response.headers_mut().insert(HeaderName::from_static(name), value);
    }
    response
}

/// The text of a request's header.
#[must_use]
pub fn header_text<'a>(request: &'a Request<Bytes>, name: &str) -> Option<&'a str> {
    request.headers().get(name).and_then(|value| value.to_str().ok())
}

/// User and password of a request, where it has Basic ones.
#[must_use]
pub fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, encoded) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (user, password) = text.split_once(':')?;
    Some((user.to_owned(), password.to_owned()))
}

/// The parts of a path, decoded.
#[must_use]
pub fn segments(request: &Request<Bytes>) -> Vec<String> {
    let path = request.uri().path().trim_matches('/');
    path.split('/').map(|part| percent_decode_str(part).decode_utf8_lossy().into_owned()).collect()
}

/// The values of one parameter of the query, decoded.
#[must_use]
pub fn parameters(request: &Request<Bytes>, name: &str) -> Vec<String> {
    let text = request.uri().query().unwrap_or_default();
    let pairs = url::form_urlencoded::parse(text.as_bytes());
    pairs.filter(|(key, _)| key == name).map(|(_, value)| value.into_owned()).collect()
}

/// The first value of one parameter.
#[must_use]
pub fn parameter(request: &Request<Bytes>, name: &str) -> Option<String> {
    parameters(request, name).into_iter().next()
}

/// SHA-256 of a text as 64 hexadecimal digits: a digest, or an id that looks random
/// and is the same in every run.
#[must_use]
pub fn digest(text: impl AsRef<[u8]>) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_read_decoded() {
        let uri = "http://h/a%20b/c/?x=1&y=%C3%A4&x=2";
        let request = Request::builder().uri(uri).header("etag", "E").body(Bytes::new()).unwrap();
        assert_eq!(segments(&request), ["a b", "c"]);
        assert_eq!(parameters(&request, "x"), ["1", "2"]);
        assert_eq!(parameter(&request, "y").as_deref(), Some("ä"));
        assert_eq!(header_text(&request, "etag"), Some("E"));
        assert_eq!(header_text(&request, "absent"), None);
    }

    #[test]
    fn an_answer_has_what_it_was_given() {
        let made = with(json_answer(404, &Value::Null), "x-why", "none");
        assert_eq!((made.status().as_u16(), made.body().as_ref()), (404, &b"null"[..]));
        assert_eq!(made.headers()["x-why"], "none");
        assert!(!with(empty(204), "x-why", "a\nb").headers().contains_key("x-why"));
    }
}
