//! Whether a request is meant for this machine.
//!
//! A page in a browser reaches the loopback, too: by a name of its own that leads
//! here (DNS rebinding), or straight from its origin. So a request must name this
//! machine, and come from no page of somebody else.

use axum::{
    extract::{Request, State},
    http::{
        HeaderMap, StatusCode,
        header::{HOST, ORIGIN},
        uri::Authority,
    },
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::TEXT_MAX;
use crate::report::text_table::short;

/// By which names a door is asked.
#[derive(Debug, Clone)]
pub(super) struct Hosts {
    /// The port that it listens on.
    pub(super) port: u16,
    /// Names and addresses besides those of the loopback.
    pub(super) names: Vec<String>,
}

/// Lets nobody in who does not mean this machine.
pub(super) async fn only_ours(
    State(hosts): State<Hosts>,
    request: Request,
    next: Next,
) -> Response {
    match hosts.foreign(request.headers()) {
        None => next.run(request).await,
        Some(reason) => (StatusCode::FORBIDDEN, format!("{reason}\n")).into_response(),
    }
}

impl Hosts {
    /// Why a request is not meant for this machine, or not sent by a program of
    /// it.
    fn foreign(&self, headers: &HeaderMap) -> Option<String> {
        let names = headers.get_all(HOST).iter().count();
        let host = headers.get(HOST).and_then(|value| value.to_str().ok()).unwrap_or_default();
        if names != 1 || !self.is_ours(host) {
            let port = self.port;
            let more: String = self.names.iter().map(|name| format!(", {name}:{port}")).collect();
            return Some(format!(
                "the Host `{}` is not this endpoint; send to 127.0.0.1:{port}, localhost:{port} or \
                 [::1]:{port}{more}",
                short(host, TEXT_MAX)
            ));
        }
        let foreign =
            |origin: &str| !origin.strip_prefix("http://").is_some_and(|o| self.is_ours(o));
        let mut origins = headers.get_all(ORIGIN).iter().map(|o| o.to_str().unwrap_or_default());
        origins.find(|origin| foreign(origin)).map(|origin| {
            format!("the Origin `{}` is a page of somebody else", short(origin, TEXT_MAX))
        })
    }

    /// Whether `authority` is this machine at our port.
    fn is_ours(&self, authority: &str) -> bool {
        let Ok(authority) = authority.parse::<Authority>() else { return false };
        let host = authority.host().trim_start_matches('[').trim_end_matches(']');
        let address = host.parse::<std::net::IpAddr>();
        let here = host.eq_ignore_ascii_case("localhost")
            || address.is_ok_and(|ip| ip.is_loopback())
            || self.names.iter().any(|name| name.eq_ignore_ascii_case(host));
        let plain = !authority.as_str().contains('@');
        here && plain && authority.port_u16().unwrap_or(80) == self.port
    }
}
