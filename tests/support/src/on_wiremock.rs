//! Mounts a simulator on wiremock, for tests with another server's sockets.

use std::fmt;

use bytes::Bytes;
use jiff::Timestamp;
use planthread_mocks::{Cut, Reply, SharedSimulator, mount::handle};
use wiremock::{Respond, ResponseTemplate};

/// The adapter: mount it with `Mock::given(any()).respond_with(..)`.
///
/// wiremock answers every request: a cut shows as 502, and a truncated body is a
/// complete answer with fewer bytes. Faults that must break the connection need
/// `planthread_mocks::server`.
pub struct OnWiremock {
    simulator: SharedSimulator,
    now: Box<dyn Fn() -> Timestamp + Send + Sync>,
}

impl fmt::Debug for OnWiremock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OnWiremock").finish_non_exhaustive()
    }
}

impl OnWiremock {
    /// Mounts `simulator`; `now` hands in the time.
    pub fn new(
        simulator: SharedSimulator,
        now: impl Fn() -> Timestamp + Send + Sync + 'static,
    ) -> Self {
        Self { simulator, now: Box::new(now) }
    }
}

impl Respond for OnWiremock {
    fn respond(&self, request: &wiremock::Request) -> ResponseTemplate {
        let path = request.url.path().to_owned();
        let target = match request.url.query() {
            Some(query) => format!("{path}?{query}"),
            None => path,
        };
        let mut inner = http::Request::new(Bytes::from(request.body.clone()));
        *inner.method_mut() = request.method.clone();
        *inner.uri_mut() = target.parse().unwrap_or_default();
        *inner.headers_mut() = request.headers.clone();
        let reply = handle(&self.simulator, (self.now)(), &inner);
        template(&reply)
    }
}

fn template(reply: &Reply) -> ResponseTemplate {
    let mut body = reply.response.body().to_vec();
    let mut status = reply.response.status().as_u16();
    match reply.cut {
        Cut::None => {}
        Cut::BeforeHandling | Cut::AfterHandling => {
            status = 502;
            body = b"connection cut".to_vec();
        }
        Cut::TruncatedBody(bytes) => body.truncate(bytes),
    }
    let mut template = ResponseTemplate::new(status).set_delay(reply.delay);
    for (name, value) in reply.response.headers() {
        template = template.append_header(name, value);
    }
    template.set_body_bytes(body)
}
