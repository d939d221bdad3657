//! What changes while something waits: nobody stays stuck, and nobody's edit is
//! written over because we looked too early.

use std::sync::Arc;

use jiff::SignedDuration;
use planthread_contracts::{CellKey, Scope};
use planthread_engine::{
    ledger::{self, Lock, LockKind},
    plan::Window,
    push::DurableLog,
    undo::{UndoRequest, undo},
    verify::Which,
};
use planthread_kit::{AttemptLog as _, Batch, CellWrite, Clock as _};

use crate::{
    fake::Fault,
    world::{TARGET, World, d, key, measures},
};

fn lock(world: &World, key: CellKey, hours: i64) {
    let since = world.clock.now();
    let until = since + SignedDuration::from_hours(hours);
    let (owner, reason) = ("A. Planner".to_owned(), "strike".to_owned());
    let lock = Lock { key, kind: LockKind::Send, owner, reason, since, until };
    ledger::lock(world.state(), lock).unwrap();
}

#[test]
fn after_an_outage_what_waits_is_read_before_it_is_sent() {
    let world = World::new();
    world.want(&[("R1", 48, "100"), ("R2", 48, "110")]);
    world.land();
    world.want(&[("R1", 48, "90"), ("R2", 48, "80")]);
    world.advance(30 * 60);
    // Nothing could be sent; meanwhile one planner edits, another loads a pack.
    world.foreign(key("R1", 48, "live"), "42");
    world.foreign(key("R2", 48, "live"), "80");
    let read = world.verify(Which::Unread);
    assert_eq!((read.read, read.persons, read.landed > 0), (8, 1, true), "{read:?}");
    world.land();
    assert_eq!(world.held(&key("R1", 48, "live")), Some(d("42")), "hers stays");
    assert_eq!(world.verify(Which::Unread).selections, 0, "read a moment ago");
    world.audit();
}

#[test]
fn a_measure_that_left_the_configuration_holds_nobody_up() {
    let world = World::new();
    world.want(&[("R1", 48, "100")]);
    let (_, plan) = world.plan();
    world.apply(&plan, false).unwrap();
    let mut sweep = world.sweep_policy(Which::Unproven);
    sweep.measures.retain(|decl| decl.name != "lost");
    world.verify_with(&sweep);
    assert_eq!(world.status().states["unproven"], 1, "nobody reads it any more");
    world.advance(60);
    world.want(&[("R1", 48, "90")]);
    let mut policy = world.policy();
    policy.measures.retain(|decl| decl.name != "lost");
    policy.grants.retain(|grant| grant.measure() != "lost");
    assert!(world.plan_with(&policy).0.counts.cells > 0);
    let mut taken_back = world.policy();
    taken_back.grants.retain(|grant| grant.measure() != "lost");
    assert!(world.plan_with(&taken_back).0.counts.cells > 0, "nor one whose promotion ended");
    world.audit();
}

#[test]
fn a_value_that_is_not_worth_sending_does_not_let_its_stamps_run_out() {
    let world = World::new();
    world.want(&[("R1", 48, "100")]);
    world.land();
    world.advance(23 * 60);
    world.want(&[("R1", 48, "100.1")]);
    let mut policy = world.policy();
    for decl in measures() {
        policy.significance.insert(decl.name, d("0.5"));
    }
    policy.significance.retain(|measure, _| measure == "live" || measure == "lost");
    let (header, _) = world.plan_with(&policy);
    assert_eq!((header.counts.cells, header.counts.held["not_significant"]), (2, 2));
}

#[test]
fn a_window_that_opens_during_an_apply_ends_it_there() {
    // The first batch takes its time; or it needs another attempt, which is one too
    // many in the window.
    for (fault, sent) in [(Fault::Slow(1), 4), (Fault::NotSent, 0)] {
        let world = World::with_batches(4);
        world.want(&[("R1", 48, "100"), ("R2", 48, "110"), ("R3", 48, "120")]);
        let (_, plan) = world.plan();
        let mut policy = world.policy();
        let from = world.clock.now() + SignedDuration::from_millis(1);
        let until = from + SignedDuration::from_hours(1);
        policy.blackouts.push(Window { from, until, why: "nightly load".into() });
        world.fake.inside().faults.push_back(fault);
        let applied = world.apply_with(&plan, true, &policy).unwrap();
        assert_eq!((applied.sent, applied.moved), (sent, 12 - sent), "{applied:?}");
        world.verify(Which::Unproven);
        world.audit();
    }
}

