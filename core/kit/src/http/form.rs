//! What fronts ask of every request, whoever made it.

use bytes::Bytes;
use http::{
    HeaderValue, Method, Request,
    header::{CONTENT_LENGTH, USER_AGENT},
};

/// Who sends.
const AGENT: &str = concat!("planthread/", env!("CARGO_PKG_VERSION"));

/// Adds who sends, and the length of a write that carries nothing: without it
/// many fronts answer 411.
pub(crate) fn complete(request: &mut Request<Bytes>) {
    let writes = matches!(*request.method(), Method::POST | Method::PUT | Method::PATCH);
    let empty = writes && request.body().is_empty();
    let headers = request.headers_mut();
    headers.entry(USER_AGENT).or_insert(HeaderValue::from_static(AGENT));
    if empty {
        headers.entry(CONTENT_LENGTH).or_insert(HeaderValue::from_static("0"));
    }
}
