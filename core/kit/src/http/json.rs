//! A client for JSON interfaces: one request, one receipt.
//!
//! It adds nothing to the request stack but the form: addresses below one root,
//! JSON bodies, and answers that count only when they are as documented.

use bytes::Bytes;
use http::{
    HeaderValue, Method, Request, Response,
    header::{ACCEPT, CONTENT_TYPE},
};
use serde_json::Value;

use super::{
    answer::{Expect, receipt},
    call::{Call, Lane, Safety},
    said::{Said, said},
    stack::HttpStack,
};
use crate::{Class, ConnectorError, Sent};

/// Talks JSON with one target. Cheap to clone.
#[derive(Debug, Clone)]
pub struct JsonClient {
    http: HttpStack,
    root: String,
    reader: fn(&[u8]) -> Said,
}

impl JsonClient {
    /// A client for addresses below `root` (`https://host/api/v1`).
    #[must_use]
    pub fn new(http: HttpStack, root: &str) -> Self {
        Self { http, root: root.trim_end_matches('/').to_owned(), reader: said }
    }

    /// The same client with the vendor's own form of refusals.
    #[must_use]
    pub fn refusals(self, reader: fn(&[u8]) -> Said) -> Self {
        Self { reader, ..self }
    }

    /// The request stack below.
    #[must_use]
    pub const fn http(&self) -> &HttpStack {
        &self.http
    }

    /// Reads `path` (with its query).
    ///
    /// # Errors
    /// As [`Self::send`].
    pub async fn read(
        &self,
        operation: &'static str,
        lane: Lane,
        path: &str,
        expect: Expect,
    ) -> Result<Value, ConnectorError> {
        let request = self.request(Method::GET, path, Bytes::new())?;
        self.send(Call::new(operation, Safety::Read, request).lane(lane), expect).await
    }

    /// Writes `body` to `path`.
    ///
    /// # Errors
    /// As [`Self::send`].
    pub async fn write(
        &self,
        operation: &'static str,
        safety: Safety,
        (method, path): (Method, &str),
        body: &Value,
        expect: Expect,
    ) -> Result<Value, ConnectorError> {
        let request = self.request(method, path, Bytes::from(body.to_string()))?;
        self.send(Call::new(operation, safety, request), expect).await
    }

    /// Asks something by POST that takes no effect.
    ///
    /// # Errors
    /// As [`Self::send`].
    pub async fn ask(
        &self,
        operation: &'static str,
        lane: Lane,
        path: &str,
        body: &Value,
        expect: Expect,
    ) -> Result<Value, ConnectorError> {
        let call = Call::new(operation, Safety::Read, self.post(path, body)?).lane(lane);
        self.send(call, expect).await
    }

    /// A POST of `body`, to be sent as a [`Call`]; of nothing where it is null.
    ///
    /// # Errors
    /// `Fatal` when root and path make no address.
    pub fn post(&self, path: &str, body: &Value) -> Result<Request<Bytes>, ConnectorError> {
        let body = if body.is_null() { Bytes::new() } else { Bytes::from(body.to_string()) };
        let mut request = self.request(Method::POST, path, body)?;
        let json = HeaderValue::from_static("application/json");
        request.headers_mut().insert(CONTENT_TYPE, json);
        Ok(request)
    }

    /// Sends `call`; its JSON when the answer is as expected.
    ///
    /// # Errors
    /// Those of [`HttpStack::send`] and of [`receipt`].
    pub async fn send(&self, call: Call, expect: Expect) -> Result<Value, ConnectorError> {
        let operation = call.operation;
        let sent = if call.safety == Safety::Read { Sent::No } else { Sent::Maybe };
        let answer: Response<Bytes> = self.http.send(call).await?;
        receipt(operation, &answer, expect, sent, self.reader)
    }

    /// A request for `path` below the root, to be sent as a [`Call`].
    ///
    /// # Errors
    /// `Fatal` when root and path make no address.
    pub fn request(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Result<Request<Bytes>, ConnectorError> {
        let slash = if path.is_empty() || path.starts_with(['/', '?']) { "" } else { "/" };
        Request::builder()
            .method(method)
            .uri(format!("{}{slash}{path}", self.root))
            .header(ACCEPT, "application/json")
            .body(body)
            .map_err(|error| {
                ConnectorError::new(Class::Fatal, "build request", error.to_string())
                    .cure("check host and paths in the settings")
            })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        Quota,
        http::{Anonymous, RequestPolicy},
        testing::{Reply, Script, clock},
    };

    fn ask(reply: fn() -> Reply) -> (Result<Value, ConnectorError>, String) {
        let clock = clock();
        let script = Script::new(&clock, move |_, _| reply());
        let shared = Arc::new(clock.clone());
        let quota = Arc::new(Quota::unlimited(shared.clone()));
        let wire = Arc::new(script.clone());
        let http =
            HttpStack::new(wire, shared, quota, Arc::new(Anonymous), RequestPolicy::default());
        let client = JsonClient::new(http, "https://h.example/api/");
        let read = client.read("list rows", Lane::Verify, "rows?top=1", Expect::json("/rows"));
        let result = clock.block_on(read);
        (result, script.arrived()[0].path.clone())
    }

    #[test]
    fn a_documented_answer_is_its_json_and_paths_lie_below_the_root() {
        let (result, path) = ask(|| Reply::json(r#"{"rows":[1]}"#));
        assert_eq!(result.unwrap()["rows"][0], 1);
        assert_eq!(path, "/api/rows");
    }

    #[test]
    fn anything_else_is_an_error_of_the_step() {
        let (result, _) = ask(|| Reply::json(r#"{"message":"no"}"#).code(400));
        let error = result.unwrap_err();
        assert_eq!((error.operation, error.class), ("list rows", Class::Drift));
        assert!(error.message.contains("HTTP 400: no"), "{error}");
        let (result, _) = ask(|| Reply::json("<html>"));
        assert!(result.unwrap_err().message.contains("login page"));
    }
}
