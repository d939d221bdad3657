//! The HTTP door for CloudEvents, on the loopback only. It answers after the
//! records are durable, never before.

use std::{future::Future, net::SocketAddr, sync::Arc};

use axum::{
    Json, Router,
    body::Bytes,
    extract::{DefaultBodyLimit, State},
    http::{HeaderMap, StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use jiff::Timestamp;
use planthread_contracts::Origin;
use tokio::net::TcpListener;

use super::{
    Door,
    cloudevents::{self, Arrival, BATCH, ONE},
};
use crate::{config::HttpIntake, failure::Failure};

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

    /// Serves until `stop` completes.
    ///
    /// # Errors
    /// When the listener fails.
    pub async fn serve(
        self,
        door: Arc<dyn Door>,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), Failure> {
        let routes = Router::new()
            .route("/events", post(take))
            .route("/health", get(|| async { "ok\n" }))
            .layer(DefaultBodyLimit::max(self.body_limit))
            .with_state(door);
        axum::serve(self.listener, routes)
            .with_graceful_shutdown(stop)
            .await
            .map_err(|error| Failure::internal(format!("the intake stopped: {error}")))
    }
}

async fn take(State(door): State<Arc<dyn Door>>, headers: HeaderMap, body: Bytes) -> Response {
    let declared = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    let media = declared.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
    let Some(arrivals) = read(&media, &body, door.now()) else {
        let hint = format!("send {ONE} or {BATCH}\n");
        return (StatusCode::UNSUPPORTED_MEDIA_TYPE, hint).into_response();
    };
    // The append waits for the disk: not on the thread that serves others.
    let kept = tokio::task::spawn_blocking(move || door.take(arrivals, None)).await;
    match kept {
        Ok(Ok(kept)) => {
            let nothing = kept.taken == 0 && kept.duplicates == 0 && !kept.rejected.is_empty();
            let status = if nothing { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
            (status, Json(kept)).into_response()
        }
        // Not durable: the sender keeps the events and tries again.
        Ok(Err(failure)) => (StatusCode::SERVICE_UNAVAILABLE, failure.message).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

fn read(media: &str, body: &[u8], at: Timestamp) -> Option<Vec<Arrival>> {
    const PLACE: &str = "http /events";
    match media {
        ONE => {
            let origin = Origin { place: PLACE.to_owned(), line: 1 };
            Some(vec![cloudevents::event(body, origin, at)])
        }
        BATCH => Some(cloudevents::batch(body, PLACE, at)),
        _ => None,
    }
}
