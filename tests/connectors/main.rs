//! Runs every conformance case on every registered target.
//!
//! The benches come from the registry and from each target's
//! `conformance.json`: a target without one fails here, so that a new line in
//! the registry is covered or refused, never forgotten. A target that can be set
//! up in several ways has a `conformance-WAY.json` for each of the others.

#![allow(clippy::unwrap_used, reason = "a test may stop where its own set-up is wrong")]

mod bench;
mod delivery;
mod outage;
mod rest;
mod sink;

use libtest_mimic::{Arguments, Trial};
use planthread::registry::{Registered, TARGETS};
use planthread_conformance::{Bench, trials};

use bench::FactoryBench;

/// Targets of the tests themselves, and the folders of their
/// `conformance.json`.
const OWN: &[(Registered, &str)] = &[(rest::REGISTERED, "tests/connectors/rest")];

/// Records that are delivered with each run.
const FEW: usize = 1_000;
/// Cells that change through an outage with each run, and when it is measured: they
/// change a million times.
const FEW_CHANGING: usize = 300;
const MANY_CHANGING: usize = 20_000;

fn main() {
    // What `cargo xtask bench delivery` runs.
    if let Ok(records) = std::env::var("PLANTHREAD_DELIVERY") {
        return measured(records.parse().unwrap());
    }
    let registered = TARGETS.iter().map(|one| (*one, format!("connectors/{}", one.target.name)));
    let own = OWN.iter().map(|(one, folder)| (*one, (*folder).to_owned()));
    let mut benches: Vec<&'static dyn Bench> = Vec::new();
    for (one, folder) in registered.chain(own) {
        for way in bench::ways(&folder) {
            benches.push(Box::leak(Box::new(FactoryBench::new(one, &folder, &way))));
        }
    }
    let mut trials = trials(benches.leak());
    trials.push(Trial::test("delivery::law_12_keeps_a_quota_and_doubles_nothing", || {
        Ok(delivery::judge(FEW, &delivery::scenarios(FEW))?)
    }));
    trials.push(Trial::test(
        "outage::law_12_sends_each_changed_cell_once_near_periods_first",
        || Ok(outage::judge(&outage::outage(FEW_CHANGING))?),
    ));
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

#[expect(clippy::print_stdout, reason = "it is a report for people")]
fn measured(records: usize) {
    match delivery::report(records) {
        Ok(report) => println!("{report}"),
        Err(broken) => panic!("{broken}"),
    }
    match outage::report(MANY_CHANGING) {
        Ok(report) => println!("{report}"),
        Err(broken) => panic!("{broken}"),
    }
}
