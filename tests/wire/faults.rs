//! Each fault at each step of a landing, on a socket. All of one kind run side
//! by side: they mostly wait.

use planthread_contracts::RowOutcome;
use planthread_kit::{Class, PushEnd};

use crate::rig::{Rig, cells};

/// The steps of a push and its read-back, as faults match them.
const STEPS: [(&str, &str); 5] = [
    // A token is the first thing that is fetched.
    ("token", "GET /"),
    ("stage", "/PTDEMOTrans"),
    ("commit", "/commit"),
    ("ask", "/getExportResult"),
    ("read", "/PTDEMO?"),
];

/// `fault` at the first request of each step, once: everything lands all the
/// same, each value once, and nothing goes out inside an announced wait.
async fn at_each_step(fault: &str) {
    let runs = STEPS.map(|(step, line)| {
        let (rule, when) = (format!("{fault}:{line}"), format!("{fault} at {step}"));
        tokio::spawn(async move {
            let (rig, cells) = (Rig::serve(&[&rule]).await, cells());
            rig.land(&cells, &when).await;
            rig.assert_once(&cells, &when);
            rig.assert_asked(line, &when);
        })
    });
    for run in runs {
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
async fn a_target_that_is_gone_parks_and_nothing_took_effect() {
    let rig = Rig::serve(&["drop-before@all"]).await;
    let end = rig.push(&cells()).await;
    assert!(matches!(end, PushEnd::Parked { .. }), "{end:?}");
    rig.assert_once(&[], "a target that is gone");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_lets_nobody_in_is_asked_no_second_time() {
    let rig = Rig::serve(&["401@all"]).await;
    let end = rig.push(&cells()).await;
    let PushEnd::Parked { error, .. } = &end else { panic!("{end:?}") };
    assert_eq!(error.class, Class::Auth);
    assert!(error.cure.is_some(), "{error}");
    assert!(!error.to_string().contains("cGxhbnRocmVhZDpwbGFudGhyZWFk"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_fault_every_row_is_accepted_at_once() {
    let (rig, cells) = (Rig::serve(&[]).await, cells());
    let end = rig.push(&cells).await;
    let PushEnd::Done { outcome, .. } = &end else { panic!("{end:?}") };
    assert!(outcome.rows.iter().all(|row| *row == RowOutcome::Accepted), "{:?}", outcome.rows);
    rig.assert_once(&cells, "no fault");
}
