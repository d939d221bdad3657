//! What stands before a sandbox when its bridge dies, or when something goes wrong:
//! the request at which that happens, and what becomes of it.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response};
use jiff::Timestamp;
use planthread_mocks::{
    Change, Cut, Fault, Faulty, Reply, Rule, Simulator, StoredCell, faults::When,
};

/// What becomes of the request at which a bridge dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    /// It never arrives.
    None,
    /// It has its effect, and nobody hears of it.
    Before,
    /// It arrives when the next bridge has been answered for the first time.
    Late,
}

/// What stands before the sandbox.
pub(crate) struct Gate {
    inner: Faulty<Box<dyn Simulator>>,
    /// Method and path of every request.
    pub(crate) lines: Vec<String>,
    /// Nobody answers.
    pub(crate) down: bool,
    /// The bridge dies at this request, counted from when it was set.
    pub(crate) kill: Option<(usize, Effect)>,
    pub(crate) killed: bool,
    late: Option<Request<Bytes>>,
}

impl Gate {
    pub(crate) fn new(inner: Box<dyn Simulator>) -> Self {
        let lines = Vec::new();
        let inner = Faulty::new(inner, [], 1);
        Self { inner, lines, down: false, kill: None, killed: false, late: None }
    }

    /// Goes wrong once, at request `nth` from now (from 1).
    pub(crate) fn fault_at(&mut self, nth: usize, fault: Fault) {
        let nth = nth as u64;
        self.inner.schedule(Rule { fault, matches: None, when: When::Range(nth, nth) });
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
}

impl Simulator for Gate {
    fn handle(&mut self, at: Timestamp, request: &Request<Bytes>) -> Reply {
        self.lines.push(format!("{} {}", request.method(), request.uri().path()));
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
        let reply = self.inner.handle(at, request);
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

/// A gate that a test keeps a hand on.
#[derive(Clone)]
pub(crate) struct Shared(pub(crate) Arc<Mutex<Gate>>);

impl Simulator for Shared {
    fn handle(&mut self, at: Timestamp, request: &Request<Bytes>) -> Reply {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).handle(at, request)
    }

    fn stored(&self) -> Vec<StoredCell> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).stored()
    }

    fn history(&self) -> Vec<Change> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).history()
    }

    fn expire_sessions(&mut self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).expire_sessions();
    }
}
