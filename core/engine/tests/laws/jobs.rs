//! A push is a durable job: it is waited for, left, and taken up again, and
//! what its target says late still reaches the cells.

use planthread_engine::{deliver::Ending as Given, ledger, verify::Which};
use planthread_kit::Clock as _;

use crate::{
    fake::{Ending, Fault},
    world::{World, d, key},
};

/// More questions than are asked before the wait limit.
const FOR_EVER: u32 = 1_000_000;

/// A world in which one batch is wanted, and how its job goes.
fn wanted(fault: Fault) -> World {
    let world = World::new();
    world.want(&[("R1", 48, "100")]);
    world.fake.inside().faults.push_back(fault);
    world
}

/// The job that runs ends at the next question.
fn end(world: &World) {
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
    world.advance(16);
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

#[test]
fn a_person_may_end_an_attempt_and_it_is_read_back_before_anything_is_sent() {
    let world = wanted(Fault::Works(FOR_EVER, Ending::Takes));
    let (_, plan) = world.plan();
    world.apply_for(&plan, 60).unwrap();
    let open = ledger::open_attempts(&world.reader(), "plan").unwrap().remove(0);
    let Given::GivenUp(read) = world.end_attempt(&open.record.id) else { panic!("it runs") };
    assert_eq!((read.not_yet, world.status().open_attempts), (4, 0));
    assert_eq!(world.plan().0.counts.cells, 0, "the job may still take effect");
    world.advance(16);
    assert_eq!(world.verify(Which::Unproven).lost, 4);
    world.land();
    assert_eq!(world.status().seen, 4);
    world.audit();

    let ended = wanted(Fault::Works(FOR_EVER, Ending::Takes));
    let (_, plan) = ended.plan();
    ended.apply_for(&plan, 60).unwrap();
    end(&ended);
    let open = ledger::open_attempts(&ended.reader(), "plan").unwrap().remove(0);
    let Given::Told(read) = ended.end_attempt(&open.record.id) else { panic!("it has ended") };
    assert_eq!(read.landed, 4, "the target's own word is better than a person's");
    ended.audit();
}
