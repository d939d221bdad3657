//! Vendor sandboxes: stateful simulators, graded, with faults and documented latency.
//!
//! Simulators share nothing with connectors but the contracts. Everything that
//! they do is listed, with its grade and source, in a table of behaviours. A new
//! sandbox is one folder beside [`sdk`], and one line in the program's registry.

pub mod azure_digital_twins;
pub mod kinaxis;
pub mod o9;
pub mod sap_ibp;
pub mod sdk;

pub use sdk::{
    SandboxFactory, SandboxShape, Setup,
    faults::{self, Fault, Faulty, Rule},
    latency,
    mount::{self, SharedSimulator, shared},
    page,
    server::{self, SandboxOptions, serve},
    simulator::{self, Change, ClientCertificate, Cut, Reply, Simulator, StoredCell, Writer},
    time::{self, Time},
};
