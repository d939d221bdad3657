//! A sandbox that breaks on demand, and a watch on what comes in.

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
use http::Request;
use jiff::Timestamp;
use planthread_kit::{Clock as _, SystemClock};
use planthread_mocks::{
    Change, Faulty, Reply, SharedSimulator, Simulator, StoredCell, Time, shared,
};

/// A sandbox that breaks as it was told, and counts requests that came while
/// it had asked to wait.
pub(crate) struct Watched {
    faulty: Faulty<Box<dyn Simulator>>,
    closed_until: Option<Timestamp>,
    watch: Arc<Watch>,
}

/// What a test sees of it.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    early: AtomicUsize,
    lines: Mutex<Vec<String>>,
}

impl Watch {
    /// Requests that came while it had asked to wait.
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
        (shared(Self { faulty, closed_until: None, watch: Arc::clone(&watch) }), watch)
    }
}

impl Simulator for Watched {
    fn handle(&mut self, at: Timestamp, request: &Request<Bytes>) -> Reply {
        if self.closed_until.is_some_and(|until| at < until) {
            self.watch.early.fetch_add(1, Ordering::Relaxed);
        }
        let line = format!("{} {}", request.method(), request.uri());
        self.watch.lines.lock().unwrap_or_else(PoisonError::into_inner).push(line);
        let reply = self.faulty.handle(at, request);
        let wait = reply.response.headers().get("retry-after");
        if let Some(seconds) = wait.and_then(|value| value.to_str().ok()?.parse::<u64>().ok()) {
            self.closed_until = Some(at + Duration::from_secs(seconds));
        }
        reply
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