#[test]
fn a_lock_is_asked_again_when_an_attempt_opens() {
    let world = World::new();
    world.want(&[("R1", 48, "100")]);
    let locked = key("R1", 48, "live");
    let write = CellWrite { key: locked.clone(), revision: 1, value: d("100") };
    let batch = Batch::new(Scope::base(), &world.policy().grants, vec![write]).unwrap();
    lock(&world, locked, 48);
    // What a second try of a batch does, after it has waited.
    let clock = Arc::new(world.clock.clone());
    let log = DurableLog::of_plan(Arc::clone(world.state()), clock, "", world.policy());
    assert!(log.open(&batch).is_err());
    assert_eq!((world.status().open_attempts, world.status().states["pending"]), (0, 4));
    world.audit();
}

#[test]
fn we_never_vouch_for_the_number_of_somebody_else() {
    let world = World::new();
    world.want(&[("R1", 48, "100")]);
    world.land();
    world.foreign(key("R1", 48, "live"), "42");
    world.advance(60);
    world.verify(Which::All);
    let before = world.held(&key("R1", 48, "asof"));
    assert!(before.is_some(), "ours landed with its stamps");
    // Every value of the group is news, the stamps too.
    world.advance(24 * 60);
    world.want(&[("R1", 48, "90")]);
    let (header, _) = world.plan();
    assert_eq!(header.counts.held["lock"], 3, "the edited value, and both stamps: {header:?}");
    world.land();
    assert_eq!(world.held(&key("R1", 48, "live")), Some(d("42")));
    assert_eq!(world.held(&key("R1", 48, "asof")), before, "hers does not look like ours");
    world.audit();
}

#[test]
fn an_edit_found_at_the_target_does_not_shorten_a_planners_own_lock() {
    let world = World::new();
    let edited = key("R1", 48, "live");
    world.want(&[("R1", 48, "100")]);
    world.land();
    lock(&world, edited.clone(), 60 * 24);
    world.foreign(edited, "42");
    let sweep = world.verify(Which::All);
    let locks = ledger::locks(&world.reader(), world.clock.now()).unwrap();
    assert_eq!((locks.len(), locks[0].owner.as_str()), (1, "A. Planner"));
    assert_eq!((sweep.persons, sweep.person_edits[0].until), (1, locks[0].until));
}

#[test]
fn what_was_never_taken_can_not_be_undone() {
    let world = World::new();
    world.want(&[("R1", 48, "100")]);
    world.verify(Which::Unread);
    world.fake.inside().faults.extend([Fault::NotSent; 8]);
    let (_, plan) = world.plan();
    world.apply(&plan, false).unwrap();
    let attempt = &ledger::receipts(&world.reader(), 1).unwrap()[0];
    assert_eq!(attempt.end.as_deref(), Some("not_taken"));
    let request = UndoRequest {
        target: TARGET.into(),
        receipt: attempt.id.clone(),
        who: "A. Planner".into(),
        why: "by mistake".into(),
        until: world.clock.now(),
        measures: measures(),
    };
    assert!(undo(world.state(), request, world.clock.now()).is_err());
}

#[test]
fn a_plan_tells_of_cells_that_nobody_knows_the_end_of() {
    let world = World::new();
    world.want(&[("R1", 48, "100"), ("R2", 48, "90")]);
    world.fake.inside().faults.push_back(Fault::Drop(1));
    let (_, bytes) = world.plan();
    let applied = world.apply(&bytes, false).unwrap();
    assert_eq!((applied.sent, world.fake.inside().cells.len()), (8, 0));
    let (header, _) = world.plan();
    assert_eq!(header.counts.cells, 0);
    let unproven = header.counts.held.values().sum::<u64>();
    assert_eq!(unproven, 8, "nothing to send is not all is well: {:?}", header.counts);
    assert!(header.counts.held.contains_key("unproven"));
}
