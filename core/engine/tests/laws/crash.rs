//! Law 12: killed anywhere and started again, everything is seen, and nothing
//! took effect twice.

use planthread_engine::{ledger, verify::Which};
use planthread_kit::Clock as _;

use crate::{
    fake::Fault,
    world::{World, d, key},
};

fn each_attempt_once(world: &World) {
    let inside = world.fake.inside();
    let mut ids = inside.pushed.clone();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), inside.pushed.len(), "an attempt was sent into twice");
}

#[test]
fn law_12_killed_during_a_push_before_and_after_the_effect() {
    for (fault, effects) in [(Fault::HangBefore, 4), (Fault::HangAfter, 4)] {
        let mut world = World::new();
        world.want(&[("R1", 48, "100")]);
        let (_, plan) = world.plan();
        world.fake.inside().faults.push_back(fault);
        assert!(world.apply(&plan, false).is_none(), "it hangs, and is killed");
        assert_eq!(world.status().open_attempts, 1);
        let recovered = world.crash();
        assert_eq!(recovered.done, u64::from(fault == Fault::HangAfter));
        assert_eq!(recovered.not_taken, u64::from(fault == Fault::HangBefore));
        world.land();
        assert_eq!(world.status().seen, 4, "{fault:?}");
        assert_eq!(world.fake.inside().effects.len(), effects, "{fault:?}: once");
        each_attempt_once(&world);
        world.audit();
    }
}

#[test]
fn law_12_killed_at_every_boundary_between_the_verbs() {
    let mut world = World::new();
    world.want(&[("R1", 48, "100"), ("R2", 48, "90")]);
    world.crash();
    let (_, plan) = world.plan();
    world.crash();
    world.apply(&plan, false).unwrap();
    // Accepted, and killed before anybody read back: recovery reads.
    let recovered = world.crash();
    assert_eq!(recovered.read_back.landed, 8);
    assert_eq!(world.plan().0.counts.cells, 0);
    assert_eq!(world.fake.inside().effects.len(), 8);
    world.audit();
}

#[test]
fn law_2_and_12_an_attempt_that_nobody_remembers_is_decided_by_reading() {
    for fault in [Fault::Before, Fault::After] {
        let world = World::new();
        world.want(&[("R1", 48, "100")]);
        {
            let mut inside = world.fake.inside();
            inside.forgets = true;
            inside.faults.push_back(fault);
        }
        let (_, plan) = world.plan();
        let applied = world.apply(&plan, false).unwrap();
        assert_eq!((applied.unproven, applied.accepted), (4, 0));
        // Unclear and not read: it must not be sent again.
        assert_eq!(world.plan().0.counts.cells, 0);
        let early = world.verify(Which::Unproven);
        if fault == Fault::After {
            assert_eq!(early.landed, 4);
        } else {
            assert_eq!((early.not_yet, early.lost), (4, 0));
            assert_eq!(world.plan().0.counts.cells, 0, "the window has not passed");
            world.advance(16);
            assert_eq!(world.verify(Which::Unproven).lost, 4);
            world.land();
        }
        assert_eq!(world.fake.inside().effects.len(), 4, "{fault:?}");
        assert_eq!(world.status().seen, 4);
        each_attempt_once(&world);
        world.audit();
    }
}

#[test]
fn law_4_a_newer_value_waits_until_the_unclear_attempt_has_had_its_time() {
    let world = World::new();
    world.want(&[("R1", 48, "100")]);
    {
        let mut inside = world.fake.inside();
        inside.forgets = true;
        inside.faults.push_back(Fault::After);
    }
    let (_, plan) = world.plan();
    world.apply(&plan, false).unwrap();
    world.advance(1);
    world.want(&[("R1", 48, "90")]);
    let (header, _) = world.plan();
    assert_eq!(header.counts.cells, 0, "{:?}", header.counts);
    assert!(header.counts.held["settling"] >= 2, "{:?}", header.counts);
    world.advance(20);
    world.verify(Which::All);
    world.land();
    assert_eq!(world.held(&key("R1", 48, "live")), Some(d("90")));
    let trace = ledger::trace(&world.reader(), &key("R1", 48, "live"), world.clock.now()).unwrap();
    let states: Vec<_> = trace.revisions.iter().map(|r| r.state.word()).collect();
    assert_eq!(states, ["overtaken", "seen"]);
    world.audit();
}

#[test]
fn law_4_what_is_wanted_while_an_attempt_is_open_waits_for_its_end() {
    let mut world = World::new();
    world.want(&[("R1", 48, "100")]);
    let (_, plan) = world.plan();
    world.fake.inside().faults.push_back(Fault::HangBefore);
    assert!(world.apply(&plan, false).is_none());
    world.want(&[("R1", 48, "90")]);
    let (header, _) = world.plan();
    assert_eq!(header.counts.cells, 0, "one open attempt a cell: {:?}", header.counts);
    world.audit();
    world.crash();
    // Provably not taken, and replaced meanwhile: never sent.
    assert_eq!(world.status().states["superseded"], 2);
    world.land();
    assert_eq!(world.held(&key("R1", 48, "live")), Some(d("90")));
    world.audit();
}

#[test]
fn a_target_that_is_gone_parks_and_nothing_is_dropped() {
    let world = World::new();
    world.want(&[("R1", 48, "100")]);
    world.fake.inside().faults.extend([Fault::NotSent; 8]);
    let (_, plan) = world.plan();
    let applied = world.apply(&plan, false).unwrap();
    assert!(applied.stopped.is_some() && applied.sent == 0, "{applied:?}");
    assert_eq!(world.status().states["pending"], 4);
    world.fake.inside().faults.clear();
    world.advance(600);
    world.land();
    assert_eq!(world.status().seen, 4);
    world.audit();
}
