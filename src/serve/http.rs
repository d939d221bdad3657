//! The HTTP door for CloudEvents, on the loopback only. It answers after the
//! records are durable, never before.
//!
//! A page in a browser reaches the loopback, too: by a name of its own that
//! leads here (DNS rebinding), or straight from its origin. So the request must
//! name this machine, and come from no page of somebody else.

use std::{future::Future, net::SocketAddr, sync::Arc};

use axum::{
    Json, Router,
    body::Bytes,
    extract::{ConnectInfo, DefaultBodyLimit, Request, State},
    http::{
        HeaderMap, StatusCode,
        header::{CONTENT_TYPE, HOST, ORIGIN},
        uri::Authority,
    },
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use jiff::Timestamp;
use planthread_contracts::Origin;
use planthread_kit::Clock;
use tokio::net::TcpListener;

use super::{
    Door, Kept, TEXT_MAX,
    cloudevents::{self, Arrival, BATCH, ONE},
    places::OurTurn,
    read_timeout::TimedListener,
};
use crate::{config::HttpIntake, failure::Failure, report::text_table::short};

/// Most events in one batch.
const EVENTS_MAX: usize = 10_000;
/// Refusals that an answer lists: the list of all is `planthread rejects`.
const LISTED: usize = 100;

/// A bound endpoint that is not serving yet.
#[derive(Debug)]
pub struct Endpoint {
    listener: TcpListener,
    /// Where it listens.
    pub address: SocketAddr,
    body_limit: usize,
}

impl Endpoint {
    /// Binds the configured address.
    ///
    /// # Errors
    /// When the address is not on the loopback, or taken.
    pub async fn bind(config: &HttpIntake) -> Result<Self, Failure> {
        if !config.listen.ip().is_loopback() {
            return Err(Failure::usage(format!("{} is not a loopback address", config.listen))
                .cure("listen on 127.0.0.1: the endpoint has no tokens yet"));
        }
        let taken = |error| {
            Failure::usage(format!("can't listen on {}: {error}", config.listen))
                .cure("choose another port, or stop what listens there")
        };
        let listener = TcpListener::bind(config.listen).await.map_err(taken)?;
        let address = listener.local_addr().map_err(taken)?;
        Ok(Self { listener, address, body_limit: config.body_limit })
    }

    /// Serves until `stop` completes, and then as long as requests are being
    /// answered.
    ///
    /// # Errors
    /// When the listener fails.
    pub async fn serve(
        self,
        door: Arc<dyn Door>,
        clock: Arc<dyn Clock>,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), Failure> {
        let routes = Router::new()
            .route("/events", post(take))
            .route("/health", get(|| async { "ok\n" }))
            .layer(DefaultBodyLimit::max(self.body_limit))
            .layer(middleware::from_fn_with_state(self.address.port(), only_ours))
            .with_state(door)
            .into_make_service_with_connect_info::<OurTurn>();
        axum::serve(TimedListener::new(self.listener, clock), routes)
            .with_graceful_shutdown(stop)
            .await
            .map_err(|error| Failure::internal(format!("the intake stopped: {error}")))
    }
}

/// Lets nobody in who does not mean this machine.
async fn only_ours(State(port): State<u16>, request: Request, next: Next) -> Response {
    match foreign(request.headers(), port) {
        None => next.run(request).await,
        Some(reason) => (StatusCode::FORBIDDEN, format!("{reason}\n")).into_response(),
    }
}

/// Why a request is not meant for this machine, or not sent by a program of
/// it.
fn foreign(headers: &HeaderMap, port: u16) -> Option<String> {
    let names = headers.get_all(HOST).iter().count();
    let host = headers.get(HOST).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if names != 1 || !is_ours(host, port) {
        return Some(format!(
            "the Host `{}` is not this endpoint; send to 127.0.0.1:{port}, localhost:{port} or \
             [::1]:{port}",
            short(host, TEXT_MAX)
        ));
    }
    let foreign = |origin: &str| !origin.strip_prefix("http://").is_some_and(|o| is_ours(o, port));
    let mut origins = headers.get_all(ORIGIN).iter().map(|o| o.to_str().unwrap_or_default());
    origins.find(|origin| foreign(origin)).map(|origin| {
        format!("the Origin `{}` is a page of somebody else", short(origin, TEXT_MAX))
    })
}

/// Whether `authority` is this machine's loopback at `port`.
fn is_ours(authority: &str, port: u16) -> bool {
    let Ok(authority) = authority.parse::<Authority>() else { return false };
    let host = authority.host();
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
    let here = host.eq_ignore_ascii_case("localhost") || address.is_ok_and(|ip| ip.is_loopback());
    let plain = !authority.as_str().contains('@');
    here && plain && authority.port_u16().unwrap_or(80) == port
}

async fn take(
    State(door): State<Arc<dyn Door>>,
    ConnectInfo(ours): ConnectInfo<OurTurn>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let _turn = ours.take();
    let declared = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    let media = declared.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
    let arrivals = match read(&media, &body, door.now()) {
        Ok(arrivals) => arrivals,
        Err(refusal) => return refusal.into_response(),
    };
    // The append waits for the disk: not on the thread that serves others.
    let kept = tokio::task::spawn_blocking(move || door.take(arrivals, None)).await;
    match kept {
        Ok(Ok(kept)) => {
            let nothing = kept.taken == 0 && kept.duplicates == 0 && !kept.rejected.is_empty();
            let status = if nothing { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
            (status, Json(answer(kept))).into_response()
        }
        // Not durable: the sender keeps the events and tries again.
        Ok(Err(failure)) => (StatusCode::SERVICE_UNAVAILABLE, failure.message).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// What became of a request, in an answer of bounded size.
fn answer(mut kept: Kept) -> Kept {
    kept.list(LISTED);
    let rejected = kept.rejected.iter_mut();
    let rejected = rejected.flat_map(|one| [&mut one.field, &mut one.reason, &mut one.cure]);
    for text in rejected.chain(&mut kept.conflicts).chain(&mut kept.quarantined) {
        *text = short(text, TEXT_MAX);
    }
    kept
}

/// The records of a body, or why it is not read at all.
fn read(media: &str, body: &[u8], at: Timestamp) -> Result<Vec<Arrival>, (StatusCode, String)> {
    const PLACE: &str = "http /events";
    match media {
        ONE => {
            let origin = Origin { place: PLACE.to_owned(), line: 1 };
            Ok(vec![cloudevents::event(body, origin, at)])
        }
        BATCH => cloudevents::batch(body, PLACE, at, EVENTS_MAX).ok_or_else(|| {
            let hint = format!("a batch holds at most {EVENTS_MAX} events; send it in parts\n");
            (StatusCode::PAYLOAD_TOO_LARGE, hint)
        }),
        _ => Err((StatusCode::UNSUPPORTED_MEDIA_TYPE, format!("send {ONE} or {BATCH}\n"))),
    }
}
