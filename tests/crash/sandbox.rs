//! The sandbox on a socket of this process, with a trip wire: a request at
//! which everything stops until the test has killed whoever sent it.

use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{Receiver, Sender},
    },
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response};
use jiff::Timestamp;
use planthread_kit::{Clock as _, SystemClock};
use planthread_mocks::{
    Change, Cut, Reply, SandboxOptions, Shared, Simulator, StoredCell, Time,
    sap_ibp::{Options, SapIbp},
    serve, shared,
};
use tokio::{net::TcpListener, runtime::Runtime};

use crate::program::{Event, LIMIT};

/// Where a run is stopped.
#[derive(Debug, Clone, Copy)]
pub(crate) enum At {
    /// The request with this number, from 1.
    Number(usize),
    /// The first request whose line holds this text.
    Line(&'static str),
}

/// What becomes of the request that the dead process had sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    /// It never arrives.
    None,
    /// It has its effect before the process dies.
    Before,
    /// It is still on its way, and arrives after the next process has asked
    /// for the first time what became of its import.
    Late,
}

/// Stops a run at one request.
#[derive(Debug)]
pub(crate) struct Trip {
    pub(crate) at: At,
    pub(crate) effect: Effect,
    /// Tells the test that the request is there.
    pub(crate) reached: Sender<Event>,
    /// Tells that the process is dead.
    pub(crate) dead: Receiver<()>,
}

/// A sandbox that is served until it is dropped.
pub(crate) struct Served {
    pub(crate) url: String,
    simulator: Shared,
    lines: Arc<Mutex<Vec<String>>>,
    behind: Arc<Mutex<Duration>>,
    runtime: Option<Runtime>,
}

impl Served {
    /// Serves a new sandbox whose imports end at once.
    pub(crate) fn start(trip: Option<Trip>) -> Self {
        let options = Options {
            import_starts_after: Duration::ZERO,
            import_ends_after: Duration::ZERO,
            ..Options::default()
        };
        let lines = Arc::<Mutex<Vec<String>>>::default();
        let behind = Arc::<Mutex<Duration>>::default();
        let inner = SapIbp::new(options);
        let simulator = shared(Wired { inner, trip, late: None, lines: Arc::clone(&lines) });
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(4)
            .enable_all()
            .build()
            .unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let options = SandboxOptions {
            simulator: simulator.clone(),
            tls: None,
            time: Arc::new(Wall(Arc::clone(&behind))),
        };
        runtime.spawn(serve(options, listener));
        Self { url, simulator, lines, behind, runtime: Some(runtime) }
    }

    /// Sets the target's clock back, as if this machine's were ahead of it.
    pub(crate) fn set_behind(&self, behind: Duration) {
        *self.behind.lock().unwrap_or_else(PoisonError::into_inner) = behind;
    }

    /// Everything that stands there.
    pub(crate) fn stored(&self) -> Vec<StoredCell> {
        self.simulator.lock().unwrap_or_else(PoisonError::into_inner).stored()
    }

    /// Every change of a cell, oldest first.
    pub(crate) fn history(&self) -> Vec<Change> {
        self.simulator.lock().unwrap_or_else(PoisonError::into_inner).history()
    }

    /// Method and path of every request so far.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// The sandbox behind its trip wire.
struct Wired {
    inner: SapIbp,
    trip: Option<Trip>,
    late: Option<Request<Bytes>>,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Wired {
    /// Writes the request down; the trip, when this is its request.
    fn trips(&mut self, request: &Request<Bytes>) -> Option<Trip> {
        let line = format!("{} {}", request.method(), request.uri().path());
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let due = self.trip.as_ref().is_some_and(|trip| match trip.at {
            At::Number(number) => number == lines.len() + 1,
            At::Line(text) => line.contains(text),
        });
        lines.push(line);
        if due { self.trip.take() } else { None }
    }
}

impl Simulator for Wired {
    fn handle(&mut self, at: Timestamp, request: &Request<Bytes>) -> Reply {
        if let Some(trip) = self.trips(request) {
            match trip.effect {
                Effect::None => {}
                Effect::Before => drop(self.inner.handle(at, request)),
                Effect::Late => self.late = Some(request.clone()),
            }
            let told = trip.reached.send(Event::Reached).is_ok();
            // Nobody is answered before the process is dead.
            assert!(told && trip.dead.recv_timeout(LIMIT).is_ok(), "the test has gone");
            let mut reply = Reply::new(Response::new(Bytes::new()));
            reply.cut = Cut::BeforeHandling;
            return reply;
        }
        let reply = self.inner.handle(at, request);
        if request.uri().path().ends_with("/getExportResult")
            && let Some(late) = self.late.take()
        {
            self.inner.handle(at, &late);
        }
        reply
    }

    fn stored(&self) -> Vec<StoredCell> {
        self.inner.stored()
    }

    fn history(&self) -> Vec<Change> {
        self.inner.history()
    }

    fn expire_sessions(&mut self) {
        self.inner.expire_sessions();
    }
}

/// Real time, or so long ago.
#[derive(Debug)]
struct Wall(Arc<Mutex<Duration>>);

impl Time for Wall {
    fn now(&self) -> Timestamp {
        SystemClock::new().now() - *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        SystemClock::new().sleep(duration)
    }
}
