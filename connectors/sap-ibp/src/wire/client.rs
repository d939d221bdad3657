//! Requests to the two services, and their answers as JSON: the thin IO.

use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response, header};
use planthread_kit::{
    Class, Clock, ConnectorError, Sent,
    http::{Call, HttpStack, Lane, Safety},
};
use serde_json::Value;

use super::{
    session::Session,
    vendor_error::{classify, wants_token},
};
use crate::config::{Config, Operation, Verb};

/// Sends to one tenant.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    http: HttpStack,
    planning: String,
    master_data: String,
    https: bool,
    get: Duration,
    post: Duration,
    metadata: Duration,
}

/// Which of the two services is addressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Service {
    /// PLANNING_DATA_API_SRV
    Planning,
    /// MASTER_DATA_API_SRV
    MasterData,
}

impl Client {
    pub(crate) fn new(config: &Config, http: HttpStack) -> Self {
        Self {
            http,
            planning: format!("{}{}", config.host, config.services.planning),
            master_data: format!("{}{}", config.host, config.services.master_data),
            https: config.host.starts_with("https://"),
            get: Duration::from_secs(config.timeouts.get_seconds),
            post: Duration::from_secs(config.timeouts.post_seconds),
            metadata: Duration::from_secs(config.timeouts.metadata_seconds),
        }
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        self.http.clock().as_ref()
    }

    pub(crate) fn session(&self) -> Session {
        Session::new(self.https)
    }

    fn url(&self, service: Service, path: &str) -> String {
        let root = match service {
            Service::Planning => &self.planning,
            Service::MasterData => &self.master_data,
        };
        format!("{root}/{path}")
    }

    /// Reads JSON from `path?query`. Reads need neither token nor cookie.
    pub(crate) async fn read(
        &self,
        operation: &'static str,
        lane: Lane,
        service: Service,
        path: &str,
    ) -> Result<Value, ConnectorError> {
        let request = build(Method::GET, &self.url(service, path), "application/json", None)?;
        let answer = self.send(operation, Safety::Read, self.get, lane, request).await?;
        if !answer.status().is_success() {
            return Err(classify(operation, &answer, Sent::No));
        }
        json(operation, &answer)
    }

    /// Reads the service document as JSON.
    pub(crate) async fn document(&self, service: Service) -> Result<Value, ConnectorError> {
        const READ: &str = "read service document";
        let url = self.url(service, "?$format=json");
        let request = build(Method::GET, &url, "application/json", None)?;
        let answer = self.send(READ, Safety::Read, self.metadata, Lane::Sweep, request).await?;
        if !answer.status().is_success() {
            return Err(classify(READ, &answer, Sent::No));
        }
        json(READ, &answer)
    }

    /// Reads `$metadata`, which is always XML.
    pub(crate) async fn metadata(&self, service: Service) -> Result<String, ConnectorError> {
        const READ: &str = "read metadata";
        let request = build(Method::GET, &self.url(service, "$metadata"), "application/xml", None)?;
        let answer = self.send(READ, Safety::Read, self.metadata, Lane::Sweep, request).await?;
        if !answer.status().is_success() {
            return Err(classify(READ, &answer, Sent::No));
        }
        whole(READ, &answer)?;
        Ok(String::from_utf8_lossy(answer.body()).into_owned())
    }

