//! The HTTP door for CloudEvents, on the loopback only. It answers after the
//! records are durable, never before. Whom it answers is decided in `hosts`.

use std::{future::Future, net::SocketAddr, sync::Arc};

use axum::{
    Json, Router,
    body::Bytes,
    extract::{ConnectInfo, DefaultBodyLimit, State},
    http::{HeaderMap, StatusCode, header::CONTENT_TYPE},
    middleware,
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
    hosts::{Hosts, only_ours},
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
        let hosts = Hosts { port: self.address.port(), names: Vec::new() };
        let routes = Router::new()
            .route("/events", post(take))
            .route("/health", get(|| async { "ok\n" }))
            .layer(DefaultBodyLimit::max(self.body_limit))
            .layer(middleware::from_fn_with_state(hosts, only_ours))
            .with_state(door)
            .into_make_service_with_connect_info::<OurTurn>();
        axum::serve(TimedListener::new(self.listener, clock), routes)
            .with_graceful_shutdown(stop)
            .await
            .map_err(|error| Failure::internal(format!("the intake stopped: {error}")))
    }
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
