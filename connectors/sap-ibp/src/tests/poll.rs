//! What is made of an attempt later: unclear commits, states, messages, rows.

use planthread_contracts::RowOutcome;
use planthread_kit::{Class, Poll, Sent};
use serde_json::json;

use super::*;

const MAYBE: Class = Class::Transient { sent: Sent::Maybe };
const ASK: &str = "GET getExportResult?P_TransactionID='0123456789abcdef0123456789abcdef'";

/// The end that a poll must tell.
fn done(world: &World) -> PushOutcome {
    match world.poll(&two()).unwrap() {
        Poll::Done(outcome) => outcome,
        other => panic!("{other:?}"),
    }
}

fn is_running(world: &World, word: &str) -> bool {
    matches!(world.poll(&two()).unwrap(), Poll::Running { state } if state == word)
}

fn is_not_taken(world: &World) -> bool {
    matches!(world.poll(&two()).unwrap(), Poll::NotTaken { .. })
}

/// A push whose commit ends with `commit`, then the given answers to settle.
fn after(commit: Reply, later: Vec<(&'static str, Reply)>) -> (World, Class) {
    let mut steps = vec![("GET ", token(1)), ("POST ZPATrans", created()), ("POST commit", commit)];
    steps.extend(later);
    let world = World::new(steps);
    let error = world.submit(&two()).unwrap_err();
    (world, error.class)
}

#[test]
fn an_unclear_commit_is_settled_by_the_services_own_word() {
    for fault in [Reply::Hang, Reply::Lost(Sent::Maybe), text(502, "")] {
        let (world, class) =
            after(fault, vec![(ASK, status("PROCESSING")), (ASK, status("PROCESSED"))]);
        assert_eq!(class, MAYBE);
        assert_eq!(world.note("stage").as_deref(), Some("committing"));
        assert!(is_running(&world, "PROCESSING"));
        let outcome = done(&world);
        let receipt = &outcome.receipt;
        assert_eq!((receipt.handle.as_str(), receipt.verdict.as_str()), (ID, "PROCESSED"));
        assert_eq!(outcome.rows, [RowOutcome::Accepted, RowOutcome::Accepted]);
        assert_eq!(world.left(), 0, "one commit, no second one");
    }
}

#[test]
fn initial_counts_as_not_taken_only_after_a_grace() {
    let (world, _) =
        after(Reply::Lost(Sent::Maybe), vec![(ASK, status("INITIAL")), (ASK, status("INITIAL"))]);
    assert!(is_running(&world, "INITIAL"), "a commit on its way looks like this too");
    world.clock.advance(Duration::from_secs(121));
    assert!(is_not_taken(&world));
}

#[test]
fn a_commit_that_was_taken_will_start_however_long_it_takes() {
    let world = begun(vec![(ASK, status("INITIAL")), (ASK, status("PROCESSED"))]);
    world.clock.advance(Duration::from_hours(5));
    assert!(is_running(&world, "INITIAL"));
    assert_eq!(done(&world).rows, [RowOutcome::Accepted, RowOutcome::Accepted]);
}

#[test]
fn only_a_clear_refusal_of_a_commit_is_not_taken() {
    for (status, is) in
        [(400, Class::Drift), (403, Class::Auth), (404, Class::Drift), (405, Class::Drift)]
    {
        let (world, class) = after(refusal(status, "refused"), vec![]);
        assert_eq!(class, is, "{status}");
        assert!(is_not_taken(&world), "{status}: without asking");
    }
}

#[test]
fn an_odd_answer_to_a_commit_is_settled_by_the_services_own_word() {
    for status in [302, 307, 408, 409, 410, 412, 418, 425, 451, 499] {
        let ask = (ASK, self::status("PROCESSED"));
        let (world, class) = after(text(status, "<html>proxy</html>"), vec![ask]);
        assert_eq!(class, MAYBE, "{status}");
        assert_eq!(world.note("stage").as_deref(), Some("committing"), "{status}");
        done(&world);
    }
    let calculated = refusal(500, "invalid column name: TWINCAPALIVE");
    assert_eq!(after(calculated, vec![]).1, MAYBE, "said too late to be a refusal");
}

#[test]
fn a_question_without_an_answer_changes_nothing() {
    let lost = (0..4).map(|_| (ASK, Reply::Lost(Sent::No)));
    let world = begun(lost.chain([(ASK, status("PROCESSED"))]).collect());
    assert!(matches!(world.poll(&two()).unwrap_err().class, Class::Transient { .. }));
    assert_eq!(done(&world).rows, [RowOutcome::Accepted, RowOutcome::Accepted]);
}

#[test]
fn an_attempt_without_notes_was_not_taken() {
    assert!(is_not_taken(&World::new(vec![])));
}

#[test]
fn rejected_rows_are_named_and_the_others_wait_for_their_proof() {
    let rows = json!([
        {"ExceptionId": "7", "MsgText": "unknown combination", "NavZPAMessage":
            {"RESID": "LINE-2", "LOCID": "1010", "PERIODID4_TSTAMP": "/Date(1767571200000)/"}}]);
    let world = begun(vec![
        (ASK, status("PROCESSED_WITH_ERRORS")),
        (
            "GET ZPAMessage?$filter=Transactionid eq '0123456789abcdef0123456789abcdef'&$expand=NavZPAMessage",
            answer(200, &json!({"d": {"results": rows}})),
        ),
    ]);
    let outcome = done(&world);
    assert_eq!(outcome.rows[0], RowOutcome::Unproven);
    let RowOutcome::Rejected(rejection) = &outcome.rows[1] else { panic!("{:?}", outcome.rows) };
    assert_eq!(rejection.reason, "unknown combination");
    assert_eq!((outcome.refused_unnamed, outcome.failed), (0, false));
}

#[test]
fn refusals_that_name_no_row_are_counted_and_judge_none() {
    let rows = json!([{"ExceptionId": "1", "MsgText": "a row was rejected"},
        {"ExceptionId": "2", "MsgText": "a row was rejected"}]);
    let answers = [
        (vec![answer(200, &json!({"d": {"results": rows}}))], 2),
        (vec![answer(200, &json!({"d": {"results": []}}))], 1),
        (vec![refusal(400, "no"), refusal(404, "no")], 1),
    ];
    for (messages, unnamed) in answers {
        let mut later = vec![(ASK, status("PROCESSED_WITH_ERRORS"))];
        later.extend(messages.into_iter().map(|reply| ("GET ZPAMessage", reply)));
        let outcome = done(&begun(later));
        assert_eq!(outcome.rows, [RowOutcome::Unproven, RowOutcome::Unproven]);
        assert_eq!(outcome.refused_unnamed, unnamed, "the state says that there is one");
    }
}

#[test]
fn a_failed_import_is_told_by_its_state_and_with_its_text() {
    let rows = json!([{"ExceptionId": "7", "MsgText": "RESID LINE-2 does not exist"}]);
    let world = begun(vec![
        (ASK, status("ERROR")),
        ("GET ZPAMessage", refusal(400, "expand is not supported")),
        (
            "GET ZPAMessage?$filter=Transactionid eq '0123456789abcdef0123456789abcdef'&$top=2000",
            answer(200, &json!({"d": {"results": rows}})),
        ),
    ]);
    let outcome = done(&world);
    assert_eq!(outcome.receipt.verdict, "ERROR: RESID LINE-2 does not exist");
    assert!(matches!(outcome.rows[1], RowOutcome::Rejected(_)) && outcome.failed);
    assert_eq!(outcome.rows[0], RowOutcome::Unproven);
}

#[test]
fn messages_that_do_not_answer_now_are_asked_for_again() {
    let lost = || (0..8).map(|_| ("GET ZPAMessage", Reply::Lost(Sent::No)));
    let rows = json!([{"MsgText": "RESID LINE-2 does not exist"}]);
    let mut later = vec![(ASK, status("PROCESSED_WITH_ERRORS"))];
    later.extend(lost());
    later.push((ASK, status("PROCESSED_WITH_ERRORS")));
    later.push(("GET ZPAMessage", answer(200, &json!({"d": {"results": rows}}))));
    let world = begun(later);
    assert!(world.poll(&two()).is_err(), "the reasons of the refused rows are not lost");
    assert!(matches!(done(&world).rows[1], RowOutcome::Rejected(_)));
}

#[test]
fn rows_that_are_encoded_in_another_way_since_are_judged_by_nobody() {
    let rows = json!([{"MsgText": "RESID LINE-2 does not exist"}]);
    let messages = || ("GET ZPAMessage", answer(200, &json!({"d": {"results": rows}})));
    for (word, unnamed) in [("PROCESSED", 0), ("PROCESSED_WITH_ERRORS", 1)] {
        let mut later = vec![(ASK, status(word)), (ASK, status(word))];
        if unnamed > 0 {
            later = vec![(ASK, status(word)), messages(), (ASK, status(word)), messages()];
        }
        let world = begun(later);
        let judged = done(&world).rows.iter().filter(|row| **row != RowOutcome::Unproven).count();
        assert!(judged > 0, "{word}: as it went out");
        world.notes.0.lock().unwrap().insert("encoding".to_owned(), "another".to_owned());
        let outcome = done(&world);
        assert_eq!(outcome.rows, [RowOutcome::Unproven, RowOutcome::Unproven], "{word}");
        assert_eq!(outcome.refused_unnamed, unnamed, "{word}");
    }
}

#[test]
fn a_state_nobody_knows_is_for_the_read_back() {
    for state in [status("ARCHIVED"), refusal(404, "unknown transaction")] {
        let world = begun(vec![(ASK, state)]);
        let now = world.clock.now();
        let Poll::Unknown { until } = world.poll(&two()).unwrap() else { panic!("unknown") };
        assert!(until > now, "it may still take effect");
    }
}