    /// Sends a write of the planning service with token and cookies, once; a
    /// second time only when the token had expired.
    ///
    /// The answer comes back whatever its status is.
    pub(crate) async fn write(
        &self,
        operation: &'static str,
        session: &Session,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Result<Response<Bytes>, ConnectorError> {
        let mut refused = None;
        loop {
            let token = session.token(refused, || self.fetch_token(session)).await?;
            let body = Some(body.clone());
            let url = self.url(Service::Planning, path);
            let mut request = build(method.clone(), &url, "application/json", body)?;
            session.sign(&mut request, &token);
            let answer =
                self.send(operation, Safety::Once, self.post, Lane::Routine, request).await?;
            session.keep(answer.headers());
            if refused.is_none() && wants_token(&answer) {
                refused = Some(token.number);
                continue;
            }
            return Ok(answer);
        }
    }

    /// Calls a function import that changes something.
    pub(crate) async fn call(
        &self,
        step: &'static str,
        session: &Session,
        operation: &Operation,
        query: &str,
    ) -> Result<Response<Bytes>, ConnectorError> {
        let path = format!("{}?{query}", operation.name);
        let method = match operation.verb {
            Verb::Get => Method::GET,
            Verb::Post => Method::POST,
            Verb::Put => Method::PUT,
        };
        self.write(step, session, method, &path, Bytes::new()).await
    }

    async fn fetch_token(&self, session: &Session) -> Result<Response<Bytes>, ConnectorError> {
        const FETCH: &str = "fetch token";
        let url = self.url(Service::Planning, "");
        let mut request = build(Method::GET, &url, "application/json", None)?;
        request.headers_mut().insert("x-csrf-token", http::HeaderValue::from_static("Fetch"));
        session.add_cookies(&mut request);
        let answer = self.send(FETCH, Safety::Read, self.get, Lane::Routine, request).await?;
        if answer.status().is_success() {
            return Ok(answer);
        }
        Err(classify(FETCH, &answer, Sent::No))
    }

    async fn send(
        &self,
        operation: &'static str,
        safety: Safety,
        timeout: Duration,
        lane: Lane,
        request: Request<Bytes>,
    ) -> Result<Response<Bytes>, ConnectorError> {
        let call = Call::new(operation, safety, request).timeout(timeout).lane(lane);
        self.http.send(call).await
    }
}

/// One request; a body makes it JSON.
fn build(
    method: Method,
    url: &str,
    accept: &str,
    body: Option<Bytes>,
) -> Result<Request<Bytes>, ConnectorError> {
    let mut builder = Request::builder().method(method).uri(url).header(header::ACCEPT, accept);
    let body = body.unwrap_or_default();
    if !body.is_empty() {
        builder = builder.header(header::CONTENT_TYPE, "application/json");
    }
    builder.body(body).map_err(|error| {
        ConnectorError::new(Class::Fatal, "build request", error.to_string())
            .cure("check host and services in the settings")
    })
}

/// A body that a relay cut is a failed read, not a short one (§7).
fn whole(operation: &'static str, answer: &Response<Bytes>) -> Result<(), ConnectorError> {
    let headers = answer.headers();
    let declared = headers
        .get(header::CONTENT_LENGTH)
        .filter(|_| !headers.contains_key(header::CONTENT_ENCODING))
        .and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    match declared {
        Some(length) if length > answer.body().len() => Err(ConnectorError::new(
            Class::Transient { sent: Sent::No },
            operation,
            format!("the answer was cut: {} of {length} bytes came", answer.body().len()),
        )),
        _ => Ok(()),
    }
}

/// The answer's JSON. Cut text is a transient failure of the relay; complete
/// text that is no JSON (a login page) is drift.
pub(crate) fn json(
    operation: &'static str,
    answer: &Response<Bytes>,
) -> Result<Value, ConnectorError> {
    whole(operation, answer)?;
    serde_json::from_slice(answer.body()).map_err(|error| {
        let (class, text) = if error.is_eof() {
            (Class::Transient { sent: Sent::No }, "the answer's JSON ends too early")
        } else {
            (Class::Drift, "the answer is no JSON")
        };
        ConnectorError::new(class, operation, text)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(length: Option<usize>, body: &str) -> Response<Bytes> {
        let mut builder = Response::builder().status(200);
        if let Some(length) = length {
            builder = builder.header(header::CONTENT_LENGTH, length);
        }
        builder.body(Bytes::from(body.to_owned())).unwrap()
    }

    #[test]
    fn cut_json_is_transient_and_a_login_page_is_drift() {
        let class = |length, body| json("read", &answer(length, body)).map_err(|e| e.class);
        let transient = Class::Transient { sent: Sent::No };
        assert_eq!(class(None, r#"{"d":{"results":[{"RESID":"LI"#), Err(transient));
        assert_eq!(class(Some(99), "{}"), Err(transient));
        assert_eq!(class(None, "<html>"), Err(Class::Drift));
        assert!(class(Some(2), "{}").is_ok());
    }

    #[test]
    fn a_compressed_length_is_not_the_body_length() {
        let mut compressed = answer(Some(99), "{}");
        compressed.headers_mut().insert(header::CONTENT_ENCODING, "gzip".parse().unwrap());
        assert!(json("read", &compressed).is_ok());
    }
}
