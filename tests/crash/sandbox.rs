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
use planthread::in_process::gate::kind;
use planthread_kit::{Clock as _, SystemClock};
use planthread_mocks::{
    Change, Cut, Reply, SandboxOptions, Setup, SharedSimulator, Simulator, StoredCell, Time,
    Writer, serve, shared,
};
use tokio::{net::TcpListener, runtime::Runtime};

use crate::program::{Event, LIMIT, Project, Quick};

/// Where a run is stopped.
#[derive(Debug, Clone)]
pub(crate) enum At {
    /// This one of the requests of this [`kind`], from 1.
    Kind(String, usize),
    /// The first request whose line holds this text.
    Line(&'static str),
    /// The first request after which this scope holds something of ours.
    Write(String),
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
    simulator: SharedSimulator,
    lines: Arc<Mutex<Vec<String>>>,
    behind: Arc<Mutex<Duration>>,
    runtime: Option<Runtime>,
}

impl Served {
    /// Serves a new sandbox as the demo does, set for the project's way and for tests
    /// in real time.
    pub(crate) fn start(project: &Project, trip: Option<Trip>) -> Self {
        let registered = project.registered;
        let quick = Setup { options: Quick::of(registered).sandbox, ..Setup::default() };
        let inner = (registered.sandbox.build)(&project.way.setup(registered, quick)).unwrap();
        let lines = Arc::<Mutex<Vec<String>>>::default();
        let behind = Arc::<Mutex<Duration>>::default();
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
    inner: Box<dyn Simulator>,
    trip: Option<Trip>,
    late: Option<Request<Bytes>>,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Wired {
    /// Writes the request down; the trip, when this is its request. Where a trip
    /// waits for a write, the request is handled first.
    fn trips(&mut self, at: Timestamp, request: &Request<Bytes>) -> (Option<Trip>, Option<Reply>) {
        let line = format!("{} {}", request.method(), request.uri().path());
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.push(line.clone());
        let mut reply = None;
        let due = match self.trip.as_ref().map(|trip| &trip.at) {
            None => false,
            Some(At::Kind(asked, nth)) => {
                *asked == kind(&line)
                    && lines.iter().filter(|one| *asked == kind(one)).count() == *nth
            }
            Some(At::Line(text)) => line.contains(text),
            Some(At::Write(scope)) => {
                reply = Some(self.inner.handle(at, request));
                let ours = |change: &Change| {
                    matches!(change.cell.writer, Writer::Integration(_))
                        && change.cell.scope == *scope
                };
                self.inner.history().iter().any(ours)
            }
        };
        (if due { self.trip.take() } else { None }, reply)
    }
}

impl Simulator for Wired {
    fn handle(&mut self, at: Timestamp, request: &Request<Bytes>) -> Reply {
        let (trip, handled) = self.trips(at, request);
        if let Some(trip) = trip {
            match trip.effect {
                Effect::Before if handled.is_none() => drop(self.inner.handle(at, request)),
                Effect::Late => self.late = Some(request.clone()),
                Effect::None | Effect::Before => {}
            }
            let told = trip.reached.send(Event::Reached).is_ok();
            // Nobody is answered before the process is dead.
            assert!(told && trip.dead.recv_timeout(LIMIT).is_ok(), "the test has gone");
            let mut reply = Reply::new(Response::new(Bytes::new()));
            reply.cut = Cut::BeforeHandling;
            return reply;
        }
        let reply = handled.unwrap_or_else(|| self.inner.handle(at, request));
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
