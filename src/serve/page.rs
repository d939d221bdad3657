//! The page for planners of a bridge that runs: `/`, and nothing else. It shows what was
//! read last; no request to it becomes a request to a target.

use std::{future::Future, net::SocketAddr, sync::Arc};

use axum::{
    Router,
    extract::{ConnectInfo, State},
    http::{
        HeaderName, StatusCode,
        header::{
            CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY,
            X_CONTENT_TYPE_OPTIONS,
        },
    },
    response::{IntoResponse, Response},
    routing::get,
};
use planthread_kit::{Clock, mask};

use super::{listening::Listening, places::OurTurn};
use crate::{config::GapPage, failure::Failure};

/// Whoever has a page to show.
pub trait Shows: Send + Sync {
    /// The page, as it reads now. It waits for no target and no loop.
    fn page(&self) -> String;
}

/// How a browser is to take it: nothing from elsewhere, in no frame, never kept.
const HEADERS: [(HeaderName, &str); 5] = [
    (CONTENT_TYPE, "text/html; charset=utf-8"),
    (CACHE_CONTROL, "no-store"),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (REFERRER_POLICY, "no-referrer"),
    (
        CONTENT_SECURITY_POLICY,
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'",
    ),
];

/// A bound door that is not open yet.
#[derive(Debug)]
pub struct PageDoor(Listening);

impl PageDoor {
    /// Binds the configured address.
    ///
    /// # Errors
    /// When it is taken, or not this machine's.
    pub async fn bind(config: &GapPage) -> Result<Self, Failure> {
        Ok(Self(Listening::bind("run.page", config.listen, &config.hosts).await?))
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.0.address
    }

    /// Answers until `stop` completes, and then as long as requests are being answered.
    ///
    /// # Errors
    /// When the listener fails.
    pub async fn serve(
        self,
        shown: Arc<dyn Shows>,
        clock: Arc<dyn Clock>,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), Failure> {
        let routes = Router::new().route("/", get(show)).with_state(shown);
        self.0.serve(routes, clock, stop).await
    }
}

async fn show(
    State(shown): State<Arc<dyn Shows>>,
    ConnectInfo(ours): ConnectInfo<OurTurn>,
) -> Response {
    let _turn = ours.take();
    // A plan of ten thousand line-weeks takes a moment: others are served meanwhile.
    match tokio::task::spawn_blocking(move || shown.page()).await {
        Ok(page) => (HEADERS, mask::text(&page).into_owned()).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
