//! A vendor's sandbox on a socket of this machine, living by a clock of ours.

use std::{fs, net::SocketAddr, path::Path, pin::Pin, sync::Arc, time::Duration};

use jiff::Timestamp;
use planthread_contracts::MeasureDecl;
use planthread_kit::Clock;
use planthread_mocks::{
    Rule, SandboxFactory, SandboxOptions, SandboxShape, Setup, Time,
    sdk::shape::{ShapeResource, read_resources},
    server::{self, Tls},
    shared,
};
use serde_json::Value;
use tokio::net::TcpListener;

use crate::{
    config::{Target, Wiring},
    failure::Failure,
    registry,
};

/// A sandbox that has its socket and is not serving yet.
#[derive(Debug)]
pub struct Sandbox {
    listener: TcpListener,
    options: SandboxOptions,
    /// Where it listens.
    pub address: SocketAddr,
}

/// The sandbox of a vendor.
///
/// # Errors
/// When there is none; the text names those that there are.
pub fn find(vendor: &str) -> Result<&'static SandboxFactory, Failure> {
    registry::sandboxes().find(|factory| factory.name == vendor).ok_or_else(|| {
        let known: Vec<&str> = registry::sandboxes().map(|factory| factory.name).collect();
        Failure::usage(format!("there is no sandbox of `{vendor}`"))
            .cure(format!("known: {}", known.join(", ")))
    })
}

/// The shape of the target called `name`: what its configuration says of names,
/// without a word on who we are.
#[must_use]
pub fn shape_of(name: &str, target: &Target) -> SandboxShape {
    let mut settings = target.settings.clone();
    if let Value::Object(fields) = &mut settings {
        fields.remove("auth");
    }
    let surface = |named: &Option<String>| {
        let named = named.as_ref()?;
        let of = |measure: &&MeasureDecl| measure.name == *named;
        target.measures.iter().find(of).map(|measure| measure.surface.clone())
    };
    let mut shape = SandboxShape {
        target: name.to_owned(),
        scope: target.scope(),
        settings,
        measures: target.measures.clone(),
        driver: surface(&target.in_use.driver),
        load: target.load().map(|load| load.surface.clone()),
        driven_by: surface(&target.in_use.measure),
        wiring: match target.in_use.wiring {
            Wiring::None => "none",
            Wiring::Job => "job",
            Wiring::Calculation => "calculation",
            Wiring::Direct => "direct",
        }
        .to_owned(),
        resources: Vec::new(),
    };
    let rows = target.mapping.rows.iter().map(|row| ShapeResource {
        resource: row.resource.clone(),
        location: row.location.clone(),
        description: String::new(),
    });
    shape.add(rows.collect());
    shape
}

/// Resources from a CSV file: resource, location, description.
///
/// # Errors
/// When the file can't be read or is none; the text names the line.
pub fn resources_from(file: &Path) -> Result<Vec<ShapeResource>, Failure> {
    let text = fs::read_to_string(file)
        .map_err(|error| Failure::io("read the resources", file, &error))?;
    read_resources(&text).map_err(|error| {
        Failure::usage(format!("{}, {error}", file.display()))
            .cure("begin with the line resource,location,description")
    })
}

impl Sandbox {
    /// A sandbox on `listen`, behind a schedule of faults.
    ///
    /// # Errors
    /// When the set-up is wrong, or the address is taken.
    pub async fn start(
        factory: &SandboxFactory,
        setup: &Setup,
        faults: Vec<Rule>,
        listen: SocketAddr,
        clock: Arc<dyn Clock>,
        tls: Option<Tls>,
    ) -> Result<Self, Failure> {
        let simulator = factory.start(setup, faults).map_err(|error| {
            let cure = format!("`planthread mock {} --help` lists what it takes", factory.name);
            Failure::usage(error.to_string()).cure(cure)
        })?;
        let taken = |error| {
            Failure::usage(format!("can't listen on {listen}: {error}"))
                .cure("choose another port with --listen, or stop what listens there")
        };
        let listener = TcpListener::bind(listen).await.map_err(taken)?;
        let address = server::address(&listener).map_err(taken)?;
        let time = Arc::new(ClockTime(clock));
        let options = SandboxOptions { simulator: shared(simulator), tls, time };
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
