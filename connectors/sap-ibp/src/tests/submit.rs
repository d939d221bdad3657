//! Submissions: the happy way, expired tokens, and everything that must not be sent
//! twice.

use planthread_contracts::RowOutcome;
use planthread_kit::{Class, Poll, Sent};
use serde_json::json;

use super::*;

const MAYBE: Class = Class::Transient { sent: Sent::Maybe };

#[test]
fn a_push_on_the_wire() {
    let world = World::with(
        vec![
            ("GET ", token(1)),
            ("POST ZPATrans", created()),
            ("POST ZPATrans", created()),
            ("POST commit?P_TransactionID='0123", committed()),
            ("GET getExportResult", status("INITIAL")),
            ("GET getExportResult", status("PROCESSING")),
            ("GET getExportResult", status("PROCESSED")),
        ],
        |settings| settings["transaction"] = json!({"values_per_post": 1}),
    );
    let outcome = world.push(&two()).unwrap();
    assert_eq!(outcome.rows, [RowOutcome::Accepted, RowOutcome::Accepted]);
    assert_eq!(
        (outcome.receipt.handle.as_str(), outcome.receipt.verdict.as_str()),
        (ID, "PROCESSED")
    );
    assert_eq!(world.note("stage").as_deref(), Some("committed"));
    assert_eq!(world.note("transaction").as_deref(), Some(ID));
    assert_eq!((world.left(), world.elapsed()), (0, 9), "a wait before each question");
    insta::assert_snapshot!(world.transcript());
}

#[test]
fn an_expired_token_is_fetched_again_and_the_post_repeated() {
    let world = World::with(
        vec![
            ("GET ", token(1)),
            ("POST ZPATrans", created()),
            ("POST ZPATrans", token_required()),
            ("GET ", token(2)),
            ("POST ZPATrans", created()),
            ("POST commit", committed()),
            ("GET getExportResult", status("PROCESSED")),
        ],
        |settings| settings["transaction"] = json!({"values_per_post": 1, "parallel_posts": 1}),
    );
    world.push(&two()).unwrap();
    let heard = world.script.heard.lock().unwrap();
    assert_eq!(heard[2].body(), heard[4].body(), "the same chunk: a 403 staged nothing");
    assert_eq!(heard[4].headers()["x-csrf-token"], "token-2");
    assert!(heard[4].headers()["cookie"].to_str().unwrap().contains("session-2"));
    assert_eq!(heard[5].headers()["x-csrf-token"], "token-2", "one token for the transaction");
}

#[test]
fn two_posts_that_meet_an_expired_token_share_one_new_token() {
    let world = World::with(
        vec![
            ("GET ", token(1)),
            ("POST ZPATrans", late(token_required())),
            ("POST ZPATrans", late(token_required())),
            ("GET ", late(token(2))),
            ("POST ZPATrans", created()),
            ("POST ZPATrans", created()),
            ("POST commit", committed()),
            ("GET getExportResult", status("PROCESSED")),
        ],
        |settings| settings["transaction"] = json!({"values_per_post": 1}),
    );
    world.push(&two()).unwrap();
    assert_eq!(world.left(), 0);
}

#[test]
fn an_unclear_post_is_never_sent_again_into_its_transaction() {
    let asks = |status: u16| {
        let answer = Response::builder().status(status).header("retry-after", "30");
        Reply::Answer(answer.body(Bytes::new()).unwrap())
    };
    let faults = [
        Reply::Hang,
        Reply::Lost(Sent::Maybe),
        text(500, "Data Services internal error"),
        text(504, "<html>Gateway timeout</html>"),
        asks(503),
        asks(429),
        answer(201, &json!({"error": {"message": "failed after all"}})),
    ];
    for fault in faults {
        let told = format!("{fault:?}");
        let world = World::new(vec![("GET ", token(1)), ("POST ZPATrans", fault)]);
        let error = world.push(&two()).unwrap_err();
        assert_eq!(error.class, MAYBE, "{told}");
        assert_eq!(world.heard().len(), 2, "no commit, no second post: {told}");
        assert_eq!(world.note("stage").as_deref(), Some("staging"));
        assert!(
            matches!(world.poll(&two()), Ok(Poll::NotTaken { .. })),
            "nothing takes effect without a commit"
        );
    }
}

#[test]
fn a_post_that_provably_did_not_leave_is_sent_again() {
    let world = World::new(vec![
        ("GET ", token(1)),
        ("POST ZPATrans", Reply::Lost(Sent::No)),
        ("POST ZPATrans", created()),
        ("POST commit", committed()),
        ("GET getExportResult", status("PROCESSED")),
    ]);
    world.push(&two()).unwrap();
}

