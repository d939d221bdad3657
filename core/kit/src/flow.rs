//! Connections that the configuration asks for, and the fence that lets no other
//! one be made.
//!
//! What is printed for a firewall team and what is enforced are the same list.

use std::{
    fmt,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use http::{Request, Response, Uri};
use schemars::JsonSchema;
use serde::Serialize;

use crate::{BoxFuture, SendError, Transport};

/// Where a connection leads.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct Origin {
    /// `https`, or `http` on this machine; `smtps`, or `smtp` with STARTTLS or on this machine.
    pub scheme: String,
    /// Name or address, in lower case.
    pub host: String,
    /// Port.
    pub port: u16,
}

impl Origin {
    /// The origin of a whole address; nothing where it is none.
    #[must_use]
    pub fn of(address: &str) -> Option<Self> {
        Self::of_uri(&address.parse().ok()?)
    }

    /// The path of a whole address, without its query; empty where it has none.
    #[must_use]
    pub fn path_of(address: &str) -> String {
        let uri = address.parse::<Uri>().ok();
        uri.map(|uri| uri.path().to_owned()).filter(|path| path != "/").unwrap_or_default()
    }

    /// Whether it leads to this machine.
    #[must_use]
    pub fn is_this_machine(&self) -> bool {
        let address = self.host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        self.host == "localhost" || address.is_ok_and(|address| address.is_loopback())
    }

    fn of_uri(uri: &Uri) -> Option<Self> {
        let scheme = uri.scheme_str()?.to_ascii_lowercase();
        let port = uri.port_u16().or(match scheme.as_str() {
            "https" => Some(443),
            "http" => Some(80),
            _ => None,
        })?;
        Some(Self { host: uri.host()?.to_ascii_lowercase(), scheme, port })
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}:{}", self.scheme, self.host, self.port)
    }
}

/// What goes over a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Carries {
    /// Figures, and names of resources, locations and products, both ways.
    Figures,
    /// A log-in out, a token back.
    Login,
    /// Records of the plant, in.
    Records,
    /// Words about how the bridge stands, out.
    Notices,
}

impl Carries {
    /// In words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Figures => "figures, names of resources, locations and products",
            Self::Login => "log-in and token",
            Self::Records => "records of machines: states, counts, forecasts",
            Self::Notices => "notices of how the bridge stands",
        }
    }
}

/// One connection that the configuration asks for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct Flow {
    /// Where it leads.
    pub origin: Origin,
    /// The path there, where the configuration says one: that of a token address.
    pub path: String,
    /// What goes over it.
    pub carries: Carries,
    /// Who we are there, and where the secret is kept; never the secret.
    pub credential: String,
}

/// The connections of one target, as its connector is put together.
#[derive(Debug, Default)]
pub struct FlowBook(Mutex<Vec<Flow>>);

impl FlowBook {
    /// Notes connections.
    pub fn note(&self, flows: Vec<Flow>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(flows);
    }

    /// All that were noted, each once.
    #[must_use]
    pub fn all(&self) -> Vec<Flow> {
        let mut flows = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        flows.sort();
        flows.dedup();
        flows
    }
}

/// The peers that the configuration asks for: whoever opens a connection asks here first.
#[derive(Debug, Clone)]
pub struct Peers(Vec<Origin>);

impl Peers {
    /// The origins of `flows`.
    #[must_use]
    pub fn of(flows: &[Flow]) -> Self {
        Self(flows.iter().map(|flow| flow.origin.clone()).collect())
    }

    /// Lets a connection to `origin` be opened, where one is asked for.
    ///
    /// # Errors
    /// [`Hopeless::Undeclared`](crate::Hopeless::Undeclared); it is logged, too.
    pub fn let_out(&self, origin: Option<&Origin>) -> Result<(), SendError> {
        if origin.is_some_and(|origin| self.0.contains(origin)) {
            return Ok(());
        }
        let peer = origin.map_or_else(|| "no address".to_owned(), Origin::to_string);
        tracing::warn!(%peer, "a connection that the configuration does not ask for");
        Err(SendError::undeclared(&peer))
    }
}

/// A transport that reaches what the configuration asks for, and nothing else.
#[derive(Debug)]
pub struct Fence {
    transport: Arc<dyn Transport>,
    peers: Peers,
}

impl Fence {
    /// `transport`, towards the origins of `flows` only.
    #[must_use]
    pub fn new(transport: Arc<dyn Transport>, flows: &[Flow]) -> Self {
        Self { transport, peers: Peers::of(flows) }
    }
}

impl Transport for Fence {
    fn send(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, SendError>> {
        match self.peers.let_out(Origin::of_uri(request.uri()).as_ref()) {
            Ok(()) => self.transport.send(request),
            Err(error) => Box::pin(async move { Err(error) }),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        Hopeless, VirtualClock,
        testing::{Reply, Script},
    };

    #[test]
    fn an_origin_has_its_port_and_lower_case() {
        let of = |text: &str| Origin::of(text).map(|origin| origin.to_string());
        assert_eq!(of("HTTPS://My.Example/path?x=1").as_deref(), Some("https://my.example:443"));
        assert_eq!(of("http://127.0.0.1:9101").as_deref(), Some("http://127.0.0.1:9101"));
        assert_eq!(of("http://[::1]:80/a"), of("http://[::1]"));
        assert_eq!(of("my.example"), None);
        assert_eq!(of("ftp://my.example"), None);
    }

    fn address() -> impl Strategy<Value = String> {
        let scheme = prop::sample::select(vec!["https", "http"]);
        let host = prop::sample::select(vec!["a.example", "A.example", "b.example", "127.0.0.1"]);
        let port = prop::sample::select(vec!["", ":443", ":80", ":8443"]);
        (scheme, host, port).prop_map(|(s, h, p)| format!("{s}://{h}{p}/rows?next=1"))
    }

    proptest! {
        #[test]
        fn nothing_passes_but_what_was_declared(
            declared in prop::collection::vec(address(), 0..3),
            wanted in address(),
        ) {
            let now = "2026-11-22T22:00:00Z".parse().unwrap();
            let clock = VirtualClock::new(now, 1);
            let script = Arc::new(Script::new(&clock, |_, _| Reply::status(200)));
            let flow = |text: &String| Flow {
                origin: Origin::of(text).unwrap(),
                path: Origin::path_of(text),
                carries: Carries::Figures,
                credential: String::new(),
            };
            let flows: Vec<Flow> = declared.iter().map(flow).collect();
            let fence = Fence::new(Arc::clone(&script) as Arc<dyn Transport>, &flows);
            let request = Request::get(&wanted).body(Bytes::new()).unwrap();
            let sent = clock.block_on(fence.send(request));
            let open = flows.iter().any(|flow| Some(&flow.origin) == Origin::of(&wanted).as_ref());
            prop_assert_eq!(sent.is_ok(), open);
            prop_assert_eq!(script.arrived().len(), usize::from(open));
            if let Err(error) = sent {
                prop_assert_eq!(error.hopeless, Some(Hopeless::Undeclared));
            }
        }
    }
}
