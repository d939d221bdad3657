//! What a connector is made of.
//!
//! A stranger's connector compiles against this crate and the contracts, and
//! needs nothing else. Decisions (retry, quota, breaker, exit codes) are taken
//! here and in the engine, never in a connector: it returns a class.

pub mod attempt;
pub mod batch;
pub mod clock;
pub mod connector;
pub mod error;
pub mod transport;

pub use attempt::{Attempt, AttemptId, AttemptRecord, NoteSink};
pub use batch::{Batch, BatchError, CellWrite};
pub use clock::{BoxFuture, Clock, VirtualClock};
pub use connector::{
    Capabilities, Connector, Cost, Discovery, Finding, Grade, Info, PackFile, PushOutcome,
    Selection, Settlement, SheetLine, SurfaceItem, SurfaceKind,
};
pub use error::{Class, ConnectorError, Sent};
pub use transport::{SendError, Transport};
