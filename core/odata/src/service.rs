//! One service of a system: requests to it, the thin IO.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use planthread_kit::{
    Class, Clock, ConnectorError, Sent,
    http::{
        Call, HttpStack, Lane, Safety,
        answer::{instead, is_page, whole},
        paging::At,
    },
};
use serde_json::Value;

use crate::{
    answer,
    fault::{self, Dialect, session_lost, wants_token},
    session::Session,
};

/// How long single requests may take.
#[derive(Debug, Clone, Copy)]
pub struct Times {
    /// Reads.
    pub get: Duration,
    /// Writes.
    pub post: Duration,
    /// `$metadata` and service documents, which may be several MB.
    pub metadata: Duration,
}

/// A service root with the way to it. Errors name the service, because a
/// system has several, which are enabled apart.
#[derive(Debug, Clone)]
pub struct Service {
    http: HttpStack,
    root: String,
    times: Times,
    dialect: Dialect,
}

impl Service {
    /// The service at `root`: scheme, host and path, without a slash at its
    /// end.
    #[must_use]
    pub const fn new(http: HttpStack, root: String, times: Times, dialect: Dialect) -> Self {
        Self { http, root, times, dialect }
    }

    /// The last part of the root, by which people know the service.
    #[must_use]
    pub fn name(&self) -> &str {
        self.root.rsplit('/').next().unwrap_or(&self.root)
    }

    /// The clock of its requests.
    #[must_use]
    pub fn clock(&self) -> &dyn Clock {
        self.http.clock().as_ref()
    }

    /// A session for the writes of one transaction.
    #[must_use]
    pub fn session(&self) -> Session {
        Session::new(self.root.starts_with("https://"))
    }

    /// Reads the JSON of `path?query`. Reads need neither token nor cookie.
    ///
    /// # Errors
    /// Those of the request stack and of [`Self::documented`].
    pub async fn read(
        &self,
        step: &'static str,
        lane: Lane,
        path: &str,
    ) -> Result<Value, ConnectorError> {
        let answer = self.ask(step, lane, path).await?;
        self.documented(step, &answer, StatusCode::OK, Sent::No)
    }

    /// The answer to the same request, whatever it is.
    ///
    /// # Errors
    /// Those of the request stack.
    pub async fn ask(
        &self,
        step: &'static str,
        lane: Lane,
        path: &str,
    ) -> Result<Response<Bytes>, ConnectorError> {
        self.get(step, lane, path, JSON, self.times.get).await
    }

    /// Reads the service document.
    ///
    /// # Errors
    /// Those of the request stack and of [`Self::documented`].
    pub async fn document(&self) -> Result<Value, ConnectorError> {
        const READ: &str = "read service document";
        let path = "?$format=json";
        let answer = self.get(READ, Lane::Sweep, path, JSON, self.times.metadata).await?;
        self.documented(READ, &answer, StatusCode::OK, Sent::No)
    }

    /// Reads `$metadata`, which is always XML; that it is the right document
    /// is its reader's to say.
    ///
    /// # Errors
    /// Those of the request stack; `Drift` for a page of somebody in between;
    /// the class of its status for a refusal.
    pub async fn metadata(&self) -> Result<String, ConnectorError> {
        const READ: &str = "read metadata";
        let (path, times) = ("$metadata", &self.times);
        let answer = self.get(READ, Lane::Sweep, path, "application/xml", times.metadata).await?;
        if !answer.status().is_success() {
            return Err(self.refused(READ, &answer, Sent::No));
        }
        let came = whole(READ, &answer, Sent::No).and_then(|()| match is_page(&answer) {
            true => Err(instead(READ, &answer, "XML")),
            false => Ok(String::from_utf8_lossy(answer.body()).into_owned()),
        });
        came.map_err(|error| self.named(error))
    }

