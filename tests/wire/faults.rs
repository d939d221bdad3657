//! Each fault at each kind of request of a landing, on a socket, for every way in
//! which every target can be set up. All of one fault run side by side: they
//! mostly wait.

use std::collections::BTreeMap;

use planthread_conformance::Bench as _;
use planthread_contracts::RowOutcome;
use planthread_kit::{Class, PushEnd};

use crate::rig::{Rig, Way, benches};

/// The first request of each kind that a landing makes, by its number from 1: its
/// method and its path without the parts that hold a number.
fn steps(lines: &[String]) -> BTreeMap<String, usize> {
    let mut steps = BTreeMap::new();
    for (number, line) in (1..).zip(lines) {
        let path = line.split('?').next().unwrap_or_default();
        let plain = |part: &&str| !part.contains(|letter: char| letter.is_ascii_digit());
        let kind = path.split('/').filter(plain).collect::<Vec<_>>().join("/");
        steps.entry(kind).or_insert(number);
    }
    steps
}

/// `fault` at the first request of each kind, once: everything lands all the
/// same, each value once, and nothing goes out inside an announced wait.
async fn at_each_step(fault: &'static str) {
    let each = benches().iter().map(|of| tokio::spawn(at_each_step_of(of, fault)));
    for run in each.collect::<Vec<_>>() {
        run.await.unwrap();
    }
}

/// How often a step is looked for: how many questions come before it depends on time.
const TRIES: usize = 5;

async fn at_each_step_of(of: &'static Way, fault: &str) {
    let clean = Rig::serve(of, &[]).await;
    clean.land(&clean.cells(), clean.name()).await;
    let firsts = steps(&clean.requests());
    assert!(firsts.len() > 1, "{}: {firsts:?}", clean.name());
    let each = firsts.into_iter().map(|(step, number)| {
        let when = format!("{}: {fault} at {step}", clean.name());
        let fault = fault.to_owned();
        tokio::spawn(async move {
            let mut number = number;
            for _ in 0..TRIES {
                let rig = Rig::serve(of, &[&format!("{fault}@{number}")]).await;
                let cells = rig.cells();
                rig.land(&cells, &when).await;
                rig.assert_once(&cells, &when);
                if rig.requests().len() >= number {
                    return;
                }
                // A job that was asked about less often ends at an earlier request.
                number = steps(&rig.requests())[&step];
            }
            panic!("{when}: it never came there");
        })
    });
    for run in each.collect::<Vec<_>>() {
        run.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn law_12_a_connection_cut_before_the_effect() {
    at_each_step("drop-before").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn law_12_a_connection_cut_after_the_effect() {
    at_each_step("drop-after").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn law_12_a_busy_target_that_says_how_long() {
    at_each_step("429=1").await;
    at_each_step("503=1").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn law_12_an_answer_that_breaks_off() {
    at_each_step("truncate=5").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn law_12_an_answer_that_never_comes() {
    // Longer than any timeout: the client gives up, the effect is there.
    at_each_step("slow=100000").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn law_12_an_answer_that_drips() {
    // Every byte comes in time, and the whole of it never.
    at_each_step("drip=1").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn law_12_a_gateway_error_after_the_effect() {
    at_each_step("502-after").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn law_12_an_error_inside_a_200() {
    at_each_step("error-inside-200").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn law_12_a_token_that_expires() {
    at_each_step("expire-token").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn law_12_a_page_to_log_in_on_inside_a_200() {
    at_each_step("login-page").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_is_gone_parks_and_nothing_took_effect() {
    for of in benches() {
        let rig = Rig::serve(of, &["drop-before@all"]).await;
        let end = rig.push(&rig.cells()).await;
        // Where the first request is a write, nobody knows that it never came.
        let nothing = matches!(end, PushEnd::Parked { .. } | PushEnd::Unproven { .. });
        assert!(nothing, "{}: {end:?}", rig.name());
        rig.assert_once(&[], rig.name());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_lets_nobody_in_is_asked_no_second_time() {
    for of in benches() {
        let rig = Rig::serve(of, &["401@all"]).await;
        let end = rig.push(&rig.cells()).await;
        let PushEnd::Parked { error, .. } = &end else { panic!("{}: {end:?}", rig.name()) };
        assert_eq!(error.class, Class::Auth, "{}", rig.name());
        assert!(error.cure.is_some(), "{error}");
        for secret in of.0.secrets() {
            assert!(!error.to_string().contains(&secret), "{}: {error}", rig.name());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_fault_every_row_is_accepted_at_once() {
    for of in benches() {
        let rig = Rig::serve(of, &[]).await;
        let cells = rig.cells();
        let end = rig.push(&cells).await;
        let PushEnd::Done { outcome, .. } = &end else { panic!("{}: {end:?}", rig.name()) };
        assert!(outcome.rows.iter().all(|row| *row == RowOutcome::Accepted), "{end:?}");
        rig.assert_once(&cells, rig.name());
    }
}
