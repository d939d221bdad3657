//! Headers that fronts ask of every request, set at one place.
//!
//! A POST without a body and without `Content-Length` is answered 411 by common
//! fronts, a request without `User-Agent` 403 by some, and adapters drop the
//! parameters of a write without `Content-Type`. So the request stack sends
//! everything, token requests included, through this transport.

use std::{fmt, sync::Arc};

use bytes::Bytes;
use http::{
    HeaderValue, Method, Request, Response,
    header::{CONTENT_LENGTH, CONTENT_TYPE, USER_AGENT},
};

use crate::{BoxFuture, SendError, Transport};

/// A transport that completes the headers of what it sends.
pub(super) struct Complete {
    inner: Arc<dyn Transport>,
    user_agent: HeaderValue,
}

impl Complete {
    pub(super) fn new(inner: Arc<dyn Transport>, user_agent: HeaderValue) -> Self {
        Self { inner, user_agent }
    }
}

impl fmt::Debug for Complete {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl Transport for Complete {
    fn send(
        &self,
        mut request: Request<Bytes>,
    ) -> BoxFuture<'_, Result<Response<Bytes>, SendError>> {
        complete(&mut request, &self.user_agent);
        self.inner.send(request)
    }
}

/// Adds what is missing; what a connector set itself stays.
pub(crate) fn complete(request: &mut Request<Bytes>, user_agent: &HeaderValue) {
    let length = request.body().len();
    let writes = matches!(*request.method(), Method::POST | Method::PUT | Method::PATCH);
    let headers = request.headers_mut();
    headers.entry(USER_AGENT).or_insert_with(|| user_agent.clone());
    if writes || length > 0 {
        headers.insert(CONTENT_LENGTH, length.into());
        headers.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static("application/json"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn completed(method: Method, body: &'static str) -> Request<Bytes> {
        let mut request = Request::new(Bytes::from_static(body.as_bytes()));
        *request.method_mut() = method;
        complete(&mut request, &HeaderValue::from_static("planthread/1"));
        request
    }

    #[test]
    fn a_write_says_how_long_and_what_its_body_is_also_without_one() {
        for (method, body, length) in
            [(Method::POST, "", "0"), (Method::PUT, "{}", "2"), (Method::DELETE, "[]", "2")]
        {
            let request = completed(method, body);
            assert_eq!(request.headers()[CONTENT_LENGTH], length);
            assert_eq!(request.headers()[CONTENT_TYPE], "application/json");
            assert_eq!(request.headers()[USER_AGENT], "planthread/1");
        }
        let read = completed(Method::GET, "");
        assert!(!read.headers().contains_key(CONTENT_LENGTH), "a read has no body");
        assert_eq!(read.headers()[USER_AGENT], "planthread/1");
    }

    #[test]
    fn what_a_connector_set_stays() {
        let mut request = Request::post("/").header(CONTENT_TYPE, "text/tab-separated-values");
        request = request.header(USER_AGENT, "mine");
        let mut request = request.body(Bytes::from_static(b"a\tb")).unwrap();
        complete(&mut request, &HeaderValue::from_static("planthread/1"));
        assert_eq!(request.headers()[CONTENT_TYPE], "text/tab-separated-values");
        assert_eq!(request.headers()[USER_AGENT], "mine");
    }
}