    /// Sends a write with token and cookies, once; a second time only when the
    /// token had expired. The answer comes back whatever its status is.
    ///
    /// # Errors
    /// Those of the request stack, for the token too; `Transient` when a fresh
    /// token was refused: the write did nothing then.
    pub async fn write(
        &self,
        step: &'static str,
        session: &Session,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Result<Response<Bytes>, ConnectorError> {
        let mut refused = None;
        loop {
            let token = session.token(refused, || self.fetch_token(session)).await;
            let token = token.map_err(|error| self.named(error))?;
            let mut request = self.request(method.clone(), path, JSON, Some(body.clone()))?;
            session.sign(&mut request, &token);
            let call = Call::new(step, Safety::Once, request).timeout(self.times.post);
            let answer = self.send(call).await?;
            session.keep(answer.headers());
            match (wants_token(&answer), refused) {
                (false, _) => return Ok(answer),
                (true, None) => refused = Some(token.number),
                (true, Some(_)) => return Err(self.named(session_lost(step))),
            }
        }
    }

    /// The body of the documented answer, see [`answer::documented`].
    ///
    /// # Errors
    /// Those of [`answer::documented`].
    pub fn documented(
        &self,
        step: &'static str,
        answer: &Response<Bytes>,
        expected: StatusCode,
        sent: Sent,
    ) -> Result<Value, ConnectorError> {
        answer::documented(step, answer, expected, sent, self.dialect)
            .map_err(|error| self.named(error))
    }

    /// The error of an answer that is not a success, see [`fault::refused`].
    #[must_use]
    pub fn refused(
        &self,
        step: &'static str,
        answer: &Response<Bytes>,
        sent: Sent,
    ) -> ConnectorError {
        self.named(fault::refused(step, answer, sent, self.dialect))
    }

    /// The path of a page: what `after` makes of a number of rows, or the
    /// service's own address.
    ///
    /// # Errors
    /// Those of [`Self::below`].
    pub fn path_of(
        &self,
        step: &'static str,
        page: At,
        after: impl Fn(usize) -> String,
    ) -> Result<String, ConnectorError> {
        match page {
            At::Row { skip, .. } => Ok(after(skip)),
            At::Cursor(address) => self.below(step, &address),
        }
    }

    /// The path below the root of an address that the service gave, such as
    /// `__next`. Credentials follow no address elsewhere.
    ///
    /// # Errors
    /// `Drift` when it leads elsewhere.
    pub fn below(&self, step: &'static str, address: &str) -> Result<String, ConnectorError> {
        let own = address.strip_prefix(self.root.as_str()).and_then(|rest| rest.strip_prefix('/'));
        let plain = !address.contains("://") && !address.starts_with('/');
        own.or_else(|| plain.then_some(address)).map(str::to_owned).ok_or_else(|| {
            let text = "the address of the next page is none of this service";
            self.named(ConnectorError::new(Class::Drift, step, text))
        })
    }

    async fn get(
        &self,
        step: &'static str,
        lane: Lane,
        path: &str,
        accept: &'static str,
        timeout: Duration,
    ) -> Result<Response<Bytes>, ConnectorError> {
        let request = self.request(Method::GET, path, accept, None)?;
        self.send(Call::new(step, Safety::Read, request).timeout(timeout).lane(lane)).await
    }

    async fn fetch_token(&self, session: &Session) -> Result<Response<Bytes>, ConnectorError> {
        const FETCH: &str = "fetch token";
        let mut request = self.request(Method::GET, "", JSON, None)?;
        request.headers_mut().insert("x-csrf-token", HeaderValue::from_static("Fetch"));
        session.add_cookies(&mut request);
        let call = Call::new(FETCH, Safety::Read, request).timeout(self.times.get);
        let answer = self.http.send(call).await?;
        if answer.status().is_success() {
            return Ok(answer);
        }
        Err(fault::refused(FETCH, &answer, Sent::No, self.dialect))
    }

    async fn send(&self, call: Call) -> Result<Response<Bytes>, ConnectorError> {
        self.http.send(call).await.map_err(|error| self.named(error))
    }

    /// One request. A write is JSON even where it carries nothing: adapters
    /// drop the parameters of a POST without a type.
    fn request(
        &self,
        method: Method,
        path: &str,
        accept: &'static str,
        body: Option<Bytes>,
    ) -> Result<Request<Bytes>, ConnectorError> {
        let url = format!("{}/{path}", self.root);
        let mut builder = Request::builder().method(method).uri(url).header(header::ACCEPT, accept);
        if body.is_some() {
            builder = builder.header(header::CONTENT_TYPE, JSON);
        }
        builder.body(body.unwrap_or_default()).map_err(|error| {
            ConnectorError::new(Class::Fatal, "build request", error.to_string())
                .cure("check host and services in the settings")
        })
    }

    fn named(&self, mut error: ConnectorError) -> ConnectorError {
        error.message = format!("{}: {}", self.name(), error.message);
        error
    }
}

const JSON: &str = "application/json";
