//! A door that only tells: GET and HEAD, to whoever names this machine (`hosts`), with
//! the times and places of the door for records.

use std::{future::Future, net::SocketAddr, sync::Arc};

use axum::{Router, extract::DefaultBodyLimit, middleware};
use planthread_kit::Clock;
use tokio::net::TcpListener;

use super::{
    hosts::{Hosts, only_ours},
    places::OurTurn,
    read_timeout::TimedListener,
};
use crate::failure::Failure;

/// A bound door that is not open yet.
#[derive(Debug)]
pub(super) struct Listening {
    listener: TcpListener,
    /// Where it listens.
    pub(super) address: SocketAddr,
    hosts: Vec<String>,
    field: &'static str,
}

impl Listening {
    /// Binds `listen`, which stands in the configuration under `field`; `hosts` are the
    /// names by which others ask for this machine.
    ///
    /// # Errors
    /// When it is taken, or not this machine's.
    pub(super) async fn bind(
        field: &'static str,
        listen: SocketAddr,
        hosts: &[String],
    ) -> Result<Self, Failure> {
        let taken = |error| {
            Failure::usage(format!("{field}.listen: can't listen on {listen}: {error}"))
                .cure("choose another address or port, or stop what listens there")
        };
        let listener = TcpListener::bind(listen).await.map_err(taken)?;
        let address = listener.local_addr().map_err(taken)?;
        Ok(Self { listener, address, hosts: hosts.to_vec(), field })
    }

    /// Answers with `routes` until `stop` completes, and then as long as requests are
    /// being answered.
    ///
    /// # Errors
    /// When the listener fails.
    pub(super) async fn serve(
        self,
        routes: Router,
        clock: Arc<dyn Clock>,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), Failure> {
        let hosts = Hosts { port: self.address.port(), names: self.hosts };
        let routes = routes
            .layer(DefaultBodyLimit::max(0))
            .layer(middleware::from_fn_with_state(hosts, only_ours))
            .into_make_service_with_connect_info::<OurTurn>();
        let field = self.field;
        axum::serve(TimedListener::new(self.listener, clock), routes)
            .with_graceful_shutdown(stop)
            .await
            .map_err(|error| Failure::internal(format!("the door of {field} stopped: {error}")))
    }
}
