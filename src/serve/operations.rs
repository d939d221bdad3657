//! The door for whoever operates a bridge that runs: it tells, and takes nothing.
//! GET and HEAD only; a request must name this machine (`hosts`), and has the same
//! times and places as at the door for records.

use std::{future::Future, net::SocketAddr, sync::Arc};

use axum::{
    Router,
    extract::{ConnectInfo, State},
    http::{
        StatusCode,
        header::{CACHE_CONTROL, CONTENT_TYPE},
    },
    response::{IntoResponse, Response},
    routing::get,
};
use planthread_kit::{Clock, mask};

use super::{listening::Listening, places::OurTurn};
use crate::{
    cli::outputs::json_of,
    config::Operations,
    failure::{Exit, Failure},
    operate::{Tells, metrics::MEDIA},
    report::View,
};

/// A bound door that is not open yet.
#[derive(Debug)]
pub struct OperationsDoor(Listening);

impl OperationsDoor {
    /// Binds the configured address.
    ///
    /// # Errors
    /// When it is taken, or not this machine's.
    pub async fn bind(config: &Operations) -> Result<Self, Failure> {
        Ok(Self(Listening::bind("run.operations", config.listen, &config.hosts).await?))
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.0.address
    }

    /// Answers until `stop` completes, and then as long as requests are being
    /// answered.
    ///
    /// # Errors
    /// When the listener fails.
    pub async fn serve(
        self,
        watch: Arc<dyn Tells>,
        clock: Arc<dyn Clock>,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), Failure> {
        let routes = Router::new()
            .route("/healthz", get(healthz))
            .route("/readyz", get(readyz))
            .route("/metrics", get(metrics))
            .with_state(watch);
        self.0.serve(routes, clock, stop).await
    }
}

async fn healthz(State(watch): State<Arc<dyn Tells>>, ours: ConnectInfo<OurTurn>) -> Response {
    tell(watch, ours, |watch| view(&watch.health())).await
}

async fn readyz(State(watch): State<Arc<dyn Tells>>, ours: ConnectInfo<OurTurn>) -> Response {
    tell(watch, ours, |watch| view(&watch.ready())).await
}

async fn metrics(State(watch): State<Arc<dyn Tells>>, ours: ConnectInfo<OurTurn>) -> Response {
    tell(watch, ours, |watch| (StatusCode::OK, MEDIA, watch.metrics())).await
}

/// Status, media type and body.
type Told = (StatusCode, &'static str, String);

/// Reads the answer where nobody else is served: the state is a file.
async fn tell(
    watch: Arc<dyn Tells>,
    ConnectInfo(ours): ConnectInfo<OurTurn>,
    read: impl FnOnce(&dyn Tells) -> Told + Send + 'static,
) -> Response {
    let _turn = ours.take();
    match tokio::task::spawn_blocking(move || read(&*watch)).await {
        Ok((status, media, body)) => {
            let headers = [(CONTENT_TYPE, media), (CACHE_CONTROL, "no-store")];
            (status, headers, mask::text(&body).into_owned()).into_response()
        }
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

fn view<V: View>(view: &V) -> Told {
    let status = match view.exit() {
        Exit::Ok => StatusCode::OK,
        _ => StatusCode::SERVICE_UNAVAILABLE,
    };
    match json_of(view) {
        Ok(json) => (status, "application/json", format!("{json}\n")),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, "text/plain", format!("{error}\n")),
    }
}
