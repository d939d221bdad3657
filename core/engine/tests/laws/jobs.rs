//! A push is a durable job: it is waited for, left, and taken up again, and
//! what its target says late still reaches the cells.

use planthread_engine::{
    ledger,
    plan::waiting,
    push::{Ending as Decided, EndingError},
    verify::Which,
};
use planthread_kit::{AttemptId, Clock as _};

use crate::{
    fake::{Ending, Fault},
    world::{World, d, ended_by_mara, key},
};

/// More questions than are asked before the wait limit.
pub(crate) const FOR_EVER: u32 = 1_000_000;

/// A world in which one batch is wanted, and how its job goes.
fn wanted(fault: Fault) -> World {
    let world = World::new();
    world.want(&[("R1", 48, "100")]);
    world.fake.inside().faults.push_back(fault);
    world
}

/// The job that runs ends at the next question.
pub(crate) fn end(world: &World) {
    world.fake.inside().jobs.values_mut().for_each(|job| job.0 = 0);
}

#[test]
fn a_job_that_takes_its_time_is_waited_for() {
    let world = wanted(Fault::Works(40, Ending::Takes));
    let (_, applied, sweep) = world.land();
    assert_eq!((applied.accepted, sweep.landed), (4, 4));
    world.audit();
}

#[test]
fn law_13_rows_that_are_refused_late_keep_their_reason_also_after_a_crash() {
    for dies in [false, true] {
        let polls = if dies { FOR_EVER } else { 3 };
        let mut world = wanted(Fault::Works(polls, Ending::Rejects));
        let (_, plan) = world.plan();
        if dies {
            assert!(world.apply(&plan, false).is_none(), "it waits, and is killed");
            assert_eq!(world.status().open_attempts, 1);
            // Truth moves on meanwhile: the refusal belongs to what was sent.
            world.want(&[("R1", 48, "90")]);
            end(&world);
            assert_eq!(world.crash().done, 1);
        } else {
            assert_eq!(world.apply(&plan, false).unwrap().rejected, 1);
        }
        let refused = key("R1", 48, "asof");
        let trace = ledger::trace(&world.reader(), &refused, world.clock.now()).unwrap();
        let told = trace.attempts[0].rejection.clone().unwrap();
        assert_eq!(told.reason, "resource unknown", "killed: {dies}");
        assert_eq!(trace.attempts[0].outcome.as_deref(), Some("rejected"));
        world.audit();
    }
}

#[test]
fn law_12_a_job_at_its_wait_limit_stays_open_and_is_taken_up_again() {
    let world = wanted(Fault::Works(FOR_EVER, Ending::Takes));
    let (_, plan) = world.plan();
    let applied = world.apply_for(&plan, 60).unwrap();
    let stopped = applied.stopped.unwrap();
    assert!(stopped.message.contains("IMPORTING"), "{stopped}");
    assert_eq!((applied.unproven, world.status().open_attempts), (4, 1));
    assert_eq!(world.plan().0.counts.cells, 0, "its cells wait");
    end(&world);
    let recovered = world.recover();
    assert_eq!((recovered.done, recovered.read_back.landed), (1, 4));
    assert_eq!(world.fake.inside().effects.len(), 4, "once");
    world.audit();
}

#[test]
fn law_13_a_row_that_is_refused_by_count_is_rejected_and_not_sent_for_ever() {
    let world = wanted(Fault::Works(1, Ending::Counts));
    let (_, applied, early) = world.land();
    assert_eq!((applied.rejected, applied.unproven), (0, 4));
    assert_eq!((early.landed, early.not_yet, early.refused), (3, 1, 0));
    assert_eq!((applied.refused_unnamed, early.not_yet_unnamed), (1, 1));
    // Until when nobody knows is told wherever it waits.
    let until = early.not_yet_until;
    let cell = ledger::cell(&world.reader(), &key("R1", 48, "asof"), world.clock.now()).unwrap();
    assert_eq!(until, Some(cell.sent_at.unwrap() + world.policy().settle_window));
    let waits = || waiting(&world.reader(), &world.policy()).unwrap();
    assert_eq!((waits()[0].cells, waits()[0].until), (1, until));
    let holds = || ledger::hold_by_policy(world.state(), &world.policy()).unwrap();
    assert_eq!(holds().settles, until);
    world.advance(16);
    assert_eq!((waits()[0].until, holds().settles), (None, None), "it is over");
    let late = world.verify(Which::Unproven);
    assert_eq!((late.refused, late.lost), (1, 0));
    assert_eq!(world.plan().0.counts.cells, 0, "not sent again");
    let refused = key("R1", 48, "asof");
    let trace = ledger::trace(&world.reader(), &refused, world.clock.now()).unwrap();
    let told = trace.attempts[0].rejection.clone().unwrap();
    assert!(!told.reason.is_empty() && told.cure.contains("retry"), "{told:?}");
    ledger::retry(world.state(), vec![refused]).unwrap();
    world.land();
    assert_eq!(world.status().seen, 4);
    world.audit();
}

#[test]
fn a_failed_job_is_told_as_that_and_its_cells_go_out_again() {
    let world = wanted(Fault::Works(2, Ending::Fails));
    let (_, applied, read) = world.land();
    let stopped = applied.stopped.unwrap();
    assert!(stopped.to_string().contains("the area is locked"), "{stopped}");
    assert_eq!((applied.failed, applied.rejected), (4, 0));
    // It has ended: nobody waits for a target that may be busy.
    assert_eq!((read.failed, read.not_yet, read.lost), (4, 0, 0));
    assert_eq!(read.failures.first().map(String::as_str), Some("FAILED: the area is locked"));
    let (header, applied, read) = world.land();
    assert_eq!((header.counts.cells, applied.accepted, read.landed), (4, 4, 4));
    world.audit();
}

