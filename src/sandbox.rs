//! A vendor's sandbox on a socket of this machine, living by a clock of ours.

use std::{fs, net::SocketAddr, path::Path, pin::Pin, sync::Arc, time::Duration};

use jiff::Timestamp;
use planthread_kit::Clock;
use planthread_mocks::{
    SandboxOptions, Shared, Time, sap_ibp,
    server::{self, Tls},
    shared,
};
use tokio::net::TcpListener;

use crate::failure::Failure;

/// A sandbox that has its socket and is not serving yet.
#[derive(Debug)]
pub struct Sandbox {
    listener: TcpListener,
    options: SandboxOptions,
    /// Where it listens.
    pub address: SocketAddr,
}

/// The sandboxes that there are, by vendor.
pub const VENDORS: &[&str] = &["sap-ibp"];

impl Sandbox {
    /// The SAP IBP sandbox on `listen`.
    ///
    /// # Errors
    /// When the address is taken.
    pub async fn sap_ibp(
        options: sap_ibp::Options,
        listen: SocketAddr,
        clock: Arc<dyn Clock>,
        tls: Option<Tls>,
    ) -> Result<Self, Failure> {
        let taken = |error| {
            Failure::usage(format!("can't listen on {listen}: {error}"))
                .cure("choose another port with --listen, or stop what listens there")
        };
        let listener = TcpListener::bind(listen).await.map_err(taken)?;
        let address = server::address(&listener).map_err(taken)?;
        let simulator: Shared = shared(sap_ibp::SapIbp::new(options));
        let options = SandboxOptions { simulator, tls, time: Arc::new(ClockTime(clock)) };
        Ok(Self { listener, options, address })
    }

    /// Its root address.
    #[must_use]
    pub fn url(&self) -> String {
        let scheme = if self.options.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    /// Serves until the future is dropped.
    ///
    /// # Errors
    /// When the listener fails.
    pub async fn serve(self) -> Result<(), Failure> {
        server::serve(self.options, self.listener)
            .await
            .map_err(|error| Failure::internal(format!("the sandbox stopped: {error}")))
    }
}

/// TLS from the files of a folder: `server.pem` and `server-key.pem`, and
/// `ca.pem`, the authority whose client certificates are welcome.
///
/// # Errors
/// When a file can't be read, or they don't make a server.
pub fn tls(folder: &Path) -> Result<Tls, Failure> {
    let read = |name: &str| {
        let file = folder.join(name);
        fs::read_to_string(&file)
            .map_err(|error| Failure::io("read", &file, &error).cure(CERTIFICATES))
    };
    let (chain, key, ca) = (read("server.pem")?, read("server-key.pem")?, read("ca.pem")?);
    Tls::from_pem(&chain, &key, Some(&ca))
        .map_err(|error| Failure::usage(error.to_string()).cure(CERTIFICATES))
}

/// How to come by the files of `--tls`.
const CERTIFICATES: &str = "put server.pem, server-key.pem and ca.pem there; \
     a checkout makes them with `cargo xtask certificates FOLDER`";

/// Our clock, as the sandbox wants it.
#[derive(Debug)]
struct ClockTime(Arc<dyn Clock>);

impl Time for ClockTime {
    fn now(&self) -> Timestamp {
        self.0.now()
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        self.0.sleep(duration)
    }
}
