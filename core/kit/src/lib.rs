//! What a connector is made of.
//!
//! A stranger's connector compiles against this crate and the contracts, and
//! needs nothing else. Decisions (retry, quota, breaker, exit codes) are taken
//! here and in the engine, never in a connector: it returns a class.
//!
//! The map, from the trait outwards:
//! - [`mod@target`]: the SDK of a target: its factory, settings, authentication.
//! - [`connector`]: the trait; [`batch`] goes in, [`attempt`] names one try,
//!   [`error`] says what went wrong.
//! - [`http`]: the request stack, around every HTTP request of a connector,
//!   with its [`quota`] by tenant.
//! - [`push_stack`]: around `submit` and `poll`, with a [`breaker`] an operation: it waits
//!   for the target's job; what a class of error leads to stands in one [`table`].
//! - [`clock`] and [`transport`]: time and network as parameters; the real ones
//!   are [`system_clock`] and [`transport_reqwest`]. [`leased`] lets nothing out without a
//!   lease.
//! - [`mod@agreement`]: signed descriptions of writes that nothing public describes.
//! - [`secret`], [`mask`] and [`mod@redact`]: what must not be printed.
//! - [`rows`], [`changes`], [`matching`], [`dates`], [`mod@delimited`], [`sheet`], [`mod@probe`]: what most
//!   connectors do between cells and the wire, without IO.

pub mod agreement;
pub mod attempt;
pub mod backoff;
pub mod batch;
pub mod breaker;
pub mod changes;
pub mod clock;
pub mod columns;
pub mod connector;
pub mod dates;
pub mod delimited;
pub mod error;
pub mod files;
pub mod flow;
pub mod http;
pub mod leased;
pub mod mask;
pub mod matching;
pub mod probe;
pub mod push_stack;
pub mod quota;
pub mod redact;
pub mod rows;
pub mod secret;
pub mod sheet;
pub mod system_clock;
pub mod table;
pub mod tally;
pub mod target;
#[cfg(test)]
mod testing;
pub mod transport;
pub mod transport_reqwest;

pub use attempt::{Attempt, AttemptId, AttemptRecord, EncodingDigest, NoteError, NoteSink};
pub use backoff::Backoff;
pub use batch::{Batch, BatchError, CellWrite, RecordedBatch};
pub use breaker::{
    Breaker, BreakerBook, BreakerMemory, BreakerPolicy, BreakerStanding, Breakers, Operation,
};
pub use clock::{BoxFuture, Clock, VirtualClock};
pub use connector::{
    Capabilities, Carriage, Connector, Cost, Discovery, Finding, Grade, Info, Need, PackFile, Poll,
    PushOutcome, Selection, SheetLine, Submission, SurfaceItem, SurfaceKind, Together,
};
pub use error::{Class, ConnectorError, Sent};
pub use flow::{Carries, Fence, Flow, FlowBook, Origin, Peers};
pub use leased::{Leased, Permit, Steady};
pub use mask::Masked;
pub use push_stack::{AttemptEnd, AttemptLog, PushEnd, PushPolicy, PushStack, Settled};
pub use quota::{
    Blackout, KeptRate, Quota, QuotaBook, QuotaConfig, QuotaCounters, QuotaError, QuotaStanding,
    TenantKey,
};
pub use secret::{Secret, SecretError, SecretRef};
pub use system_clock::{SteadyClock, SystemClock};
pub use tally::{Tallied, Tally};
pub use transport::{Hopeless, SendError, Transport};
pub use transport_reqwest::{ReqwestTransport, TransportError, TransportOptions, untrusted};
