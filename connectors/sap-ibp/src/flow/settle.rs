//! Unclear commits, and what is made of them later.

use planthread_kit::{Class, Sent, Settlement};

use super::*;

const MAYBE: Class = Class::Transient { sent: Sent::Maybe };

/// A push whose commit ends with `commit`, then the given answers to settle.
fn after(commit: Reply, later: Vec<(&'static str, Reply)>) -> (World, Class) {
    let mut steps = vec![("GET ", token(1)), ("POST ZPATrans", created()), ("POST commit", commit)];
    steps.extend(later);
    let world = World::new(steps);
    let batch = two();
    let attempt = world.attempt();
    let error = world.clock.block_on(world.connector.push(&batch, &attempt)).unwrap_err();
    (world, error.class)
}

fn settle(world: &World) -> Settlement {
    world.clock.block_on(world.connector.settle(&world.record())).unwrap()
}

#[test]
fn an_unclear_commit_is_settled_by_the_services_own_word() {
    let ask = "GET getExportResult?P_TransactionID='0123456789abcdef0123456789abcdef'";
    for fault in [Reply::Hang, Reply::Lost(Sent::Maybe), text(502, "")] {
        let (world, class) =
            after(fault, vec![(ask, status("PROCESSING")), (ask, status("PROCESSED"))]);
        assert_eq!(class, MAYBE);
        assert_eq!(world.note("stage").as_deref(), Some("committing"));
        assert_eq!(settle(&world), Settlement::Running);
        let Settlement::Landed(receipt) = settle(&world) else { panic!("landed") };
        assert_eq!((receipt.handle.as_str(), receipt.verdict.as_str()), (ID, "PROCESSED"));
        assert_eq!(world.left(), 0, "one commit, no second one");
    }
}

#[test]
fn initial_counts_as_not_taken_only_after_a_grace() {
    let ask = "GET getExportResult";
    let (world, _) =
        after(Reply::Lost(Sent::Maybe), vec![(ask, status("INITIAL")), (ask, status("INITIAL"))]);
    assert_eq!(settle(&world), Settlement::Running, "a commit on its way looks like this too");
    world.clock.advance(Duration::from_secs(121));
    assert_eq!(settle(&world), Settlement::NotTaken);
}

#[test]
fn partial_success_landed_and_failure_is_for_the_read_back() {
    let ask = "GET getExportResult";
    let later = vec![
        (ask, status("PROCESSED_WITH_ERRORS")),
        (ask, status("ERROR")),
        (ask, refusal(404, "unknown")),
        (ask, status("SOMETHING")),
    ];
    let (world, _) = after(Reply::Hang, later);
    assert!(matches!(settle(&world), Settlement::Landed(_)));
    for _ in 0..3 {
        assert_eq!(settle(&world), Settlement::Unknown);
    }
}

#[test]
fn only_a_clear_refusal_of_a_commit_is_not_taken() {
    for (status, is) in
        [(400, Class::Drift), (403, Class::Auth), (404, Class::Drift), (405, Class::Drift)]
    {
        let (world, class) = after(refusal(status, "refused"), vec![]);
        assert_eq!(class, is, "{status}");
        assert_eq!(settle(&world), Settlement::NotTaken, "{status}: without asking");
    }
}

#[test]
fn an_odd_answer_to_a_commit_is_settled_by_the_services_own_word() {
    for status in [302, 307, 408, 409, 410, 412, 418, 425, 451, 499] {
        let ask = ("GET getExportResult", self::status("PROCESSED"));
        let (world, class) = after(text(status, "<html>proxy</html>"), vec![ask]);
        assert_eq!(class, MAYBE, "{status}");
        assert_eq!(world.note("stage").as_deref(), Some("committing"), "{status}");
        assert!(matches!(settle(&world), Settlement::Landed(_)), "{status}");
    }
    let calculated = refusal(500, "invalid column name: TWINCAPALIVE");
    assert_eq!(after(calculated, vec![]).1, MAYBE, "said too late to be a refusal");
}

#[test]
fn after_the_commit_every_failure_is_unclear() {
    let mut steps =
        vec![("GET ", token(1)), ("POST ZPATrans", created()), ("POST commit", committed())];
    steps.extend((0..4).map(|_| ("GET getExportResult", Reply::Lost(Sent::No))));
    steps.push(("GET getExportResult", status("INITIAL")));
    let world = World::new(steps);
    let batch = two();
    let attempt = world.attempt();
    let error = world.clock.block_on(world.connector.push(&batch, &attempt)).unwrap_err();
    assert_eq!(error.class, MAYBE, "the rows may be in effect");
    assert_eq!(settle(&world), Settlement::Running, "the commit was taken: it will start");
}

#[test]
fn an_import_that_never_ends_is_left_to_be_settled() {
    let mut steps =
        vec![("GET ", token(1)), ("POST ZPATrans", created()), ("POST commit", committed())];
    steps.extend((0..4).map(|_| ("GET getExportResult", status("PROCESSING"))));
    let world = World::with(steps, |settings| {
        settings["polling"] = serde_json::json!({"every_seconds": 5, "limit_seconds": 15});
    });
    let batch = two();
    let attempt = world.attempt();
    let error = world.clock.block_on(world.connector.push(&batch, &attempt)).unwrap_err();
    assert_eq!(error.class, MAYBE);
    assert!(error.message.contains("15 s"), "{error}");
}

#[test]
fn an_attempt_without_notes_was_not_taken() {
    let world = World::new(vec![]);
    assert_eq!(settle(&world), Settlement::NotTaken);
}
