//! Law 12 for every target, in each of its ways: any fault at any request of a
//! landing, through the engine. Whatever happened, everything lands once, nothing
//! foreign is written, and nothing stays open.
//!
//! The first target is swept whole in `faults`, on a plant of its own. Of the others
//! a sample is taken at fixed strides, shifted from fault to fault: a denser one of
//! the first requests of each kind, so that each of them meets several faults. With
//! `PLANTHREAD_SWEEP=whole` every fault hits every request of every target.

use std::env;

use planthread::{
    in_process::gate::kind,
    registry::{Registered, TARGETS},
};
use planthread_mocks::Fault;

use crate::{mortal::Mortal, way::Way};

/// Of the first requests of their kind, and of the others, a fault hits one in so
/// many.
const STRIDES: (usize, usize) = (4, 24);

const fn status(code: u16, retry_after: Option<u32>, after: bool) -> Fault {
    Fault::Status { code, retry_after, after }
}

/// Everything that may happen to a request.
const FAULTS: [Fault; 12] = [
    Fault::DropBefore,
    Fault::DropAfter,
    status(500, None, false),
    status(502, None, true),
    status(429, Some(30), false),
    status(503, Some(90), false),
    Fault::TruncatedBody(20),
    Fault::LoginPage(200),
    Fault::LoginPage(201),
    Fault::Multipart400(200),
    Fault::Redirect(302),
    Fault::ExpireToken,
];

/// One in how many requests a fault hits, as [`STRIDES`] names it.
fn strides() -> (usize, usize) {
    if env::var_os("PLANTHREAD_SWEEP").is_some_and(|how| how == "whole") { (1, 1) } else { STRIDES }
}

/// The requests that fault number `fault` hits, both from 0.
fn hit(lines: &[String], fault: usize) -> Vec<usize> {
    let strides = strides();
    let first = |nth: &usize| !lines[..*nth].iter().any(|one| kind(one) == kind(&lines[*nth]));
    let (firsts, others): (Vec<usize>, Vec<usize>) = (0..lines.len()).partition(first);
    let every =
        |all: Vec<usize>, stride: usize| all.into_iter().skip(fault % stride).step_by(stride);
    every(firsts, strides.0).chain(every(others, strides.1)).collect()
}

#[expect(clippy::print_stderr, reason = "how many were tried is for whoever runs this test")]
fn swept(registered: &Registered, way: &Way) {
    let mut mortal = Mortal::new(registered, way);
    let lines = mortal.undisturbed();
    let mut tried = 0;
    for (number, fault) in FAULTS.iter().enumerate() {
        for nth in hit(&lines, number) {
            let line = &lines[nth];
            let when = format!("{}: {fault:?} at request {}, {line}", mortal.name, nth + 1);
            mortal.begin();
            mortal.gate().fault_at(nth + 1, fault.clone());
            assert!(mortal.cycle(), "{when}");
            mortal.recovers(&when);
            tried += 1;
        }
    }
    let all = lines.len() * FAULTS.len();
    eprintln!("{}: {} requests, {tried} of {all} faults tried", mortal.name, lines.len());
}

#[test]
fn law_12_every_target_survives_any_fault_at_any_request() {
    std::thread::scope(|scope| {
        for registered in &TARGETS[1..] {
            for way in Way::all(registered) {
                scope.spawn(move || swept(registered, &way));
            }
        }
    });
}
