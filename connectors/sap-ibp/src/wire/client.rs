//! Requests to the two services, and their answers as JSON: the thin IO.

use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use planthread_kit::{
    Class, Clock, ConnectorError, Sent,
    http::{Call, HttpStack, Lane, Safety},
};
use serde_json::Value;

use super::{
    answer::{cut, documented, instead, is_page},
    session::Session,
    vendor_error::{classify, session_lost, wants_token},
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
        let answer = self.get(operation, lane, service, path, self.get).await?;
        self.of(service, documented(operation, &answer, StatusCode::OK, Sent::No))
    }

    /// The same, whatever the answer is.
    pub(crate) async fn ask(
        &self,
        operation: &'static str,
        lane: Lane,
        service: Service,
        path: &str,
    ) -> Result<Response<Bytes>, ConnectorError> {
        self.get(operation, lane, service, path, self.get).await
    }

    /// Reads the service document as JSON.
    pub(crate) async fn document(&self, service: Service) -> Result<Value, ConnectorError> {
        const READ: &str = "read service document";
        let answer = self.get(READ, Lane::Sweep, service, "?$format=json", self.metadata).await?;
        self.of(service, documented(READ, &answer, StatusCode::OK, Sent::No))
    }

    /// Reads `$metadata`, which is always XML.
    pub(crate) async fn metadata(&self, service: Service) -> Result<String, ConnectorError> {
        const READ: &str = "read metadata";
        let request = build(Method::GET, &self.url(service, "$metadata"), "application/xml", None)?;
        let answer = self.send(READ, Safety::Read, self.metadata, Lane::Sweep, request).await;
        let answer = self.of(service, answer)?;
        self.of(service, xml(READ, &answer))
    }

    async fn get(
        &self,
        operation: &'static str,
        lane: Lane,
        service: Service,
        path: &str,
        timeout: Duration,
    ) -> Result<Response<Bytes>, ConnectorError> {
        let request = build(Method::GET, &self.url(service, path), "application/json", None)?;
        self.of(service, self.send(operation, Safety::Read, timeout, lane, request).await)
    }

    /// Says which service an error is about: the two are enabled apart.
    fn of<T>(
        &self,
        service: Service,
        result: Result<T, ConnectorError>,
    ) -> Result<T, ConnectorError> {
        result.map_err(|mut error| {
            let root = match service {
                Service::Planning => &self.planning,
                Service::MasterData => &self.master_data,
            };
            let name = root.rsplit('/').next().unwrap_or(root);
            error.message = format!("{name}: {}", error.message);
            error
        })
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
            let token = session.token(refused, || self.fetch_token(session)).await;
            let token = self.of(Service::Planning, token)?;
            let body = Some(body.clone());
            let url = self.url(Service::Planning, path);
            let mut request = build(method.clone(), &url, "application/json", body)?;
            session.sign(&mut request, &token);
            let answer =
                self.send(operation, Safety::Once, self.post, Lane::Routine, request).await?;
            session.keep(answer.headers());
            match (wants_token(&answer), refused) {
                (false, _) => return Ok(answer),
                (true, None) => refused = Some(token.number),
                (true, Some(_)) => return Err(session_lost(operation)),
            }
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

/// One request. A write is JSON even where it carries nothing: adapters drop
/// the parameters of a POST without a type (§8).
fn build(
    method: Method,
    url: &str,
    accept: &str,
    body: Option<Bytes>,
) -> Result<Request<Bytes>, ConnectorError> {
    let mut builder = Request::builder().method(method).uri(url).header(header::ACCEPT, accept);
    if body.is_some() {
        builder = builder.header(header::CONTENT_TYPE, "application/json");
    }
    builder.body(body.unwrap_or_default()).map_err(|error| {
        ConnectorError::new(Class::Fatal, "build request", error.to_string())
            .cure("check host and services in the settings")
    })
}

/// The text of an answer that must be XML; that it is the right one is its
/// reader's to say.
fn xml(operation: &'static str, answer: &Response<Bytes>) -> Result<String, ConnectorError> {
    if !answer.status().is_success() {
        return Err(classify(operation, answer, Sent::No));
    }
    match cut(answer) {
        Some(text) => {
            Err(ConnectorError::new(Class::Transient { sent: Sent::No }, operation, text))
        }
        None if is_page(answer) => Err(instead(operation, answer)),
        None => Ok(String::from_utf8_lossy(answer.body()).into_owned()),
    }
}