#[test]
fn law_4_what_may_still_take_effect_is_not_sent_before_its_instant() {
    let world = wanted(Fault::Before);
    {
        let mut inside = world.fake.inside();
        inside.forgets = true;
        inside.unclear_for = std::time::Duration::from_hours(3);
    }
    let (_, plan) = world.plan();
    assert_eq!(world.apply(&plan, false).unwrap().unproven, 4);
    world.advance(60);
    assert_eq!(world.verify(Which::All).not_yet, 4, "the settle window alone does not decide");
    world.want(&[("R1", 48, "90")]);
    assert_eq!(world.plan().0.counts.cells, 0, "nor for a newer value");
    world.advance(121);
    world.verify(Which::All);
    world.land();
    assert_eq!(world.held(&key("R1", 48, "live")), Some(d("90")));
    world.audit();
}

#[test]
fn a_target_slower_than_its_sheet_lands_in_smaller_batches_and_nothing_is_tried_for_ever() {
    // By its sheet a thousand cells a second, and a batch has 30 minutes. A
    // hundred and a thousand times slower the whole load would take 5 minutes,
    // and an hour.
    for (cells_a_second, weeks) in [(10, 40), (1, 40)] {
        let world = World::with_batches(100_000);
        let wanted: Vec<(String, u32)> =
            (0..20).flat_map(|r| (1..=weeks).map(move |w| (format!("R{r}"), w))).collect();
        let cells: Vec<(&str, u32, &str)> =
            wanted.iter().map(|(r, w)| (r.as_str(), *w, "100")).collect();
        world.want(&cells);
        world.fake.inside().faults.push_back(Fault::Slow(cells_a_second));
        let total = cells.len() * 4;
        let (_, plan) = world.plan();
        let applied = world.apply_for(&plan, 100_000).unwrap();
        assert!(applied.stopped.is_none(), "{applied:?}");
        assert_eq!(applied.accepted, u64::try_from(total).unwrap());
        assert_eq!(world.fake.inside().effects.len(), total, "each once");
        world.audit();
    }
}

/// Its only open attempt.
fn open(world: &World) -> AttemptId {
    let open = ledger::open_attempts(&world.reader(), "plan").unwrap();
    assert_eq!(open.len(), 1);
    open[0].record.id.clone()
}

#[test]
fn a_person_may_end_an_attempt_and_it_is_read_back_before_anything_is_sent() {
    // By the verb, or by a record that the next recovery finds.
    for by_record in [false, true] {
        let world = wanted(Fault::Works(FOR_EVER, Ending::Takes));
        let (_, plan) = world.plan();
        world.apply_for(&plan, 60).unwrap();
        let id = open(&world);
        let ended = if by_record {
            world.recover_with(vec![ended_by_mara(&id)])
        } else {
            world.end_attempt(&id).unwrap()
        };
        assert_eq!((ended.given_up, ended.open), (1, 0), "{ended:?}");
        assert_eq!((ended.read_back.not_yet, world.status().open_attempts), (4, 0));
        let told = ledger::receipts(&world.reader(), 1).unwrap().remove(0).error;
        assert_eq!(told.as_deref(), Some("ended by mara: month end"));
        assert_eq!(world.plan().0.counts.cells, 0, "the job may still take effect");
        world.advance(16);
        assert_eq!(world.verify(Which::Unproven).lost, 4);
        world.land();
        assert_eq!(world.status().seen, 4);
        world.audit();
    }
}

#[test]
fn the_targets_own_word_is_better_than_a_persons() {
    let ended = wanted(Fault::Works(FOR_EVER, Ending::Takes));
    let (_, plan) = ended.plan();
    ended.apply_for(&plan, 60).unwrap();
    end(&ended);
    let told = ended.end_attempt(&open(&ended)).unwrap();
    assert_eq!((told.done, told.given_up, told.read_back.landed), (1, 0, 4));
    ended.audit();
}

#[test]
fn within_its_wait_limit_nobody_ends_an_attempt() {
    let world = wanted(Fault::Works(FOR_EVER, Ending::Takes));
    let (_, plan) = world.plan();
    assert!(world.apply_for(&plan, 5).is_none(), "it waits, and is killed");
    let id = open(&world);
    let refused = world.end_attempt(&id).unwrap_err().to_string();
    assert!(refused.contains("within its wait limit"), "{refused}");
    let stranger = AttemptId::parse(&"0".repeat(32)).unwrap();
    let refused = world.end_attempt(&stranger).unwrap_err().to_string();
    assert!(refused.contains("is not open"), "{refused}");
    // A record that came too early counts from the limit on.
    world.advance(25);
    assert_eq!(world.recover_with(vec![ended_by_mara(&id)]).given_up, 1);
    world.audit();
}

#[test]
fn an_ending_names_an_attempt_and_who_answers_for_it() {
    let record = |who: &str| {
        format!(r#"{{"attempt":"{}","who":"{who}","why":"month end"}}"#, "0a".repeat(16))
    };
    let read = Decided::read(&record("mara")).unwrap();
    assert_eq!(read, ended_by_mara(&AttemptId::parse(&"0a".repeat(16)).unwrap()));
    assert_eq!(Decided::read(&record(" ")), Err(EndingError::Empty("who")));
    assert!(matches!(Decided::read("{}"), Err(EndingError::Unreadable(_))));
}
