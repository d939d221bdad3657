//! A sandbox that breaks on demand, a watch on what comes in, and a watch on what goes out.

use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response};
use jiff::Timestamp;
use planthread_kit::{
    BoxFuture, Clock as _, SendError, Steady as _, SteadyClock, SystemClock, Transport,
};
use planthread_mocks::{
    Change, Faulty, Reply, SharedSimulator, Simulator, StoredCell, Time, shared,
};

/// A sandbox that breaks as it was told, and keeps what came in.
pub(crate) struct Watched {
    faulty: Faulty<Box<dyn Simulator>>,
    watch: Arc<Watch>,
}

/// What a test sees of it.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    early: AtomicUsize,
    waits: Mutex<Option<Wait>>,
    lines: Mutex<Vec<String>>,
}

impl Watch {
    /// Requests that went out after an answer that asked to wait, within that wait.
    pub(crate) fn early(&self) -> usize {
        self.early.load(Ordering::Relaxed)
    }

    /// Method and target of every request.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Watched {
    /// `sandbox`, which breaks by `faults`, in the words of
    /// `planthread_mocks::faults`.
    pub(crate) fn mount(
        sandbox: Box<dyn Simulator>,
        faults: &[&str],
    ) -> (SharedSimulator, Arc<Watch>) {
        let rules: Vec<_> = faults.iter().map(|text| text.parse().unwrap()).collect();
        let watch = Arc::<Watch>::default();
        let faulty = Faulty::new(sandbox, rules, 1);
        (shared(Self { faulty, watch: Arc::clone(&watch) }), watch)
    }
}

/// A wait that an answer announced, by two clocks: one of them is set now and then.
#[derive(Debug)]
struct Wait {
    until: Timestamp,
    since: SteadyClock,
    seconds: u64,
}

impl Wait {
    fn begins(seconds: u64) -> Self {
        let until = SystemClock::new().now() + Duration::from_secs(seconds);
        Self { until, since: SteadyClock::start(), seconds }
    }

    /// Whether it lasts by both clocks.
    fn lasts(&self) -> bool {
        SystemClock::new().now() < self.until
            && self.since.elapsed() < Duration::from_secs(self.seconds)
    }
}

/// The network of a client, which tells `watch` of requests that go out too early. The
/// client is asked and not the server: what was on its way when the answer came, and
/// what the client had given up by then, broke no promise.
#[derive(Debug)]
pub(crate) struct Outgoing<T> {
    pub(crate) wire: T,
    pub(crate) watch: Arc<Watch>,
}

impl<T: Transport> Transport for Outgoing<T> {
    fn send(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, SendError>> {
        let waits = || self.watch.waits.lock().unwrap_or_else(PoisonError::into_inner);
        if waits().as_ref().is_some_and(Wait::lasts) {
            self.watch.early.fetch_add(1, Ordering::Relaxed);
        }
        Box::pin(async move {
            let answer = self.wire.send(request).await?;
            let wait = answer.headers().get("retry-after");
            if let Some(seconds) = wait.and_then(|value| value.to_str().ok()?.parse().ok()) {
                *waits() = Some(Wait::begins(seconds));
            }
            Ok(answer)
        })
    }
}

impl Simulator for Watched {
    fn handle(&mut self, at: Timestamp, request: &Request<Bytes>) -> Reply {
        let line = format!("{} {}", request.method(), request.uri());
        self.watch.lines.lock().unwrap_or_else(PoisonError::into_inner).push(line);
        self.faulty.handle(at, request)
    }

    fn stored(&self) -> Vec<StoredCell> {
        self.faulty.stored()
    }

    fn history(&self) -> Vec<Change> {
        self.faulty.history()
    }

    fn expire_sessions(&mut self) {
        self.faulty.expire_sessions();
    }
}

/// Real time, for the sandbox.
#[derive(Debug)]
pub(crate) struct Wall;

impl Time for Wall {
    fn now(&self) -> Timestamp {
        SystemClock::new().now()
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        SystemClock::new().sleep(duration)
    }
}
