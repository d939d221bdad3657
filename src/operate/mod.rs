//! What whoever operates a bridge sees of it: whether it lives (`/healthz`), whether
//! it can do its work (`/readyz`), and its numbers (`/metrics`).
//!
//! `docs/adr/0026-what-an-operator-is-told.md` says what each of the three means.
//! Nothing here waits for the writer, a target or a loop: numbers are read where they
//! are, on a read-only connection.

pub mod alerts;
mod answers;
mod aside;
pub mod metrics;
mod pulse;
mod register;
mod watch;

pub use answers::{Health, LoopHealth, Ready, TargetReady};
pub use aside::Aside;
pub use pulse::{Pulse, Pulses};
pub use register::{Ended, Register, RoundsTold, TargetTold, Told};
pub(crate) use watch::ROUNDS;
pub use watch::Watch;

/// Whoever answers at the door for operators.
pub trait Tells: Send + Sync {
    /// Whether the process lives and its loops turn.
    fn health(&self) -> Health;
    /// Whether the bridge can do its work.
    fn ready(&self) -> Ready;
    /// The page of `/metrics`.
    fn metrics(&self) -> String;
}

impl Tells for Watch {
    fn health(&self) -> Health {
        Self::health(self)
    }

    fn ready(&self) -> Ready {
        Self::ready(self)
    }

    fn metrics(&self) -> String {
        Self::metrics(self)
    }
}
