//! Vendor sandboxes: stateful simulators, graded, with faults and documented latency.
//!
//! Simulators share nothing with connectors but the contracts. Everything that
//! they do is listed, with its grade and source, in a table of behaviours.

pub mod faults;
pub mod latency;
pub mod mount;
pub mod page;
pub mod sap_ibp;
pub mod server;
pub mod simulator;
pub mod time;

pub use faults::{Fault, Faulty, Rule};
pub use mount::{Shared, shared};
pub use server::{SandboxOptions, serve};
pub use simulator::{Change, ClientCertificate, Cut, Reply, Simulator, StoredCell, Writer};
pub use time::Time;
