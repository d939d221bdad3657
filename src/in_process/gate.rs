//! What stands before a sandbox when something goes wrong on the way, or the bridge
//! dies: every request is noted, and meets what was arranged for it. What the target
//! then really holds is read behind it.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::Poll,
    time::Duration,
};

use bytes::Bytes;
use http::{Method, Request, Response, header::RETRY_AFTER};
use jiff::Timestamp;
use planthread_kit::VirtualClock;
use planthread_mocks::{
    Change, Cut, Fault, Faulty, Reply, Rule, Simulator, StoredCell, faults::When,
};

use super::spoil;

/// What becomes of the request at which a bridge dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// It never arrives.
    None,
    /// It has its effect, and nobody hears of it.
    Before,
    /// It arrives when the next bridge has been answered for the first time.
    Late,
}

/// One request as it came.
#[derive(Debug, Clone)]
pub struct Heard {
    /// When.
    pub at: Timestamp,
    /// Method and path.
    pub line: String,
    /// The status of its answer; nothing where none left.
    pub status: Option<u16>,
    /// How long the answer asked to wait.
    pub wait: Option<Duration>,
}

/// Everything that can go wrong before a sandbox.
pub struct Gate {
    inner: Faulty<Box<dyn Simulator>>,
    /// Every request, oldest first.
    pub heard: Vec<Heard>,
    /// Nobody answers.
    pub down: bool,
    /// How much longer each answer takes.
    pub slow: Duration,
    /// Names that are called otherwise from now on: who asks by one of them is refused,
    /// and answers have another.
    pub renamed: Vec<String>,
    /// Requests and answers in which one of those names stood.
    pub renames: u64,
    /// Rows with this text are lost out of every write that has others, too, and the
    /// target says that it took them.
    pub forgets: Option<String>,
    /// Writes that lost rows so.
    pub forgotten: u64,
    /// The bridge dies at this request, counted from when it was set.
    pub kill: Option<(usize, Effect)>,
    /// Whether it has died.
    pub killed: bool,
    late: Option<Request<Bytes>>,
}

impl Gate {
    /// Before `inner`, with nothing arranged.
    #[must_use]
    pub fn new(inner: Box<dyn Simulator>) -> Self {
        Self {
            inner: Faulty::new(inner, [], 1),
            heard: Vec::new(),
            down: false,
            slow: Duration::ZERO,
            renamed: Vec::new(),
            renames: 0,
            forgets: None,
            forgotten: 0,
            kill: None,
            killed: false,
            late: None,
        }
    }

    /// Goes wrong once, at request `nth` from now (from 1).
    pub fn fault_at(&mut self, nth: usize, fault: Fault) {
        self.faults(nth, nth, fault);
    }

    /// Goes wrong at each of the requests `first..=last` from now (from 1).
    pub fn faults(&mut self, first: usize, last: usize, fault: Fault) {
        let when = When::Range(first as u64, last as u64);
        self.inner.schedule(Rule { fault, matches: None, when });
    }

    /// Method and path of every request.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        self.heard.iter().map(|heard| heard.line.clone()).collect()
    }

    fn dies_now(&mut self) -> Option<Effect> {
        let (left, effect) = self.kill.as_mut()?;
        *left -= 1;
        if *left > 0 {
            return None;
        }
        let effect = *effect;
        (self.kill, self.killed) = (None, true);
        Some(effect)
    }

    /// The request without the rows that are to be lost.
    fn shortened(&mut self, request: &Request<Bytes>) -> Request<Bytes> {
        let mut request = request.clone();
        if let (Some(text), false) = (&self.forgets, *request.method() == Method::GET)
            && let Some(body) = spoil::without(request.body(), text)
        {
            self.forgotten += 1;
            *request.body_mut() = body;
        }
        request
    }

    fn answer(&mut self, at: Timestamp, request: &Request<Bytes>) -> Reply {
        if let Some(name) = spoil::named(request, &self.renamed) {
            self.renames += 1;
            return Reply::new(spoil::unknown(name));
        }
        let request = self.shortened(request);
        let mut reply = self.inner.handle(at, &request);
        reply.delay += self.slow;
        if let Some(body) = spoil::renamed(reply.response.body(), &self.renamed) {
            self.renames += 1;
            *reply.response.body_mut() = body;
        }
        reply
    }

    fn note(&mut self, reply: &Reply) {
        let left = !matches!(reply.cut, Cut::BeforeHandling | Cut::AfterHandling);
        let after = reply.response.headers().get(RETRY_AFTER);
        let seconds = after.and_then(|after| after.to_str().ok()?.parse().ok());
        if let (Some(heard), true) = (self.heard.last_mut(), left) {
            heard.status = Some(reply.response.status().as_u16());
            heard.wait = seconds.map(Duration::from_secs);
        }
    }
}

impl Simulator for Gate {
    fn handle(&mut self, at: Timestamp, request: &Request<Bytes>) -> Reply {
        let line = format!("{} {}", request.method(), request.uri().path());
        self.heard.push(Heard { at, line, status: None, wait: None });
        let lost = || Reply::new(Response::new(Bytes::new()));
        if self.down {
            return Reply { cut: Cut::BeforeHandling, ..lost() };
        }
        if let Some(effect) = self.dies_now() {
            match effect {
                Effect::None => {}
                Effect::Before => drop(self.inner.handle(at, request)),
                Effect::Late => self.late = Some(request.clone()),
            }
            // Long enough that whoever waits for it has been dropped before.
            return lost().after(Duration::from_hours(24 * 365));
        }
        let reply = self.answer(at, request);
        self.note(&reply);
        if let Some(late) = self.late.take() {
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

impl std::fmt::Debug for Gate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gate").field("heard", &self.heard.len()).finish_non_exhaustive()
    }
}

/// A gate that a test or a drill keeps a hand on.
#[derive(Debug, Clone)]
pub struct SharedGate(Arc<Mutex<Gate>>);

impl SharedGate {
    /// A gate before `inner`.
    #[must_use]
    pub fn new(inner: Box<dyn Simulator>) -> Self {
        Self(Arc::new(Mutex::new(Gate::new(inner))))
    }

    /// The gate.
    pub fn lock(&self) -> MutexGuard<'_, Gate> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Simulator for SharedGate {
    fn handle(&mut self, at: Timestamp, request: &Request<Bytes>) -> Reply {
        self.lock().handle(at, request)
    }

    fn stored(&self) -> Vec<StoredCell> {
        self.lock().stored()
    }

    fn history(&self) -> Vec<Change> {
        self.lock().history()
    }

    fn expire_sessions(&mut self) {
        self.lock().expire_sessions();
    }
}

/// What a request is, whoever and whatever it names: method and path without the parts
/// that hold a number.
#[must_use]
pub fn kind(line: &str) -> String {
    let plain = |part: &&str| !part.contains(|letter: char| letter.is_ascii_digit());
    line.split('/').filter(plain).collect::<Vec<_>>().join("/")
}

/// Runs `future` until it ends, or until the bridge dies at the gate: then `None`.
pub fn until_killed<T>(
    clock: &VirtualClock,
    gate: &SharedGate,
    future: impl Future<Output = T>,
) -> Option<T> {
    let mut future = pin!(future);
    clock.block_on(poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(done) => Poll::Ready(Some(done)),
        Poll::Pending if gate.lock().killed => Poll::Ready(None),
        Poll::Pending => Poll::Pending,
    }))
}
