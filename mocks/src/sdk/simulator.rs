//! The seam of every sandbox: request and instant in, reply out.
//!
//! A simulator is a plain state machine. It opens no socket, reads no clock,
//! and never sleeps: whoever mounts it (in process, on wiremock, behind the
//! server) hands in the time and carries out the reply's delay and cut.

use std::{fmt, time::Duration};

use bytes::Bytes;
use http::{Method, Request, Response};
use jiff::Timestamp;
use planthread_contracts::Period;
use rust_decimal::Decimal;

/// A stateful stand-in for one vendor's system.
pub trait Simulator: Send {
    /// Takes one request at the instant `at` and says what comes back.
    ///
    /// Instants must not run backwards between calls; a simulator may move its
    /// own queued work (imports, jobs) on to `at` before it answers.
    fn handle(&mut self, at: Timestamp, request: &Request<Bytes>) -> Reply;

    /// Everything that the sandbox holds as of the last request, ordered by cell,
    /// for tests to compare.
    fn stored(&self) -> Vec<StoredCell>;

    /// Every change of a stored cell, oldest first.
    fn history(&self) -> Vec<Change>;

    /// Ends all sessions, so that tokens and cookies handed out so far are void.
    fn expire_sessions(&mut self);
}

impl<S: Simulator + ?Sized> Simulator for Box<S> {
    fn handle(&mut self, at: Timestamp, request: &Request<Bytes>) -> Reply {
        (**self).handle(at, request)
    }

    fn stored(&self) -> Vec<StoredCell> {
        (**self).stored()
    }

    fn history(&self) -> Vec<Change> {
        (**self).history()
    }

    fn expire_sessions(&mut self) {
        (**self).expire_sessions();
    }
}

/// What a simulator answers, and how the wire treats it.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The answer, as the vendor would send it.
    pub response: Response<Bytes>,
    /// How long the vendor takes. The mount waits this long before it answers.
    pub delay: Duration,
    /// Whether the connection breaks, and where.
    pub cut: Cut,
    /// How long each byte of the body takes, when it drips.
    pub drip: Option<Duration>,
}

impl Reply {
    /// An answer without delay or cut.
    #[must_use]
    pub const fn new(response: Response<Bytes>) -> Self {
        Self { response, delay: Duration::ZERO, cut: Cut::None, drip: None }
    }

    /// The answer to `request`: one to HEAD has no body.
    #[must_use]
    pub fn to(request: &Request<Bytes>, mut response: Response<Bytes>) -> Self {
        if *request.method() == Method::HEAD {
            *response.body_mut() = Bytes::new();
        }
        Self::new(response)
    }

    /// The same answer after `delay`.
    #[must_use]
    pub const fn after(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }
}

/// Where the connection breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Cut {
    /// It does not.
    #[default]
    None,
    /// Dropped before the request had any effect: the client sees no answer.
    BeforeHandling,
    /// Dropped after the effect: the client sees no answer, the change is made.
    AfterHandling,
    /// Answer and effect are complete, but only this many body bytes arrive.
    TruncatedBody(usize),
}

/// Common name of the client certificate that the TLS listener verified.
///
/// Mounts put it into the request's extensions; a header can't forge it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientCertificate {
    /// The subject's common name (CN).
    pub common_name: String,
}

/// One cell that a sandbox holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredCell {
    /// The scope (version, scenario); empty for the base plan.
    pub scope: String,
    /// Resource, as the vendor calls it.
    pub resource: String,
    /// Location, as the vendor calls it.
    pub location: String,
    /// The period, at storage level.
    pub period: Period,
    /// The measure, as the vendor calls it.
    pub measure: String,
    /// The stored value.
    pub value: Decimal,
    /// Who wrote it last.
    pub writer: Writer,
}

/// One change of one cell: the vendor's change history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// When it took effect.
    pub at: Timestamp,
    /// The cell after the change; the value is meaningless when cleared.
    pub cell: StoredCell,
    /// The value before, if there was one.
    pub before: Option<Decimal>,
}

/// Who wrote a value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Writer {
    /// An integration user, through the vendor's interface.
    Integration(String),
    /// A person, in the vendor's grid.
    Person(String),
    /// A job: nightly load, copy operator, file import.
    Job(String),
}

impl Writer {
    /// `integration`, `person` or `job`.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Integration(_) => "integration",
            Self::Person(_) => "person",
            Self::Job(_) => "job",
        }
    }

    /// The name behind the kind.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Integration(name) | Self::Person(name) | Self::Job(name) => name,
        }
    }
}

impl fmt::Display for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind(), self.name())
    }
}