#[test]
fn a_calculated_key_figure_is_drift_and_not_an_outage() {
    let steps = vec![
        ("GET ", token(1)),
        ("POST ZPATrans", refusal(500, "invalid column name: TWINCAPALIVE")),
    ];
    let world = World::new(steps);
    let error = world.push(&two()).unwrap_err();
    assert_eq!(error.class, Class::Drift);
    assert!(error.message.contains("TWINCAPALIVE") && error.cure.is_some(), "{error}");
    assert!(error.took_nothing, "no commit was sent: its cells are free again");
}

#[test]
fn a_fault_of_the_service_at_columns_that_it_takes_is_no_drift() {
    let fault = "Data Services internal error";
    let world = World::new(vec![
        ("GET ", token(1)),
        ("POST ZPATrans", created()),
        ("POST commit", committed()),
        ("GET getExportResult", status("PROCESSED")),
        ("GET ", token(2)),
        ("POST ZPATrans", refusal(500, fault)),
    ]);
    world.push(&two()).unwrap();
    let error = world.push(&two()).unwrap_err();
    assert_eq!(error.class, MAYBE, "{error}");
    assert!(error.took_nothing && error.message.contains(fault), "{error}");
}

#[test]
fn nothing_is_sent_for_nothing() {
    let world = World::new(vec![]);
    assert!(world.push(&batch(vec![])).unwrap().rows.is_empty());
    let refused = batch(vec![cell("live", "LINE-1", "2026-W02", "1.005")]);
    let outcome = world.push(&refused).unwrap();
    assert!(matches!(outcome.rows[0], RowOutcome::Rejected(_)));
    assert_eq!(outcome.receipt.verdict, "NOT_SENT");

    let small =
        World::with(vec![], |settings| settings["transaction"] = json!({"segment_rows": 1}));
    let many = (0..5).map(|n| cell("live", &format!("L{n}"), "2026-W02", "1")).collect();
    assert_eq!(small.push(&batch(many)).unwrap_err().class, Class::Fatal);
    assert!(small.heard().is_empty(), "refused before any request");

    let mixed = World::new(vec![]);
    let cells =
        vec![cell("live", "LINE-1", "2026-W02", "1"), cell("cut", "LINE-2", "2026-W02", "1")];
    let error = mixed.push(&batch(cells)).unwrap_err();
    assert_eq!(error.class, Class::Fatal);
    assert!(error.took_nothing && mixed.heard().is_empty(), "two lists of columns under one id");
}

#[test]
fn switches_change_the_wire_and_only_the_wire() {
    let world = World::with(
        vec![
            ("GET getTransactionID?$format=json", answer(200, &json!({"d": {"Value": "SERVER1"}}))),
            ("GET ", token(1)),
            (
                "POST InitiateParallelProcess?Transactionid='SERVER1'&PlanningArea='ZPA'&VersionID='UPSIDE'&ScenarioID=''&TransactionName='PT'",
                refusal(404, "no such function"),
            ),
            (
                "POST ZPATrans?P_RETURN_MIN=X",
                answer(201, &json!({"d": {"Transactionid": "SERVER1"}})),
            ),
            ("PUT Commit?P_TransactionID='SERVER1'", committed()),
            ("GET getExportResult?P_TransactionID='SERVER1'", status("PROCESSED")),
        ],
        |settings| {
            settings["transaction"] = json!({"id_from_service": true, "return_min": true,
                "initiate_parallel_process": true, "transaction_name": "PT"});
            settings["operations"] = json!({"commit": {"verb": "PUT", "name": "Commit"}});
        },
    );
    let outcome = world.push(&two()).unwrap();
    assert_eq!(outcome.receipt.handle, "SERVER1");
    let body: Value = serde_json::from_slice(world.script.heard.lock().unwrap()[3].body()).unwrap();
    assert_eq!(
        (&body["Transactionid"], &body["TransactionName"]),
        (&json!("SERVER1"), &json!("PT"))
    );
}

#[test]
fn before_the_first_row_nothing_can_have_happened() {
    let lost = || Reply::Lost(Sent::Maybe);
    let world =
        World::new(vec![("GET ", lost()), ("GET ", lost()), ("GET ", lost()), ("GET ", lost())]);
    let error = world.push(&two()).unwrap_err();
    assert!(matches!(error.class, Class::Transient { .. }), "{error}");
    assert!(matches!(world.poll(&two()), Ok(Poll::NotTaken { .. })));
}
