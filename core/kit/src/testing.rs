//! A scripted target for this crate's own tests, under the virtual clock.

use std::{
    fmt,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use http::{
    HeaderName, Request, Response, StatusCode,
    header::{AUTHORIZATION, CONTENT_TYPE},
};
use jiff::Timestamp;

use crate::{BoxFuture, Clock, SendError, Sent, Transport, VirtualClock};

/// A clock that starts at a round instant, with a fixed seed.
pub(crate) fn clock() -> VirtualClock {
    VirtualClock::new("2026-11-22T10:00:00Z".parse().unwrap(), 7)
}

/// What the target says to one request, and how long it takes.
pub(crate) struct Reply {
    after: Duration,
    result: Result<Response<Bytes>, SendError>,
}

impl Reply {
    pub(crate) fn status(code: u16) -> Self {
        let mut response = Response::new(Bytes::new());
        *response.status_mut() = StatusCode::from_u16(code).unwrap();
        Self { after: Duration::ZERO, result: Ok(response) }
    }

    pub(crate) fn json(body: &str) -> Self {
        let reply = Self::status(200).header(CONTENT_TYPE, "application/json");
        Self { result: reply.result.map(|r| r.map(|_| Bytes::from(body.to_owned()))), ..reply }
    }

    pub(crate) fn code(mut self, code: u16) -> Self {
        if let Ok(response) = &mut self.result {
            *response.status_mut() = StatusCode::from_u16(code).unwrap();
        }
        self
    }

    pub(crate) fn lost(sent: Sent, message: &str) -> Self {
        Self { after: Duration::ZERO, result: Err(SendError::lost(sent, message)) }
    }

    pub(crate) fn untrusted(why: &str) -> Self {
        Self { after: Duration::ZERO, result: Err(SendError::untrusted(why)) }
    }

    pub(crate) fn header(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(response) = &mut self.result {
            response.headers_mut().insert(name, value.parse().unwrap());
        }
        self
    }

    pub(crate) fn after(mut self, seconds: u64) -> Self {
        self.after = Duration::from_secs(seconds);
        self
    }
}

/// One request, as the target saw it.
#[derive(Debug, Clone)]
pub(crate) struct Arrived {
    pub(crate) at: Timestamp,
    pub(crate) path: String,
    pub(crate) authorization: String,
}

type Answer = dyn Fn(usize, &Arrived) -> Reply + Send + Sync;

/// A transport that answers by a function of the request's number.
#[derive(Clone)]
pub(crate) struct Script {
    clock: VirtualClock,
    answer: Arc<Answer>,
    arrived: Arc<Mutex<Vec<Arrived>>>,
}

impl Script {
    pub(crate) fn new(
        clock: &VirtualClock,
        answer: impl Fn(usize, &Arrived) -> Reply + Send + Sync + 'static,
    ) -> Self {
        Self { clock: clock.clone(), answer: Arc::new(answer), arrived: Arc::default() }
    }

    fn receive(&self, arrived: Arrived) -> Reply {
        let mut log = self.arrived.lock().unwrap();
        let reply = (self.answer)(log.len(), &arrived);
        log.push(arrived);
        reply
    }

    pub(crate) fn arrived(&self) -> Vec<Arrived> {
        self.arrived.lock().unwrap().clone()
    }
}

impl fmt::Debug for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Script")
    }
}

impl Transport for Script {
    fn send(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, SendError>> {
        Box::pin(async move {
            let header = request.headers().get(AUTHORIZATION);
            let arrived = Arrived {
                at: self.clock.now(),
                path: request.uri().path().to_owned(),
                authorization: header.map_or("", |h| h.to_str().unwrap()).to_owned(),
            };
            let reply = self.receive(arrived);
            self.clock.sleep(reply.after).await;
            reply.result
        })
    }
}
