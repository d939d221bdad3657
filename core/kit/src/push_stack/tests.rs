//! Pushes against a scripted connector, under the virtual clock.

mod world;

use planthread_contracts::Rejection;
use proptest::prelude::*;

use self::world::{Push, batch, ended, not_taken, running, unknown, world};
use super::*;
use crate::BreakerPolicy;

const DOWN: Class = Class::Transient { sent: Sent::No };

fn rows(end: &PushEnd) -> &[RowOutcome] {
    match end {
        PushEnd::Done { outcome, .. } => &outcome.rows,
        other => panic!("{other:?}"),
    }
}

fn parked(end: &PushEnd) -> (Class, Option<u64>, bool) {
    match end {
        PushEnd::Parked { error, after, open } => {
            (error.class, after.map(|after| after.as_secs()), open.is_some())
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_attempt_is_durable_before_it_starts_and_closed_with_its_rows() {
    let world = world(&[Push::Takes], &[]);
    assert_eq!(rows(&world.run()), [RowOutcome::Accepted, RowOutcome::Accepted]);
    assert_eq!(world.story(), "open submit close:done");
}

#[test]
fn a_push_may_run_on_any_thread() {
    fn sendable<T: Send>(_: T) {}
    let (world, breakers) = (world(&[], &[]), Breakers::new(BreakerPolicy::default()));
    let policy = &PushPolicy::default();
    let stack = world.stack(policy, &breakers);
    let (batch, id) = (batch(1), AttemptId::draw(&world.clock));
    sendable(stack.push(&batch));
    sendable(stack.settle(&id));
}

#[test]
fn nothing_is_sent_for_an_empty_batch_or_without_a_durable_attempt() {
    let breakers = Breakers::new(BreakerPolicy::default());
    let empty = world(&[], &[]);
    let end = empty.run_with(&PushPolicy::default(), &breakers, 0);
    assert!(matches!(end, PushEnd::Empty));
    assert_eq!(empty.story(), "");

    let broken = world(&[], &[]).broken_at("open");
    assert_eq!(parked(&broken.run()), (Class::Fatal, None, false));
    assert_eq!(broken.story(), "open");
}

#[test]
fn what_was_not_sent_goes_out_in_a_new_attempt() {
    let world = world(&[Push::Fails(DOWN)], &[]);
    assert_eq!(rows(&world.run()).len(), 2);
    assert_eq!(world.story(), "open submit close:not-taken open submit close:done");
}

#[test]
fn an_unclear_attempt_is_settled_before_anything_is_sent_again() {
    let asked = world(&[Push::Fails(UNCLEAR)], &[Ok(running()), Err(DOWN), Ok(not_taken())]);
    assert_eq!(rows(&asked.run()), [RowOutcome::Accepted, RowOutcome::Accepted]);
    assert_eq!(asked.story(), "open submit poll poll poll close:not-taken open submit close:done");

    let taken = world(&[Push::Fails(UNCLEAR)], &[Ok(running()), Ok(ended())]);
    assert_eq!(rows(&taken.run()), [RowOutcome::Accepted, RowOutcome::Accepted]);
    assert_eq!(taken.story(), "open submit poll poll close:done");
}

#[test]
fn a_job_is_waited_for_and_its_rows_are_told_at_its_end() {
    let world = world(&[Push::Works], &[Ok(running()), Err(DOWN), Ok(running()), Ok(ended())]);
    assert_eq!(rows(&world.run()), [RowOutcome::Accepted, RowOutcome::Accepted]);
    assert_eq!(world.story(), "open submit poll poll poll poll close:done");
    let every = i64::try_from(PushPolicy::default().poll_every.as_secs()).unwrap();
    assert!(world.seconds() >= 4 * every, "a wait before each question: {}", world.seconds());
}

#[test]
fn a_job_that_took_no_effect_is_tried_again_in_a_new_attempt() {
    let world = world(&[Push::Works], &[Ok(not_taken())]);
    assert_eq!(rows(&world.run()), [RowOutcome::Accepted, RowOutcome::Accepted]);
    assert_eq!(world.story(), "open submit poll close:not-taken open submit close:done");

    let policy = PushPolicy { attempts: 1, ..PushPolicy::default() };
    let last = world::world(&[Push::Works], &[Ok(not_taken())]);
    let end = last.run_with(&policy, &Breakers::new(BreakerPolicy::default()), 2);
    let PushEnd::Parked { error, open: None, .. } = &end else { panic!("{end:?}") };
    assert!(error.to_string().contains("nothing was staged"), "{error}");
}

#[test]
fn a_job_at_its_wait_limit_stays_open_and_another_process_polls_on() {
    let limit = PushPolicy::default().wait_limit;
    let world = world(&[Push::Works], &[]);
    let end = world.run();
    let PushEnd::Parked { error, open: Some(id), .. } = &end else { panic!("{end:?}") };
    assert!(error.message.contains("WORKING") && error.cure.is_some(), "{error}");
    assert!(world.seconds() <= i64::try_from(limit.as_secs()).unwrap());
    assert!(!world.story().contains("close"), "{}", world.story());
    world.polls.lock().unwrap().push_back(Ok(ended()));
    let before = world.seconds();
    assert!(matches!(world.settle(id), Settled::Done(_)));
    assert!(world.story().ends_with("poll close:done"));
    assert_eq!(world.seconds(), before, "what an earlier wait left open is asked for at once");
}

/// Whoever is told to stop drops the future, whatever it waits for.
#[test]
fn a_push_that_is_dropped_leaves_its_attempt_open() {
    for (push, polls) in [
        (Push::Hangs(9_000), vec![]),
        (Push::Works, vec![Ok(running()); 9]),
        (Push::Works, vec![Err(DOWN); 9]),
        (Push::Fails(UNCLEAR), vec![Ok(running()); 9]),
    ] {
        for seconds in 1..20 {
            let world = world(std::slice::from_ref(&push), &polls);
            assert!(world.run_for(seconds).is_none(), "{push:?}");
            let story = world.story();
            assert!(story.starts_with("open submit") && !story.contains("close"), "{story}");
        }
    }
}

#[test]
fn what_the_target_cannot_tell_is_never_sent_again() {
    let unknown = world(&[Push::Fails(UNCLEAR)], &[Ok(unknown())]);
    assert!(matches!(unknown.run(), PushEnd::Unproven { .. }));
    assert_eq!(unknown.story(), "open submit poll close:unknown");
}

#[test]
fn an_attempt_that_stays_unclear_stays_open() {
    let policy = PushPolicy::default();
    let endless = world(&[Push::Fails(UNCLEAR)], &[]);
    assert_eq!(parked(&endless.run()), (UNCLEAR, None, true));
    let limit = i64::try_from(policy.wait_limit.as_secs()).unwrap();
    assert!(endless.seconds() <= limit, "{}", endless.seconds());
    assert!(!endless.story().contains("close"), "{}", endless.story());

    let silent = world(&[Push::Fails(UNCLEAR)], &vec![Err(DOWN); 99]);
    assert_eq!(parked(&silent.run()), (DOWN, None, true));
    let asked = silent.story().matches("poll").count();
    assert_eq!(asked, usize::try_from(policy.unanswered).unwrap(), "nobody is hammered");

    let locked_out = world(&[Push::Fails(UNCLEAR)], &[Err(Class::Auth)]);
    assert_eq!(parked(&locked_out.run()), (Class::Auth, None, true));
    assert_eq!(locked_out.story(), "open submit poll");
}

#[test]
fn an_attempt_past_its_deadline_is_unclear_and_its_size_is_not_tried_again() {
    let late = world(&[Push::Hangs(7_200)], &[Ok(not_taken())]);
    assert!(matches!(late.run(), PushEnd::TooLarge { .. }));
    assert_eq!(late.story(), "open submit poll close:not-taken", "once");
    let taken = world(&[Push::Hangs(7_200)], &[Ok(ended())]);
    assert_eq!(rows(&taken.run()).len(), 2, "it was only the answer that was late");
}

#[test]
fn throttling_is_waited_for_within_the_budget_and_parks_beyond() {
    let after = |secs| Class::Throttled { after: Duration::from_secs(secs) };
    let short = world(&[Push::Fails(after(90))], &[]);
    assert_eq!(rows(&short.run()).len(), 2);
    assert_eq!(short.seconds(), 90);

    let long = world(&[Push::Fails(after(9_000))], &[]);
    assert_eq!(parked(&long.run()), (after(9_000), Some(9_000), false));
    assert_eq!((long.seconds(), long.story()), (0, "open submit close:not-taken".to_owned()));
}

#[test]
fn a_wait_without_end_is_told_and_not_added_up() {
    let forever = Class::Throttled { after: Duration::MAX };
    let end = world(&[Push::Fails(forever)], &[]).run();
    assert_eq!(parked(&end), (forever, Some(u64::MAX), false));
    let end = world(&[Push::Fails(UNCLEAR)], &[Err(forever)]).run();
    assert_eq!(parked(&end), (forever, Some(u64::MAX), true));
}

#[test]
fn what_needs_a_person_parks_at_once_and_keeps_its_attempt() {
    for class in [Class::Auth, Class::Drift, Class::Fatal] {
        let world = world(&[Push::Fails(class)], &[]);
        assert_eq!(parked(&world.run()), (class, None, true));
        assert_eq!(world.story(), "open submit");
    }
}

#[test]
fn what_provably_took_nothing_lets_its_cells_go_and_is_not_sent_again() {
    for class in [Class::Auth, Class::Drift, Class::Fatal] {
        let refused = world(&[Push::Refuses(class)], &[]);
        assert_eq!(parked(&refused.run()), (class, None, false));
        assert_eq!(refused.story(), "open submit close:not-taken", "one submit, and nobody asks");
        let broken = world(&[Push::Refuses(class)], &[]).broken_at("close:not-taken");
        assert_eq!(parked(&broken.run()), (Class::Fatal, None, true));
    }
    // What may have taken effect is settled, whatever an error says beside it.
    let unclear = world(&[Push::Refuses(UNCLEAR)], &[Ok(not_taken())]);
    unclear.run();
    assert_eq!(unclear.story(), "open submit poll close:not-taken open submit close:done");
    let error = ConnectorError::new(Class::Drift, "stage rows", "x").took_nothing();
    assert!(!error.after_effect().took_nothing);
}

#[test]
fn a_target_that_is_down_is_left_alone() {
    let breakers = Breakers::new(BreakerPolicy { failures: 6, open_for: Duration::from_mins(5) });
    let policy = PushPolicy::default();
    let down = vec![Push::Fails(DOWN); 99];
    let world = world(&down, &[]);
    assert_eq!(parked(&world.run_with(&policy, &breakers, 1)), (DOWN, None, false));
    assert_eq!(world.story().matches("submit").count(), 4, "the budget of attempts");
    let (class, after, open) = parked(&world.run_with(&policy, &breakers, 1));
    assert!(matches!(class, Class::Throttled { .. }) && after.is_some() && !open);
    assert_eq!(world.story().matches("submit").count(), 6);
    assert!(matches!(world.run_with(&policy, &breakers, 1), PushEnd::Parked { .. }));
    assert_eq!(world.story().matches("submit").count(), 6, "open: not even tried");

    world.pushes.lock().unwrap().clear();
    world.clock.advance(Duration::from_mins(5));
    assert_eq!(rows(&world.run_with(&policy, &breakers, 1)).len(), 1);
}

#[test]
fn a_job_of_which_nobody_tells_is_asked_about_once_a_minute() {
    let breakers = Breakers::new(BreakerPolicy::default());
    let world = world(&[Push::Works], &vec![Err(DOWN); 99]);
    let (class, _, open) = parked(&world.run_with(&PushPolicy::default(), &breakers, 1));
    assert!((class, open) == (DOWN, true), "{class:?}");
    let asked = PushPolicy::default().unanswered;
    assert_eq!(
        world.story().matches("poll").count(),
        asked as usize,
        "not asked is not unanswered"
    );
    assert!(world.seconds() >= 60 * i64::from(asked - 5), "{}", world.seconds());
    let now = world.clock.now();
    let standing = Operation::ALL.map(|operation| breakers.standing(operation, now).word());
    assert_eq!(standing, ["closed", "closed", "open"], "it may be read, and written");
}

#[test]
fn no_row_is_judged_by_its_place_when_the_count_is_wrong() {
    let world = world(&[Push::Miscounts], &[]);
    assert_eq!(rows(&world.run()), [RowOutcome::Unproven, RowOutcome::Unproven]);
}

#[test]
fn an_end_that_cannot_be_kept_leaves_the_attempt_open() {
    for (broken, push) in [("close:done", Push::Takes), ("close:not-taken", Push::Fails(DOWN))] {
        let world = world(&[push], &[]).broken_at(broken);
        assert_eq!(parked(&world.run()), (Class::Fatal, None, true), "{broken}");
        assert_eq!(world.story(), format!("open submit {broken}"));
    }
}

#[test]
fn refused_rows_are_no_failure_of_the_push() {
    let world = world(&[], &[]);
    let rejected = RowOutcome::Rejected(Rejection {
        reason: "no such resource".to_owned(),
        vendor_code: None,
        cure: "create it".to_owned(),
    });
    let (policy, breakers) = (PushPolicy::default(), Breakers::new(BreakerPolicy::default()));
    let stack = world.stack(&policy, &breakers);
    let attempt = stack.log.open(&batch(2)).unwrap();
    let outcome = PushOutcome::new(world.receipt(), vec![RowOutcome::Accepted, rejected]);
    let end = stack.close(attempt.id(), &batch(2), outcome.clone());
    assert!(matches!(end, Settled::Done(same) if same == outcome));
    assert_eq!(world.story(), "open close:done");
}

/// What a truthful target does in one attempt: whether it takes effect, how
/// the push ends, and what it answers when it is asked.
#[derive(Debug, Clone)]
struct Truth {
    effect: bool,
    push: Push,
    polls: Vec<Result<Poll, Class>>,
}

fn truth() -> impl Strategy<Value = Truth> {
    let after = Duration::from_secs(30);
    let refused = prop::sample::select(vec![DOWN, Class::Throttled { after }]);
    let unclear = prop::sample::select(vec![UNCLEAR, UNCLEAR, Class::Drift, Class::Auth]);
    let asked = prop::collection::vec(
        prop::sample::select(vec![
            Ok(running()),
            Err(DOWN),
            Err(UNCLEAR),
            Err(Class::Throttled { after }),
        ]),
        0..4,
    );
    (ways(refused, unclear), asked, 0_u8..3).prop_map(|((effect, push), mut polls, last)| {
        polls.push(match (last, effect) {
            (0, _) => Ok(unknown()),
            (_, true) => Ok(ended()),
            (_, false) => Ok(not_taken()),
        });
        Truth { effect, push, polls }
    })
}

fn ways(
    refused: impl Strategy<Value = Class>,
    unclear: impl Strategy<Value = Class>,
) -> impl Strategy<Value = (bool, Push)> {
    prop_oneof![
        Just((true, Push::Takes)),
        any::<bool>().prop_map(|effect| (effect, Push::Works)),
        refused.prop_map(|class| (false, Push::Fails(class))),
        prop::sample::select(vec![Class::Drift, Class::Fatal])
            .prop_map(|class| (false, Push::Refuses(class))),
        (any::<bool>(), unclear).prop_map(|(effect, class)| (effect, Push::Fails(class))),
    ]
}

proptest! {
    /// Whatever a truthful target says or keeps to itself, a batch takes
    /// effect at most once, and the end never claims what isn't so.
    #[test]
    fn nothing_is_doubled_and_nothing_is_lost(truths in prop::collection::vec(truth(), 1..6)) {
        let pushes: Vec<Push> = truths.iter().map(|truth| truth.push.clone()).collect();
        let polls: Vec<_> = truths
            .iter()
            .filter(|truth| matches!(truth.push, Push::Fails(UNCLEAR) | Push::Works))
            .flat_map(|truth| truth.polls.clone())
            .collect();
        let world = world(&pushes, &polls);
        let end = world.run();
        let story = world.story();
        let sent = story.matches("submit").count();
        let taken = |n: usize| truths.get(n).is_none_or(|truth| truth.effect);
        let effects = (0..sent).filter(|n| taken(*n)).count();
        prop_assert!(effects <= 1, "{story}");
        prop_assert!(sent <= 4);
        prop_assert!(world.seconds() <= 2 * 3_600);
        match end {
            PushEnd::Done { .. } => prop_assert!(effects == 1 && taken(sent - 1), "{story}"),
            PushEnd::Parked { open: None, .. } => prop_assert_eq!(effects, 0, "{}", story),
            PushEnd::Parked { open: Some(_), .. } | PushEnd::Unproven { .. } => {}
            PushEnd::TooLarge { .. } | PushEnd::Empty => prop_assert!(false, "the batch has cells"),
        }
    }
}
