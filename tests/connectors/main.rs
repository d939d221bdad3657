//! Runs every conformance case on every registered connector.
//!
//! A connector without a bench fails here, so that a new line in the registry
//! is covered or refused, never forgotten.

#![allow(clippy::unwrap_used, reason = "a test may stop where its own set-up is wrong")]

mod sap_ibp;

use libtest_mimic::{Arguments, Failed, Trial};
use planthread_conformance::{Bench, trials};

/// One bench for each connector.
static BENCHES: [&dyn Bench; 1] = [&sap_ibp::SapIbp];

fn main() {
    let mut all = trials(&BENCHES);
    all.push(Trial::test("every_registered_connector_has_a_bench", every_connector_has_a_bench));
    libtest_mimic::run(&Arguments::from_args(), all).exit();
}

fn every_connector_has_a_bench() -> Result<(), Failed> {
    let benches: Vec<&str> = BENCHES.iter().map(|bench| bench.name()).collect();
    let registered = planthread::registry::names();
    if benches == registered {
        return Ok(());
    }
    Err(format!("registered: {registered:?}, with a bench: {benches:?}").into())
}
