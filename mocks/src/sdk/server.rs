//! Serves a simulator on a socket: axum, real delays, real cuts, optional TLS.
//!
//! Prints nothing and chooses no address: the caller binds the listener and
//! hands in its clock.

mod io;
mod name;
pub mod tls;

#[cfg(test)]
mod tests;

use std::{convert::Infallible, net::SocketAddr, sync::Arc};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{ConnectInfo, Request, State},
    http::{Response, StatusCode, header::DATE},
};
use tokio::net::TcpListener;

use crate::{
    mount::{SharedSimulator, handle},
    simulator::{ClientCertificate, Cut},
    time::Time,
};
use io::Peer;
pub use tls::{Tls, TlsError};

/// Largest request body that is read: far above any documented chunk.
const BODY_BYTES_MAX: usize = 64 * 1024 * 1024;

/// What to serve, and how.
#[derive(Clone)]
pub struct SandboxOptions {
    /// The simulator; keep a clone to look into it while it is served.
    pub simulator: SharedSimulator,
    /// TLS, if wanted.
    pub tls: Option<Tls>,
    /// The clock: the instant of each request, and how long an answer takes.
    pub time: Arc<dyn Time>,
}

impl std::fmt::Debug for SandboxOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SandboxOptions").field("tls", &self.tls).finish_non_exhaustive()
    }
}

/// Serves until the future is dropped.
///
/// Bind the listener to 127.0.0.1, port 0 if any will do; its `local_addr` says
/// where it listens.
///
/// # Errors
/// When the listener can't say its address.
pub async fn serve(options: SandboxOptions, listener: TcpListener) -> std::io::Result<()> {
    let listener = io::SandboxListener::new(listener, options.tls.as_ref());
    let app = Router::new().fallback(answer).with_state(options);
    let service = app.into_make_service_with_connect_info::<Peer>();
    axum::serve(listener, service).await
}

async fn answer(
    State(options): State<SandboxOptions>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    request: Request,
) -> Result<Response<Body>, Infallible> {
    let (mut parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, BODY_BYTES_MAX).await else {
        return Ok(status(StatusCode::PAYLOAD_TOO_LARGE));
    };
    parts.extensions.remove::<ConnectInfo<Peer>>();
    if let Some(common_name) = &peer.common_name {
        parts.extensions.insert(ClientCertificate { common_name: common_name.clone() });
    }
    let request = http::Request::from_parts(parts, body);
    let reply = handle(&options.simulator, options.time.now(), &request);
    if !reply.delay.is_zero() {
        options.time.sleep(reply.delay).await;
    }
    match reply.cut {
        Cut::None => {}
        Cut::BeforeHandling | Cut::AfterHandling => peer.cut.after_bytes(None),
        Cut::TruncatedBody(bytes) => peer.cut.after_bytes(Some(bytes)),
    }
    peer.drip.set(reply.drip.map(|every| (every, Arc::clone(&options.time))));
    let mut response = reply.response.map(Body::from);
    // The server would say the wall's time, and the sandbox may live by another.
    let now = options.time.now().strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    if let Ok(date) = now.parse() {
        response.headers_mut().entry(DATE).or_insert(date);
    }
    Ok(response)
}

fn status(code: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = code;
    response
}

/// The address that a listener got, for the one line that the program prints.
///
/// # Errors
/// When the socket can't say it.
pub fn address(listener: &TcpListener) -> std::io::Result<SocketAddr> {
    listener.local_addr()
}
