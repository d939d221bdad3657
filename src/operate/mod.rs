//! What whoever operates a bridge sees of it: whether it lives (`/healthz`), whether
//! it can do its work (`/readyz`), and its numbers (`/metrics`).
//!
//! `docs/adr/0026-what-an-operator-is-told.md` says what each of the three means.
//! Nothing here waits for the writer, a target or a loop: numbers are read where they
//! are, on a read-only connection.

pub mod alerts;
mod answers;
pub mod metrics;
mod pulse;
mod register;
mod watch;

pub use answers::{Health, LoopHealth, Ready, TargetReady};
pub use pulse::{Pulse, Pulses};
pub use register::{Ended, Register, RoundsTold, TargetTold, Told};
pub(crate) use watch::ROUNDS;
pub use watch::Watch;
