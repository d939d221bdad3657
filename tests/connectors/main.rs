//! Runs every conformance case on every registered target.
//!
//! The benches come from the registry and from each target's
//! `conformance.json`: a target without one fails here, so that a new line in
//! the registry is covered or refused, never forgotten.

#![allow(clippy::unwrap_used, reason = "a test may stop where its own set-up is wrong")]

mod bench;
mod rest;

use libtest_mimic::Arguments;
use planthread::registry::{Registered, TARGETS};
use planthread_conformance::{Bench, trials};

use bench::FactoryBench;

/// Targets of the tests themselves, and the folders of their
/// `conformance.json`.
const OWN: &[(Registered, &str)] = &[(rest::REGISTERED, "tests/connectors/rest")];

fn main() {
    let registered = TARGETS.iter().map(|one| (*one, format!("connectors/{}", one.target.name)));
    let own = OWN.iter().map(|(one, folder)| (*one, (*folder).to_owned()));
    let bench = |(one, folder): (Registered, String)| -> &'static dyn Bench {
        Box::leak(Box::new(FactoryBench::new(one, &folder)))
    };
    let benches: Vec<&'static dyn Bench> = registered.chain(own).map(bench).collect();
    libtest_mimic::run(&Arguments::from_args(), trials(benches.leak())).exit();
}
