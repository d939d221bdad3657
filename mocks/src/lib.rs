//! Vendor sandboxes: stateful simulators, graded, with faults and documented latency.
//!
//! Simulators share nothing with connectors but the contracts. Everything that
//! they do is listed, with its grade and source, in a table of behaviours.

pub mod simulator;

pub use simulator::{Change, ClientCertificate, Cut, Reply, Simulator, StoredCell, Writer};
